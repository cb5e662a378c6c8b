package safetytest

import (
	"context"
	"time"

	"pgregory.net/rapid"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/euform"
	"parley/internal/safety/intake"
	"parley/internal/tlog/report"
)

// Happened is what happened in a day.
type Happened struct {
	// Decided are measures taken, Owed the statements about them that the EU's database gets,
	// Automated were taken by machines alone, Own without a notice under Article 16.
	Decided, Owed, Automated, Own int64
	// Dismissed are allegations that led to nothing, Lifted are decisions taken back.
	Dismissed, Lifted int64
	// Notices are those under Article 16 that were received.
	Notices int64
	// Complaints and Settlements are those that were decided, by how.
	Complaints, Settlements report.Outcomes
	// Orders are orders of authorities by country.
	Orders map[string]int64
}

// Add adds what happened in another day.
func (h *Happened) Add(o *Happened) {
	for _, p := range [...][2]*int64{
		{&h.Decided, &o.Decided}, {&h.Owed, &o.Owed}, {&h.Automated, &o.Automated},
		{&h.Own, &o.Own}, {&h.Dismissed, &o.Dismissed}, {&h.Lifted, &o.Lifted},
		{&h.Notices, &o.Notices},
		{&h.Complaints.Upheld, &o.Complaints.Upheld},
		{&h.Complaints.Partly, &o.Complaints.Partly},
		{&h.Complaints.Reversed, &o.Complaints.Reversed},
		{&h.Settlements.Upheld, &o.Settlements.Upheld},
		{&h.Settlements.Partly, &o.Settlements.Partly},
		{&h.Settlements.Reversed, &o.Settlements.Reversed},
	} {
		*p[0] += *p[1]
	}
	for country, n := range o.Orders {
		h.ordered(country, n)
	}
}

func (h *Happened) ordered(country string, n int64) {
	if h.Orders == nil {
		h.Orders = map[string]int64{}
	}
	h.Orders[country] += n
}

// History makes days of moderation up, and counts by itself what happens in each.
type History struct {
	*rapid.T
	World *World
	// Post makes something that can be decided about.
	Post func() safety.Subject
	// Order has somebody order something in the name of a country, and returns under which country
	// that counts.
	Order func(country string) string

	days    map[string]*Happened
	settled []appeal.Settlement
}

// Day is what happened in a day, as YYYY-MM-DD.
func (h *History) Day(day string) *Happened {
	if h.days == nil {
		h.days = map[string]*Happened{}
	}
	if h.days[day] == nil {
		h.days[day] = &Happened{}
	}
	return h.days[day]
}

// now is what happened today so far.
func (h *History) now() *Happened {
	return h.Day(h.World.Clock.Now().UTC().Format(time.DateOnly))
}

// Event lets something happen.
func (h *History) Event() {
	switch rapid.SampledFrom([]string{
		"decide", "decide", "decide", "notice", "order", "correct",
	}).Draw(h.T, "event") {
	case "notice":
		h.notice()
	case "order":
		country := rapid.SampledFrom([]string{"DE", "FR", "US"}).Draw(h.T, "country")
		h.now().ordered(h.Order(country), 1)
	case "correct":
		h.correct()
	default:
		d := h.draft(0, h.Post())
		h.followed(h.decide(d))
	}
}

// draft makes a decision up.
func (h *History) draft(of int64, s safety.Subject) decide.Draft {
	d := Draft(of, s)
	d.Ground = rapid.SampledFrom([]safety.Ground{safety.Illegal, safety.Incompatible}).
		Draw(h.T, "ground")
	d.Category = rapid.SampledFrom([]safety.Category{
		safety.ScamsAndFraud, safety.Violence, safety.ProtectionMinors,
	}).Draw(h.T, "category")
	d.Keywords = nil
	if words := d.Category.Keywords(); rapid.Bool().Draw(h.T, "keyword") {
		d.Keywords = []safety.Keyword{rapid.SampledFrom(words).Draw(h.T, "which")}
	}
	d.Source = rapid.SampledFrom([]safety.Source{
		safety.Voluntary, safety.OtherNotification, safety.Article16, safety.TrustedFlagger,
	}).Draw(h.T, "source")
	d.Measures = []safety.MeasureSpec{{Measure: rapid.SampledFrom([]safety.Measure{
		safety.Remove, safety.Demote, safety.AgeRestrict,
	}).Draw(h.T, "measure")}}
	if rapid.Bool().Draw(h.T, "machine") {
		d.By, d.Means.Decided = safety.Actor{Rule: "rule"}, safety.FullyAutomated
		d.Means.Detected = true
	}
	d.NoStatement = d.Category == safety.ScamsAndFraud && rapid.Bool().Draw(h.T, "spam")
	return d
}

func (h *History) decide(d decide.Draft) decide.Decision {
	out, err := h.World.Decisions.Decide(context.Background(), d)
	h.must(err)
	h.counts(d)
	return out
}

