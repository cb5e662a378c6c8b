package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// waitsForPassword gets a new device as far as the cloud password.
func (w *world) waitsForPassword(number string) *phone {
	w.t.Helper()
	p := w.device(home)
	hash := p.sent(number)
	refused(p, signIn(number, hash, w.code(number)), 401, "SESSION_PASSWORD_NEEDED")
	if p.in() {
		w.t.Fatal("logged in without the password")
	}
	return p
}

func TestPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, unhurried)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	owner.lock("correct horse")
	state := must[tg.AccountPassword](owner, &tg.AccountGetPasswordRequest{})
	if !state.HasPassword || state.Hint != "a hint" || state.HasRecovery {
		t.Errorf("state %v", &state)
	}
	p := w.waitsForPassword(alice)
	list := owner.authorizations()
	if len(list) != 2 || list[0].PasswordPending == list[1].PasswordPending {
		t.Errorf("the attempt is not on the list: %v", list)
	}
	if len(w.noted(id, "not your password")) != 1 {
		t.Error("the owner does not know of the attempt")
	}
	refused(p, &tg.AuthCheckPasswordRequest{Password: p.prove("wrong")}, 400,
		"PASSWORD_HASH_INVALID")
	refused(p, &tg.AuthCheckPasswordRequest{Password: &tg.InputCheckPasswordEmpty{}}, 400,
		"PASSWORD_HASH_INVALID")
	proof := p.prove("correct horse")
	if got := p.user(must[tg.AuthAuthorization](
		p, &tg.AuthCheckPasswordRequest{Password: proof})); got != id || !p.in() {
		t.Errorf("logged in as %d", got)
	}
	another := w.waitsForPassword(alice)
	refused(another, &tg.AuthCheckPasswordRequest{Password: proof}, 400, "SRP_ID_INVALID")
	settings := must[tg.AccountPasswordSettings](owner, &tg.AccountGetPasswordSettingsRequest{
		Password: owner.prove("correct horse"),
	})
	if settings.Email != "" {
		t.Errorf("settings %v", &settings)
	}

	// A new password makes the old one useless; removing it lets people in with the code alone.
	must[tg.BoolBox](owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: owner.prove("correct horse"), NewSettings: owner.settings("battery", ""),
	})
	refused(another, &tg.AuthCheckPasswordRequest{Password: another.prove("correct horse")}, 400,
		"PASSWORD_HASH_INVALID")
	refused(owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: &tg.InputCheckPasswordEmpty{}, NewSettings: owner.settings("stolen", ""),
	}, 400, "PASSWORD_HASH_INVALID")
	var off tg.AccountPasswordInputSettings
	off.SetNewAlgo(&tg.PasswordKdfAlgoUnknown{})
	off.SetNewPasswordHash(nil)
	off.SetHint("")
	must[tg.BoolBox](owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: owner.prove("battery"), NewSettings: off,
	})
	if len(w.noted(id, "was removed")) != 1 {
		t.Error("nobody told the owner")
	}
	w.device(home).login(alice)
}

func TestVerifierIsSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	settings := owner.settings("correct horse", "")
	must[tg.BoolBox](owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: &tg.InputCheckPasswordEmpty{}, NewSettings: settings,
	})
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		row, err := r.Password(id)
		if strings.Contains(string(row.Verifier), string(settings.NewPasswordHash)) {
			t.Error("the verifier lies open in the store")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPasswordGuessesAreCounted guesses from several devices and across a restart.
func TestPasswordGuessesAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	owner.join(alice, "Alice")
	owner.lock("correct horse")
	one, two := w.waitsForPassword(alice), w.waitsForPassword(alice)
	for i := range 5 {
		p := []*phone{one, two}[i%2]
		refused(p, &tg.AuthCheckPasswordRequest{Password: p.guess()}, 400,
			"PASSWORD_HASH_INVALID")
	}
	w.reopen()
	right := func(p *phone) *tg.AuthCheckPasswordRequest {
		return &tg.AuthCheckPasswordRequest{Password: p.prove("correct horse")}
	}
	if wait := waits(one, right(one)); wait != 10*time.Minute {
		t.Errorf("the sixth try waits for %v", wait)
	}
	w.clock.Advance(10 * time.Minute)
	must[tg.AuthAuthorization](one, right(one))
	if wait := waits(two, right(two)); wait != 0 {
		t.Errorf("a right answer was counted as a try: wait of %v", wait)
	}
	wrong := func() *tg.AccountGetPasswordSettingsRequest {
		return &tg.AccountGetPasswordSettingsRequest{Password: owner.guess()}
	}
	refused(owner, wrong(), 400, "PASSWORD_HASH_INVALID")
	refused(owner, wrong(), 420, "FLOOD_WAIT_1200")
}

func TestHostileProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	owner.join(alice, "Alice")
	owner.lock("correct horse")
	p := w.waitsForPassword(alice)
	prime := crypt.NewGroup().Prime()
	for name, a := range map[string][]byte{
		"zero": make([]byte, crypt.KeySize), "p": prime[:], "empty": nil,
		"long": make([]byte, crypt.KeySize+1),
	} {
		w.clock.Advance(24 * time.Hour)
		proof := p.guess()
		proof.A = a
		_, err := call[anything](p, &tg.AuthCheckPasswordRequest{Password: proof})
		if !errors.Is(err, chat.Invalid("PASSWORD_HASH_INVALID")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostileSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	owner.join(alice, "Alice")
	prime := crypt.NewGroup().Prime()
	settings := owner.settings("new", "")
	update := func(s tg.AccountPasswordInputSettings) *tg.AccountUpdatePasswordSettingsRequest {
		return &tg.AccountUpdatePasswordSettingsRequest{
			Password: &tg.InputCheckPasswordEmpty{}, NewSettings: s,
		}
	}
	bad := settings
	bad.NewAlgo = &tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow{
		Salt1: []byte("mine"), Salt2: []byte("mine"), G: 3, P: prime[:],
	}
	refused(owner, update(bad), 400, "NEW_SALT_INVALID")
	bad = settings
	bad.NewPasswordHash = make([]byte, crypt.KeySize)
	refused(owner, update(bad), 400, "NEW_SETTINGS_INVALID")
	bad = settings
	bad.NewAlgo = &tg.PasswordKdfAlgoUnknown{}
	refused(owner, update(bad), 400, "NEW_SETTINGS_INVALID")
	bad = settings
	bad.SetHint(strings.Repeat("x", 300))
	refused(owner, update(bad), 400, "NEW_SETTINGS_INVALID")
	bad = settings
	bad.SetNewSecureSettings(tg.SecureSecretSettings{
		SecureAlgo: &tg.SecurePasswordKdfAlgoUnknown{},
	})
	refused(owner, update(bad), 400, "NEW_SETTINGS_INVALID")
	refused(owner, update(tg.AccountPasswordInputSettings{}), 400, "NEW_SETTINGS_EMPTY")
}

// TestThiefCannotLockOut lets a new device set the first password of an account that has an older
// one.
func TestThiefCannotLockOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	owner.join(alice, "Alice")
	w.clock.Advance(48 * time.Hour)
	thief := w.device("198.51.100.1")
	thief.login(alice)
	set := &tg.AccountUpdatePasswordSettingsRequest{
		Password: &tg.InputCheckPasswordEmpty{}, NewSettings: thief.settings("mine", ""),
	}
	refused(thief, set, 400, "SESSION_TOO_FRESH_86400")
	must[tg.BoolBox](owner, set)
}

func withEmail(s tg.AccountPasswordInputSettings, address string) tg.AccountPasswordInputSettings {
	s.SetEmail(address)
	return s
}

func TestRecoveryAddress(t *testing.T) {
	t.Parallel()
	const address = "alice@example.org"
	w := newWorld(t, unhurried)
	owner := w.device(home)
	owner.join(alice, "Alice")
	empty := &tg.InputCheckPasswordEmpty{}
	refused(owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: empty, NewSettings: withEmail(owner.settings("horse", ""), "not an address"),
	}, 400, "EMAIL_INVALID")
	refused(owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: empty, NewSettings: withEmail(owner.settings("horse", "h"), address),
	}, 400, "EMAIL_UNCONFIRMED_6")
	state := must[tg.AccountPassword](owner, &tg.AccountGetPasswordRequest{})
	if state.HasPassword || state.EmailUnconfirmedPattern != "a***e@example.org" {
		t.Errorf("state before the address is confirmed: %v", &state)
	}
	refused(owner, &tg.AccountConfirmPasswordEmailRequest{Code: "x"}, 400, "CODE_INVALID")
	w.reopen()
	must[tg.BoolBox](owner, &tg.AccountResendPasswordEmailRequest{})
	must[tg.BoolBox](owner, &tg.AccountConfirmPasswordEmailRequest{Code: w.letter(address)})
	state = must[tg.AccountPassword](owner, &tg.AccountGetPasswordRequest{})
	if !state.HasPassword || !state.HasRecovery || state.EmailUnconfirmedPattern != "" ||
		state.Hint != "h" {
		t.Errorf("state afterwards: %v", &state)
	}
	settings := must[tg.AccountPasswordSettings](owner, &tg.AccountGetPasswordSettingsRequest{
		Password: owner.prove("horse"),
	})
	if settings.Email != address {
		t.Errorf("address %q", settings.Email)
	}

	// Another address does not count until it is confirmed, and can be given up.
	var change tg.AccountPasswordInputSettings
	refused(owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password: owner.prove("horse"), NewSettings: withEmail(change, "other@example.org"),
	}, 400, "EMAIL_UNCONFIRMED_6")
	must[tg.BoolBox](owner, &tg.AccountCancelPasswordEmailRequest{})
	refused(owner, &tg.AccountCancelPasswordEmailRequest{}, 400, "EMAIL_HASH_EXPIRED")
}

