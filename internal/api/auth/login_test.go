package auth_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat/account"
	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

const (
	alice = "4915112345678"
	bob   = "4915187654321"
	home  = "203.0.113.7"
)

func TestSignUpAndLogIn(t *testing.T) {
	w := newWorld(t, nil)
	first := w.device(home)
	code := must[tg.AuthSentCode](first, sendCode("+49 (0)151 1234-5678"))
	if kind, ok := code.Type.(*tg.AuthSentCodeTypeSMS); !ok || kind.Length != 5 {
		t.Errorf("code of kind %v", code.Type)
	}
	refused(first, signUp(alice, code.PhoneCodeHash, "Alice"), 400, "PHONE_CODE_INVALID")
	must[tg.AuthAuthorizationSignUpRequired](
		first, signIn(alice, code.PhoneCodeHash, w.code(alice)))
	if first.in() {
		t.Fatal("logged in before signing up")
	}
	refused(first, signUp(alice, code.PhoneCodeHash, " \n "), 400, "FIRSTNAME_INVALID")
	id := first.user(must[tg.AuthAuthorization](
		first, signUp(alice, code.PhoneCodeHash, "Alice")))
	if id < 1000 || !first.in() {
		t.Fatalf("signed up as %d", id)
	}
	second := w.device(home)
	if got := second.login(alice); got != id {
		t.Errorf("logged in as %d, want %d", got, id)
	}
	if n := len(w.noted(id, w.code(alice))); n != 1 {
		t.Errorf("the code was shown %d times on the first device", n)
	}
	if n := len(w.noted(id, "Pixel")); n != 1 {
		t.Errorf("%d notices of the new login", n)
	}
	third := w.device(home)
	if third.join(bob, "Bob") == id {
		t.Error("two accounts with one id")
	}
}

// TestUnknownNumbersLookAlike compares what an account's number and one without an account show.
func TestUnknownNumbersLookAlike(t *testing.T) {
	w := newWorld(t, nil)
	w.device(home).join(alice, "Alice")
	answers := map[string]tg.AuthSentCode{}
	for _, number := range []string{alice, bob} {
		a := must[tg.AuthSentCode](w.device(home), sendCode(number))
		if len(a.PhoneCodeHash) < 22 {
			t.Errorf("a hash of %d characters is guessable", len(a.PhoneCodeHash))
		}
		a.PhoneCodeHash = ""
		answers[number] = a
	}
	if a, b := answers[alice], answers[bob]; a.String() != b.String() {
		t.Errorf("known: %v\nunknown: %v", &a, &b)
	}
}

func TestCodesAreBound(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.device(home), w.device(home)
	hash := one.sent(alice)
	code := w.code(alice)
	refused(two, signIn(alice, hash, code), 400, "PHONE_CODE_EXPIRED")
	refused(one, signIn(bob, hash, code), 400, "PHONE_CODE_EXPIRED")
	refused(one, signIn(alice, "nonsense", code), 400, "PHONE_CODE_EXPIRED")
	refused(one, signIn(alice, "", code), 400, "PHONE_CODE_HASH_EMPTY")
	refused(one, signIn(alice, hash, ""), 400, "PHONE_CODE_EMPTY")
	refused(one, sendCode("+49 CALL ME"), 400, "PHONE_NUMBER_INVALID")
	w.clock.Advance(5*time.Minute - time.Second)
	must[tg.AuthAuthorizationSignUpRequired](one, signIn(alice, hash, code))

	late := w.device(home)
	hash = late.sent(bob)
	w.clock.Advance(5 * time.Minute)
	refused(late, signIn(bob, hash, w.code(bob)), 400, "PHONE_CODE_EXPIRED")

	gone := w.device(home)
	hash = gone.sent(bob)
	must[tg.BoolBox](gone, &tg.AuthCancelCodeRequest{PhoneNumber: bob, PhoneCodeHash: hash})
	refused(gone, signIn(bob, hash, w.code(bob)), 400, "PHONE_CODE_EXPIRED")
}

// other is a code that is not the given one.
func other(code string, i int) string {
	n, err := strconv.Atoi(code)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%05d", (n+1+i)%100000)
}

