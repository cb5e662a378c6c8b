package staff

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
	"parley/internal/store/storetest"

	"crypto/rand"
)

// open returns a service on a store, with a clock that stands still.
func open(t *testing.T, s *store.Store) (*Service, *clock.Fake) {
	t.Helper()
	clk := clock.NewFake(time.Unix(1_800_000_000, 0))
	out, err := New(Options{
		Store: s, Clock: clk, Box: keyring.NewBox([32]byte{1}, crypt.NewRandom(rand.Reader)),
		URL: "http://localhost:4432",
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, clk
}

// enrolled makes a member of staff with a password and returns the secret of his codes.
func enrolled(t *testing.T, s *Service, name string, role Role) (id int64, secret string) {
	t.Helper()
	id, token, err := s.Add(t.Context(), Operator, name, role)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err = s.NewTOTP(); err != nil {
		t.Fatal(err)
	}
	err = s.EnrolPassword(t.Context(), token, password, secret, now(t, s, secret))
	if err != nil {
		t.Fatal(err)
	}
	err = s.EnrolPassword(t.Context(), token, password, secret, now(t, s, secret))
	if !errors.Is(err, ErrLink) {
		t.Fatalf("a link was used twice: %v", err)
	}
	return id, secret
}

const password = "correct horse battery"

func now(t *testing.T, s *Service, secret string) string {
	t.Helper()
	raw, err := totpEncoding().DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return code(raw, s.Clock.Now().Unix()/totpStep)
}

// TestCodes checks the vectors of RFC 6238, appendix B, cut to six digits.
func TestCodes(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924",
		2000000000: "279037", 20000000000: "353130",
	} {
		if got := code(secret, at/totpStep); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, clk := open(t, st)
		id, secret := enrolled(t, s, "Member 1", Admin)
		try := func(name, password, code string) error {
			_, err := s.SignIn(t.Context(), "192.0.2.1", name, password, code)
			return err
		}
		if err := try("member 1", password, now(t, s, secret)); !errors.Is(err, ErrProof) {
			t.Fatalf("a code that was used is good again: %v", err)
		}
		clk.Advance(time.Minute)
		for _, wrong := range [][3]string{
			{"Nobody", password, now(t, s, secret)}, {"member 1", "wrong", now(t, s, secret)},
			{"member 1", password, "000000"},
		} {
			if err := try(wrong[0], wrong[1], wrong[2]); !errors.Is(err, ErrProof) {
				t.Errorf("%v: %v", wrong, err)
			}
		}
		m, err := s.SignIn(t.Context(), "192.0.2.1", " MEMBER  1", password, now(t, s, secret))
		if err != nil || m.ID != id || m.Role != Admin {
			t.Fatalf("%+v %v", m, err)
		}
		for range 20 {
			err = try("member 1", "wrong", "000000")
		}
		if !errors.Is(err, ErrTooOften) {
			t.Errorf("tries are not bounded: %v", err)
		}
	})
}

