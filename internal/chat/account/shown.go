package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"parley/internal/ids"
	"parley/internal/store"
)

// liveCodesSetting names the setting that keeps the hashes of codes for a user's account.
const liveCodesSetting = "login_codes"

// liveCodesMost is how many codes for one account can be live: as many as are sent in a day.
const liveCodesMost = 8

// noteCode notes that a code for an account is live.
func noteCode(tx *store.Tx, user ids.UserID, hash string) error {
	value, err := tx.Setting(user, liveCodesSetting)
	if err != nil {
		return err
	}
	list := append(strings.Fields(string(value)), hash)
	if len(list) > liveCodesMost {
		list = list[len(list)-liveCodesMost:]
	}
	return tx.PutSetting(user, liveCodesSetting, []byte(strings.Join(list, " ")))
}

// CodeShown is to be told what an account sends to others: a live login code in it expires, because
// whoever asks for it in a chat is a thief. It costs a look at the text when that has no five
// digits.
func (s *Service) CodeShown(ctx context.Context, user ids.UserID, text string) error {
	digits := digitsIn(text)
	if len(digits) < codeDigits {
		return nil
	}
	var shown []string
	err := s.Store.View(ctx, func(r *store.Reader) error {
		shown = nil
		value, err := r.Setting(user, liveCodesSetting)
		if err != nil {
			return err
		}
		for _, hash := range strings.Fields(string(value)) {
			row, err := r.LoginCode(hash)
			if errors.Is(err, store.ErrNotFound) || err == nil && s.stale(row) {
				continue
			}
			if err != nil {
				return err
			}
			if strings.Contains(digits, row.Code) {
				shown = append(shown, hash)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("account: codes of %d: %w", user, err)
	}
	for _, hash := range shown {
		if err := s.forget(ctx, hash); err != nil {
			return err
		}
	}
	if len(shown) == 0 {
		return nil
	}
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		value, err := tx.Setting(user, liveCodesSetting)
		if err != nil {
			return err
		}
		rest := slices.DeleteFunc(strings.Fields(string(value)), func(hash string) bool {
			return slices.Contains(shown, hash)
		})
		return tx.PutSetting(user, liveCodesSetting, []byte(strings.Join(rest, " ")))
	})
}

// digitsIn returns the decimal digits of a text, in whatever script and with whatever between them:
// people are told to write "1 2 3 4 5" so that nobody notices.
func digitsIn(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r > unicode.MaxASCII && unicode.Is(unicode.Nd, r):
			b.WriteByte('0' + digitValue(r))
		}
	}
	return b.String()
}

// digitValue is the value of a decimal digit of any script. Unicode keeps each script's ten digits
// together and in order, so it is the distance from the first of them.
func digitValue(r rune) byte {
	for _, table := range unicode.Nd.R16 {
		if lo, hi := rune(table.Lo), rune(table.Hi); r >= lo && r <= hi {
			return byte((r - lo) % 10)
		}
	}
	for _, table := range unicode.Nd.R32 {
		if lo, hi := rune(table.Lo), rune(table.Hi); r >= lo && r <= hi {
			return byte((r - lo) % 10)
		}
	}
	return 0
}
