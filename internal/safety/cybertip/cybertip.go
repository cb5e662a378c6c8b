// Package cybertip reports the abuse of children to the CyberTipline of the National Center for
// Missing & Exploited Children, as the law of the United States wants it of providers there: it
// draws a report up from a case and its evidence, says what it lacks, and hands it over by the
// CyberTipline's interface, each report once. Where the operator is subject to that law, no member
// of staff decides such a case without a report or a reason why there is none.
//
// Invariants: a person sends each report, never a rule; nothing is sent that lacks what the schema
// wants; secret chats are in no report, because the server has nothing of them; the password
// reaches the configured address and nothing else.
//
// https://report.cybertip.org/ispws/documentation
package cybertip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/duty"
	"parley/internal/safety/evidence"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// Public are the fields of a report's line in the public log.
func Public(d store.Duty) entry.Entry {
	return entry.Entry{
		Country: "US", Instrument: entry.ChildAbuseReported, Outcome: "full",
		Category: string(safety.ProtectionMinors), Items: entry.Band(1),
	}
}

// ErrUnreported says that a case cannot be decided before somebody has reported it, or has said why
// it need not be.
var ErrUnreported = errors.New("cybertip: report the case, or say why it need not be reported")

// keywords are those of the abuse of children.
func keywords() []safety.Keyword {
	return []safety.Keyword{
		"KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL",
		"KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE",
		"KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS",
	}
}

// Concerns tells whether a decision finds that a child was abused.
func Concerns(d decide.Draft) bool {
	return slices.ContainsFunc(d.Keywords, func(k safety.Keyword) bool {
		return slices.Contains(keywords(), k)
	})
}

// Service draws reports up and sends them.
type Service struct {
	*duty.Service
	// Reporter is the service itself, URL what addresses of public posts begin with.
	Reporter Reporter
	URL      string
	// Subject tells whether the operator has to report.
	Subject bool
}

// Owes is asked within a decision about a case. Where the operator has to report, a single decision
// of a member of staff waits for that (ErrUnreported). What cannot wait - an order, a rule, a mass
// measure - is not held up, and leaves the question open for a person.
func (s *Service) Owes(tx *store.Tx, d decide.Draft, of int64, alone bool) error {
	if !s.Subject || !Concerns(d) {
		return nil
	}
	done, err := s.Answered(&tx.Reader, d.Subject.Peer, of)
	if err != nil || done {
		return err
	}
	if alone && d.By.Staff != 0 && !d.Ordered {
		return ErrUnreported
	}
	id, err := safety.NewID(s.Clock.Now(), s.Random)
	if err != nil {
		return fmt.Errorf("cybertip: %w", err)
	}
	return s.OpenIn(tx, d.Subject.Peer, of, id)
}

// Send has a report sent that a member of staff looked through. An IncompleteError says what it
// lacks; what it only should have is no reason to wait.
func (s *Service) Report(
	ctx context.Context, subject ids.Peer, of, staff int64, r Report,
) (store.Duty, error) {
	body, err := s.body(r)
	if err != nil {
		return store.Duty{}, err
	}
	return s.Record(ctx, subject, of, staff, body, false)
}

// Mend sends a report once more that the CyberTipline refused.
func (s *Service) Mend(
	ctx context.Context, subject ids.Peer, id, staff int64, r Report,
) (store.Duty, error) {
	body, err := s.body(r)
	if err != nil {
		return store.Duty{}, err
	}
	return s.Again(ctx, subject, id, staff, body)
}

func (s *Service) body(r Report) ([]byte, error) {
	r.Reporter = s.Reporter
	if no := must(Check(r, s.Clock.Now())); len(no) > 0 {
		return nil, &IncompleteError{no}
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("cybertip: %w", err)
	}
	return b, nil
}

// Read is the report of a duty.
func Read(d store.Duty) (r Report, err error) {
	if err := json.Unmarshal(d.Body, &r); err != nil {
		return r, fmt.Errorf("cybertip: report %d: %w", d.ID, err)
	}
	return r, nil
}

// mostPrior bounds how many earlier cases about an account are looked through.
const mostPrior = 50

