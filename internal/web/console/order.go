package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/internal/safety/agency"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// Bounds of what an order's page shows.
const (
	mostOrderEvents = 1000
	// mostSeen is how many of an order's items are looked at together.
	mostSeen = 20
)

// orderView is an order as its page shows it.
type orderView struct {
	order.Order
	Path   string
	Titled string
	// Instrument is the law's; its name is empty where nobody knows it.
	Instrument instrument.Instrument
	Sender     senderView
	Fields     []orderField
	Attached   []attached
	Periods    []periodLine
	Made       []madeLine
	Plan       order.Plan
	Steps      []stepLine
	Signed     []signedLine
	Lacking    []policy.Signature
	Papers     []order.Paper
	Past       []orderEvent
	// Seen are items that the visitor looked at just now.
	Seen []captured
	// Agencies are those that an order of somebody unknown can be put to.
	Agencies []agency.Agency
	// Grounds are those on which a notified authority can object.
	Grounds []order.Ground
	// May says what can be done with it now, by whom the visitor is.
	May orderMay
	// Classes are those of refusals, Moves the other instruments.
	Classes  []string
	Speeches []policy.Speech
	Moves    []instrument.Instrument
}

// senderView is who sent an order, and what his word is worth now.
type senderView struct {
	Agency  agency.Agency
	Officer agency.Officer
	Problem agency.Problem
	// Ends is until when his emergencies wait, 0 when they do not.
	Ends       int64
	Suspicious bool
	Path       string
}

// attached is a paper that came with an order. Link is where its safe rendering is shown, "" where
// there is none.
type attached struct {
	order.Attachment
	Link string
}

// periodLine is a period and where it stands.
type periodLine struct {
	order.Period
	Due, Next int64
}

// madeLine is a check that was made, or that is wanted: then it has no time.
type madeLine struct {
	order.Made
	Who string
	// Ours tells that a member of staff can make it.
	Ours bool
}

// stepLine is what an item is and what becomes of it.
type stepLine struct {
	order.Step
	Item  order.Item
	Kind  string
	State string
	// Decision is where its decision lies, "" while there is none.
	Decision string
}

// signedLine is a signature; Void counts no more, because something has changed since.
type signedLine struct {
	store.OrderApproval
	Who  string
	Void bool
}

// orderEvent is an event with the names of who did it.
type orderEvent struct {
	order.Event
	What, Who string
	// Checks are those that it is about; Text is what it says besides.
	Checks []policy.Check
	Text   string
}

// aboutChecks takes the names of checks out of what an event says: the page has words for them.
func aboutChecks(e order.Event) (list []policy.Check, rest string) {
	known := func(s string) bool { return slices.Contains(policy.Checks(), policy.Check(s)) }
	switch e.Kind {
	case order.Waits:
		for _, s := range strings.Fields(e.Text) {
			if !known(s) {
				return nil, e.Text
			}
			list = append(list, policy.Check(s))
		}
		return list, ""
	case order.CheckMade:
		if s, said, found := strings.Cut(e.Text, ": "); found && known(s) {
			return []policy.Check{policy.Check(s)}, said
		}
	}
	return nil, e.Text
}

// orderMay says what the visitor can do with an order now.
type orderMay struct {
	Check, Call, Suspect, Decide, Believe, Sign, Refuse, Annul, Move, Scrutiny, Reply bool
	// Review is to say that what was done may stay, though its sender was suspended.
	Review bool
	// Clear and Object are the words of an authority that was notified, Papered is that an order
	// came after an emergency, Attach is for an order of somebody unknown.
	Clear, Object, Papered, Attach bool
	// Text is to read what the public is to read of it.
	Text bool
}

// refusalClasses are the reasons of refusals that staff gives; most are those of the rules as well.
func refusalClasses() []string {
	return []string{
		"not-illegal", "no-legal-basis", "no-authority", "wrong-issuer", "manifest-error",
		"too-wide", "too-long", "protected-speech", "not-proven", "not-held", "impossible", "other",
	}
}

