package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/account/codesender"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

const (
	// codeDigits is the length of a login code.
	codeDigits = 5
	// codeLife is how long a code may be used, codeTries how often it may be guessed at.
	codeLife  = 5 * time.Minute
	codeTries = 5
	// signUpLife is how long somebody with a right code may take to fill in his name.
	signUpLife = 30 * time.Minute
	// hashBytes is the entropy of a phone_code_hash.
	hashBytes = 18
	// resendAfter is when a client may ask for a code to be sent again, codeSends how often it is
	// sent in all.
	resendAfter = time.Minute
	codeSends   = 3
)

// Bits of store.LoginCode.Flags: bit 0 says that the code was right, bits 4 to 7 what it is for,
// and from bit 8 on they count how often it was sent.
const (
	codeRight     = 1 << 0
	purposeShift  = 4
	purposeMask   = 0xf << purposeShift
	deliveryShift = 8
)

// purpose keeps codes for one thing from being used for another.
type purpose int64

const (
	forLogin purpose = iota
	forPhone
	forEmail
	forRecovery
)

func (p purpose) flags() int64 { return int64(p) << purposeShift }

func purposeOf(row store.LoginCode) purpose {
	return purpose(row.Flags & purposeMask >> purposeShift)
}

// Refusals of codes.
var (
	ErrCodeEmpty   = chat.Invalid("PHONE_CODE_EMPTY")
	ErrHashEmpty   = chat.Invalid("PHONE_CODE_HASH_EMPTY")
	ErrCodeInvalid = chat.Invalid("PHONE_CODE_INVALID")
	ErrCodeExpired = chat.Invalid("PHONE_CODE_EXPIRED")
	errUnavailable = chat.Refusal{Code: 406, Reason: "SEND_CODE_UNAVAILABLE"}
	errAppInvalid  = chat.Invalid("API_ID_INVALID")
)

// Medium is how a code travels.
type Medium int

// The media of codes.
const (
	// ByApp is a message to the account's other devices; for anonymous numbers also what was
	// printed with them.
	ByApp Medium = iota
	// ByMessage is whatever the operator's sender does.
	ByMessage
)

// Sent is a code on its way.
type Sent struct {
	// Hash is the phone_code_hash.
	Hash   string
	Medium Medium
	// Length is how many digits the code has.
	Length int
	// Again tells whether it can be sent again, by message, after Timeout seconds.
	Again   bool
	Timeout int
}

// App is the application that a client says it is.
type App struct {
	ID   int
	Hash string
}

// SendCode makes a login code for a phone number and sends it. Whether the number has an account
// does not show, unless PreferApp is set.
//
// https://core.telegram.org/method/auth.sendCode
func (s *Service) SendCode(ctx context.Context, c Caller, app App, written string) (Sent, error) {
	if err := s.admitApp(app); err != nil {
		return Sent{}, err
	}
	if c.user() != 0 {
		return Sent{}, errRestart
	}
	phone, err := Phone(written)
	if err != nil {
		return Sent{}, err
	}
	if err := s.takes(ctx, phone, false); err != nil {
		return Sent{}, err
	}
	return s.send(ctx, c, phone, forLogin)
}

// takes refuses a number that the service does not take.
func (s *Service) takes(ctx context.Context, phone string, fresh bool) error {
	if s.Admit == nil {
		return nil
	}
	return s.Admit(ctx, phone, fresh)
}

func (s *Service) admitApp(app App) error {
	hash, known := s.Apps[app.ID]
	if app.ID <= 0 || len(s.Apps) > 0 && (!known ||
		subtle.ConstantTimeCompare([]byte(hash), []byte(app.Hash)) != 1) {
		return errAppInvalid
	}
	return nil
}

// send makes a code, keeps it, and then sends it.
func (s *Service) send(ctx context.Context, c Caller, phone string, p purpose) (Sent, error) {
	if err := s.admitCode(ctx, c, phone, true); err != nil {
		return Sent{}, err
	}
	hash := make([]byte, hashBytes)
	if _, err := io.ReadFull(s.Rand, hash); err != nil {
		return Sent{}, fmt.Errorf("account: code: %w", err)
	}
	code, err := s.digits(codeDigits)
	if err != nil {
		return Sent{}, err
	}
	if fixed, ok := demoCode(phone); ok && s.Demo {
		code = fixed
	}
	row := store.LoginCode{
		Hash: base64.RawURLEncoding.EncodeToString(hash), Phone: phone, Code: code,
		KeyID: c.Key.ID, Created: s.now(), Flags: p.flags(),
	}
	return s.deliver(ctx, c, row)
}

// admitCode counts a code against the bounds for its address, its number and the whole server.
func (s *Service) admitCode(ctx context.Context, c Caller, phone string, fresh bool) error {
	perRange := s.CodesPerAddress
	perRange.Burst *= rangeFactor
	type bound struct {
		gate    gate
		rate    limit.Rate
		subject string
	}
	bounds := []bound{
		{rateGate("code address", s.CodesPerAddress), s.CodesPerAddress, c.network()},
		{rateGate("code range", perRange), perRange, phone[:len(phone)-rangeDigits]},
		{rateGate("code total", s.CodesTotal), s.CodesTotal, "all"},
	}
	if fresh {
		bounds = append(bounds, bound{phoneGate(s.CodesPerPhone), s.CodesPerPhone, phone})
	}
	for _, b := range bounds {
		if b.rate.Unlimited() {
			continue
		}
		if err := s.pass(ctx, b.gate, b.subject); err != nil {
			return err
		}
	}
	return nil
}

