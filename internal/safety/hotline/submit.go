package hotline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/intake"
	"parley/internal/safety/oncall"
	"parley/internal/safety/webhook"
	"parley/internal/store"
)

// Bounds of a submission.
const (
	// MostItems is how many items one has.
	MostItems = 1000
	// nameBytes bounds references, in bytes; placeBytes places, whyBytes explanations.
	nameBytes  = 100
	placeBytes = 2048
	whyBytes   = 20_000
	// mostProblems is how many problems are named at once.
	mostProblems = 100
)

// Document is a submission as an agency sends it.
type Document struct {
	// Reference is the agency's own name for it: the same one again is the same submission.
	Reference string `json:"submission"`
	// GoodFaith is the statement that what it says is accurate and complete (DSA Art. 16(2)(d)).
	GoodFaith bool `json:"good_faith"`
	// Emergency says that a child or a life is in danger now, and wakes somebody. It is for what
	// cannot wait for the lane's time.
	Emergency bool `json:"emergency,omitempty"`
	// Lang is the language of the explanations by ISO 639-1, empty for the agency's.
	Lang string `json:"lang,omitempty"`
	// Category, Keyword and Explanation hold for the items that have none.
	Category    safety.Category `json:"category,omitempty"`
	Keyword     safety.Keyword  `json:"keyword,omitempty"`
	Explanation string          `json:"explanation,omitempty"`
	Items       []Named         `json:"items"`
}

// Named is one item of a Document: either a location or a digest.
type Named struct {
	// ID is the agency's own name for it, different from others of the submission; may be empty.
	ID          string          `json:"id,omitempty"`
	Location    string          `json:"location,omitempty"`
	SHA256      string          `json:"sha256,omitempty"`
	Category    safety.Category `json:"category,omitempty"`
	Keyword     safety.Keyword  `json:"keyword,omitempty"`
	Explanation string          `json:"explanation,omitempty"`
}

// Problem says which part of a submission is not as it has to be. Its form as JSON is public.
type Problem struct {
	// Field is the member's name; of items with their number: items[3].location.
	Field string `json:"field"`
	// Reason is missing, long, unknown, twice, many or both.
	Reason string `json:"reason"`
}

// Problems is the error of a submission that could not be taken in.
type Problems []Problem

// Error names the first problem.
func (p Problems) Error() string {
	return fmt.Sprintf("hotline: %s: %s, and %d more", p[0].Field, p[0].Reason, len(p)-1)
}

// check says what is wrong with a document, and fills in what holds for all items.
func (d *Document) check() error {
	var out Problems
	wrong := func(field, reason string) { out = append(out, Problem{field, reason}) }
	if r := named(d.Reference); r != "" {
		wrong("submission", r)
	}
	if !d.GoodFaith {
		wrong("good_faith", "missing")
	}
	if d.Lang != "" && len(d.Lang) != 2 {
		wrong("lang", "unknown")
	}
	switch {
	case len(d.Items) == 0:
		wrong("items", "missing")
	case len(d.Items) > MostItems:
		wrong("items", "many")
		return out
	}
	seen := make(map[string]bool)
	for n := range d.Items {
		i := &d.Items[n]
		at := fmt.Sprintf("items[%d].", n)
		d.fill(i)
		i.check(func(field, reason string) { wrong(at+field, reason) })
		if i.ID != "" && seen[i.ID] {
			wrong(at+"id", "twice")
		}
		seen[i.ID] = true
		if len(out) >= mostProblems {
			break
		}
	}
	if out != nil {
		return out
	}
	return nil
}

// fill gives an item what the document says of all.
func (d *Document) fill(i *Named) {
	if i.Category == "" {
		i.Category = d.Category
		if i.Keyword == "" {
			i.Keyword = d.Keyword
		}
	}
	if strings.TrimSpace(i.Explanation) == "" {
		i.Explanation = d.Explanation
	}
	i.SHA256 = strings.ToLower(i.SHA256)
}

