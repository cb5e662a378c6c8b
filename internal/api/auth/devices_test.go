package auth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/store"
)

const hour = time.Hour

func TestResetDevices(t *testing.T) {
	w := newWorld(t, nil)
	one := w.device(home)
	one.join(alice, "Alice")
	two := w.device("198.51.100.1")
	two.login(alice)
	three := w.device("198.51.100.2")
	three.login(alice)
	list := one.authorizations()
	if len(list) != 3 {
		t.Fatalf("%d devices", len(list))
	}
	var hash int64
	for _, a := range list {
		if a.Current != (a.IP == home) || a.Current != (a.Hash == 0) {
			t.Errorf("device %v", &a)
		}
		if a.DeviceModel != "Pixel" || a.AppName != "Telegram Android" || a.AppVersion != "11.2" {
			t.Errorf("device %v", &a)
		}
		if a.Unconfirmed == a.Current {
			t.Errorf("confirmed: %v", &a)
		}
		if a.IP == "198.51.100.1" {
			hash = a.Hash
		}
	}
	reset := &tg.AccountResetAuthorizationRequest{Hash: hash}
	refused(one, &tg.AccountResetAuthorizationRequest{Hash: 1}, 400, "HASH_INVALID")
	refused(one, &tg.AccountResetAuthorizationRequest{}, 400, "HASH_INVALID")
	refused(one, reset, 406, "FRESH_RESET_AUTHORISATION_FORBIDDEN")
	refused(one, &tg.AuthResetAuthorizationsRequest{}, 406,
		"FRESH_RESET_AUTHORISATION_FORBIDDEN")
	w.clock.Advance(24 * hour)
	must[tg.BoolBox](one, reset)
	if two.in() || !three.in() || !slices.Equal(w.cut, []int64{two.key}) {
		t.Errorf("reset one: two %v, three %v, cut %v", two.in(), three.in(), w.cut)
	}
	w.reopen()
	if two.in() {
		t.Error("a restart brought a device back")
	}
	must[tg.BoolBox](one, &tg.AuthResetAuthorizationsRequest{})
	if three.in() || !one.in() || len(one.authorizations()) != 1 {
		t.Error("reset of all others")
	}
}

func TestLogOut(t *testing.T) {
	w := newWorld(t, nil)
	p := w.device(home)
	id := p.join(alice, "Alice")
	must[tg.BoolBox](p, &tg.AccountRegisterDeviceRequest{TokenType: 2, Token: "token"})
	must[tg.AuthLoggedOut](p, &tg.AuthLogOutRequest{})
	if p.in() || !slices.Equal(w.cut, []int64{p.key}) {
		t.Error("still in")
	}
	if tokens := w.tokens(id); len(tokens) != 0 {
		t.Errorf("push tokens after log out: %v", tokens)
	}
	if p.login(alice) != id {
		t.Error("the key cannot log in again")
	}
}

