package hotline_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/store"
)

// digests is a submission of so many digests and one place.
func digests(reference string, count int) hotline.Document {
	d := violent(reference, "@news")
	for n := range count {
		d.Items = append(d.Items, hotline.Named{
			ID: fmt.Sprint("d", n), SHA256: fmt.Sprintf("%064x", n+1),
		})
	}
	return d
}

// states counts the items of a submission by their states.
func (l *lane) states(of agency.Agency, got hotline.Receipt) map[hotline.State]int {
	l.Helper()
	out := make(map[hotline.State]int)
	for _, i := range l.items(of, got.ID) {
		out[i.State]++
	}
	return out
}

// heldNow is how many submissions wait for two people.
func (l *lane) heldNow() (n int) {
	l.Helper()
	l.View(func(r *store.Reader) error {
		list, err := hotline.HeldSubmissions(r, 10)
		n = len(list)
		return err
	})
	return n
}

// TestDigestsInBulk: more digests than an agency has in a day wait until two people have let them
// through, or one has not; its places do not wait, and neither does another agency.
func TestDigestsInBulk(t *testing.T) {
	l := newLane(t)
	l.Service.Digests = 30
	of, other := l.agency(11, agency.TrustedFlagger), l.agency(12, agency.TrustedFlagger)
	few := l.submit(of, digests("few", 20))
	l.Clock.Advance(23 * time.Hour)
	many, more := l.submit(of, digests("many", 11)), l.submit(of, digests("more", 15))
	theirs := l.submit(other, digests("few", 20))
	l.step()
	for got, want := range map[*hotline.Receipt]map[hotline.State]int{
		&few:  {hotline.Searched: 20, hotline.InReview: 1},
		&many: {hotline.Held: 11, hotline.InReview: 1},
		&more: {hotline.Held: 15, hotline.InReview: 1},
	} {
		if is := l.states(of, *got); fmt.Sprint(is) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", got.Reference, is, want)
		}
	}
	if is := l.states(other, theirs); is[hotline.Held] != 0 {
		t.Errorf("another agency's: %v", is)
	}
	if n := l.heldNow(); n != 2 {
		t.Errorf("%d wait for two people", n)
	}
	if err := l.Pass(ctx(), 7, of.ID, many.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := l.Pass(ctx(), 7, of.ID, many.ID, true); !errors.Is(err, hotline.ErrSamePerson) {
		t.Errorf("the same person: %v", err)
	}
	l.step()
	if is := l.states(of, many); is[hotline.Held] != 11 {
		t.Errorf("let through by one: %v", is)
	}
	if err := l.Pass(ctx(), 8, of.ID, many.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := l.Pass(ctx(), 9, of.ID, more.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := l.Pass(ctx(), 8, of.ID, more.ID, true); !errors.Is(err, hotline.ErrState) {
		t.Errorf("what was refused: %v", err)
	}
	l.step()
	if is := l.states(of, many); is[hotline.Searched] != 11 {
		t.Errorf("let through by two: %v", is)
	}
	if is := l.states(of, more); is[hotline.Refused] != 15 || is[hotline.InReview] != 1 {
		t.Errorf("not let through: %v", is)
	}
	l.Clock.Advance(25 * time.Hour)
	if next := l.submit(of, digests("next day", 20)); l.states(of, next)[hotline.Held] != 0 ||
		l.heldNow() != 0 {
		t.Errorf("the next day: %v", l.states(of, next))
	}
}

// TestIDsDoNotCollide: two submissions of one millisecond whose ids would overlap are both stored,
// each with its own items; the same again is still the same.
func TestIDsDoNotCollide(t *testing.T) {
	l := newLane(t)
	of := l.agency(11, agency.TrustedFlagger)
	drawn := []byte{5, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 200, 0, 0, 0}
	l.Service.Random = io.MultiReader(bytes.NewReader(drawn), rand.Reader)
	places := []string{"@news", "@news2", "@news3", "@news4", "@news5", "@news6"}
	one := l.submit(of, violent("one", places...))
	two := l.submit(of, violent("two", places...))
	if two.Again || two.ID != one.ID+195 {
		t.Errorf("ids %d and %d", one.ID, two.ID)
	}
	for _, got := range []hotline.Receipt{one, two} {
		for n, i := range l.items(of, got.ID) {
			if i.ID != got.ID+int64(n) || i.Submission != got.ID || i.Location != places[n] {
				t.Errorf("%s: item %d is %+v", got.Reference, n, i)
			}
		}
	}
	if again := l.submit(of, violent("two", places...)); !again.Again || again.ID != two.ID {
		t.Errorf("again: %+v", again.Submission)
	}
}
