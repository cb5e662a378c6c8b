package market

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/safety/country"
	"parley/internal/store"
)

// tellPage is how many numbers are looked at in one go.
const tellPage = 200

// Told is what an account is told.
type Told struct {
	User    ids.UserID
	Country country.Code
	State   State
	// Why is the reason of the state.
	Why string
	// Random makes the message one, however often it is sent.
	Random int64
}

// Prefix is the calling code that numbers of a country begin with; other countries may share it.
func Prefix(of country.Code) string {
	n := phonenumbers.GetCountryCodeForRegion(string(of))
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// after is the first string of digits after all that begin with a prefix.
func after(prefix string) string {
	b := []byte(strings.TrimRight(prefix, "9"))
	if len(b) == 0 {
		return ":" // after all digits
	}
	b[len(b)-1]++
	return string(b)
}

// TellAll tells the people of countries what became of these, and returns how many it told. It goes
// on where an earlier process ended, and tells nobody twice.
func (s *Service) TellAll(ctx context.Context) (n int, err error) {
	all, err := s.stored(ctx)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.Place == done {
			continue
		}
		told, err := s.tell(ctx, m)
		if n += told; err != nil {
			return n, err
		}
	}
	return n, nil
}

// tell tells the people of one country.
func (s *Service) tell(ctx context.Context, m stored) (n int, err error) {
	prefix := Prefix(m.Country)
	from := max(m.Place, prefix)
	for prefix != "" {
		var list []store.Phone
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.Phones(from, after(prefix), tellPage)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, p := range list {
			from = p.Number + "0" // no number lies between
			if Country(p.Number) != m.Country {
				continue
			}
			to := Told{p.User, m.Country, m.State(), m.why(), random(p.User, m)}
			err := s.Tell(ctx, to)
			if err != nil {
				return n, err
			}
			n++
		}
		if len(list) < tellPage {
			break
		}
		if err := s.mark(ctx, m, from); err != nil {
			return n, err
		}
	}
	return n, s.mark(ctx, m, done)
}

// People counts the accounts with a number of a country.
func (s *Service) People(ctx context.Context, of country.Code) (n int64, err error) {
	if !of.Valid() {
		return 0, ErrCountry
	}
	prefix := Prefix(of)
	err = s.Store.View(ctx, func(r *store.Reader) error {
		n = 0
		for from := prefix; prefix != ""; {
			list, err := r.Phones(from, after(prefix), tellPage)
			for _, p := range list {
				from = p.Number + "0"
				if Country(p.Number) == of {
					n++
				}
			}
			if err != nil || len(list) < tellPage {
				return err
			}
		}
		return nil
	})
	return n, err
}

// random follows from whom is told of which change; several may share a second.
func random(user ids.UserID, m stored) int64 {
	b := []byte("market" + string(m.Country))
	b = binary.BigEndian.AppendUint64(b, uint64(user))
	b = binary.BigEndian.AppendUint64(b, uint64(m.since()))
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:])>>1) | 1
}

// mark notes up to where people were told, unless the market changed meanwhile.
func (s *Service) mark(ctx context.Context, m stored, place string) error {
	return s.Store.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
		all, err := read(&tx.Reader)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(x stored) bool { return x.Country == m.Country })
		if i < 0 || len(all[i].Changes) != len(m.Changes) {
			return nil
		}
		all[i].Place = place
		return write(tx, all)
	})
}