func TestSessions(t *testing.T) {
	s, clk := open(t, storetest.SQLite(t))
	id, _ := enrolled(t, s, "Member 1", Admin)
	cookie, err := s.Open(t.Context(), id, "browser")
	if err != nil {
		t.Fatal(err)
	}
	find := func(cookie, agent string) error {
		_, err := s.Session(t.Context(), cookie, agent)
		return err
	}
	session, err := s.Session(t.Context(), cookie, "browser")
	if err != nil || !session.Strong {
		t.Fatal(session, err)
	}
	if !s.TokenIs(session, "/a", s.Token(session, "/a")) || s.TokenIs(session, "/b",
		s.Token(session, "/a")) {
		t.Error("tokens are not bound to their form")
	}
	for _, c := range [][2]string{
		{cookie, "another browser"}, {cookie + "0", "browser"}, {"", "browser"}, {"1.2", "browser"},
	} {
		if err := find(c[0], c[1]); !errors.Is(err, ErrNoSession) {
			t.Errorf("%v: %v", c, err)
		}
	}
	clk.Advance(11 * time.Minute)
	if session, err = s.Session(t.Context(), cookie, "browser"); err != nil || session.Strong {
		t.Errorf("still strong: %v", err)
	}
	if err := s.Prove(t.Context(), session, Member{ID: id + 1}); !errors.Is(err, ErrProof) {
		t.Errorf("another's proof: %v", err)
	}
	clk.Advance(idleTime + time.Second)
	if err := find(cookie, "browser"); !errors.Is(err, ErrNoSession) {
		t.Errorf("an idle session goes on: %v", err)
	}
	if cookie, err = s.Open(t.Context(), id, "browser"); err != nil {
		t.Fatal(err)
	}
	if err := s.Disable(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	if err := find(cookie, "browser"); !errors.Is(err, ErrNoSession) {
		t.Errorf("who may not sign in has a session: %v", err)
	}
}

// TestTwoPersons is about roles: the operator makes two administrators, then it needs two people.
func TestTwoPersons(t *testing.T) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := open(t, st)
		a, _ := enrolled(t, s, "Member 1", Admin)
		b, _ := enrolled(t, s, "Member 2", Admin)
		c, _, err := s.Add(t.Context(), a, "Member 3", Moderator)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := s.Member(t.Context(), c); err != nil || m.Role != NoRole {
			t.Fatalf("%v %v", m, err)
		}
		changes, err := s.Proposed(t.Context())
		if err != nil || len(changes) != 1 || changes[0].Member.ID != c {
			t.Fatal(changes, err)
		}
		for _, alone := range []int64{a, c} {
			err := s.ConfirmRole(t.Context(), alone, c, changes[0].ID, true)
			if !errors.Is(err, ErrSamePerson) {
				t.Errorf("%d confirmed alone: %v", alone, err)
			}
		}
		if err := s.ConfirmRole(t.Context(), b, c, changes[0].ID, true); err != nil {
			t.Fatal(err)
		}
		if m, err := s.Member(t.Context(), c); err != nil || m.Role != Moderator {
			t.Errorf("%v %v", m, err)
		}
		if err := s.ConfirmRole(t.Context(), b, c, changes[0].ID, true); !errors.Is(err, ErrRole) {
			t.Errorf("confirmed twice: %v", err)
		}
	})
}

func TestAuditIsWhole(t *testing.T) {
	s, _ := open(t, storetest.SQLite(t))
	for i := range 7 {
		err := s.Record(t.Context(), Act{Staff: 5, Action: "case", Case: int64(i), Detail: "why"})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Verify(t.Context(), 5); err != nil || n != 7 {
		t.Fatal(n, err)
	}
	forged := store.StaffAudit{
		Staff: 5, Number: 8, Action: "case", Outcome: "done", Chain: []byte("forged"),
	}
	for n := forged.Number; n < 10; n++ {
		forged.Number = n
		err := s.Store.Update(context.Background(), key(5), func(tx *store.Tx) error {
			return tx.AddStaffAudit(forged)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Verify(t.Context(), 5)
	if !errors.Is(err, ErrChain) || !strings.Contains(err.Error(), "row") {
		t.Errorf("forged rows pass: %v", err)
	}
}

func TestLimits(t *testing.T) {
	s, clk := open(t, storetest.SQLite(t))
	alarms := 0
	s.Alarm = func(string, string) { alarms++ }
	cases := int64(0)
	look := func(action string) error {
		cases++
		return s.Look(t.Context(), Act{Staff: 5, Action: action, Case: cases})
	}
	if err := s.Look(t.Context(), Act{Staff: 6, Action: Reveal}); err != nil {
		t.Errorf("media is the first thing of a shift: %v", err)
	}
	for range s.Limits.PerHour {
		if err := look(OpenCase); err != nil {
			t.Fatal(err)
		}
	}
	if err := look(OpenCase); !errors.Is(err, ErrLimit) || alarms != 1 {
		t.Errorf("51 cases in an hour: %v, %d alarms", err, alarms)
	}
	if err := s.Look(t.Context(), Act{Staff: 5, Action: OpenCase, Case: 1}); err != nil {
		t.Errorf("a case that he opened before: %v", err)
	}
	for range s.Limits.Reveals {
		if err := look(Reveal); err != nil {
			t.Fatal(err)
		}
	}
	if err := look(Reveal); !errors.Is(err, ErrLimit) {
		t.Errorf("too much media: %v", err)
	}
	clk.Advance(s.Limits.Shift + time.Second)
	if err := look(Reveal); err != nil {
		t.Errorf("a new shift: %v", err)
	}
	for at := time.Duration(0); at < s.Limits.Work; at += s.Limits.Rest / 2 {
		clk.Advance(s.Limits.Rest / 2)
		_ = look(OpenCase)
	}
	if err := look(OpenCase); !errors.Is(err, ErrLimit) {
		t.Errorf("no rest after %v: %v", s.Limits.Work, err)
	}
	clk.Advance(s.Limits.Rest + time.Second)
	if err := look(OpenCase); err != nil {
		t.Errorf("rested: %v", err)
	}
}