// Draw draws a report up from what is known of a case. A person looks through it, says what kind of
// incident it is, and sends it.
func (s *Service) Draw(ctx context.Context, subject ids.Peer, of int64) (r Report, err error) {
	err = s.Store.View(ctx, func(tx *store.Reader) error {
		r = Report{Reporter: s.Reporter}
		c, err := tx.Case(subject, of)
		if err != nil {
			return err
		}
		seen, err := evidence.Of(tx, subject, of)
		if err != nil {
			return err
		}
		if len(seen) == 0 {
			one, err := evidence.Look(tx, casefile.Subject(c), 0, s.Clock.Now().Unix())
			if err != nil {
				return err
			}
			seen = append(seen, one)
		}
		for _, x := range seen {
			s.add(&r, x)
		}
		return s.account(tx, &r, casefile.Subject(c).Author)
	})
	return r, err
}

// add adds what was seen.
func (s *Service) add(r *Report, x evidence.Capture) {
	r.At, r.Described = time.Unix(x.Taken, 0).UTC(), "when it was captured"
	public := false
	if p := x.Place; p != nil {
		r.Room, r.Person.Group = p.Title, strconv.FormatInt(int64(p.Peer), 10)
		public = p.Username != ""
		if public && s.URL != "" {
			at := s.URL + "/" + p.Username
			if x.Subject.Kind == safety.Message {
				at += "/" + strconv.FormatInt(x.Subject.Item, 10)
			}
			r.URLs = append(r.URLs[:0], at)
		}
	}
	if m := x.Item; m != nil {
		r.At, r.Described = time.Unix(m.Date, 0).UTC(), "when the message was sent"
		r.Content = m.Content.Text
		for _, f := range m.Files {
			r.file(f, public)
		}
	}
	if x.Photo != nil {
		r.file(*x.Photo, true)
	}
	if a := x.Author; a != nil {
		r.Person.Screen, r.Person.Bio = a.Username, a.About
		r.Person.Display = a.First
		if a.Last != "" {
			r.Person.Display += " " + a.Last
		}
		if a.Username != "" && s.URL != "" {
			r.Person.Profile = s.URL + "/" + a.Username
		}
	}
}

// file adds a file that is not there yet.
func (r *Report) file(f evidence.File, public bool) {
	digest := fmt.Sprintf("%x", f.Digest)
	for _, x := range r.Files {
		if x.Digest == digest {
			return
		}
	}
	r.Files = append(r.Files, File{
		Digest: digest, Name: strconv.FormatInt(f.ID, 10) + extension(f.Mime), Mime: f.Mime,
		Public: public,
	})
}

// extension ends a file's name by what it is.
func extension(mime string) string {
	switch mime {
	case "image/jpeg", "":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/webp":
		return ".webp"
	case "video/mp4":
		return ".mp4"
	default:
		return ".bin"
	}
}

// account adds what is known of the account now: its number, and from where it was used.
func (s *Service) account(tx *store.Reader, r *Report, author ids.UserID) error {
	if author == 0 {
		r.Person.ID = r.Person.Group
		return nil
	}
	r.Person.ID = strconv.FormatInt(int64(author), 10)
	known, err := duty.Know(tx, author)
	if err != nil {
		return err
	}
	r.Person.Phone = known.Phone
	for _, a := range known.Addresses {
		name := "Other" // used there last; where it logged in first is not kept
		if a.Login {
			name = "Login"
		}
		r.Person.Events = append(r.Person.Events, Event{Address: a.IP, Name: name, At: a.At})
	}
	return s.prior(tx, r, author)
}

// prior adds the reports about the same account that arrived.
func (s *Service) prior(tx *store.Reader, r *Report, author ids.UserID) error {
	cases, err := tx.CasesAbout(author, 1<<62, mostPrior)
	if err != nil {
		return err
	}
	for _, c := range cases {
		list, err := tx.DutiesOf(c.Subject, c.ID)
		if err != nil {
			return err
		}
		for _, d := range list {
			if duty.Kind(d.Kind) == duty.ChildAbuse && duty.State(d.State) == duty.Delivered {
				r.Person.Prior = append(r.Person.Prior, d.Receipt)
			}
		}
	}
	return nil
}

// Directory writes reports into a directory that a dry run would send, for the operator to look at.
func Directory(dir string) func(context.Context, store.Duty) error {
	return func(_ context.Context, d store.Duty) error {
		r, err := Read(d)
		if err != nil {
			return err
		}
		b, err := r.XML()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cybertip: dry run: %w", err)
		}
		at := filepath.Join(dir, strconv.FormatInt(d.ID, 10)+".xml")
		if err := os.WriteFile(at, b, 0o600); err != nil {
			return fmt.Errorf("cybertip: dry run: %w", err)
		}
		return nil
	}
}
