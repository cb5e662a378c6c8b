package terms

import (
	"slices"
	"testing"
)

// matches says whether a query finds a text.
func matches(query, text string) bool {
	have := Index(text)
	groups := Query(query)
	for _, group := range groups {
		found := func(term string) bool { return slices.Contains(have, term) }
		if !slices.ContainsFunc(group, found) {
			return false
		}
	}
	return len(groups) > 0
}

// probe is a search as people make it.
type probe struct {
	class, text, query string
	want               bool
}

// TestProbes asks for words in nine languages.
func TestProbes(t *testing.T) {
	for _, list := range [][]probe{
		englishProbes(), russianProbes(), persianProbes(), arabicProbes(), indonesianProbes(),
		germanProbes(), frenchProbes(), chineseProbes(), koreanProbes(), mixedProbes(),
	} {
		for _, p := range list {
			if got := matches(p.query, p.text); got != p.want {
				t.Errorf("%s: %q in %q = %v\n\tindex %q\n\tquery %q", p.class, p.query, p.text,
					got, Index(p.text), Query(p.query))
			}
		}
	}
}

func englishProbes() []probe {
	return []probe{
		{"en plural", "Three ferries were cancelled this morning", "ferry", true},
		{"en gerund", "We kept walking along the canal", "walk", true},
		{"en past", "she painted the fence", "painting", true},
		{"en case", "MEETING at NOON", "meeting noon", true},
		{"en possessive", "the captain's cabin", "captain", true},
		{"en possessive query", "a captain spoke", "captain’s", true},
		{"en contraction", "they don't know", "dont", true},
		{"en all words", "the red bicycle", "red car", false},
		{"en other word", "a red bicycle", "tricycle", false},
		{"en order", "bread, milk and eggs", "eggs bread", true},
		{"en compatibility form", "ﬁnal ofﬁce hours", "final office", true},
		{"en full width", "ＲＥＡＤ ＭＥ ４２", "read me 42", true},
	}
}

func russianProbes() []probe {
	return []probe{
		{"ru case", "Завтра приедут мои сёстры из Казани", "казань", true},
		{"ru plural", "продаются книги и журналы", "книга журнал", true},
		{"ru verb", "мы долго гуляли по набережной", "гулять", true},
		{"ru adjective", "новый красивый город", "красивая", true},
		{"ru ё for е", "зелёный чай", "зеленый", true},
		{"ru е for ё", "зеленый чай", "зелёный", true},
		{"ru й stays", "крайний срок", "крайнего срока", true},
		{"ru stress mark", "за́мок на горе", "замок", true},
		{"ru other word", "красивый город", "деревня", false},
	}
}

func persianProbes() []probe {
	return []probe{
		{"fa arabic yeh and kaf", "كتابي درباره باغ ايراني", "کتابی ایرانی", true},
		{"fa persian yeh and kaf", "یک کودک کنجکاو", "كودك كنجكاو", true},
		{"fa joiner in text", "آن‌ها می‌خوانند", "میخوانند", true},
		{"fa joiner in query", "آنها میخوانند", "می‌خوانند", true},
		{"fa joiner and space", "او می‌خواند", "می خواند", true},
		{"fa space and joiner", "او می خواند", "می‌خواند", true},
		{"fa plural with joiner", "درخت‌های بلند", "درخت", true},
		{"fa plural joined", "درختها سبز شدند", "درخت", true},
		{"fa plural in query", "یک درخت بلند", "درخت‌ها", true},
		{"fa digits", "ساعت ۱۷ جلسه داریم", "17", true},
		{"fa other word", "درخت بلند", "دریا", false},
	}
}

func arabicProbes() []probe {
	return []probe{
		{"ar harakat", "كَتَبَ الوَلَدُ رِسالَةً", "كتب الولد رسالة", true},
		{"ar article in text", "قرأت المجلة في المساء", "مجلة مساء", true},
		{"ar article in query", "مجلة جديدة", "المجلة", true},
		{"ar article after and", "الشمس والقمر", "قمر", true},
		{"ar hamza", "أحمد وإيمان", "احمد", true},
		{"ar alef maksura", "مستشفى المدينة", "مستشفي", true},
		{"ar ta marbuta", "سيارة سريعة", "سياره", true},
		{"ar tatweel", "مرحبـــــا بكم", "مرحبا", true},
		{"ar plural", "مهندسون من حلب", "مهندس", true},
		{"ar digits", "الغرفة ٣٠٥", "305", true},
		{"ar other word", "الشمس والقمر", "مطر", false},
	}
}

func indonesianProbes() []probe {
	return []probe{
		{"id prefix", "Kami akan menulis laporan", "tulis", true},
		{"id swallowed p", "dia memotong rambut", "potong", true},
		{"id swallowed s", "menyapu halaman rumah", "sapu", true},
		{"id swallowed k", "mereka mengirim surat", "kirim", true},
		{"id vowel root", "guru mengajar anak-anak", "ajar", true},
		{"id query derived", "tolong kirim surat itu", "mengirim", true},
		{"id passive", "rumah itu dibangun tahun lalu", "bangun", true},
		{"id suffixes", "bacakan bukunya untuk saya", "buku", true},
		{"id circumfix", "pertemuan dan pembangunan desa", "bangun", true},
		{"id reduplication", "banyak buku-buku lama", "buku", true},
		{"id other word", "menulis laporan", "baca", false},
	}
}