// Numbers that differ in their last rangeDigits digits alone are one range, which may be sent
// rangeFactor times as many codes as one address may ask for: who is paid for messages to numbers
// of his owns them by the range.
const (
	rangeDigits = 3
	rangeFactor = 4
)

// digits returns a random decimal number of n digits, without bias.
func (s *Service) digits(n int) (string, error) {
	out := make([]byte, 0, n)
	buf := make([]byte, 2*n)
	for len(out) < n {
		if _, err := io.ReadFull(s.Rand, buf); err != nil {
			return "", fmt.Errorf("account: code: %w", err)
		}
		for _, b := range buf {
			if b < 250 && len(out) < n {
				out = append(out, '0'+b%10)
			}
		}
	}
	return string(out), nil
}

// deliver keeps a code and sends it: to the devices of the account, if the number has one, and by
// the operator's sender.
func (s *Service) deliver(ctx context.Context, c Caller, row store.LoginCode) (Sent, error) {
	sends := row.Flags >> deliveryShift
	row.Flags += 1 << deliveryShift
	err := s.counter(ctx, func(tx *store.Tx) error { return tx.PutLoginCode(row) })
	if err != nil {
		return Sent{}, fmt.Errorf("account: code: %w", err)
	}
	to, err := s.owner(ctx, row.Phone)
	if err != nil {
		return Sent{}, err
	}
	if to.user != 0 && sends == 0 {
		s.announce(ctx, to, row)
	}
	sent := Sent{
		Hash: row.Hash, Length: len(row.Code), Medium: ByMessage,
		Again: sends+1 < codeSends, Timeout: int(resendAfter / time.Second),
	}
	_, demo := demoCode(row.Phone)
	switch {
	case anonymous(row.Phone):
		sent.Medium, sent.Again = ByApp, false
		return sent, nil
	case s.Demo && demo:
		return sent, nil
	case s.PreferApp && to.live && sends == 0:
		sent.Medium = ByApp
		return sent, nil
	}
	return sent, s.message(ctx, c, row, to.email)
}

// message hands a code to the operator's sender. That the sender has no way to somebody is not
// told to whoever asked, because a way may be known only for numbers that have an account.
func (s *Service) message(
	ctx context.Context, c Caller, row store.LoginCode, email string,
) error {
	m := codesender.Message{
		Phone: row.Phone, Code: row.Code, Purpose: codesender.Login, Lang: c.lang(),
		Time: s.Clock.Now(), Email: email,
	}
	if purposeOf(row) == forPhone {
		m.Purpose, m.Email = codesender.ChangePhone, ""
	}
	send := func(ctx context.Context) error {
		err := s.Codes.Send(ctx, m)
		if errors.Is(err, codesender.ErrNoAddress) {
			s.Log.Info("a login code had no way to its number", "purpose", m.Purpose)
			return nil
		}
		return err
	}
	if s.CodesLater {
		s.later(ctx, "sent code", send)
		return nil
	}
	if err := send(ctx); err != nil {
		return fmt.Errorf("account: send code: %w", err)
	}
	return nil
}

// owner is the account of a number.
type owner struct {
	// user is 0 when there is none.
	user ids.UserID
	// live says that one of its devices could show a message.
	live bool
	// email is the recovery address of its password.
	email string
}

// owner finds the account of a number, and reads as much when there is none.
func (s *Service) owner(ctx context.Context, phone string) (o owner, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		h, err := holderOf(r, phone)
		if err != nil {
			return err
		}
		if !h.occupied {
			h.user = 0
		}
		list, err := r.Authorizations(h.user)
		if err != nil {
			return err
		}
		p, err := passwordOf(r, h.user)
		o = owner{user: h.user, email: p.Email, live: slices.ContainsFunc(list, proven)}
		return err
	})
	if err != nil {
		return owner{}, fmt.Errorf("account: number: %w", err)
	}
	return o, nil
}

// proven tells that a device owes nothing.
func proven(a store.Authorization) bool { return a.Flags&owesPassword == 0 }

// announce shows a code to the account's devices, after noting that it is live: once the account
// sends its digits in a message, it is good for nothing any more.
func (s *Service) announce(ctx context.Context, to owner, row store.LoginCode) {
	s.later(ctx, textCode.name, func(ctx context.Context) error {
		err := s.Store.Update(ctx, to.user.Peer(), func(tx *store.Tx) error {
			return noteCode(tx, to.user, row.Hash)
		})
		if err != nil || !to.live {
			return err
		}
		return s.tell(ctx, to.user, textCode, row.Code)
	})
}