// TestGuessesSurviveRestarts guesses across restarts of the server, devices and codes: no more than
// 25 guesses a day are ever compared.
func TestGuessesSurviveRestarts(t *testing.T) {
	w := newWorld(t, nil)
	w.device(home).join(alice, "Alice")
	w.clock.Advance(48 * time.Hour)
	compared := 0
	for range 12 {
		p := w.device(home)
		if wait := waits(p, sendCode(alice)); wait > 0 {
			w.clock.Advance(min(wait, 11*time.Minute))
			continue
		}
		// The request above was sent; its hash is what the device would have got.
		hash := w.hash(alice)
		right := w.code(alice)
		for i := range 7 {
			_, err := call[anything](p, signIn(alice, hash, other(right, i)))
			switch err {
			case account.ErrCodeInvalid:
				compared++
			case account.ErrCodeExpired:
				if i < 5 {
					t.Errorf("guess %d: expired", i)
				}
			default:
				t.Fatalf("guess %d: %v", i, err)
			}
			if i == 2 {
				w.reopen()
			}
		}
		if _, err := call[anything](p, signIn(alice, hash, right)); err != account.ErrCodeExpired {
			t.Fatalf("the right code after five wrong ones: %v", err)
		}
	}
	if compared != 25 {
		t.Errorf("%d guesses were compared, want 25", compared)
	}
}

// hash finds the newest code of a number in the store.
func (w *world) hash(number string) string {
	w.t.Helper()
	w.account.Close()
	var hash string
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		owner, err := r.UserByPhone(number)
		if err != nil {
			return err
		}
		value, err := r.Setting(owner, "login_codes")
		if len(value) > 24 {
			value = value[len(value)-24:]
		}
		hash = string(value)
		return err
	})
	if err != nil || hash == "" {
		w.t.Fatalf("no code: %v", err)
	}
	return hash
}

func TestCodesPerNumberNeedGrowingWaits(t *testing.T) {
	w := newWorld(t, nil)
	ask := func() time.Duration { return waits(w.device(home), sendCode(alice)) }
	for i := range 3 {
		if wait := ask(); wait != 0 {
			t.Fatalf("code %d waits for %v", i+1, wait)
		}
	}
	if wait := ask(); wait != time.Minute {
		t.Errorf("the fourth code waits for %v", wait)
	}
	w.clock.Advance(30 * time.Second)
	if wait := ask(); wait != 45*time.Second {
		t.Errorf("trying half a minute too early makes the wait %v", wait)
	}
	w.reopen()
	w.clock.Advance(45 * time.Second)
	if wait := ask(); wait != 0 {
		t.Errorf("after the wait: %v", wait)
	}
	if wait := ask(); wait != 10*time.Minute {
		t.Errorf("the fifth code waits for %v", wait)
	}
	w.clock.Advance(10 * time.Minute)
	if wait := ask(); wait != 0 {
		t.Errorf("after the wait: %v", wait)
	}
	if wait := ask(); wait != 24*time.Hour {
		t.Errorf("the sixth code waits for %v", wait)
	}
	if wait := waits(w.device(home), sendCode(bob)); wait != 0 {
		t.Errorf("another number waits for %v", wait)
	}
	w.clock.Advance(48 * time.Hour)
	if wait := ask(); wait != 0 {
		t.Errorf("two days later: %v", wait)
	}
}

func TestCodesPerAddress(t *testing.T) {
	w := newWorld(t, func(o *account.Options) {
		o.CodesPerAddress = limit.Rate{Burst: 3, Per: time.Hour}
	})
	for i := range 3 {
		number := fmt.Sprintf("4915%d0000000", i)
		if wait := waits(w.device("2001:db8::1"), sendCode(number)); wait != 0 {
			t.Fatalf("code %d waits for %v", i, wait)
		}
	}
	if waits(w.device("2001:db8::2:1"), sendCode(alice)) == 0 {
		t.Error("another address of the same customer is not limited")
	}
	if wait := waits(w.device("2001:db8:0:1::1"), sendCode(alice)); wait != 0 {
		t.Errorf("another customer waits for %v", wait)
	}
}

func TestResendCode(t *testing.T) {
	w := newWorld(t, nil)
	p := w.device(home)
	hash := p.sent(alice)
	resend := &tg.AuthResendCodeRequest{PhoneNumber: alice, PhoneCodeHash: hash}
	if waits(p, resend) == 0 {
		t.Error("sent again at once")
	}
	for range 2 {
		w.clock.Advance(time.Minute)
		if again := must[tg.AuthSentCode](p, resend); again.PhoneCodeHash != hash {
			t.Error("another hash")
		}
	}
	w.clock.Advance(time.Minute)
	refused(p, resend, 406, "SEND_CODE_UNAVAILABLE")
	if len(w.codes) != 3 || w.codes[0].Code != w.codes[2].Code {
		t.Errorf("%d codes were sent", len(w.codes))
	}
	must[tg.AuthAuthorizationSignUpRequired](p, signIn(alice, hash, w.code(alice)))
}