// check tells what is wrong with an item.
func (i *Named) check(wrong func(field, reason string)) {
	if r := named(i.ID); i.ID != "" && r != "" {
		wrong("id", r)
	}
	switch {
	case i.Location == "" && i.SHA256 == "":
		wrong("location", "missing")
	case i.Location != "" && i.SHA256 != "":
		wrong("sha256", "both")
	case len(i.Location) > placeBytes:
		wrong("location", "long")
	case strings.ContainsFunc(i.Location, unicode.IsControl) || !utf8.ValidString(i.Location):
		wrong("location", "unknown")
	case i.SHA256 != "" && !digest(i.SHA256):
		wrong("sha256", "unknown")
	}
	switch {
	case i.Category == "":
		wrong("category", "missing")
	case !i.Category.Valid():
		wrong("category", "unknown")
	case i.Keyword != "" && !has(i.Category, i.Keyword):
		wrong("keyword", "unknown")
	}
	switch why := strings.TrimSpace(i.Explanation); {
	case why == "":
		wrong("explanation", "missing")
	case len(why) > whyBytes:
		wrong("explanation", "long")
	case !utf8.ValidString(why): // what could not be read back would stop the lane
		wrong("explanation", "unknown")
	}
}

func has(c safety.Category, k safety.Keyword) bool {
	for _, x := range c.Keywords() {
		if x == k {
			return true
		}
	}
	return false
}

func digest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// named tells what is wrong with a reference, nothing when it is one.
func named(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "missing"
	case len(s) > nameBytes:
		return "long"
	case strings.ContainsFunc(s, unicode.IsControl) || strings.ToValidUTF8(s, "") != s:
		return "unknown"
	}
	return ""
}

// Receipt says that a submission is stored.
type Receipt struct {
	Submission
	// Again is set when it had been stored before.
	Again bool
	Items []Item
}

