// Package statement says to people what was decided and why: statements of reasons to those whom a
// decision concerns, outcomes to those who reported, answers to those who complained. It writes
// them in the reader's language out of the decision itself, delivers them in the chat of the
// service account (or by mail, to somebody without an account) and shows them on pages. It decides
// nothing.
//
// What is owed is a row written with the decision. The worker sends a message under a random_id
// that follows from the row, and then ticks the row off: a crash between the two sends nothing
// twice.
//
// Letters to different people go out at once. What one account is told as the person concerned, and
// what those who reported a subject are told of it, comes in the order in which it was owed.
//
// Invariants: whoever a decision concerns is told of all that DSA Art. 17(3) names, unless a legal
// bar that is written down in the case forbids it, and then when the bar ends; nobody is told who
// reported, and nobody who reported is told whom a measure hit.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package statement

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/intake"
	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/store"
)

// ErrBarred says that the law forbids to show a decision to the person concerned at present.
var ErrBarred = errors.New("statement: a legal bar forbids to show this")

// Options are what a Service is made of.
type Options struct {
	Store      *store.Store
	Clock      clock.Clock
	References safety.References
	Message    *message.Service
	Intake     *intake.Service
	Appeals    *appeal.Service
	// Mail owes a letter by mail to who made a report without an account, in the transaction that
	// ticks the letter off. It is nil where no mail can be sent: then he has the page alone.
	Mail func(tx *store.Tx, l store.Letter, report int64) error
	// Data writes the letters of decide.DataAsked and decide.DataLeft; nil where no data is handed
	// to authorities.
	Data func(r *store.Reader, l store.Letter, lang string) (title string, parts []Part, err error)
	// Authority tells an authority of a measure that its order led to and that ended early; nil
	// where nobody takes orders.
	Authority func(ctx context.Context, agency, order, decision int64) error
	// URL is what links to pages begin with, without a slash at its end; empty makes no links.
	URL string
	// Pressed answers the button of a message that is not about a complaint; ours is false for one
	// that it does not know. It may be nil.
	Pressed func(ctx context.Context, user ids.UserID, data string) (
		answer string, ours bool, err error)
	// Flagged hears of the outcome of a report of a hotline before it counts as told; it is told
	// again after an error. It may be nil.
	Flagged func(ctx context.Context, report store.Report, d decide.Decision) error
	Log     *slog.Logger
	// Delivered hears of every letter once it is delivered, by its kind; nil hears nothing.
	Delivered func(decide.LetterKind)
	// Proxies are the links by which clients reach the service where its network is blocked, for
	// who asks in the chat; nil where there are none.
	Proxies func() []string
	// Export makes a part of a copy of an account's data, and returns it as a medium that the
	// service account can send, and where the part after it begins, nil after the last; from is nil
	// for the first. A chat.Refusal says that there is nothing to copy. Export is nil where there
	// is none.
	Export func(
		ctx context.Context, user ids.UserID, from json.RawMessage,
	) (part *message.Media, next json.RawMessage, err error)
	// Asked is called when somebody asks for a copy; nil for never.
	Asked func()
	// Crash is called between the steps of a delivery by tests, and may end it there with
	// store.ErrStopped; nil in production.
	Crash func(point string) error
}

// Service writes and delivers letters.
type Service struct {
	Options
	texts  texts
	worker owed.Worker
}

// New reads the texts.
func New(o Options) (*Service, error) {
	t, err := words.Read(files, words.People())
	if err != nil {
		return nil, err
	}
	if o.Delivered == nil {
		o.Delivered = func(decide.LetterKind) {}
	}
	return &Service{Options: o, texts: t}, nil
}

// View is a decision as somebody whom it concerns may see it.
type View struct {
	Decision decide.Decision
	// Subject and Who are whom the reference makes its holder.
	Who   appeal.Person
	Title string
	Parts []Part
	// Appeal is the reader's complaint, nil for none, and Dialogue what was said about it.
	Appeal   *appeal.Appeal
	Dialogue []appeal.Line
	// MayAppeal is set when a complaint would be heard now.
	MayAppeal bool
}