func TestPreferApp(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.PreferApp = true })
	id := w.device(home).join(alice, "Alice")
	before := len(w.codes)
	p := w.device(home)
	sent := must[tg.AuthSentCode](p, sendCode(alice))
	if _, ok := sent.Type.(*tg.AuthSentCodeTypeApp); !ok || len(w.codes) != before {
		t.Errorf("code of kind %T, %d messages", sent.Type, len(w.codes)-before)
	}
	if len(w.noted(id, "code")) != 1 {
		t.Error("the first device did not show the code")
	}
	w.clock.Advance(time.Minute)
	again := must[tg.AuthSentCode](p, &tg.AuthResendCodeRequest{
		PhoneNumber: alice, PhoneCodeHash: sent.PhoneCodeHash,
	})
	if _, ok := again.Type.(*tg.AuthSentCodeTypeSMS); !ok || len(w.codes) != before+1 {
		t.Errorf("second code of kind %T", again.Type)
	}
}

func TestShownCodeExpires(t *testing.T) {
	w := newWorld(t, nil)
	id := w.device(home).join(alice, "Alice")
	for _, spell := range []func(string) string{
		func(c string) string { return "it is " + c },
		func(c string) string { return c[:1] + " " + c[1:3] + "-" + c[3:] },
		func(c string) string {
			out := ""
			for _, r := range c {
				out += string('٠' + r - '0')
			}
			return out
		},
	} {
		w.clock.Advance(24 * time.Hour)
		p := w.device(home)
		hash := p.sent(alice)
		code := w.code(alice)
		w.reopen()
		ctx := context.Background()
		if err := w.account.CodeShown(ctx, id, "call me at "+other(code, 0)); err != nil {
			t.Fatal(err)
		}
		if _, err := call[anything](p, signIn(alice, hash, other(code, 1))); err !=
			account.ErrCodeInvalid {
			t.Errorf("another number made the code expire: %v", err)
		}
		if err := w.account.CodeShown(ctx, id, spell(code)); err != nil {
			t.Fatal(err)
		}
		refused(p, signIn(alice, hash, code), 400, "PHONE_CODE_EXPIRED")
	}
}

func TestRegistrationModes(t *testing.T) {
	for _, mode := range []account.Mode{account.Invite, account.Closed} {
		w := newWorld(t, func(o *account.Options) { o.Mode = mode })
		p := w.device(home)
		hash := p.sent(alice)
		refused(p, signIn(alice, hash, w.code(alice)), 400, "PHONE_NUMBER_UNOCCUPIED")
		refused(p, signUp(alice, hash, "Alice"), 400, "PHONE_CODE_EXPIRED")

		inv, err := w.account.Invite(context.Background(), 0, 1, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		hash = p.sent("+" + inv.Number)
		if mode == account.Closed {
			refused(p, signIn(inv.Number, hash, inv.Code), 400, "PHONE_NUMBER_UNOCCUPIED")
			continue
		}
		must[tg.AuthAuthorizationSignUpRequired](p, signIn(inv.Number, hash, inv.Code))
		a := must[tg.AuthAuthorization](p, signUp(inv.Number, hash, "Alice"))
		if got := a.User.(*tg.User).Phone; got != inv.Number {
			t.Errorf("the account has the number %s, want %s", got, inv.Number)
		}
	}
}

func TestInvitationForOne(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.Mode = account.Invite })
	inv, err := w.account.Invite(context.Background(), 0, 1, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	p := w.device(home)
	sent := must[tg.AuthSentCode](p, sendCode(inv.Number))
	if _, ok := sent.Type.(*tg.AuthSentCodeTypeApp); !ok || len(w.codes) != 0 {
		t.Errorf("code of kind %T, %d messages", sent.Type, len(w.codes))
	}
	nobody := must[tg.AuthSentCode](w.device(home), sendCode("88800000000"))
	sent2 := sent
	nobody.PhoneCodeHash, sent2.PhoneCodeHash = "", ""
	if nobody.String() != sent2.String() {
		t.Errorf("a number that was never printed: %v", &nobody)
	}
	refused(p, signIn(inv.Number, sent.PhoneCodeHash, other(inv.Code, 0)), 400,
		"PHONE_CODE_INVALID")
	must[tg.AuthAuthorizationSignUpRequired](
		p, signIn(inv.Number, sent.PhoneCodeHash, inv.Code))
	id := p.user(must[tg.AuthAuthorization](p, signUp(inv.Number, sent.PhoneCodeHash, "Alice")))
	if len(w.noted(id, inv.Number)) != 1 {
		t.Error("nobody told the person her number")
	}

	// The printed code is used up; the number goes on with codes from the first device.
	second := w.device(home)
	hash := second.sent(inv.Number)
	refused(second, signIn(inv.Number, hash, inv.Code), 400, "PHONE_CODE_INVALID")
	notes := w.noted(id, "Login code: ")
	var code string
	if _, err := fmt.Sscanf(notes[len(notes)-1].text, "Login code: %5s", &code); err != nil {
		t.Fatal(err)
	}
	if got := second.user(must[tg.AuthAuthorization](
		second, signIn(inv.Number, hash, code))); got != id {
		t.Errorf("logged in as %d", got)
	}

	// Who lost every device asks the operator for a code.
	issued, err := w.account.IssueCode(context.Background(), inv.Number)
	if err != nil {
		t.Fatal(err)
	}
	third := w.device(home)
	hash = third.sent(inv.Number)
	must[tg.AuthAuthorization](third, signIn(inv.Number, hash, issued))
	fourth := w.device(home)
	w.clock.Advance(time.Hour)
	hash = fourth.sent(inv.Number)
	refused(fourth, signIn(inv.Number, hash, issued), 400, "PHONE_CODE_INVALID")
}

