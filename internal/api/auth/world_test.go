package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	gotdsrp "github.com/gotd/td/crypto/srp"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	apiaccount "parley/internal/api/account"
	"parley/internal/api/auth"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/account/codesender"
	"parley/internal/chat/account/srp"
	"parley/internal/chat/device"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/session"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// shared are expensive and immutable.
var shared = sync.OnceValues(func() (*layer.Set, error) { return layer.New() })

var group = sync.OnceValue(crypt.NewGroup)

// world is a server without a network: real handlers, real rules, a real store, a false clock.
type world struct {
	t       *testing.T
	url     string
	change  func(*account.Options)
	clock   *clock.Fake
	store   *store.Store
	devices *device.Registry
	account *account.Service
	server  *api.Server
	boxKey  [32]byte

	mu    sync.Mutex
	codes []codesender.Message
	mails []codesender.Message
	notes []note
	cut   []int64
	told  []int64
	temps []dropped
}

// dropped says whose temporary keys were dropped, except which.
type dropped struct {
	key    int64
	except []int64
}

// note is a message of the service account.
type note struct {
	user       ids.UserID
	text, lang string
}

// unhurried is for tests that log in more often than people do.
func unhurried(o *account.Options) { o.CodesPerPhone = limit.Rate{} }

func newWorld(t *testing.T, change func(*account.Options)) *world {
	t.Helper()
	w := &world{
		t: t, url: storetest.SQLiteURL(t), change: change,
		clock: clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
	}
	w.open()
	t.Cleanup(func() { w.close() })
	return w
}

func (w *world) close() {
	w.account.Close()
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
}

// reopen is a restart of the server: nothing but the store survives.
func (w *world) reopen() {
	w.t.Helper()
	w.close()
	w.open()
}