// Submit stores a submission of an agency and returns its receipt, with one for each item. Problems
// says what is wrong with it, ErrConflict that the reference stands for another one, ErrSuspended
// that it has digests and the agency has no lane at present. officer is who sent it, 0 for a
// program.
func (s *Service) Submit(
	ctx context.Context, of agency.Agency, officer int64, d Document,
) (out Receipt, err error) {
	if of.Kind.Official() {
		return out, ErrKind
	}
	sum, err := d.digest()
	if err != nil {
		return out, err
	}
	d.Items = slices.Clone(d.Items) // they are filled in
	if err := d.check(); err != nil {
		return out, err
	}
	// The ids of its items follow its own: they may be those of another one of the same
	// millisecond, or of what was found for one.
	err = store.Repeat(func() (err error) {
		out, err = s.store(ctx, of, officer, d, sum)
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	// Whoever is not answered because of a failure here sends it again, and that rings.
	if err := s.alarm(ctx, of, d, out.Submission); err != nil {
		return Receipt{}, err
	}
	if !out.Again {
		s.Arrived(of.Kind, len(d.Items))
	}
	s.worker.Wake()
	return out, nil
}

// store stores a submission under a new id, or finds that it is stored.
func (s *Service) store(
	ctx context.Context, of agency.Agency, officer int64, d Document, sum string,
) (out Receipt, err error) {
	now := s.Clock.Now()
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return out, fmt.Errorf("hotline: %w", err)
	}
	out.Submission = Submission{
		Agency: of.ID, ID: id, Reference: d.Reference, Digest: sum, Officer: officer,
		At: now.Unix(), Items: int64(len(d.Items)),
	}
	err = s.Store.Update(ctx, key(of.ID), func(tx *store.Tx) error {
		old, err := tx.SubmissionBy(of.ID, d.Reference)
		if err == nil {
			if old.Digest != sum {
				return ErrConflict
			}
			out.Submission, out.Again = old, true
			out.Items, err = Items(&tx.Reader, of.ID, old.ID, 0, MostItems)
			return err
		}
		if !store.IsNotFound(err) {
			return err
		}
		lane, err := s.admit(&tx.Reader, of, d, now.Unix())
		if err != nil {
			return err
		}
		out.Items = s.items(of, out.Submission, d)
		for n := range out.Items {
			out.Items[n].Ordinary = !lane && !d.Items[n].lane(of.Kind).Emergency()
		}
		if err := s.hold(&tx.Reader, out.Items, now); err != nil {
			return err
		}
		if err := tx.AddSubmission(out.Submission); err != nil {
			return err
		}
		for _, i := range out.Items {
			if err := add(tx, i); err != nil {
				return err
			}
		}
		return s.received(tx, out.Submission)
	})
	return out, err
}

// received has an agency's programs told that a submission is stored.
func (s *Service) received(tx *store.Tx, sub Submission) error {
	ref := s.References.Make(safety.FlagRef, key(sub.Agency), sub.ID)
	return s.Owe(tx, sub.Agency, webhook.Event{
		Event: webhook.Receipt, Reference: ref, State: Received.String(),
		Path: api + "/submissions/" + ref,
	})
}

// digest is that of what an agency sent.
func (d Document) digest() (string, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("hotline: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// items are the rows of a document. Their ids follow the submission's, in their order.
func (s *Service) items(of agency.Agency, sub Submission, d Document) []Item {
	lang := d.Lang
	if lang == "" {
		lang = of.Lang
	}
	out := make([]Item, len(d.Items))
	for n, i := range d.Items {
		kind := Place
		if i.SHA256 != "" {
			kind = Digest
		}
		out[n] = Item{
			Agency: of.ID, ID: sub.ID + int64(n), Submission: sub.ID, Kind: kind, State: Received,
			Category: i.Category, Created: sub.At,
			Said: Said{
				Name: i.ID, Location: strings.TrimSpace(i.Location), SHA256: i.SHA256,
				Keyword: i.Keyword, Why: strings.TrimSpace(i.Explanation), Lang: lang,
			},
		}
	}
	return out
}

// lane is where an item of an agency is looked at.
func (i Named) lane(of agency.Kind) safety.Lane {
	return intake.LaneOf(i.Category, i.Keyword, sourceOf(of))
}

// admit says whether the items of an agency have a lane now. One that is suspended has none but for
// dangers to a child or to life: its places are notices like anybody's, its digests are not looked
// for (ErrSuspended).
func (s *Service) admit(
	r *store.Reader, of agency.Agency, d Document, now int64,
) (lane bool, err error) {
	m, err := SuspensionOf(r, of.ID, now)
	if err != nil || m == nil {
		return true, err
	}
	for _, i := range d.Items {
		if i.SHA256 != "" && !i.lane(of.Kind).Emergency() {
			return false, ErrSuspended
		}
	}
	return false, nil
}

// alarm wakes somebody for an emergency.
func (s *Service) alarm(ctx context.Context, of agency.Agency, d Document, sub Submission) error {
	if !d.Emergency || s.Wake == nil {
		return nil
	}
	urgent := false
	for _, i := range d.Items {
		lane := i.lane(of.Kind)
		urgent = urgent || lane.Emergency() || lane == safety.Terrorism
	}
	if !urgent {
		return nil // the word alone makes no emergency of another category
	}
	// It is stored: that its sender went away keeps nobody asleep.
	return s.Wake(context.WithoutCancel(ctx), oncall.Emergency{
		Key: fmt.Sprintf("hotline %d %d", of.ID, sub.ID), Kind: oncall.Hotline,
		About: oncall.About{
			Reference: s.References.Make(safety.FlagRef, key(of.ID), sub.ID), Country: of.Country,
			Path: fmt.Sprintf("/hotlines/%d/%d", of.ID, sub.ID),
		},
	})
}