// titled is what people call an order by: its authority's number, or our reference without one.
func titled(o order.Order) string {
	if n := strings.TrimSpace(o.Document.Number); n != "" {
		return n
	}
	return o.Reference
}

// orderPath is where an order lies.
func orderPath(agency, id int64) string { return fmt.Sprintf("/order/%d/%d", agency, id) }

// theOrder reads the order that the path names.
func (v *visit) theOrder() (o order.Order, err error) {
	of, id, err := v.ref()
	if err != nil {
		return o, err
	}
	err = v.view(func(r *store.Reader) (err error) {
		o, err = v.Orders.Of(r, int64(of), id)
		return err
	})
	return o, err
}

// readOrder is theOrder for a page that shows what the order's own page leads to: whoever signs an
// order can read all that came with it. The order's page says whose it is to read.
func (c *Console) readOrder(v *visit) (order.Order, error) {
	o, err := v.theOrder()
	if err != nil || v.may(staff.Orders) {
		return o, err
	}
	body, err := c.orderView(v, o)
	if err != nil {
		return o, err
	}
	return o, v.refuseUnread(body)
}

// refuseUnread keeps the visitor from an order that is not his to read, and writes that down.
func (v *visit) refuseUnread(body *orderView) error {
	if v.mayRead(body) {
		return nil
	}
	v.refused(v.r, v.me(), v.row.word(), "no signature of his role is wanted")
	return problem{http.StatusForbidden, "forbidden"}
}

// mayRead tells whether the visitor may see an order: who works on orders sees all, others those
// that wait for a signature of their role or have theirs.
func (v *visit) mayRead(body *orderView) bool {
	if v.may(staff.Orders) {
		return true
	}
	if body.State == order.Assessed && body.wants(policy.Role(v.session.Member.Role.String())) {
		return true
	}
	return slices.ContainsFunc(body.Signed, func(s signedLine) bool { return s.Staff == v.me() })
}

// wants tells whether a signature of a role is still wanted.
func (b *orderView) wants(r policy.Role) bool {
	return slices.ContainsFunc(b.Lacking, func(s policy.Signature) bool { return s.Role == r })
}

// orderPage shows an order.
func (c *Console) orderPage(v *visit) error { return c.showOrder(v, http.StatusOK, false) }

// lookAtItems shows an order with what its items are, to who says why he looks.
func (c *Console) lookAtItems(v *visit) error {
	if utf8.RuneCountInString(v.field("purpose")) < purposeRunes {
		return problem{http.StatusUnprocessableEntity, "purpose"}
	}
	return c.showOrder(v, http.StatusOK, true)
}

func (c *Console) showOrder(v *visit, status int, look bool) error {
	o, err := v.theOrder()
	if err != nil {
		return err
	}
	body, err := c.orderView(v, o)
	if err != nil {
		return err
	}
	if err := v.refuseUnread(body); err != nil {
		return err
	}
	if look {
		if body.Seen, err = c.seen(v, body); err != nil {
			return err
		}
	}
	return v.show(status, "order", body)
}

