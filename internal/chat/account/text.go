package account

import (
	"fmt"
	"strings"
)

// text is a message of the service account, in the languages that the server speaks.
type text struct {
	// name is for diagnostics, which never see the message.
	name string
	by   map[string]string
}

// in returns the message in a language such as "de" or "de-AT", in English when it has no such.
func (t text) in(lang string, args ...any) string {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	form, ok := t.by[base]
	if !ok {
		form = t.by["en"]
	}
	return fmt.Sprintf(form, args...)
}

var (
	// textCode has the code.
	textCode = text{"login code", map[string]string{
		"en": "Login code: %s. Do not give this code to anyone, even if they say they run this " +
			"server. Sending it in a message makes it invalid.\n\nIf you did not ask for it, " +
			"ignore this message.",
		"de": "Anmeldecode: %s. Gib diesen Code niemandem, auch nicht, wer sich als Betreiber " +
			"dieses Servers ausgibt. Wer ihn in einer Nachricht verschickt, macht ihn ungültig." +
			"\n\nWenn du ihn nicht angefordert hast, beachte diese Nachricht nicht.",
		"es": "Código de acceso: %s. No des este código a nadie, aunque diga que administra este " +
			"servidor. Si lo envías en un mensaje, deja de ser válido.\n\nSi no lo has pedido, " +
			"ignora este mensaje.",
		"fr": "Code de connexion : %s. Ne donnez ce code à personne, même si l’on prétend gérer " +
			"ce serveur. L’envoyer dans un message le rend invalide.\n\nSi vous ne l’avez pas " +
			"demandé, ignorez ce message.",
		"ru": "Код для входа: %s. Никому не давайте этот код, даже если вам говорят, что " +
			"управляют этим сервером. Код, отправленный в сообщении, перестаёт действовать.\n\n" +
			"Если вы его не запрашивали, не обращайте внимания на это сообщение.",
	}}
	// textLogin has the device and the time.
	textLogin = text{"new login", map[string]string{
		"en": "New login to your account from %s, %s.\n\nIf this was not you, end that session in " +
			"Settings > Devices and set a two-step password.",
		"de": "Neue Anmeldung in deinem Konto von %s, %s.\n\nWenn du das nicht warst, beende " +
			"diese Sitzung unter Einstellungen > Geräte und richte ein Passwort für die " +
			"zweistufige Bestätigung ein.",
		"es": "Nuevo acceso a tu cuenta desde %s, %s.\n\nSi no has sido tú, cierra esa sesión en " +
			"Ajustes > Dispositivos y pon una contraseña de verificación en dos pasos.",
		"fr": "Nouvelle connexion à votre compte depuis %s, %s.\n\nSi ce n’était pas vous, fermez " +
			"cette session dans Paramètres > Appareils et choisissez un mot de passe de " +
			"vérification en deux étapes.",
		"ru": "Новый вход в ваш аккаунт: %s, %s.\n\nЕсли это были не вы, завершите этот сеанс в " +
			"разделе «Настройки > Устройства» и задайте облачный пароль.",
	}}
	// textAttempt has the device and the time.
	textAttempt = text{"login attempt", map[string]string{
		"en": "Somebody entered the right login code for your account, but not your password: " +
			"%s, %s.\n\nIf this was not you, your login codes are being read by others.",
		"de": "Jemand hat den richtigen Anmeldecode für dein Konto eingegeben, aber nicht dein " +
			"Passwort: %s, %s.\n\nWenn du das nicht warst, liest jemand deine Anmeldecodes mit.",
		"es": "Alguien ha introducido el código de acceso correcto de tu cuenta, pero no tu " +
			"contraseña: %s, %s.\n\nSi no has sido tú, otra persona lee tus códigos.",
		"fr": "Quelqu’un a saisi le bon code de connexion de votre compte, mais pas votre mot de " +
			"passe : %s, %s.\n\nSi ce n’était pas vous, quelqu’un lit vos codes.",
		"ru": "Кто-то ввёл правильный код для входа в ваш аккаунт, но не ваш пароль: %s, %s.\n\n" +
			"Если это были не вы, ваши коды читает кто-то ещё.",
	}}
	// textPlaces has the device.
	textPlaces = text{"two places", map[string]string{
		"en": "Your session on %s is being used from two places at once. If one of them is not " +
			"yours, its key was copied: end the session in Settings > Devices and log in anew.",
		"de": "Deine Sitzung auf %s wird an zwei Orten zugleich benutzt. Wenn einer davon nicht " +
			"deiner ist, wurde ihr Schlüssel kopiert: Beende die Sitzung unter Einstellungen > " +
			"Geräte und melde dich neu an.",
		"es": "Tu sesión en %s se está usando en dos lugares a la vez. Si uno no es tuyo, " +
			"alguien ha copiado su clave: ciérrala en Ajustes > Dispositivos y vuelve a entrar.",
		"fr": "Votre session sur %s est utilisée depuis deux endroits à la fois. Si l’un d’eux " +
			"n’est pas le vôtre, sa clé a été copiée : fermez la session dans Paramètres > " +
			"Appareils et reconnectez-vous.",
		"ru": "Ваш сеанс на %s используется сразу из двух мест. Если одно из них не ваше, ключ " +
			"сеанса скопирован: завершите сеанс в разделе «Настройки > Устройства» и войдите " +
			"заново.",
	}}
	// textNumber has the number.
	textNumber = text{"anonymous number", map[string]string{
		"en": "Your account has no phone. Its number is +%s: keep it. To log in elsewhere, enter " +
			"it and take the code from this chat, or scan a QR code. Set a two-step password with " +
			"a recovery address, and keep one device logged in.",
		"de": "Dein Konto hat kein Telefon. Seine Nummer ist +%s: Bewahre sie auf. Um dich " +
			"woanders anzumelden, gib sie ein und nimm den Code aus diesem Chat, oder scanne " +
			"einen QR-Code. Richte ein Passwort mit Wiederherstellungsadresse ein und bleib auf " +
			"einem Gerät angemeldet.",
		"es": "Tu cuenta no tiene teléfono. Su número es +%s: guárdalo. Para entrar en otro " +
			"dispositivo, escríbelo y usa el código de este chat, o escanea un código QR. Pon una " +
			"contraseña con dirección de recuperación y deja un dispositivo conectado.",
		"fr": "Votre compte n’a pas de téléphone. Son numéro est +%s : conservez-le. Pour vous " +
			"connecter ailleurs, saisissez-le et prenez le code dans cette discussion, ou scannez " +
			"un code QR. Choisissez un mot de passe avec une adresse de récupération et gardez un " +
			"appareil connecté.",
		"ru": "У вашего аккаунта нет телефона. Его номер: +%s, сохраните его. Чтобы войти на " +
			"другом устройстве, введите номер и возьмите код из этого чата или отсканируйте " +
			"QR-код. Задайте облачный пароль с адресом для восстановления и не выходите из " +
			"аккаунта на одном из устройств.",
	}}
	textPasswordOn = text{"password changed", map[string]string{
		"en": "Your two-step password or its recovery address was changed.",
		"de": "Dein Passwort für die zweistufige Bestätigung oder dessen " +
			"Wiederherstellungsadresse wurde geändert.",
		"es": "Se ha cambiado tu contraseña de verificación en dos pasos o su dirección de " +
			"recuperación.",
		"fr": "Votre mot de passe de vérification en deux étapes ou son adresse de récupération a " +
			"été modifié.",
		"ru": "Ваш облачный пароль или адрес для его восстановления изменён.",
	}}
	textPasswordOff = text{"password removed", map[string]string{
		"en": "Your two-step password was removed.",
		"de": "Dein Passwort für die zweistufige Bestätigung wurde entfernt.",
		"es": "Se ha eliminado tu contraseña de verificación en dos pasos.",
		"fr": "Votre mot de passe de vérification en deux étapes a été supprimé.",
		"ru": "Ваш облачный пароль удалён.",
	}}
	textReset = text{"password reset", map[string]string{
		"en": "One of your devices asked to reset your two-step password in a week. If this was " +
			"not you, cancel it in Settings > Privacy and Security and end that session.",
		"de": "Eines deiner Geräte hat verlangt, dein Passwort für die zweistufige Bestätigung " +
			"in einer Woche zurückzusetzen. Wenn du das nicht warst, brich es unter " +
			"Einstellungen > Privatsphäre und Sicherheit ab und beende diese Sitzung.",
		"es": "Uno de tus dispositivos ha pedido restablecer tu contraseña dentro de una semana. " +
			"Si no has sido tú, cancélalo en Ajustes > Privacidad y seguridad y cierra esa sesión.",
		"fr": "Un de vos appareils a demandé la réinitialisation de votre mot de passe dans une " +
			"semaine. Si ce n’était pas vous, annulez-la dans Paramètres > Confidentialité et " +
			"sécurité et fermez cette session.",
		"ru": "Одно из ваших устройств запросило сброс облачного пароля через неделю. Если это " +
			"были не вы, отмените сброс в разделе «Настройки > Конфиденциальность» и завершите " +
			"этот сеанс.",
	}}
)