// recoverable makes an account with the password "horse" and a confirmed recovery address.
func (w *world) recoverable(address string) ids.UserID {
	w.t.Helper()
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	refused(owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password:    &tg.InputCheckPasswordEmpty{},
		NewSettings: withEmail(owner.settings("horse", ""), address),
	}, 400, "EMAIL_UNCONFIRMED_6")
	must[tg.BoolBox](owner, &tg.AccountConfirmPasswordEmailRequest{Code: w.letter(address)})
	return id
}

func TestRecoverPassword(t *testing.T) {
	t.Parallel()
	const address = "alice@example.org"
	w := newWorld(t, unhurried)
	id := w.recoverable(address)
	p := w.waitsForPassword(alice)
	recovery := must[tg.AuthPasswordRecovery](p, &tg.AuthRequestPasswordRecoveryRequest{})
	if recovery.EmailPattern != "a***e@example.org" {
		t.Errorf("pattern %q", recovery.EmailPattern)
	}
	code := w.letter(address)
	refused(p, &tg.AuthCheckRecoveryPasswordRequest{Code: "000"}, 400, "CODE_INVALID")
	must[tg.BoolBox](p, &tg.AuthCheckRecoveryPasswordRequest{Code: code})
	request := &tg.AuthRecoverPasswordRequest{Code: code}
	request.SetNewSettings(p.settings("battery", ""))
	if got := p.user(must[tg.AuthAuthorization](p, request)); got != id {
		t.Errorf("recovered %d", got)
	}
	again := w.waitsForPassword(alice)
	refused(again, request, 400, "PASSWORD_RECOVERY_EXPIRED")
	must[tg.AuthAuthorization](
		again, &tg.AuthCheckPasswordRequest{Password: again.prove("battery")})

	// Five wrong guesses end a code.
	last := w.waitsForPassword(alice)
	must[tg.AuthPasswordRecovery](last, &tg.AuthRequestPasswordRecoveryRequest{})
	for range 5 {
		refused(last, &tg.AuthRecoverPasswordRequest{Code: "x"}, 400, "CODE_INVALID")
	}
	refused(last, &tg.AuthRecoverPasswordRequest{Code: w.letter(address)}, 400,
		"PASSWORD_RECOVERY_EXPIRED")
	must[tg.AuthPasswordRecovery](last, &tg.AuthRequestPasswordRecoveryRequest{})
	must[tg.AuthAuthorization](last, &tg.AuthRecoverPasswordRequest{Code: w.letter(address)})
	w.clock.Advance(24 * time.Hour)
	w.device(home).login(alice)
}

func TestNoRecoveryWithoutMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *account.Options) { o.Mail = nil })
	owner := w.device(home)
	owner.join(alice, "Alice")
	refused(owner, &tg.AccountUpdatePasswordSettingsRequest{
		Password:    &tg.InputCheckPasswordEmpty{},
		NewSettings: withEmail(owner.settings("horse", ""), "a@example.org"),
	}, 400, "EMAIL_NOT_ALLOWED")
	owner.lock("horse")
	p := w.waitsForPassword(alice)
	refused(p, &tg.AuthRequestPasswordRecoveryRequest{}, 400, "PASSWORD_RECOVERY_NA")
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	reset := func() tg.AccountResetPasswordResultClass {
		t.Helper()
		return must[tg.AccountResetPasswordResultBox](
			owner, &tg.AccountResetPasswordRequest{}).ResetPasswordResult
	}
	refused(owner, &tg.AccountResetPasswordRequest{}, 400, "PASSWORD_EMPTY")
	owner.lock("forgotten")
	week := 7 * 24 * time.Hour
	until := int(w.clock.Now().Add(week).Unix())
	for range 2 {
		if r, ok := reset().(*tg.AccountResetPasswordRequestedWait); !ok || r.UntilDate != until {
			t.Fatalf("reset: %v", r)
		}
		w.clock.Advance(time.Hour)
	}
	if len(w.noted(id, "in a week")) != 1 {
		t.Error("the owner was not told once")
	}
	state := must[tg.AccountPassword](owner, &tg.AccountGetPasswordRequest{})
	if state.PendingResetDate != until {
		t.Errorf("state %v", &state)
	}
	must[tg.BoolBox](owner, &tg.AccountDeclinePasswordResetRequest{})
	refused(owner, &tg.AccountDeclinePasswordResetRequest{}, 400, "RESET_REQUEST_MISSING")
	if r, ok := reset().(*tg.AccountResetPasswordFailedWait); !ok ||
		r.RetryDate != int(w.clock.Now().Add(week).Unix()) {
		t.Errorf("reset after it was declined: %v", r)
	}
	w.clock.Advance(week)
	reset()
	w.clock.Advance(week)
	if _, ok := reset().(*tg.AccountResetPasswordOk); !ok {
		t.Error("not reset after a week")
	}
	if must[tg.AccountPassword](owner, &tg.AccountGetPasswordRequest{}).HasPassword {
		t.Error("the password is still there")
	}
}
