package recipient_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"parley/internal/safety/recipient"
)

var day = time.Unix(1_800_000_000, 0)

func hybrid(t testing.TB) *age.HybridIdentity {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func plain(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pgp is a key that is good for some seconds from day on; 0 is without end.
func pgp(t testing.TB, seconds uint32) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Office", "", "desk@office.example", &packet.Config{
		Time: func() time.Time { return day }, KeyLifetimeSecs: seconds,
		Algorithm: packet.PubKeyAlgoEdDSA,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func armoured(t testing.TB, kind string, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func public(t testing.TB, e *openpgp.Entity) string {
	return armoured(t, openpgp.PublicKeyType, e.Serialize)
}

// TestOnlyTheHolderReads encrypts to each kind of key, and opens with the private one.
func TestOnlyTheHolderReads(t *testing.T) {
	x, other, post, e := plain(t), plain(t), hybrid(t), pgp(t, 0)
	text := []byte("what leaves")
	withAge := func(ids ...age.Identity) func(io.Reader) (io.Reader, error) {
		return func(r io.Reader) (io.Reader, error) { return age.Decrypt(r, ids...) }
	}
	for _, c := range []struct {
		name, key, kind string
		open            func(io.Reader) (io.Reader, error)
		stranger        func(io.Reader) (io.Reader, error)
	}{
		{"age", x.Recipient().String(), "age", withAge(x), withAge(other)},
		{"two", "# desks\n" + x.Recipient().String() + "\r\n" + other.Recipient().String(), "age",
			withAge(other), withAge(plain(t))},
		{"hybrid", post.Recipient().String(), "age-hybrid", withAge(post), withAge(hybrid(t))},
		{"openpgp", public(t, e), "openpgp", withPGP(e), withPGP(pgp(t, 0))},
	} {
		k, err := recipient.Parse(c.key)
		if err != nil || k.Kind != c.kind || k.Fingerprint == "" {
			t.Fatalf("%s: %+v %v", c.name, k, err)
		}
		var b bytes.Buffer
		if err := k.Encrypt(&b, text, day.Add(time.Hour)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if bytes.Contains(b.Bytes(), text) {
			t.Fatalf("%s: it is there to read", c.name)
		}
		if r, err := c.stranger(bytes.NewReader(b.Bytes())); err == nil {
			if got, err := io.ReadAll(r); err == nil {
				t.Errorf("%s: a stranger reads %q", c.name, got)
			}
		}
		r, err := c.open(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
	}
}

func withPGP(e *openpgp.Entity) func(io.Reader) (io.Reader, error) {
	return func(r io.Reader) (io.Reader, error) {
		m, err := openpgp.ReadMessage(r, openpgp.EntityList{e}, nil, &packet.Config{
			Time: func() time.Time { return day.Add(time.Hour) },
		})
		if err != nil {
			return nil, err
		}
		return m.UnverifiedBody, nil
	}
}

// TestWhatIsNoKey is refused, and private keys are not repeated.
func TestWhatIsNoKey(t *testing.T) {
	x, post, e := plain(t), hybrid(t), pgp(t, 3600)
	private := armoured(t, openpgp.PrivateKeyType, func(w io.Writer) error {
		return e.SerializePrivate(w, nil)
	})
	relabelled := armoured(t, openpgp.PublicKeyType, func(w io.Writer) error {
		return e.SerializePrivate(w, nil)
	})
	for what, c := range map[string]struct {
		key  string
		at   time.Duration
		want error
	}{
		"nothing":            {"", 0, recipient.ErrKey},
		"a sentence":         {"our key is on our website", 0, recipient.ErrKey},
		"an age identity":    {x.String(), 0, recipient.ErrPrivate},
		"beside a public":    {x.Recipient().String() + "\n" + x.String(), 0, recipient.ErrPrivate},
		"a private key":      {private, 0, recipient.ErrPrivate},
		"under a false name": {relabelled, 0, recipient.ErrPrivate},
		"one digit changed":  {x.Recipient().String()[:60] + "qq", 0, recipient.ErrKey},
		"of both kinds": {
			x.Recipient().String() + "\n" + post.Recipient().String(), 0, recipient.ErrKey,
		},
		"run out":      {public(t, e), 2 * time.Hour, recipient.ErrKey},
		"two keys":     {public(t, e) + public(t, pgp(t, 0)), 0, recipient.ErrKey},
		"half a key":   {public(t, e)[:200], 0, recipient.ErrKey},
		"without end":  {strings.Repeat("a", 1<<20), 0, recipient.ErrKey},
		"many of them": {strings.Repeat(x.Recipient().String()+"\n", 17), 0, recipient.ErrKey},
	} {
		k, err := recipient.Parse(c.key)
		if err == nil {
			err = k.Good(day.Add(time.Second + c.at))
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && strings.Contains(err.Error(), "AGE-SECRET") {
			t.Errorf("%s: repeated", what)
		}
	}
	k, err := recipient.Parse(public(t, e))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Encrypt(io.Discard, nil, day.Add(2*time.Hour)); !errors.Is(err, recipient.ErrKey) {
		t.Errorf("encrypted to a key that has run out: %v", err)
	}
}

func TestSame(t *testing.T) {
	if !recipient.Same("AB cd:ef\n01", "abcdef01") || recipient.Same("", " ") ||
		recipient.Same("ab", "ac") {
		t.Error("fingerprints are compared by what they say")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(plain(f).Recipient().String())
	f.Add(hybrid(f).Recipient().String())
	f.Add(public(f, pgp(f, 0)))
	f.Fuzz(func(t *testing.T, text string) {
		k, err := recipient.Parse(text)
		if err != nil || k.Good(day) != nil {
			return
		}
		if err := k.Encrypt(io.Discard, []byte("x"), day); err != nil {
			t.Errorf("%q was read as a key: %v", text, err)
		}
	})
}