// Page is what the holder of a reference of a statement or of a report may see of its decision, in
// a language. Errors are safety.ErrReference, store.ErrNotFound, ErrBarred, and appeal.ErrNothing
// for a report that is not decided.
func (s *Service) Page(r *store.Reader, ref, lang string) (v View, err error) {
	subject, id, who, err := s.Appeals.About(r, ref)
	if err != nil {
		return v, err
	}
	if v.Decision, err = decide.Of(r, subject, id); err != nil {
		return v, err
	}
	v.Who = who
	if who.Report != 0 {
		report, err := r.Report(subject, who.Report)
		if err != nil {
			return v, err
		}
		v.Title, v.Parts = s.outcome(v.Decision, report, lang)
		// Whom it hit, and how, is not the notifier's to know.
		v.Decision = decide.Decision{ID: v.Decision.ID, State: v.Decision.State}
		v.Decision.Subject.Peer = subject
	} else {
		if err := s.visible(r, v.Decision); err != nil {
			return View{}, err
		}
		v.Title, v.Parts = s.Text(v.Decision, lang)
	}
	list, err := appeal.Of(r, subject, id)
	if err != nil {
		return v, err
	}
	for _, a := range list {
		if a.Person == who {
			v.Appeal = &a
			v.Dialogue, err = appeal.Dialogue(r, subject, a.ID)
			return v, err
		}
	}
	v.MayAppeal = s.Appeals.MayFile(r, subject, id, who) == nil
	return v, nil
}

// visible tells why the person concerned may not see a decision, nil when he may.
func (s *Service) visible(r *store.Reader, d decide.Decision) error {
	switch d.State {
	case decide.Proposed, decide.Withdrawn, decide.NoAction:
		return store.ErrNotFound
	}
	barred, err := decide.StatementBarred(r, d, s.Clock.Now().Unix())
	if err == nil && barred {
		err = ErrBarred
	}
	return err
}

// Line is a decision in the list of all that were made about a person.
type Line struct {
	Decision decide.Decision
	// Reference leads to the whole. Source says how it came to be looked at.
	Reference, Title, Measures, Source string
}

// Person lists up to limit decisions about the account that a reference stands for
// (safety.PersonRef of its peer) with ids below one, the newest first, and returns from where on to
// go on, 0 for nowhere. What a legal bar hides is left out.
func (s *Service) Person(
	r *store.Reader, ref, lang string, below int64, limit int,
) (out []Line, next int64, err error) {
	kind, peer, _, err := s.References.Read(ref)
	if err == nil && (kind != safety.PersonRef || peer.Kind() != ids.User) {
		err = safety.ErrReference
	}
	if err != nil {
		return nil, 0, err
	}
	list, err := decide.About(r, peer.User(), below, limit)
	if err != nil {
		return nil, 0, err
	}
	if len(list) == limit && limit > 0 {
		next = list[limit-1].ID
	}
	lang = s.texts.in(lang)
	for _, d := range list {
		err := s.visible(r, d)
		if errors.Is(err, ErrBarred) || store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		out = append(out, Line{
			Decision: d, Reference: s.Reference(d), Measures: s.measures(d, lang),
			Title:  s.texts.get(lang, "title."+d.Subject.Kind.String()),
			Source: s.texts.get(lang, source(d)),
		})
	}
	return out, next, nil
}

// outcome is how somebody's report ended.
func (s *Service) outcome(
	d decide.Decision, report store.Report, lang string,
) (title string, parts []Part) {
	t := s.texts
	lang = t.in(lang)
	outcome := casefile.Outcome(report.Outcome)
	key := map[casefile.Outcome]string{
		casefile.Upheld: "outcome.1", casefile.Partly: "outcome.2", casefile.Refuted: "outcome.3",
		casefile.Unfounded: "outcome.4",
	}[outcome]
	if d.State == decide.Lifted {
		key = "outcome.lifted"
	}
	what := t.get(lang, "kind."+d.Subject.Kind.String())
	parts = []Part{
		t.part(lang, "reported", t.get(lang, "outcome.reported", what, day(report.At))),
		t.part(lang, "outcome", t.get(lang, key)),
	}
	if d.State == decide.NoAction {
		parts = append(parts, t.part(lang, "reason", isolate+d.Explanation+popped))
	}
	parts = append(parts, t.part(lang, "means", t.get(lang, "decided."+string(d.Means.Decided))))
	if outcome != casefile.Upheld {
		parts = append(parts, t.part(lang, "redress", t.get(lang, "redress")))
	}
	ref := s.References.Make(safety.ReportRef, report.Subject, report.ID)
	return t.get(lang, "outcome.title"),
		append(parts, t.part(lang, "reference", isolate+ref+popped))
}
