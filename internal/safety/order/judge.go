package order

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/policy"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// Requester is what policy calls a kind of agency.
func Requester(k agency.Kind) instrument.Requester {
	switch k {
	case agency.Court:
		return instrument.Court
	case agency.Prosecutor:
		return instrument.Prosecutor
	case agency.Police:
		return instrument.Police
	case agency.Regulator, agency.Coordinator:
		return instrument.Regulator
	case agency.TrustedFlagger:
		return instrument.Flagger
	case agency.Organisation:
		return instrument.Hotline
	case agency.TerroristContent, agency.Central, agency.Administrative:
		return instrument.Authority
	default:
		return instrument.Person
	}
}

// sayable is the order's document without words that mean nothing, or stand there again: each of
// them was named as a problem, and policy is not asked about it.
func (o Order) sayable() Document {
	d := o.Document
	if !d.Category.Valid() {
		d.Category = ""
	}
	if d.Urgency != instrument.Urgent && d.Urgency != instrument.Life {
		d.Urgency = instrument.Routine
	}
	d.Penalty = min(max(d.Penalty, 0), maxPenalty)
	asked := d.Data
	d.Data = slices.DeleteFunc(policy.AllData(), func(x policy.Data) bool {
		return !slices.Contains(asked, x)
	})
	d.Territory = slices.DeleteFunc(slices.Clone(d.territory()), func(c string) bool {
		return !country.Code(c).Valid()
	})
	return d
}

// judge asks policy. What is to be done has to be known for that; else the order is incomplete.
func (w *work) judge() (err error) {
	if !slices.Contains(policy.Actions(), w.o.Document.Action) {
		w.o.Verdict = policy.Verdict{Outcome: policy.Incomplete, Periods: w.in.Periods}
		return nil
	}
	if w.o.Verdict, err = w.Judge(w.request()); err != nil {
		return fmt.Errorf("order: policy: %w", err)
	}
	return nil
}

// request is what policy is asked.
func (w *work) request() policy.Request {
	o, d := w.o, w.o.sayable()
	q := policy.Request{
		Reference: d.Number, Received: moment(o.Received), Country: country.Code(w.of.Country),
		Urgency: d.Urgency,
		Asked: policy.Asked{
			Action: d.Action, Target: w.target(), Items: max(d.named(), 1),
			Exact: d.named() > 0 && !w.vague(), Data: d.Data,
		},
		By: policy.By{
			Kind: Requester(w.of.Kind), New: o.New, Early: o.Early, Mail: o.Mail,
			Owes:      o.Owes && len(w.of.Owes) > 0,
			Suspended: o.Standing == agency.Halted,
		},
		Ground: policy.Ground{
			Instrument: w.in.ID, Has: d.has(), Manifest: w.manifest(), Penalty: d.Penalty,
			Notified: d.Notified, Listed: d.listed(),
		},
		Content: policy.Content{
			Category: d.Category, Protected: o.Protected, Judged: o.Judged, Private: w.private(),
		},
	}
	for _, c := range d.Territory {
		q.Asked.Territory = append(q.Asked.Territory, country.Code(c))
	}
	for _, c := range o.Checks {
		q.By.Verified = append(q.By.Verified, c.Check)
	}
	for _, t := range []struct {
		at  int64
		out *time.Time
	}{{d.Until, &q.Asked.Until}, {d.From, &q.Asked.From}, {d.To, &q.Asked.To}} {
		if t.at > 0 {
			*t.out = moment(t.at)
		}
	}
	if d.Bar != nil {
		q.Ground.Bar = true
		if d.Bar.Until > 0 {
			q.Ground.BarEnds = moment(d.Bar.Until)
		}
	}
	return q
}

// target is the widest kind of what the order is against, as it was found.
func (w *work) target() policy.Target {
	if d := w.o.Document; len(d.Items) == 0 && (len(d.Accounts) > 0 || !restricts(d.Action)) {
		return policy.Account
	}
	out := policy.Item
	for _, i := range w.items {
		switch {
		case i.Subject.Peer == 0:
		case i.Subject.Kind == safety.Chat:
			out = policy.Chat
		case i.Subject.Kind == safety.Account && out == policy.Item:
			out = policy.Account
		}
	}
	return out
}

// vague tells whether something is not named exactly.
func (w *work) vague() bool {
	for _, p := range w.o.Problems {
		if p.Field == fieldName(instrument.Location) || p.Field == fieldName(instrument.Accounts) {
			return true
		}
	}
	return false
}

// manifestMost is how many manifest errors policy is told of: one is enough.
const manifestMost = 20

// manifest are the manifest errors, in words: those of the document, and those that somebody found.
func (w *work) manifest() (out []string) {
	for _, p := range w.o.Problems {
		if p.Manifest && p.Field != foundField {
			out = append(out, p.Field+": "+p.What)
		}
	}
	out = append(out, w.o.Manifest...)
	return out[:min(len(out), manifestMost)]
}

// foundField is what a manifest error is called that somebody found.
const foundField = "manifest error"

// private tells whether something lies in a private chat or a basic group.
func (w *work) private() bool {
	for _, i := range w.items {
		if i.Subject.Kind == safety.Message && i.Subject.Peer != 0 &&
			i.Subject.Peer.Kind() != ids.Channel {
			return true
		}
	}
	return false
}

// assess asks policy and says what comes next. It is run whenever something has changed that the
// verdict rests on, until somebody has signed.
func (w *work) assess() error {
	if err := w.place(); err != nil {
		return err
	}
	return w.settles()
}