// counts counts a decision.
func (h *History) counts(d decide.Draft) {
	now := h.now()
	now.Decided++
	if !d.NoStatement {
		now.Owed++
	}
	if d.Means.Decided == safety.FullyAutomated {
		now.Automated++
	}
	if euform.OwnInitiative(string(d.Source)) {
		now.Own++
	}
}

// followed lifts a decision, has it complained about or disputed, or leaves it.
func (h *History) followed(d decide.Decision) {
	switch rapid.SampledFrom([]string{
		"", "lift", "upheld", "partly", "reversed", "settle",
	}).Draw(h.T, "then") {
	case "lift":
		by := safety.Actor{Staff: 9}
		_, err := h.World.Decisions.Lift(context.Background(), d.Subject.Peer, d.ID, by, "mistake")
		h.must(err)
		h.now().Lifted++
	case "upheld":
		h.complain(d, appeal.Ruling{Outcome: appeal.Upheld})
		h.now().Complaints.Upheld++
	case "partly":
		milder := h.draft(0, d.Subject)
		milder.By, milder.Means = safety.Actor{Staff: 8}, safety.Means{Decided: safety.NotAutomated}
		milder.Measures = []safety.MeasureSpec{{Measure: safety.Label, Detail: "satire"}}
		h.complain(d, appeal.Ruling{Outcome: appeal.Partly, Instead: &milder})
		h.counts(milder) // which takes the other's place: that is no lift
		h.now().Complaints.Partly++
	case "reversed":
		h.complain(d, appeal.Ruling{Outcome: appeal.Reversed})
		h.now().Lifted++
		h.now().Complaints.Reversed++
	case "settle":
		h.settle(d)
	}
}

// complain complains about a decision, and decides that later.
func (h *History) complain(d decide.Decision, r appeal.Ruling) {
	ctx := context.Background()
	a, err := h.World.Appeals.FileAgainst(ctx, d.Subject.Peer, d.ID,
		appeal.Person{User: d.Subject.Author}, "en", "")
	h.must(err)
	h.later()
	r.Staff, r.Reason = 8, "Because."
	_, err = h.World.Appeals.Decide(ctx, a.Subject, a.ID, r)
	h.must(err)
}

// result is how a settlement ends.
func (h *History) result() appeal.State {
	return rapid.SampledFrom([]appeal.State{
		appeal.Upheld, appeal.Partly, appeal.Reversed, appeal.Withdrawn,
	}).Draw(h.T, "result")
}

// settle records that a body settled a dispute about a decision.
func (h *History) settle(d decide.Decision) {
	now := h.World.Clock.Now().Unix()
	x := appeal.Settlement{
		Subject: d.Subject.Peer, Decision: d.ID, Body: "A certified body", By: 9,
		Opened: now, Decided: now, Result: h.result(),
	}
	id, err := h.World.Appeals.Record(context.Background(), x)
	h.must(err)
	x.ID = id
	h.settled = append(h.settled, x)
	h.ended(x, 1)
}

// ended counts how a settlement ended in its day.
func (h *History) ended(x appeal.Settlement, n int64) {
	o := &h.Day(time.Unix(x.Decided, 0).UTC().Format(time.DateOnly)).Settlements
	switch x.Result {
	case appeal.Upheld:
		o.Upheld += n
	case appeal.Partly:
		o.Partly += n
	case appeal.Reversed:
		o.Reversed += n
	}
}

// correct changes a result that was recorded, if there is one.
func (h *History) correct() {
	if len(h.settled) == 0 {
		return
	}
	x := &h.settled[rapid.IntRange(0, len(h.settled)-1).Draw(h.T, "settlement")]
	h.ended(*x, -1)
	x.Result = h.result()
	_, err := h.World.Appeals.Record(context.Background(), *x)
	h.must(err)
	h.ended(*x, 1)
}

// notice gives notice, which is dismissed or leads to a measure.
func (h *History) notice() {
	post := h.Post()
	got, err := h.World.Intake.Report(context.Background(), intake.Report{
		Subject: post, Source: safety.Article16, Name: "A B", Email: "a@example.org",
		Category: safety.Violence, Text: "It threatens.", GoodFaith: true,
		Locations: []string{"https://chat.example.org/news/4"},
	})
	h.must(err)
	h.now().Notices++
	if rapid.Bool().Draw(h.T, "right") {
		h.decide(h.draft(got.Case, post))
		return
	}
	_, err = h.World.Decisions.Dismiss(context.Background(), post.Peer, got.Case,
		safety.Actor{Staff: 7}, casefile.Refuted, "It does not.")
	h.must(err)
	h.now().Dismissed++
}

// later lets up to an hour pass, within the day.
func (h *History) later() {
	h.World.Clock.Advance(time.Duration(rapid.IntRange(0, 60).Draw(h.T, "later")) * time.Minute)
}

func (h *History) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}
