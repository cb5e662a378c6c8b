package account

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/chat"
)

// The length of a phone number in digits.
//
// https://www.itu.int/rec/T-REC-E.164
const (
	phoneLeast = 7
	phoneMost  = 15
)

// anonymousPrefix begins the numbers of accounts without a phone, anonymousDigits is how many
// digits follow it.
const (
	anonymousPrefix = "888"
	anonymousDigits = 8
)

// demoPrefix begins the numbers that need no phone on a demo server, as on Telegram's test servers.
//
// https://core.telegram.org/api/auth#test-accounts
const demoPrefix = "99966"

// ErrPhone is a phone number that cannot be one.
var ErrPhone = chat.Invalid("PHONE_NUMBER_INVALID")

// Phone returns the digits of a phone number as people and clients write it. Any number of the
// length of E.164 is one, whether a network has it or not; only a trunk zero after the calling code
// ("+49 0171...") is taken out, because the same number without it would be another account.
func Phone(written string) (string, error) {
	var b strings.Builder
	for i, r := range written {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0, strings.ContainsRune(" -.()/\u00a0", r):
		default:
			return "", ErrPhone
		}
		if b.Len() > phoneMost+2 {
			return "", ErrPhone
		}
	}
	digits := b.String()
	if !strings.HasPrefix(written, "+") {
		digits = strings.TrimPrefix(digits, "00")
	}
	digits = withoutTrunkZero(digits)
	if len(digits) < phoneLeast || len(digits) > phoneMost || digits[0] == '0' {
		return "", ErrPhone
	}
	return digits, nil
}

func withoutTrunkZero(digits string) string {
	n, err := phonenumbers.Parse("+"+digits, "ZZ")
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return digits
	}
	code := strconv.Itoa(int(n.GetCountryCode()))
	proper := strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+")
	if national, ok := strings.CutPrefix(proper, code); ok && digits == code+"0"+national {
		return proper
	}
	return digits
}

// anonymous tells whether a number belongs to an account without a phone, or could.
func anonymous(phone string) bool {
	return strings.HasPrefix(phone, anonymousPrefix) &&
		len(phone) == len(anonymousPrefix)+anonymousDigits
}

// demoCode is the code of a number that needs no phone.
func demoCode(phone string) (string, bool) {
	if !strings.HasPrefix(phone, demoPrefix) || len(phone) != len(demoPrefix)+5 {
		return "", false
	}
	return strings.Repeat(phone[len(demoPrefix):len(demoPrefix)+1], codeDigits), true
}
