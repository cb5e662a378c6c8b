package restrict

import "strings"

// Words of reasons, as clients know them.
//
// https://core.telegram.org/api/terms#restriction-reasons
const (
	sensitive = "sensitive"
	legal     = "legal"
	terms     = "terms"
)

// Language is the language of the sentences for somebody whose client has a language; empty for
// English, which is also for those that there are no sentences in.
func Language(code string) string {
	code, _, _ = strings.Cut(strings.ToLower(code), "-")
	switch code {
	case "ar", "de", "fa", "fr", "id", "ko", "ru", "zh":
		return code
	}
	return ""
}

// sentence tells people in a language why something is withheld.
func sentence(lang, word string) string {
	list := sentences(lang)
	switch word {
	case sensitive:
		return list[0]
	case legal:
		return list[1]
	default:
		return list[2]
	}
}

// sentences are those for what is sensitive, for what a country's law forbids, and for all others.
func sentences(lang string) [3]string {
	switch lang {
	case "ar":
		return [3]string{"قد لا يناسب هذا القاصرين أو قد يكون مزعجًا. " +
			"يمكنك السماح بالمحتوى الحساس في الإعدادات.",
			"هذا غير متاح في بلدك.", "هذا غير متاح."}
	case "de":
		return [3]string{"Dies kann für Minderjährige ungeeignet oder verstörend sein. " +
			"In den Einstellungen lassen sich heikle Inhalte zulassen.",
			"Dies ist in deinem Land nicht verfügbar.", "Dies ist nicht verfügbar."}
	case "fa":
		return [3]string{"این محتوا شاید برای افراد زیر سن قانونی مناسب نباشد " +
			"یا ناراحت‌کننده باشد. " +
			"می‌توانید نمایش محتوای حساس را در تنظیمات روشن کنید.",
			"این محتوا در کشور شما در دسترس نیست.", "این محتوا در دسترس نیست."}
	case "fr":
		return [3]string{"Ceci peut ne pas convenir aux mineurs ou choquer. " +
			"Vous pouvez autoriser les contenus sensibles dans les réglages.",
			"Ceci n’est pas disponible dans votre pays.", "Ceci n’est pas disponible."}
	case "id":
		return [3]string{"Ini mungkin tidak cocok untuk anak di bawah umur atau mengganggu. " +
			"Anda dapat mengizinkan konten sensitif di pengaturan.",
			"Ini tidak tersedia di negara Anda.", "Ini tidak tersedia."}
	case "ko":
		return [3]string{"미성년자에게 적합하지 않거나 불쾌감을 줄 수 있습니다. 설정에서 민감한 콘텐츠를 허용할 수 있습니다.",
			"이용자의 국가에서는 볼 수 없습니다.", "볼 수 없습니다."}
	case "ru":
		return [3]string{"Это может не подходить несовершеннолетним или шокировать. " +
			"Показ деликатных материалов можно разрешить в настройках.",
			"Это недоступно в вашей стране.", "Это недоступно."}
	case "zh":
		return [3]string{"此内容可能不适合未成年人或令人不适。您可以在设置中允许显示敏感内容。",
			"此内容在您所在的国家/地区不可用。", "此内容不可用。"}
	default:
		return [3]string{"This may be unsuitable for minors or disturbing. " +
			"You can allow sensitive content in your settings.",
			"This is not available in your country.", "This is not available."}
	}
}