func TestInvitationForMany(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.Mode = account.Invite })
	expires := w.clock.Now().Add(30 * 24 * time.Hour)
	inv, err := w.account.Invite(context.Background(), 0, 2, expires)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{inv.Number: true}
	for i := range 2 {
		w.clock.Advance(24 * time.Hour)
		p := w.device(home)
		hash := p.sent(inv.Number)
		must[tg.AuthAuthorizationSignUpRequired](p, signIn(inv.Number, hash, inv.Code))
		a := must[tg.AuthAuthorization](p, signUp(inv.Number, hash, "Guest"))
		number := a.User.(*tg.User).Phone
		if numbers[number] {
			t.Errorf("guest %d has the number %s too", i, number)
		}
		numbers[number] = true
	}
	p := w.device(home)
	refused(p, signIn(inv.Number, p.sent(inv.Number), inv.Code), 400, "PHONE_CODE_INVALID")

	short, err := w.account.Invite(context.Background(), 0, 0, w.clock.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	refused(p, signIn(short.Number, p.sent(short.Number), short.Code), 400, "PHONE_CODE_INVALID")
}

func TestOperatorMakesAccounts(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.Mode = account.Closed })
	ctx := context.Background()
	id, number, err := w.account.CreateAccount(ctx, "", "Alice", "")
	if err != nil {
		t.Fatal(err)
	}
	code, err := w.account.IssueCode(ctx, number)
	if err != nil {
		t.Fatal(err)
	}
	p := w.device(home)
	hash := p.sent(number)
	if got := p.user(must[tg.AuthAuthorization](p, signIn(number, hash, code))); got != id {
		t.Errorf("logged in as %d, want %d", got, id)
	}
	if _, _, err := w.account.CreateAccount(ctx, number, "Bob", ""); err != account.ErrOccupied {
		t.Errorf("a second account of one number: %v", err)
	}
	if _, err := w.account.IssueCode(ctx, bob); err != account.ErrUnoccupied {
		t.Errorf("a code for nobody: %v", err)
	}
}

func TestDemoNumbers(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.Demo = true })
	p := w.device(home)
	hash := p.sent("+999 66 2 0001")
	must[tg.AuthAuthorizationSignUpRequired](p, signIn("9996620001", hash, "22222"))
	if len(w.codes) != 0 {
		t.Error("a code was sent to a number that is none")
	}
	w2 := newWorld(t, nil)
	p = w2.device(home)
	hash = p.sent("9996620001")
	if code := w2.code("9996620001"); code == "22222" {
		t.Skip("the code is 22222 by chance")
	}
	refused(p, signIn("9996620001", hash, "22222"), 400, "PHONE_CODE_INVALID")
}