func germanProbes() []probe {
	return []probe{
		{"de umlaut missing", "Die Äpfel sind süß", "apfel suss", true},
		{"de umlaut in query", "viele Apfel", "Äpfel", true},
		{"de umlaut spelled out", "Gruesse aus Muenchen", "Grüße München", true},
		{"de umlaut spelled out in query", "Grüße aus Köln", "Koeln", true},
		{"de sharp s", "Die Straße ist lang", "strasse", true},
		{"de capital sharp s", "GROẞE STRASSE", "große straße", true},
		{"de plural", "zwei Häuser am See", "Haus", true},
		{"de inflection", "mit den alten Freunden", "alte Freunde", true},
		{"de whole compound", "Donaudampfschiff", "donaudampfschiffe", true},
		{"de other word", "zwei Häuser", "Hausboot", false},
	}
}

func frenchProbes() []probe {
	return []probe{
		{"fr accents missing", "Les élèves sont arrivés à l'école", "eleves ecole", true},
		{"fr accents in query", "les eleves", "élèves", true},
		{"fr elided article", "L’hôtel près de l'église", "hôtel église", true},
		{"fr elided query", "un hôtel calme", "l'hôtel", true},
		{"fr plural", "des chevaux et des journaux", "cheval journal", true},
		{"fr verb", "ils cherchaient une maison", "chercher", true},
		{"fr feminine", "une réunion importante", "réunions importants", true},
		{"fr participle", "la porte est fermée", "fermer", true},
		{"fr ligature", "sa sœur et son cœur", "soeur coeur", true},
		{"fr cedilla", "garçon", "garcon", true},
		{"fr other word", "une réunion", "union", false},
	}
}

func chineseProbes() []probe {
	return []probe{
		{"zh two characters", "我们明天去北京大学参观", "北京", true},
		{"zh middle", "我们明天去北京大学参观", "大学", true},
		{"zh across", "我们明天去北京大学参观", "北京大学", true},
		{"zh one character", "那只猫很可爱", "猫", true},
		{"zh full width digits", "会议室１２号", "12", true},
		{"zh with Latin", "用iPhone手机拍的", "iphone 手机", true},
		{"zh other order", "北京大学", "学大", false},
		{"zh other word", "北京大学", "南京", false},
	}
}

func koreanProbes() []probe {
	return []probe{
		{"ko particle in text", "학교에서 친구를 만났어요", "학교 친구", true},
		{"ko particle in query", "학교 앞에서 만나자", "학교에서", true},
		{"ko one syllable", "새 책을 샀다", "책", true},
		{"ko decomposed", "\u1112\u1161\u11ab\u1100\u116e\u11a8 사람", "한국", true},
		{"ko other word", "학교에서 친구를", "병원", false},
	}
}

func mixedProbes() []probe {
	return []probe{
		{"mixed", "Привет, meeting в 北京 at 10", "meeting 北京 привет 10", true},
		{"emoji", "party 🎉🎉 tonight", "tonight", true},
		{"hashtag", "see #GoodNews today", "#goodnews", true},
		{"hashtag as word", "see #GoodNews today", "goodnews", true},
		{"hashtag is not a word", "goodnews today", "#goodnews", false},
		{"hashtag parts", "#good_news", "news", true},
		{"hashtag in Russian", "мы за #ЧистыйГород", "#чистыйгород", true},
		{"hashtag in Chinese", "#天气 很好", "天气", true},
		{"hashtags in a row", "#one#two", "#two", true},
		{"number sign", "issue #42", "42", true},
		{"mention", "ask @Night_Owl about it", "@night_owl", true},
		{"mention as words", "ask @Night_Owl about it", "owl", true},
		{"mention is not a hashtag", "ask @nightowl", "#nightowl", false},
		{"address is no mention", "write to owl@example.org", "@example", false},
		{"address", "write to owl@example.org", "owl@example.org", true},
		{"url host", "look: https://www.example.org/Garden/roses?id=7#top", "example.org", true},
		{"url path", "look: https://www.example.org/Garden/roses?id=7#top", "rose garden", true},
		{"url query is left out", "https://example.org/a?token=sesame", "sesame", false},
		{"url password is left out", "https://user:sesame@example.org/a", "sesame", false},
		{"url as query", "https://example.org/garden", "https://www.example.org/garden?x=1", true},
		{"url escaped", "https://example.org/%D0%A1%D0%B0%D0%B4", "сад", true},
		{"url after text without space", "链接https://example.org/a", "链接", true},
		{"letters and digits", "covid19 and 5G", "COVID19 5g", true},
		{"decimal", "price 12.50", "12", true},
		{"nothing", "anything", "", false},
		{"no words", "anything", "!? …", false},
	}
}
