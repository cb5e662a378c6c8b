package instrument

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"parley/internal/safety/country"
)

//go:embed instruments.toml
var builtin []byte

// Set is all instruments. It does not change once it is made.
type Set struct {
	all []Instrument
	by  map[ID]int
	// unknown is for how long an order of an unknown sender waits.
	unknown Length
}

// Builtin are the instruments that the program itself knows.
func Builtin() (*Set, error) { return Read(builtin) }

// Read reads a file of instruments. An error names the line, or the instrument, and what is wrong.
func Read(text []byte) (*Set, error) {
	var file struct {
		Unknown struct {
			Wait Length `toml:"wait"`
		} `toml:"unknown"`
		Instruments []Instrument `toml:"instrument"`
	}
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&file)
	if strict := new(toml.StrictMissingError); errors.As(err, &strict) {
		return nil, fmt.Errorf("instrument: %s", strict.String())
	}
	if syntax := new(toml.DecodeError); errors.As(err, &syntax) {
		line, _ := syntax.Position()
		return nil, fmt.Errorf("instrument: line %d: %w", line, err)
	}
	if err != nil {
		return nil, fmt.Errorf("instrument: %w", err)
	}
	s := &Set{unknown: file.Unknown.Wait, all: file.Instruments, by: make(map[ID]int)}
	for i := range s.all {
		in := &s.all[i]
		if _, twice := s.by[in.ID]; twice || in.ID == "" {
			return nil, fmt.Errorf("instrument: %q has no name of its own", in.ID)
		}
		s.by[in.ID] = i
		if err := in.complete(); err != nil {
			return nil, fmt.Errorf("instrument: %s: %w", in.ID, err)
		}
	}
	return s, nil
}

// All are all instruments, in the order of the file.
func (s *Set) All() []Instrument { return slices.Clone(s.all) }

// Unknown is for how long an order waits whose sender is nobody known, to prove who asks; zero has
// it refused at once.
func (s *Set) Unknown() Length { return s.unknown }

// Get is an instrument; false if there is none of that name.
func (s *Set) Get(id ID) (Instrument, bool) {
	i, ok := s.by[id]
	if !ok {
		return Instrument{}, false
	}
	return s.all[i], true
}

// Names of several requesters at once, as the file may use them.
const (
	officials Requester = "officials"
	everybody Requester = "everybody"
)

// complete checks an instrument and writes out what stands for several.
func (in *Instrument) complete() error {
	if in.Name == "" || in.Law == "" || in.Log == "" || len(in.Issuers) == 0 {
		return errors.New("it needs a name, a law, a word for the log, and issuers")
	}
	if !slices.Contains(Doors(), in.Door) {
		return fmt.Errorf("there is no door %q", in.Door)
	}
	in.May = expand(in.May)
	for _, by := range in.May {
		if !slices.Contains(Requesters(), by) {
			return fmt.Errorf("there is no requester %q", by)
		}
	}
	for i := range in.Serves {
		s := &in.Serves[i]
		s.By = expand(s.By)
		for _, by := range s.By {
			if !slices.Contains(Requesters(), by) {
				return fmt.Errorf("there is no requester %q", by)
			}
		}
		for _, what := range s.For {
			if !slices.Contains(Purposes(), what) {
				return fmt.Errorf("there is no purpose %q", what)
			}
		}
	}
	for _, f := range in.Wants {
		if !slices.Contains(Fields(), f) {
			return fmt.Errorf("there is no field %q", f)
		}
	}
	for _, w := range in.Waives {
		if w.Category != "" && !w.Category.Valid() {
			return fmt.Errorf("there is no category %q", w.Category)
		}
		for _, by := range w.By {
			if !slices.Contains(Requesters(), by) {
				return fmt.Errorf("there is no requester %q", by)
			}
		}
	}
	seen := make(map[string]bool)
	for _, p := range in.Periods {
		if err := p.check(); err != nil {
			return fmt.Errorf("period %s: %w", p.ID, err)
		}
		if seen[p.ID] {
			return fmt.Errorf("period %s stands twice", p.ID)
		}
		seen[p.ID] = true
	}
	if _, ok := in.Answer(Routine); !ok {
		return fmt.Errorf("it has no period %q", answer)
	}
	return nil
}

// expand writes out what stands for several requesters.
func expand(by []Requester) (out []Requester) {
	for _, r := range by {
		switch r {
		case officials:
			out = append(out, Officials()...)
		case everybody:
			out = append(out, Requesters()...)
		default:
			out = append(out, r)
		}
	}
	return out
}

// check finds what is wrong with a period.
func (p Period) check() error {
	events := Events()
	switch {
	case p.ID == "" || p.Duty == "" || p.Article == "":
		return errors.New("it needs an id, a duty and an article")
	case !slices.Contains(events, p.Starts) || p.Ends != "" && !slices.Contains(events, p.Ends):
		return errors.New("it starts or ends with what is no event")
	case p.Length.IsZero() == p.Target.IsZero():
		return errors.New("it needs a length or a target, and not both")
	case len(p.Pauses) > 0 && len(p.Resumes) == 0:
		return errors.New("what pauses must resume")
	case p.Owner != Ours && p.Owner != Theirs:
		return fmt.Errorf("nobody is called %q", p.Owner)
	case p.Notified != AnyNotified && p.Notified != WasNotified && p.Notified != NotNotified:
		return fmt.Errorf("notified is yes or no, and not %q", p.Notified)
	}
	for _, e := range slices.Concat(p.Pauses, p.Resumes) {
		if !slices.Contains(events, e) {
			return fmt.Errorf("there is no event %q", e)
		}
	}
	for _, u := range p.Urgency {
		if !slices.Contains([]Urgency{Routine, Urgent, Life}, u) {
			return fmt.Errorf("there is no urgency %q", u)
		}
	}
	for _, l := range p.Alarms {
		if l.Unit == WorkingDays || l.Unit == Months {
			return errors.New("alarms are counted in minutes, hours or days")
		}
	}
	return nil
}

// answer is the id of the period in which whoever asks has an answer.
const answer = "answer"

// Answer is the period in which a request of some urgency is answered.
func (in Instrument) Answer(u Urgency) (Period, bool) {
	for _, p := range in.Periods {
		if p.Holds(u, false) && (p.ID == answer || p.ID == string(Emergency)) {
			return p, true
		}
	}
	return Period{}, false
}

// Holds tells whether the period holds for requests of some urgency, of which another authority was
// notified or not.
func (p Period) Holds(u Urgency, notified bool) bool {
	if u == "" {
		u = Routine
	}
	if p.Notified == WasNotified && !notified || p.Notified == NotNotified && notified {
		return false
	}
	return len(p.Urgency) == 0 || slices.Contains(p.Urgency, u)
}

// Issued tells whether the requesters of a country may use the instrument.
func (in Instrument) Issued(f country.Facts) bool {
	return slices.ContainsFunc(in.Issuers, f.In)
}

// Serving tells whether the instrument is for such a requester and purpose.
func (in Instrument) Serving(by Requester, what Purpose) bool {
	return slices.ContainsFunc(in.Serves, func(s Service) bool {
		return slices.Contains(s.By, by) && slices.Contains(s.For, what)
	})
}

// For tells whether such a requester may use the instrument at all.
func (in Instrument) For(by Requester) bool {
	if len(in.May) > 0 {
		return slices.Contains(in.May, by)
	}
	return slices.ContainsFunc(in.Serves, func(s Service) bool { return slices.Contains(s.By, by) })
}