// place brings the order into the state that what policy says of it leads to.
func (w *work) place() error {
	if err := w.judge(); err != nil {
		return err
	}
	v := w.o.Verdict
	switch {
	case w.o.Stopped != nil:
		return w.to(Held, WasHeld, haltedText)
	case w.o.FromNobody():
		return w.fromNobody(v)
	case w.o.Standing != "" && w.o.Standing != agency.Unsigned:
		return w.refuse("sender-"+string(w.o.Standing), w.because("sender"))
	case slices.Contains(policy.Actions(), w.o.Document.Action) && !handled(w.o.Document.Action):
		return w.refuse("no-handler", w.because("handler"))
	case v.Outcome == policy.Refused:
		return w.refuse(w.refusedFor(v))
	case len(w.o.Problems) > 0 || v.Outcome == policy.Incomplete:
		return w.incomplete(v)
	case w.o.Standing == agency.Unsigned:
		return w.to(Received, Waits, "an officer's word")
	case v.Outcome == policy.Held:
		return w.to(Held, WasHeld, holds(v))
	case len(v.Unverified) > 0:
		return w.to(Received, Waits, checks(v.Unverified))
	default:
		return w.to(Assessed, WasAssessed, v.Policy)
	}
}

// reason is why something is not done, in English for the staff, and as the authority is told.
type reason struct{ English, Said string }

// because is a reason of the service's own, by its name.
func (w *work) because(name string) reason {
	return reason{w.Sign.Why("en", name), w.Sign.Why(w.lang(), name)}
}

// and is a reason with words of a person behind it, which are in the language he writes in.
func (r reason) and(words string) reason {
	return reason{r.English + "\n" + words, r.Said + "\n" + words}
}

// written is a reason that a person has written.
func written(text string) reason { return reason{text, text} }

// refusedFor is the class of a refusal by policy, and its reasons.
func (w *work) refusedFor(v policy.Verdict) (class string, why reason) {
	var english, said []string
	for _, r := range v.Refusals {
		english, said = append(english, r.Text), append(said, r.Say(w.lang()))
	}
	if len(v.Refusals) == 0 {
		return "policy", w.because("policy")
	}
	return string(v.Refusals[0].Code), reason{
		strings.Join(english, "\n"), strings.Join(said, "\n"),
	}
}

func holds(v policy.Verdict) string {
	var out []string
	for _, h := range v.Holds {
		out = append(out, string(h))
	}
	return strings.Join(out, " ")
}

func checks(list []policy.Check) string {
	var out []string
	for _, c := range list {
		out = append(out, string(c))
	}
	return strings.Join(out, " ")
}

// to brings an open order into a state, and notes it if it was not there already. Periods that
// stood still because something was missing go on when nothing is, whoever has made it whole.
func (w *work) to(s State, k EventKind, text string) error {
	was := w.o.State
	w.o.State = s
	if len(w.o.Problems) == 0 && w.o.lacked() {
		w.happened(instrument.Complete)
	}
	if was == s && k != Waits {
		return nil
	}
	return w.event(k, By{}, text)
}

// incomplete tells the authority what is missing. The clock stands still where its periods say so.
func (w *work) incomplete(v policy.Verdict) error {
	p := paper.Paper{Kind: paper.Incomplete}
	if w.o.FromNobody() {
		p.Text = w.because("sender").Said
	}
	list := w.o.Problems
	for _, f := range v.Missing {
		missing := Problem{Law: w.in.Law, Field: fieldName(f), What: "missing"}
		if !contains(list, missing) {
			list = append(list, missing)
		}
	}
	w.o.Problems = list
	var text []string
	for _, x := range list {
		p.Missing = append(p.Missing, paper.Missing{Law: x.Law, Field: x.Field, What: x.What})
		text = append(text, x.Error())
	}
	w.o.State = Incomplete
	w.happened(instrument.Incomplete)
	if err := w.event(LackedFields, By{}, strings.Join(text, "\n")); err != nil {
		return err
	}
	w.o.tick(w.now)
	p.Due = paper.Time(w.o.Due)
	return w.sign(p)
}

func contains(list []Problem, p Problem) bool {
	for _, x := range list {
		if x.Law == p.Law && x.Field == p.Field && x.What == p.What {
			return true
		}
	}
	return false
}

// refuse ends an order without effect: a reasoned paper, a line in the public log, and the reason
// in the refusal register. Of one that has been begun, what was done is taken back.
func (w *work) refuse(class string, why reason) error {
	if w.begun() {
		return w.ending(End{
			State: Annulled, Reason: why.English, Said: why.Said, Denied: class == deniedClass,
		})
	}
	w.o.Refused, w.o.Why, w.o.Said = class, why.English, why.Said
	for _, i := range w.items {
		if i.State == Waiting {
			i.State, i.Reason, i.At = Declined, class, w.now
			if err := w.put(i); err != nil {
				return err
			}
		}
	}
	w.close(Refused)
	w.happened(instrument.Informed)
	if err := w.event(WasRefused, By{}, class); err != nil {
		return err
	}
	err := w.sign(paper.Paper{
		Kind: paper.Refusal, Given: "no", Reason: class, Text: why.Said, Items: w.paperItems(),
	})
	if err != nil {
		return err
	}
	if err := enter(w.tx, w.o.refusal(class, w.now)); err != nil {
		return err
	}
	if err := w.unsettles(); err != nil {
		return err
	}
	if w.quiet {
		return nil
	}
	if w.o.Unlogged { // it stands for itself, and not among many
		w.o.Unlogged = false
		if err := w.line(ledger.Order, entry.Entry{}); err != nil {
			return err
		}
	}
	return w.line(ledger.Refusal, entry.Entry{Reason: class})
}