func (w *world) open() {
	w.t.Helper()
	layers, err := shared()
	if err != nil {
		w.t.Fatal(err)
	}
	w.store, err = store.Open(context.Background(), store.Options{URL: w.url})
	if err != nil {
		w.t.Fatal(err)
	}
	seal := keyring.NewBox(w.boxKey, crypt.NewRandom(rand.Reader))
	w.devices = device.New(w.store, seal, w.clock)
	o := account.Options{
		Store: w.store, Devices: w.devices, Clock: w.clock, Rand: rand.Reader, Seal: seal,
		SRP: srp.NewServer(srp.Config{
			Clock: w.clock, Rand: rand.Reader, Secret: w.boxKey, Group: group(),
		}),
		Codes: catch{w, &w.codes}, Mail: catch{w, &w.mails}, Log: slog.New(slog.DiscardHandler),
		CodesPerPhone:   limit.Rate{Burst: 5, Per: 24 * time.Hour},
		CodesPerAddress: limit.Rate{Burst: 1000, Per: time.Hour},
		IdleDevices:     183 * 24 * time.Hour,
		Notify: func(_ context.Context, user ids.UserID, text, lang string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.notes = append(w.notes, note{user, text, lang})
			return nil
		},
		Cut:           func(key int64) { w.append(&w.cut, key) },
		TokenAccepted: func(key int64) { w.append(&w.told, key) },
	}
	if w.change != nil {
		w.change(&o)
	}
	w.account = account.New(o)
	if err := w.account.Start(context.Background(), "Parley"); err != nil {
		w.t.Fatal(err)
	}
	d := desk.Desk{Store: w.store, Env: &view.Env{
		DC:     2,
		Hash:   func(viewer, peer int64) int64 { return viewer*31 + peer },
		Online: func(ids.UserID) int64 { return 0 },
	}}
	methods := (&auth.Handlers{
		Desk: d, Account: w.account, DropTemps: func(key int64, except []int64) {
			w.temps = append(w.temps, dropped{key, except})
		},
	}).Methods()
	methods = append(methods, (&apiaccount.Security{Desk: d, Account: w.account}).Methods()...)
	w.server, err = api.New(api.Options{
		Devices: w.devices, Layers: layers, Clock: w.clock, Methods: methods,
		Log:    slog.New(slog.DiscardHandler),
		Attend: func(context.Context, ids.UserID, *api.State) error { return nil },
		Leave:  func(ids.UserID, *api.State) {},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) append(to *[]int64, key int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*to = append(*to, key)
}

// catch keeps what is sent.
type catch struct {
	w  *world
	to *[]codesender.Message
}

func (c catch) Send(_ context.Context, m codesender.Message) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	*c.to = append(*c.to, m)
	return nil
}

// code is the last code that was sent to a number.
func (w *world) code(phone string) string {
	w.t.Helper()
	return w.last(&w.codes, func(m codesender.Message) bool { return m.Phone == phone })
}

// letter is the last code that was sent to a mail address.
func (w *world) letter(address string) string {
	w.t.Helper()
	return w.last(&w.mails, func(m codesender.Message) bool { return m.Email == address })
}

func (w *world) last(of *[]codesender.Message, is func(codesender.Message) bool) string {
	w.t.Helper()
	w.account.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(*of) - 1; i >= 0; i-- {
		if m := (*of)[i]; is(m) {
			return m.Code
		}
	}
	w.t.Fatal("no code was sent")
	return ""
}

// noted returns the messages of the service account to a user that contain a word.
func (w *world) noted(user ids.UserID, word string) []note {
	w.account.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []note
	for _, n := range w.notes {
		if n.user == user && strings.Contains(n.text, word) {
			out = append(out, n)
		}
	}
	return out
}

// phone is a device: an auth key with a session.
type phone struct {
	w   *world
	key int64
	ip  string
}

// device makes a device with a fresh key.
func (w *world) device(ip string) *phone {
	w.t.Helper()
	var value [crypt.KeySize]byte
	if _, err := rand.Read(value[:]); err != nil {
		w.t.Fatal(err)
	}
	key := crypt.NewAuthKey(value)
	if err := w.devices.Add(context.Background(), key, 1, 2); err != nil {
		w.t.Fatal(err)
	}
	return &phone{w: w, key: key.ID, ip: ip}
}

func (p *phone) ID() int64         { return 1 }
func (p *phone) KeyID() int64      { return p.key }
func (p *phone) TempKeyID() int64  { return 0 }
func (p *phone) IP() string        { return p.ip }
func (p *phone) DC() int           { return 2 }
func (p *phone) Push(session.Body) {}

// call sends a request through the dispatcher, in its encoded form, and decodes the answer.
func call[T any, P interface {
	*T
	bin.Decoder
}](p *phone, request bin.Encoder) (T, error) {
	p.w.t.Helper()
	var answer T
	var b bin.Buffer
	if err := request.Encode(&b); err != nil {
		p.w.t.Fatal(err)
	}
	body, err := p.w.server.Serve(context.Background(), api.NewState(p), session.Query{
		Layer: layer.Current, Body: b.Buf, Init: &session.Init{
			APIID: 4, DeviceModel: "Pixel", SystemVersion: "SDK 34", AppVersion: "11.2",
			LangPack: "android", LangCode: "en", SystemLangCode: "en",
		},
	})
	if err != nil {
		return answer, err
	}
	if err := P(&answer).Decode(&bin.Buffer{Buf: body}); err != nil {
		p.w.t.Fatalf("answer to %T: %v", request, err)
	}
	return answer, nil
}

// must is call for a request that has to succeed.
func must[T any, P interface {
	*T
	bin.Decoder
}](p *phone, request bin.Encoder) T {
	p.w.t.Helper()
	answer, err := call[T, P](p, request)
	if err != nil {
		p.w.t.Fatalf("%T: %v", request, err)
	}
	return answer
}

// refused holds a request against the refusal that it must get.
func refused(p *phone, request bin.Encoder, code int, reason string) {
	p.w.t.Helper()
	_, err := call[anything](p, request)
	if want := (chat.Refusal{Code: code, Reason: reason}); !errors.Is(err, want) {
		p.w.t.Errorf("%T: %v, want %d %s", request, err, code, reason)
	}
}

// anything takes every answer.
type anything struct{}

func (*anything) Decode(*bin.Buffer) error { return nil }

// waits returns for how long a request is refused, 0 when it is not.
func waits(p *phone, request bin.Encoder) time.Duration {
	p.w.t.Helper()
	_, err := call[anything](p, request)
	if err == nil {
		return 0
	}
	var r chat.Refusal
	var seconds int
	if !errors.As(err, &r) || r.Code != 420 {
		p.w.t.Fatalf("%T: %v", request, err)
	}
	if _, err := fmt.Sscanf(r.Reason, "FLOOD_WAIT_%d", &seconds); err != nil {
		p.w.t.Fatalf("%T: %v", request, r)
	}
	return time.Duration(seconds) * time.Second
}

func sendCode(number string) *tg.AuthSendCodeRequest {
	return &tg.AuthSendCodeRequest{PhoneNumber: number, APIID: 4, APIHash: "h"}
}

// sent asks for a code and returns its hash.
func (p *phone) sent(number string) string {
	p.w.t.Helper()
	return must[tg.AuthSentCode](p, sendCode(number)).PhoneCodeHash
}

func signIn(number, hash, code string) *tg.AuthSignInRequest {
	r := &tg.AuthSignInRequest{PhoneNumber: number, PhoneCodeHash: hash}
	r.SetPhoneCode(code)
	return r
}

func signUp(number, hash, first string) *tg.AuthSignUpRequest {
	return &tg.AuthSignUpRequest{PhoneNumber: number, PhoneCodeHash: hash, FirstName: first}
}

// join signs a new account up and returns its id.
func (p *phone) join(number, first string) ids.UserID {
	p.w.t.Helper()
	hash := p.sent(number)
	must[tg.AuthAuthorizationSignUpRequired](p, signIn(number, hash, p.w.code(number)))
	return p.user(must[tg.AuthAuthorization](p, signUp(number, hash, first)))
}

// login logs in to an account without a password.
func (p *phone) login(number string) ids.UserID {
	p.w.t.Helper()
	hash := p.sent(number)
	return p.user(must[tg.AuthAuthorization](p, signIn(number, hash, p.w.code(number))))
}

func (p *phone) user(a tg.AuthAuthorization) ids.UserID {
	p.w.t.Helper()
	u, ok := a.User.(*tg.User)
	if !ok || !u.Self || u.ID == 0 {
		p.w.t.Fatalf("logged in as %v", a.User)
	}
	return ids.UserID(u.ID)
}

// in tells whether a device is logged in.
func (p *phone) in() bool {
	p.w.t.Helper()
	_, err := call[tg.AccountDaysTTL](p, &tg.AccountGetAccountTTLRequest{})
	if err != nil && !errors.Is(err, api.ErrUnregistered) &&
		!errors.Is(err, api.ErrPasswordNeeded) {
		p.w.t.Fatal(err)
	}
	return err == nil
}

func (p *phone) authorizations() []tg.Authorization {
	p.w.t.Helper()
	return must[tg.AccountAuthorizations](p, &tg.AccountGetAuthorizationsRequest{}).Authorizations
}

// algo is the algorithm of a password as gotd's client takes it.
func algo(t *testing.T, in tg.PasswordKdfAlgoClass) gotdsrp.Input {
	t.Helper()
	a, ok := in.(*tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow)
	if !ok {
		t.Fatalf("algorithm %T", in)
	}
	return gotdsrp.Input{Salt1: a.Salt1, Salt2: a.Salt2, G: a.G, P: a.P}
}

// prove answers a fresh challenge with a password, as a client does.
func (p *phone) prove(password string) *tg.InputCheckPasswordSRP {
	p.w.t.Helper()
	state := must[tg.AccountPassword](p, &tg.AccountGetPasswordRequest{})
	random := make([]byte, crypt.KeySize)
	if _, err := rand.Read(random); err != nil {
		p.w.t.Fatal(err)
	}
	answer, err := gotdsrp.NewSRP(rand.Reader).Hash(
		[]byte(password), state.SRPB, random, algo(p.w.t, state.CurrentAlgo))
	if err != nil {
		p.w.t.Fatal(err)
	}
	return &tg.InputCheckPasswordSRP{SRPID: state.SRPID, A: answer.A, M1: answer.M1}
}

// guess answers a fresh challenge at random: as good as a wrong password, and much cheaper.
func (p *phone) guess() *tg.InputCheckPasswordSRP {
	p.w.t.Helper()
	state := must[tg.AccountPassword](p, &tg.AccountGetPasswordRequest{})
	random := make([]byte, crypt.KeySize+32)
	if _, err := rand.Read(random); err != nil {
		p.w.t.Fatal(err)
	}
	random[0] = 0x7f
	return &tg.InputCheckPasswordSRP{
		SRPID: state.SRPID, A: random[:crypt.KeySize], M1: random[crypt.KeySize:],
	}
}

// settings are those of a new password, as a client makes them.
func (p *phone) settings(password, hint string) tg.AccountPasswordInputSettings {
	p.w.t.Helper()
	state := must[tg.AccountPassword](p, &tg.AccountGetPasswordRequest{})
	in := algo(p.w.t, state.NewAlgo)
	hash, salt, err := gotdsrp.NewSRP(rand.Reader).NewHash([]byte(password), in)
	if err != nil {
		p.w.t.Fatal(err)
	}
	if !bytes.HasPrefix(salt, in.Salt1) {
		p.w.t.Fatal("the client did not build on the server's salt")
	}
	var out tg.AccountPasswordInputSettings
	out.SetNewAlgo(&tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow{
		Salt1: salt, Salt2: in.Salt2, G: in.G, P: in.P,
	})
	out.SetNewPasswordHash(hash)
	out.SetHint(hint)
	return out
}

// lock sets the first password of an account.
func (p *phone) lock(password string) {
	p.w.t.Helper()
	must[tg.BoolBox](p, &tg.AccountUpdatePasswordSettingsRequest{
		Password: &tg.InputCheckPasswordEmpty{}, NewSettings: p.settings(password, "a hint"),
	})
}