func (w *world) tokens(user ids.UserID) (out []account.PushToken) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(r *store.Reader) (err error) {
		out, err = account.PushTokens(r, user)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestPushTokens(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.device(home), w.device(home)
	id := one.join(alice, "Alice")
	two.login(alice)
	for _, p := range []*phone{one, two} {
		for _, token := range []string{"old", "new"} {
			must[tg.BoolBox](p, &tg.AccountRegisterDeviceRequest{
				TokenType: 10, Token: token, Secret: []byte("secret"), NoMuted: true,
			})
		}
	}
	tokens := w.tokens(id)
	if len(tokens) != 2 {
		t.Fatalf("%d tokens", len(tokens))
	}
	for _, x := range tokens {
		if x.Token != "new" || x.Type != 10 || !x.NoMuted || string(x.Secret) != "secret" ||
			x.KeyID != one.key && x.KeyID != two.key {
			t.Errorf("token %+v", x)
		}
	}
	refused(one, &tg.AccountRegisterDeviceRequest{TokenType: 10}, 400, "TOKEN_EMPTY")
	refused(one, &tg.AccountRegisterDeviceRequest{TokenType: -1, Token: "x"}, 400,
		"TOKEN_TYPE_INVALID")
	refused(one, &tg.AccountRegisterDeviceRequest{
		TokenType: 1, Token: strings.Repeat("x", 5000),
	}, 400, "TOKEN_INVALID")
	refused(one, &tg.AccountUnregisterDeviceRequest{TokenType: 10, Token: "old"}, 400,
		"TOKEN_INVALID")
	must[tg.BoolBox](one, &tg.AccountUnregisterDeviceRequest{TokenType: 10, Token: "new"})
	if n := len(w.tokens(id)); n != 1 {
		t.Errorf("%d tokens after one was taken back", n)
	}
}

func TestChangeDevice(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.device(home), w.device("198.51.100.1")
	one.join(alice, "Alice")
	two.login(alice)
	find := func() tg.Authorization {
		t.Helper()
		for _, a := range one.authorizations() {
			if !a.Current {
				return a
			}
		}
		t.Fatal("no other device")
		return tg.Authorization{}
	}
	request := &tg.AccountChangeAuthorizationSettingsRequest{
		Hash: find().Hash, Confirmed: true,
	}
	request.SetCallRequestsDisabled(true)
	must[tg.BoolBox](one, request)
	if a := find(); a.Unconfirmed || !a.CallRequestsDisabled || a.EncryptedRequestsDisabled {
		t.Errorf("device %v", &a)
	}
	// A device cannot confirm itself.
	three := w.device(home)
	three.login(alice)
	must[tg.BoolBox](three, &tg.AccountChangeAuthorizationSettingsRequest{Confirmed: true})
	for _, a := range three.authorizations() {
		if a.Current && !a.Unconfirmed {
			t.Error("a device confirmed itself")
		}
	}
	w.clock.Advance(7 * 24 * hour)
	for _, a := range three.authorizations() {
		if a.Unconfirmed {
			t.Error("not confirmed after a week")
		}
	}
	refused(one, &tg.AccountChangeAuthorizationSettingsRequest{Hash: 1}, 400, "HASH_INVALID")
}

func TestSilentDevicesAndAccountsEnd(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.KeepAddresses = 30 * 24 * hour })
	ctx := context.Background()
	one, two := w.device(home), w.device(home)
	id := one.join(alice, "Alice")
	two.login(alice)
	refused(one, &tg.AccountSetAuthorizationTTLRequest{AuthorizationTTLDays: 1}, 400,
		"TTL_DAYS_INVALID")
	must[tg.BoolBox](one, &tg.AccountSetAuthorizationTTLRequest{AuthorizationTTLDays: 90})
	refused(one, &tg.AccountSetAccountTTLRequest{TTL: tg.AccountDaysTTL{Days: 3}}, 400,
		"TTL_DAYS_INVALID")
	must[tg.BoolBox](one, &tg.AccountSetAccountTTLRequest{TTL: tg.AccountDaysTTL{Days: 180}})
	if days := must[tg.AccountDaysTTL](one, &tg.AccountGetAccountTTLRequest{}).Days; days != 180 {
		t.Errorf("account ends after %d days", days)
	}
	touch := func(p *phone) {
		t.Helper()
		dev, err := w.devices.Find(ctx, p.key)
		if err != nil {
			t.Fatal(err)
		}
		err = w.account.Touch(ctx, account.Caller{Key: dev.AuthKey, IP: "203.0.113.9"})
		if err != nil {
			t.Fatal(err)
		}
	}
	sweep := func() {
		t.Helper()
		for range 2 {
			if err := w.account.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.clock.Advance(60 * 24 * hour)
	touch(one)
	w.clock.Advance(31 * 24 * hour)
	sweep()
	if two.in() || !one.in() {
		t.Errorf("after 91 days: one %v, two %v", one.in(), two.in())
	}
	if ip := one.authorizations()[0].IP; ip != "" {
		t.Errorf("the address %s is still known", ip)
	}
	touch(one)
	if ip := one.authorizations()[0].IP; ip != "203.0.113.9" {
		t.Errorf("the address is %q", ip)
	}
	w.clock.Advance(179 * 24 * hour)
	sweep()
	if w.gone(id) {
		t.Error("the account ended early")
	}
	w.clock.Advance(24 * hour)
	sweep()
	if !w.gone(id) {
		t.Error("the account lives on")
	}
	if w.gone(account.ServiceUser) {
		t.Error("the service account ended")
	}
}

// gone tells whether an account has ended.
func (w *world) gone(user ids.UserID) bool {
	w.t.Helper()
	var u store.User
	err := w.store.View(context.Background(), func(r *store.Reader) (err error) {
		u, err = r.User(user)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Flags.Has(store.UserDeleted)
}

func TestTouchBringsNobodyBack(t *testing.T) {
	w := newWorld(t, nil)
	p := w.device(home)
	id := p.join(alice, "Alice")
	dev, err := w.devices.Find(context.Background(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.account.RevokeAll(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(hour)
	if err := w.account.Touch(context.Background(), account.Caller{Key: dev.AuthKey}); err != nil {
		t.Fatal(err)
	}
	p.login(alice)
	if n := len(p.authorizations()); n != 1 {
		t.Errorf("%d devices", n)
	}
}

func TestQRLogin(t *testing.T) {
	w := newWorld(t, nil)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	desk := w.device("198.51.100.1")
	export := &tg.AuthExportLoginTokenRequest{APIID: 4, APIHash: "h"}
	old := must[tg.AuthLoginToken](desk, export)
	w.clock.Advance(30 * time.Second)
	refused(owner, &tg.AuthAcceptLoginTokenRequest{Token: old.Token}, 400, "AUTH_TOKEN_EXPIRED")
	token := must[tg.AuthLoginToken](desk, export)
	if token.Expires != int(w.clock.Now().Unix())+30 || string(token.Token) == string(old.Token) {
		t.Errorf("token %v", &token)
	}
	refused(owner, &tg.AuthAcceptLoginTokenRequest{Token: []byte("x")}, 400, "AUTH_TOKEN_INVALID")
	refused(w.device(home), &tg.AuthImportLoginTokenRequest{Token: token.Token}, 400,
		"AUTH_TOKEN_INVALID")
	must[tg.AuthLoginToken](desk, &tg.AuthImportLoginTokenRequest{Token: token.Token})
	accepted := must[tg.Authorization](owner, &tg.AuthAcceptLoginTokenRequest{Token: token.Token})
	if accepted.Current || accepted.Hash == 0 || accepted.DeviceModel != "Pixel" ||
		accepted.Unconfirmed || accepted.PasswordPending {
		t.Errorf("accepted %v", &accepted)
	}
	if !slices.Equal(w.told, []int64{desk.key}) {
		t.Errorf("told %v", w.told)
	}
	refused(owner, &tg.AuthAcceptLoginTokenRequest{Token: token.Token}, 400,
		"AUTH_TOKEN_ALREADY_ACCEPTED")
	done := must[tg.AuthLoginTokenSuccess](desk, export)
	if got := desk.user(*done.Authorization.(*tg.AuthAuthorization)); got != id || !desk.in() {
		t.Errorf("logged in as %d", got)
	}

	export.ExceptIDs = []int64{5, int64(id)}
	third := must[tg.AuthLoginToken](w.device(home), export)
	refused(owner, &tg.AuthAcceptLoginTokenRequest{Token: third.Token}, 400,
		"AUTH_TOKEN_EXCEPTION")
}

func TestQRLoginNeedsThePasswordToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	owner.lock("horse")
	desk := w.device(home)
	export := &tg.AuthExportLoginTokenRequest{APIID: 4, APIHash: "h"}
	token := must[tg.AuthLoginToken](desk, export)
	accepted := must[tg.Authorization](owner, &tg.AuthAcceptLoginTokenRequest{Token: token.Token})
	if !accepted.PasswordPending || desk.in() {
		t.Errorf("accepted %v", &accepted)
	}
	refused(desk, export, 401, "SESSION_PASSWORD_NEEDED")
	if got := desk.user(must[tg.AuthAuthorization](
		desk, &tg.AuthCheckPasswordRequest{Password: desk.prove("horse")})); got != id {
		t.Errorf("logged in as %d", got)
	}
}

func TestExportedAuthorization(t *testing.T) {
	w := newWorld(t, nil)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	refused(owner, &tg.AuthExportAuthorizationRequest{DCID: 6}, 400, "DC_ID_INVALID")
	export := func() *tg.AuthImportAuthorizationRequest {
		t.Helper()
		e := must[tg.AuthExportedAuthorization](
			owner, &tg.AuthExportAuthorizationRequest{DCID: 4})
		return &tg.AuthImportAuthorizationRequest{ID: e.ID, Bytes: e.Bytes}
	}
	request := export()
	stolen := *request
	stolen.ID++
	refused(w.device(home), &stolen, 400, "AUTH_BYTES_INVALID")
	refused(w.device(home), request, 400, "AUTH_BYTES_INVALID")

	media := w.device(home)
	request = export()
	if got := media.user(must[tg.AuthAuthorization](media, request)); got != id || !media.in() {
		t.Errorf("imported %d", got)
	}
	refused(w.device(home), request, 400, "AUTH_BYTES_INVALID")
	late := export()
	w.clock.Advance(time.Minute)
	refused(w.device(home), late, 400, "AUTH_BYTES_INVALID")

	if n := len(owner.authorizations()); n != 1 {
		t.Errorf("an exported key is a device of its own: %d", n)
	}
	other := w.device(home)
	other.login(alice)
	w.clock.Advance(24 * hour)
	for _, a := range other.authorizations() {
		if !a.Current {
			must[tg.BoolBox](other, &tg.AccountResetAuthorizationRequest{Hash: a.Hash})
		}
	}
	if owner.in() || media.in() || !other.in() {
		t.Errorf("owner %v, its second key %v", owner.in(), media.in())
	}
	if !slices.Equal(w.cut, []int64{owner.key, media.key}) {
		t.Errorf("cut %v", w.cut)
	}
}

func TestDeleteAccount(t *testing.T) {
	w := newWorld(t, nil)
	ctx := context.Background()
	one, two := w.device(home), w.device(home)
	id := one.join(alice, "Alice")
	two.login(alice)
	err := w.store.Update(ctx, 0, func(tx *store.Tx) error {
		return tx.TakeUsername("alice", id.Peer())
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.Update(ctx, id.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		u.Username = "Alice"
		return errors.Join(tx.PutUser(u),
			tx.PutContact(store.Contact{User: id, Contact: 5, FirstName: "Friend"}),
			tx.PutSetting(id, "privacy", []byte{1}))
	})
	if err != nil {
		t.Fatal(err)
	}
	must[tg.BoolBox](two, &tg.AccountDeleteAccountRequest{Reason: "enough"})
	if one.in() || two.in() || !w.gone(id) {
		t.Error("somebody is still in")
	}
	slices.Sort(w.cut)
	if want := []int64{min(one.key, two.key), max(one.key, two.key)}; !slices.Equal(w.cut, want) {
		t.Errorf("cut %v, want %v", w.cut, want)
	}
	err = w.store.View(ctx, func(r *store.Reader) error {
		if _, err := r.PeerByUsername("alice"); !store.IsNotFound(err) {
			t.Errorf("username: %v", err)
		}
		if _, err := r.UserByPhone(alice); !store.IsNotFound(err) {
			t.Errorf("number: %v", err)
		}
		u, err := r.User(id)
		if u.FirstName != "" || u.Phone != "" || u.Username != "" {
			t.Errorf("row %+v", u)
		}
		contacts, err2 := r.Contacts(id)
		value, err3 := r.Setting(id, "privacy")
		if len(contacts) != 0 || value != nil {
			t.Error("the address book or the settings are still there")
		}
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Fatal(err)
	}
	if again := one.join(alice, "Alice"); again == id {
		t.Error("an id lives twice")
	}
}

func TestDeleteAccountWithPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	owner := w.device(home)
	id := owner.join(alice, "Alice")
	owner.lock("horse")
	refused(owner, &tg.AccountDeleteAccountRequest{}, 400, "PASSWORD_HASH_INVALID")
	p := w.waitsForPassword(alice)
	refused(p, &tg.AccountDeleteAccountRequest{}, 420, "2FA_CONFIRM_WAIT_604800")

	// As long as the owner is there, nobody else ends the account.
	w.clock.Advance(6 * 24 * hour)
	dev, err := w.devices.Find(context.Background(), owner.key)
	if err != nil {
		t.Fatal(err)
	}
	err = w.account.Touch(context.Background(), account.Caller{Key: dev.AuthKey, IP: home})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * 24 * hour)
	refused(p, &tg.AccountDeleteAccountRequest{}, 420, "2FA_CONFIRM_WAIT_432000")
	w.clock.Advance(5 * 24 * hour)
	must[tg.BoolBox](p, &tg.AccountDeleteAccountRequest{Reason: "Forgot password"})
	if !w.gone(id) || owner.in() || p.in() {
		t.Error("the account lives on")
	}

	second := w.device(home)
	id = second.join(alice, "Alice")
	second.lock("horse")
	request := &tg.AccountDeleteAccountRequest{}
	request.SetPassword(second.prove("horse"))
	must[tg.BoolBox](second, request)
	if !w.gone(id) {
		t.Error("the right password does not end the account")
	}
}

func TestChangePhone(t *testing.T) {
	w := newWorld(t, nil)
	p := w.device(home)
	id := p.join(alice, "Alice")
	w.device(home).join(bob, "Bob")
	const number = "4915100000003"
	ask := func(number string) *tg.AccountSendChangePhoneCodeRequest {
		return &tg.AccountSendChangePhoneCodeRequest{PhoneNumber: number}
	}
	refused(p, ask(number), 406, "FRESH_CHANGE_PHONE_FORBIDDEN")
	w.clock.Advance(24 * hour)
	refused(p, ask(bob), 400, "PHONE_NUMBER_OCCUPIED")
	refused(p, ask("88812345678"), 400, "PHONE_NUMBER_INVALID")
	hash := must[tg.AuthSentCode](p, ask(number)).PhoneCodeHash
	code := w.code(number)
	change := func(number, code string) *tg.AccountChangePhoneRequest {
		return &tg.AccountChangePhoneRequest{
			PhoneNumber: number, PhoneCodeHash: hash, PhoneCode: code,
		}
	}
	refused(w.device(home), signIn(number, hash, code), 400, "PHONE_CODE_EXPIRED")
	refused(p, change(number, other(code, 0)), 400, "PHONE_CODE_INVALID")
	user := must[tg.User](p, change(number, code))
	if user.Phone != number || !user.Self {
		t.Errorf("user %v", &user)
	}
	if got := w.device(home).login(number); got != id {
		t.Errorf("the new number is of %d", got)
	}
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		if _, err := r.UserByPhone(alice); !store.IsNotFound(err) {
			t.Errorf("the old number: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.device(home).join(alice, "Another"); got == id {
		t.Error("the old number still logs in")
	}
}

func TestDevicesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	first := w.device(home)
	id := first.join(alice, "Alice")
	ctx := context.Background()
	for i := range 99 {
		err := w.store.Update(ctx, id.Peer(), func(tx *store.Tx) error {
			return tx.PutAuthorization(store.Authorization{
				User: id, KeyID: int64(i + 1), Hash: int64(i + 1),
				Active: w.clock.Now().Unix() - int64(1+i), Created: 1,
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.device(home).login(alice)
	list := first.authorizations()
	if len(list) != 100 || slices.ContainsFunc(list, func(a tg.Authorization) bool {
		return a.Hash == 99
	}) {
		t.Errorf("%d devices", len(list))
	}
}

// TestRevocationWinsRaces lets a login and the end of all devices happen at once, often: nobody who
// is not on the list is in.
func TestRevocationWinsRaces(t *testing.T) {
	w := newWorld(t, nil)
	first := w.device(home)
	id := first.join(alice, "Alice")
	for range 30 {
		w.clock.Advance(24 * hour)
		p := w.device(home)
		hash := p.sent(alice)
		request := signIn(alice, hash, w.code(alice))
		done := make(chan error)
		go func() {
			_, err := call[anything](p, request)
			done <- err
		}()
		if err := w.account.RevokeAll(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		err := <-done
		var refusal chat.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		listed := false
		if err := w.store.View(context.Background(), func(r *store.Reader) error {
			rows, err := r.Authorizations(id)
			listed = len(rows) > 0
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if p.in() != listed {
			t.Fatalf("in: %v, on the list: %v", p.in(), listed)
		}
	}
}