// ResendCode sends a code once more, by message.
//
// https://core.telegram.org/method/auth.resendCode
func (s *Service) ResendCode(ctx context.Context, c Caller, written, hash string) (Sent, error) {
	phone, err := Phone(written)
	if err != nil {
		return Sent{}, err
	}
	row, err := s.codeOf(ctx, c, phone, hash)
	if err != nil {
		return Sent{}, err
	}
	if row.Flags>>deliveryShift >= codeSends || anonymous(phone) {
		return Sent{}, errUnavailable
	}
	if early := row.Created + int64(resendAfter/time.Second) - s.now(); early > 0 {
		return Sent{}, chat.Wait(int(early))
	}
	if err := s.admitCode(ctx, c, phone, false); err != nil {
		return Sent{}, err
	}
	row.Created = s.now()
	return s.deliver(ctx, c, row)
}

// CancelCode forgets a code that its client no longer wants.
//
// https://core.telegram.org/method/auth.cancelCode
func (s *Service) CancelCode(ctx context.Context, c Caller, written, hash string) error {
	phone, err := Phone(written)
	if err != nil {
		return err
	}
	row, err := s.codeOf(ctx, c, phone, hash)
	if err != nil {
		return err
	}
	return s.forget(ctx, row.Hash)
}

func (s *Service) forget(ctx context.Context, hash string) error {
	err := s.counter(ctx, func(tx *store.Tx) error { return tx.DeleteLoginCode(hash) })
	if err != nil {
		return fmt.Errorf("account: code: %w", err)
	}
	return nil
}

// codeOf returns a live code that was made for this key and number.
func (s *Service) codeOf(
	ctx context.Context, c Caller, phone, hash string,
) (row store.LoginCode, err error) {
	if hash == "" {
		return row, ErrHashEmpty
	}
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		row, err = r.LoginCode(hash)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return row, ErrCodeExpired
	}
	if err != nil {
		return row, fmt.Errorf("account: code: %w", err)
	}
	if row.KeyID != c.Key.ID || row.Phone != phone || s.stale(row) {
		return row, ErrCodeExpired
	}
	return row, nil
}

func (s *Service) stale(row store.LoginCode) bool {
	life := codeLife
	switch {
	case purposeOf(row) >= forEmail:
		life = mailLife
	case row.Flags&codeRight != 0:
		life = signUpLife
	}
	return s.now() >= row.Created+int64(life/time.Second)
}

// guess counts a guess at a code, durably, and then tells whether it is right. key and where are
// what the code must have been made for. It answers ErrCodeExpired when there is nothing to guess
// at, and ErrCodeInvalid when the guess is wrong.
func (s *Service) guess(
	ctx context.Context, hash string, key int64, where string, p purpose, code string,
) (store.LoginCode, error) {
	var row store.LoginCode
	var spent bool
	err := s.counter(ctx, func(tx *store.Tx) (err error) {
		spent = false
		row, err = tx.LoginCode(hash)
		if errors.Is(err, store.ErrNotFound) {
			spent = true
			return nil
		}
		if err != nil {
			return err
		}
		if row.KeyID != key || row.Phone != where || purposeOf(row) != p {
			spent = true
			return nil
		}
		if row.Tries >= codeTries || s.stale(row) {
			spent = true
			return tx.DeleteLoginCode(hash)
		}
		row.Tries++
		return tx.PutLoginCode(row)
	})
	if err != nil {
		return row, fmt.Errorf("account: code: %w", err)
	}
	if spent {
		return row, ErrCodeExpired
	}
	if !sameCode(row.Code, code) {
		return row, ErrCodeInvalid
	}
	return row, nil
}

// sameCode compares in constant time.
func sameCode(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// issuedLife is how long a code that the operator issued may be used.
const issuedLife = 24 * time.Hour

// IssueCode makes a code that logs in once to the account of a number, without being sent: for the
// operator to hand to somebody who has no other device and no way to receive a code.
func (s *Service) IssueCode(ctx context.Context, written string) (string, error) {
	phone, err := Phone(written)
	if err != nil {
		return "", err
	}
	to, err := s.owner(ctx, phone)
	if err != nil {
		return "", err
	}
	if to.user == 0 {
		return "", ErrUnoccupied
	}
	code, err := s.digits(codeDigits)
	if err != nil {
		return "", err
	}
	err = s.counter(ctx, func(tx *store.Tx) error {
		return tx.PutLoginCode(store.LoginCode{
			Hash: issued(phone), Phone: phone, Code: code, Created: s.now(),
		})
	})
	if err != nil {
		return "", fmt.Errorf("account: issue code: %w", err)
	}
	return code, nil
}

func issued(phone string) string { return "issued/" + phone }

// takeIssued tells whether the operator issued this code for the number, and uses it up.
func (s *Service) takeIssued(ctx context.Context, phone, code string) (bool, error) {
	var ok bool
	err := s.counter(ctx, func(tx *store.Tx) error {
		ok = false
		row, err := tx.LoginCode(issued(phone))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		live := s.now() < row.Created+int64(issuedLife/time.Second)
		if ok = live && sameCode(row.Code, code); ok || !live {
			return tx.DeleteLoginCode(row.Hash)
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("account: issued code: %w", err)
	}
	return ok, nil
}