func TestOnlyKnownApplications(t *testing.T) {
	w := newWorld(t, func(o *account.Options) { o.Apps = map[int]string{4: "secret"} })
	p := w.device(home)
	refused(p, sendCode(alice), 400, "API_ID_INVALID")
	must[tg.AuthSentCode](p, &tg.AuthSendCodeRequest{
		PhoneNumber: alice, APIID: 4, APIHash: "secret",
	})
}

// TestSignUpTwiceAtOnce lets two devices with right codes for one number sign up at once.
func TestSignUpTwiceAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	type attempt struct {
		p    *phone
		hash string
		id   ids.UserID
		err  error
	}
	var list []*attempt
	for range 3 {
		a := &attempt{p: w.device(home)}
		a.hash = a.p.sent(alice)
		must[tg.AuthAuthorizationSignUpRequired](a.p, signIn(alice, a.hash, w.code(alice)))
		list = append(list, a)
	}
	var group sync.WaitGroup
	for _, a := range list {
		group.Go(func() {
			var auth tg.AuthAuthorization
			auth, a.err = call[tg.AuthAuthorization](a.p, signUp(alice, a.hash, "Alice"))
			if a.err == nil {
				a.id = a.p.user(auth)
			}
		})
	}
	group.Wait()
	made := 0
	for _, a := range list {
		switch a.err {
		case nil:
			made++
		case account.ErrOccupied:
		default:
			t.Error(a.err)
		}
	}
	if made != 1 {
		t.Errorf("%d accounts were made", made)
	}
}

// TestNumberLeftByACrash signs up with a number that a crash left reserved, or left behind by an
// account that ended.
func TestNumberLeftByACrash(t *testing.T) {
	w := newWorld(t, nil)
	ctx := context.Background()
	take := func(number string, user ids.UserID) {
		t.Helper()
		err := w.store.Update(ctx, 0, func(tx *store.Tx) error { return tx.TakePhone(number, user) })
		if err != nil {
			t.Fatal(err)
		}
	}
	take(alice, 4321)
	if id := w.device(home).join(alice, "Alice"); id != 4321 {
		t.Errorf("the reserved id 4321 was not used, but %d", id)
	}
	err := w.store.Update(ctx, 4322, func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: 4322, Phone: bob, Flags: store.UserDeleted})
	})
	if err != nil {
		t.Fatal(err)
	}
	take(bob, 4322)
	if id := w.device(home).join(bob, "Bob"); id == 4322 {
		t.Error("an account that ended lives again")
	}
	const third = "4915100000003"
	take(third, 4321)
	if id := w.device(home).join(third, "Carol"); id == 4321 {
		t.Error("a number that Alice gave up logs in to her account")
	}
}

func TestLoginIsRepeatable(t *testing.T) {
	w := newWorld(t, nil)
	id := w.device(home).join(alice, "Alice")
	p := w.device(home)
	hash := p.sent(alice)
	request := signIn(alice, hash, w.code(alice))
	for range 2 {
		if got := p.user(must[tg.AuthAuthorization](p, request)); got != id {
			t.Fatalf("logged in as %d", got)
		}
	}
	refused(p, signIn(bob, hash, "12345"), 500, "AUTH_RESTART")
	refused(p, sendCode(bob), 500, "AUTH_RESTART")
	if n := len(p.authorizations()); n != 2 {
		t.Errorf("%d devices", n)
	}
}

func TestNewLoginIsInTheLog(t *testing.T) {
	w := newWorld(t, nil)
	id := w.device(home).join(alice, "Alice")
	w.device(home).login(alice)
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		events, err := r.Events(id.Peer(), 0, 0, 100)
		if err != nil {
			return err
		}
		if len(events) != 1 || events[0].Kind != int64(box.NewAuthorization) {
			t.Errorf("log: %+v", events)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMethodsNeedWhatTheySay(t *testing.T) {
	w := newWorld(t, nil)
	p := w.device(home)
	for _, request := range []bin.Encoder{
		&tg.AuthLogOutRequest{}, &tg.AuthResetAuthorizationsRequest{},
		&tg.AuthExportAuthorizationRequest{DCID: 2}, &tg.AuthAcceptLoginTokenRequest{},
		&tg.AccountGetPasswordRequest{}, &tg.AccountDeleteAccountRequest{},
	} {
		if _, err := call[anything](p, request); err != api.ErrUnregistered {
			t.Errorf("%T without an account: %v", request, err)
		}
	}
}