// orderView gathers all that the page of an order shows.
func (c *Console) orderView(v *visit, o order.Order) (*orderView, error) {
	body := &orderView{
		Order: o, Path: orderPath(o.Agency, o.ID), Fields: orderFields(o.Document),
		Classes: refusalClasses(), Speeches: policy.Speeches(), Titled: titled(o),
		Grounds: order.Grounds(),
	}
	names, err := c.names(v)
	if err != nil {
		return nil, err
	}
	if body.Plan, err = c.Orders.PlanOf(v.r.Context(), o.Agency, o.ID); err != nil {
		return nil, err
	}
	err = v.view(func(r *store.Reader) error {
		for _, part := range c.orderParts() {
			if err := part(r, body, names); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	body.May = v.orderMay(body, c.Clock.Now().Unix())
	return body, nil
}

// orderPart adds something to the page of an order. It may run twice. names are the staff's.
type orderPart func(r *store.Reader, body *orderView, names map[int64]string) error

// orderParts are what the page of an order is put together from.
func (c *Console) orderParts() []orderPart {
	return []orderPart{
		c.orderSender, c.orderLaw, c.orderItems, c.orderPast, c.orderExhibits, c.orderAgencies,
	}
}

// mostAgencies is among how many agencies an order of somebody unknown can be put to one.
const mostAgencies = 1000

// orderAgencies adds the agencies that an order of somebody unknown can be put to.
func (c *Console) orderAgencies(r *store.Reader, body *orderView, _ map[int64]string) error {
	body.Agencies = nil
	if !body.FromNobody() {
		return nil
	}
	list, err := agency.All(r, 0, mostAgencies)
	for _, a := range list {
		if a.State == agency.Active {
			body.Agencies = append(body.Agencies, a)
		}
	}
	return err
}

// orderSender adds who sent it.
func (c *Console) orderSender(r *store.Reader, body *orderView, _ map[int64]string) error {
	body.Sender = senderView{Suspicious: body.Score >= agency.Suspicious}
	if body.Agency == 0 {
		body.Sender.Problem = agency.Unknown
		return nil
	}
	s, err := agency.StandingOf(r, body.Agency, body.Officer, c.Clock.Now().Unix())
	if err != nil {
		return err
	}
	body.Sender.Agency, body.Sender.Officer, body.Sender.Problem = s.Agency, s.Officer, s.Problem
	if s.Quarantined {
		body.Sender.Ends = s.Ends
	}
	body.Sender.Path = agencyPath(body.Agency)
	return nil
}

// Law is what an instrument is called in the visitor's language.
func (f frame) Law(view *page.View, id string) string {
	in, known := f.v.Console.Law.Get(instrument.ID(id))
	if !known {
		return id
	}
	return f.v.Guide.Instrument(view.Lang.Code, in.ID)
}

// Lacking is what is missing or wrong, in the visitor's language.
func (f frame) Lacking(view *page.View, p order.Problem) string {
	return f.v.Orders.Sign.Missing(view.Lang.Code, paper.Missing{
		Law: p.Law, Field: p.Field, What: p.What,
	})
}

// Owed is what a period says that is owed, in the visitor's language.
func (f frame) Owed(view *page.View, p order.Period) string {
	return f.v.Orders.Sign.Duty(view.Lang.Code, p.Duty)
}

// orderLaw adds instrument, periods and checks.
func (c *Console) orderLaw(_ *store.Reader, body *orderView, names map[int64]string) error {
	body.Instrument, _ = c.Law.Get(body.Document.Instrument)
	body.Moves, body.Periods, body.Made, body.Attached = nil, nil, nil, nil
	for _, in := range c.Law.All() {
		if in.ID != body.Document.Instrument && in.Door != instrument.HotlineDoor {
			body.Moves = append(body.Moves, in)
		}
	}
	for _, p := range body.Order.Periods(c.Clock.Now().Unix()) {
		l := periodLine{Period: p}
		if !p.Status.Due.IsZero() {
			l.Due = p.Status.Due.Unix()
		}
		if !p.Status.Next.IsZero() {
			l.Next = p.Status.Next.Unix()
		}
		body.Periods = append(body.Periods, l)
	}
	for _, m := range body.Checks {
		body.Made = append(body.Made, madeLine{Made: m, Who: names[m.Staff]})
	}
	for _, x := range body.Verdict.Unverified {
		body.Made = append(body.Made, madeLine{Made: order.Made{Check: x}, Ours: byStaff(x)})
	}
	for _, a := range body.Document.Attached {
		body.Attached = append(body.Attached, attached{Attachment: a})
	}
	return nil
}

// byStaff tells whether a check is one that staff makes by looking.
func byStaff(c policy.Check) bool {
	return c != policy.SenderCheck && c != policy.CallBack && c != policy.SupervisorCheck
}

// orderItems adds items, what becomes of them, and signatures.
func (c *Console) orderItems(
	r *store.Reader, body *orderView, names map[int64]string,
) error {
	items, err := order.Items(r, body.Agency, body.ID)
	if err != nil {
		return err
	}
	body.Steps, body.Signed = nil, nil
	of := make(map[int64]order.Item, len(items))
	for _, i := range items {
		of[i.N] = i
	}
	for _, s := range body.Plan.Steps {
		i := of[s.N]
		l := stepLine{Step: s, Item: i, Kind: s.Subject.Kind.String(), State: i.State.String()}
		if i.Decision != 0 {
			l.Decision = fmt.Sprintf("/decision/%d/%d", i.Subject.Peer, i.Decision)
		}
		body.Steps = append(body.Steps, l)
	}
	signed, err := order.Signatures(r, body.Agency, body.ID)
	for _, a := range signed {
		body.Signed = append(body.Signed, signedLine{
			OrderApproval: a, Who: names[a.Staff], Void: a.Digest != body.Plan.Digest,
		})
	}
	if body.Lacking = nil; body.State < order.Approved {
		body.Lacking = body.Order.Lacking(body.Plan.Digest, signed)
	}
	return err
}

// orderPast adds papers and events.
func (c *Console) orderPast(r *store.Reader, body *orderView, names map[int64]string) (err error) {
	if body.Papers, err = order.Papers(r, body.Agency, body.ID); err != nil {
		return err
	}
	past, err := order.Events(r, body.Agency, body.ID, 0, mostOrderEvents)
	body.Past = nil
	for _, e := range past {
		who := names[e.Staff]
		if e.By.Officer != 0 {
			o, err := agency.OfficerOf(r, body.Agency, e.By.Officer)
			if err != nil && !store.IsNotFound(err) {
				return err
			}
			who = o.Name
		}
		x := orderEvent{Event: e, What: e.Kind.String(), Who: who}
		x.Checks, x.Text = aboutChecks(e)
		body.Past = append(body.Past, x)
	}
	return err
}

// orderMay says what can be done with an order at a time, in Unix seconds.
func (v *visit) orderMay(b *orderView, now int64) orderMay {
	open := b.State.Open() && b.State != order.Ending
	before := open && b.State < order.Approved
	has := func(c policy.Check) bool {
		return slices.ContainsFunc(b.Checks, func(m order.Made) bool { return m.Check == c })
	}
	signs := b.State == order.Assessed && v.may(staff.Sign) &&
		b.wants(policy.Role(v.session.Member.Role.String())) &&
		!slices.ContainsFunc(b.Signed, func(s signedLine) bool {
			return s.Staff == v.me() && !s.Void
		})
	if !v.may(staff.Orders) {
		return orderMay{Sign: signs}
	}
	_, waits := b.Waits(now)
	begun := slices.ContainsFunc(b.Steps, func(s stepLine) bool { return s.Item.Began != 0 })
	over := b.State == order.Refused || b.State >= order.Withdrawn || b.State == order.Ending
	doubt := len(b.Protected) > 0 || slices.Contains(b.Verdict.Holds, policy.SpeechHold) ||
		slices.Contains(b.Verdict.Duties, policy.ReviewBeside)
	return orderMay{
		Sign: signs, Suspect: before, Annul: !over && !b.FromNobody(),
		Check: before && slices.ContainsFunc(b.Verdict.Unverified, byStaff),
		Call: before && b.Sender.Agency.Check.Number != "" &&
			(!has(policy.CallBack) || b.Stopped != nil),
		Review:  b.Review,
		Decide:  doubt && b.Judged == nil && !over,
		Believe: b.State == order.Held && (b.New || b.Owes),
		Refuse:  open && !begun, Move: open && !begun,
		Scrutiny: b.MayBeScrutinised(),
		Reply:    b.State == order.Approved && b.Document.Action == policy.Explain,
		Clear:    waits, Object: b.Objectable(now), Papered: b.WantsPaper(),
		Attach: b.FromNobody() && b.State == order.Incomplete,
		Text:   b.Verdict.Publish.Text && b.Agency != 0 && !b.State.Open(),
	}
}

// seen looks at the first items of an order, once it is written down who looks at what, and why.
// Files are not shown: those of a case are, to whom it is assigned.
func (c *Console) seen(v *visit, b *orderView) (out []captured, err error) {
	purpose := v.field("purpose")
	for _, s := range b.Steps[:min(len(b.Steps), mostSeen)] {
		if s.Subject.Peer == 0 {
			continue
		}
		err := c.Staff.Record(v.r.Context(), staff.Act{
			Staff: v.me(), Action: "look", Subject: s.Subject, Detail: b.Reference + ": " + purpose,
		})
		if err != nil {
			return nil, err
		}
		var got evidence.Capture
		err = v.view(func(r *store.Reader) (err error) {
			got, err = evidence.Look(r, s.Subject, 0, c.Clock.Now().Unix())
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, c.withoutFiles(v, got))
	}
	return out, nil
}

// withoutFiles is a capture as text alone, with how many files there are.
func (c *Console) withoutFiles(v *visit, e evidence.Capture) captured {
	out := captured{Capture: e}
	if e.Item == nil {
		return out
	}
	m := *e.Item
	text := said{
		Date: m.Date, Edited: m.Edited, Text: m.Content.Text, Links: links(m.Content),
		Other: otherMedia(m.Content.Media),
	}
	if n := len(m.Files); n > 0 {
		text.Other += " " + v.set.Text(v.r, "order.files", n)
	}
	out.Item = &text
	return out
}

// paperView is a signed paper as the authority reads it.
type paperView struct {
	order.Paper
	Back   string
	Letter any
	Text   string
	// PDF is where it lies as a PDF.
	PDF string
}

// orderPaper shows a paper to an authority: what it says, and its signed text.
func (c *Console) orderPaper(v *visit) error {
	o, p, lang, err := c.thePaper(v)
	if err != nil {
		return err
	}
	letter, err := c.Orders.Sign.Letter(p.Signed, lang)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "paper", paperView{
		Paper: p, Back: orderPath(o.Agency, o.ID), Letter: letter, Text: string(p.Signed),
		PDF: fmt.Sprintf("%s/paper/%d/pdf", orderPath(o.Agency, o.ID), p.N),
	})
}

// orderPDF is a paper as the authority gets it to print.
func (c *Console) orderPDF(v *visit) error {
	o, p, lang, err := c.thePaper(v)
	if err != nil {
		return err
	}
	b, err := c.Orders.Sign.PDF(p.Signed, lang)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/pdf")
	v.w.Header().Set("Content-Disposition",
		fmt.Sprintf("attachment; filename=%s-%d.pdf", o.Reference, p.N))
	_, err = v.w.Write(b)
	return err
}

// thePaper is the paper that the path names, with its order and the language of its agency.
func (c *Console) thePaper(v *visit) (o order.Order, p order.Paper, lang string, err error) {
	if o, err = c.readOrder(v); err != nil {
		return o, p, lang, err
	}
	n, err := strconv.ParseInt(v.r.PathValue("n"), 10, 64)
	if err != nil {
		return o, p, lang, page.ErrNotFound
	}
	var list []order.Paper
	lang = "en"
	err = v.view(func(r *store.Reader) (err error) {
		if a, err := agency.Of(r, o.Agency); err == nil {
			lang = a.Lang
		} else if !store.IsNotFound(err) {
			return err
		}
		list, err = order.Papers(r, o.Agency, o.ID)
		return err
	})
	if err != nil {
		return o, p, lang, err
	}
	i := slices.IndexFunc(list, func(p order.Paper) bool { return p.N == n })
	if i < 0 {
		return o, p, lang, page.ErrNotFound
	}
	return o, list[i], lang, nil
}
