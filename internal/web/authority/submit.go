package authority

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/words"
	"parley/internal/store"
	signed "parley/internal/tlog/paper"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// certificateField holds the text of a certificate in XML on its way into the form;
// certificateBytes bounds it.
const (
	certificateField = "certificate"
	certificateBytes = 1 << 20
)

// formView is what the page of a form shows.
type formView struct {
	Instrument instrument.Instrument
	// Law is the instrument's, in the officer's language.
	Law string
	// Of is the order that is completed, with no Reference for a new one.
	Of      order.Order
	Actions []policy.Action
	Data    []policy.Data
	// Directives are those on whose lists an offence can stand; none where that does not matter.
	Directives []order.Directive
	Kinds      []safety.Category
	Urgent     []instrument.Urgency
	// Form is where the form goes.
	Form   officer.Form
	T      typed
	Papers []paper
	Wrong  []fault
	// Unread are the names of what was passed over in a certificate, Certificate is set when one
	// can be read, and Bad when what was given is none.
	Unread      []string
	Certificate bool
	Bad         bool
	// Gone is set when the order cannot be changed any more.
	Gone bool

	text  func(key string) string
	has   func(key string) bool
	class func(policy.Data) string
	lacks func(order.Problem) string
}

// paper is a paper that came along.
type paper struct {
	order.Attachment
	Sealed string
}

// Rows are the places for provisions: those that are filled in, and one more.
func (f formView) Rows() (out []int) {
	last := 0
	for i := range basisMost {
		if f.T.field("law"+string(rune('0'+i))) != "" {
			last = i + 1
		}
	}
	for i := range min(last+1, basisMost) {
		out = append(out, i)
	}
	return out
}

// input is a field of a form with its texts.
type input struct {
	Name, Label, Hint, Value string
	// What says what is wrong with it, empty for nothing.
	What string
	Want bool
	// Offered are languages that can be chosen; another can be typed.
	Offered []page.Language
}

// In is a field by its name. Its label is a text of that name without the number behind it.
func (f formView) In(name string) input {
	key := "form." + strings.TrimRight(name, "0123456789")
	out := input{Name: name, Label: f.text(key), Value: f.T.all(name)}
	if hint := key + ".hint"; f.has(hint) {
		out.Hint = f.text(hint)
	}
	if name == "language" {
		out.Offered = page.Named(words.Authorities())
	}
	if x := f.Fault(name); x != nil {
		out.What = f.text("what." + x.What)
	}
	return out
}

// Named is what the summary says of a field that is wrong.
func (f formView) Named(x fault) string { return x.named(f.text) }

// Lacks is the same in the words of the order's paper.
func (f formView) Lacks(x fault) string { return f.lacks(x.Problem) }

// lacks says a problem in a language as the papers say it.
func (p *Pages) lacks(lang string, x order.Problem) string {
	return p.Orders.Sign.Missing(lang, signed.Missing{Law: x.Law, Field: x.Field, What: x.What})
}

// named is what is wrong, in the words of a page.
func (x fault) named(text func(key string) string) string {
	key := "form." + strings.TrimRight(x.Field, "-0123456789")
	return text(key) + ": " + text("what."+x.What)
}

// Class is the name of a class of data.
func (f formView) Class(d policy.Data) string { return f.class(d) }

// Has tells whether one of the values of a field is this one.
func (f formView) Has(name, value string) bool { return slices.Contains(f.T[name], value) }

// Ticked tells whether keywords of a category are ticked.
func (f formView) Ticked(c safety.Category) bool {
	return slices.ContainsFunc(f.T["keyword"], func(x string) bool {
		return strings.HasPrefix(x, keywordField(c, ""))
	})
}

// Fault is what is wrong with a field.
func (f formView) Fault(name string) *fault {
	for _, x := range f.Wrong {
		if x.Field == name {
			return &x
		}
	}
	return nil
}

// Wants tells whether the instrument wants a field, Takes whether its form has room for it all the
// same: what an action needs that the instrument leaves open.
func (f formView) Wants(field string) bool {
	return slices.Contains(f.Instrument.Wants, instrument.Field(field))
}

// Takes tells whether the form has room for what the instrument does not want and an order by it
// may have.
func (f formView) Takes(field string) bool {
	if f.Wants(field) {
		return false
	}
	restricts := slices.ContainsFunc(f.Actions, func(a policy.Action) bool {
		return slices.Contains(policy.Restricting(), a)
	})
	data := slices.Contains(f.Actions, policy.Disclose) ||
		slices.Contains(f.Actions, policy.Preserve)
	switch field {
	case "location":
		return restricts
	case "accounts", "data":
		return data && f.Instrument.ID == instrument.Order
	case "territory", "until", "kind":
		return restricts
	case "bar", "objective":
		return data || restricts
	case "offence", "validation": // without them policy gives no data, or less
		return slices.Contains(f.Actions, policy.Disclose) &&
			(f.Instrument.ID == instrument.Order || f.Instrument.ID == instrument.Warrant)
	case "reasons", "notified": // a certificate says why it is an emergency
		return f.Instrument.ID == instrument.Production
	case "withheld":
		return f.Instrument.ID == instrument.Inform
	case "follows":
		return slices.Contains(f.Actions, policy.Disclose) &&
			f.Instrument.ID != instrument.Emergency
	case "extends":
		return data && f.Instrument.ID != instrument.Emergency
	default:
		return false
	}
}

// view is the form of an instrument with what was typed.
func (p *Pages) view(
	r *http.Request, v *officer.Visit, in instrument.Instrument, o order.Order, t typed,
) formView {
	l, _ := page.LanguageOf(r)
	f := formView{
		Instrument: in, Of: o, Actions: actions(in), T: t, Kinds: safety.IllegalCategories(),
		Certificate: in.ID == instrument.Production || in.ID == instrument.Preservation,
		Data: []policy.Data{
			policy.Subscriber, policy.LastLogin, policy.Logins, policy.Contacts, policy.Messages,
			policy.Files,
		},
	}
	f.Law = p.Orders.Sign.Law(l.Code, in.Law)
	f.text = func(key string) string { return p.set.Text(r, key) }
	f.has = p.set.Texts().Has
	f.lacks = func(x order.Problem) string { return p.lacks(l.Code, x) }
	f.class = func(d policy.Data) string { return p.Orders.Sign.Class(l.Code, d) }
	for _, d := range policy.AllData() {
		if slices.Contains(t["data"], string(d)) && !slices.Contains(f.Data, d) {
			f.Data = append(f.Data, d) // what the service cannot give, and somebody asked for
		}
	}
	if in.ID == instrument.Production {
		f.Directives = order.Directives()
	}
	switch in.ID {
	case instrument.Emergency:
	case instrument.Removal: // an emergency is why one comes without word (TCO Art. 3(2))
		f.Urgent = []instrument.Urgency{instrument.Routine, instrument.Urgent}
	default:
		f.Urgent = []instrument.Urgency{instrument.Routine, instrument.Urgent, instrument.Life}
	}
	at := newPath + "/" + string(in.ID)
	if o.Reference != "" {
		at = path(o) + "/supplement"
	}
	f.Form = v.Form(at)
	for _, s := range t["papers"] {
		if list := p.attached([]string{s}, v.Agency().ID); len(list) == 1 {
			f.Papers = append(f.Papers, paper{list[0], s})
		}
	}
	return f
}

// instrument is that of a request's path, if it is one by which the agency may ask here.
func (p *Pages) instrument(r *http.Request, a agency.Agency) (instrument.Instrument, error) {
	for _, in := range p.instruments(a) {
		if string(in.ID) == r.PathValue("instrument") {
			return in, nil
		}
	}
	return instrument.Instrument{}, page.ErrNotFound
}

// blank shows the empty form of an instrument.
func (p *Pages) blank(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	in, err := p.instrument(r, v.Agency())
	if err != nil {
		return err
	}
	t := typed{"language": {v.Agency().Lang}}
	switch in.ID {
	case instrument.Removal:
		t["law0"], t["provision0"] = []string{"Regulation (EU) 2021/784"}, []string{"Art. 3(1)"}
		t["kind"] = []string{string(safety.PublicSecurity)}
		t["keyword"] = []string{keywordField(safety.PublicSecurity, "KEYWORD_TERRORIST_CONTENT")}
	case instrument.Emergency:
		t["urgency"] = []string{string(instrument.Life)}
	}
	return v.Show(p.set, http.StatusOK, "form", p.view(r, v, in, order.Order{}, t))
}

// old shows the form of an order that can be completed, with what it says now.
func (p *Pages) old(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	o, err := p.find(r, sender(v))
	if err != nil {
		return err
	}
	in, _ := p.Law.Get(o.Document.Instrument)
	f := p.view(r, v, in, o, p.typing(o.Document, v.Agency().ID))
	f.Wrong = faults(o.Problems)
	return v.Show(p.set, http.StatusOK, "form", f)
}

// draft reads the form of a request, a new order's or one that completes an order.
func (p *Pages) draft(r *http.Request, v *officer.Visit) (f formView, d order.Document, err error) {
	var o order.Order
	var in instrument.Instrument
	if r.PathValue("reference") != "" {
		if o, err = p.find(r, sender(v)); err == nil {
			in, _ = p.Law.Get(o.Document.Instrument)
		}
	} else {
		in, err = p.instrument(r, v.Agency())
	}
	if err != nil {
		return f, d, err
	}
	t := typed(r.PostForm)
	d, wrong := p.document(t, in, v.Agency())
	f = p.view(r, v, in, o, t)
	now := p.Clock.Now().Unix()
	f.Wrong = faults(append(wrong, d.Problems(in, v.Agency(), now)...))
	return f, d, nil
}

// write takes a form in: to be looked at, or as an order. What is wrong with it is shown first; who
// sends it all the same gets it received, and is told what is missing.
func (p *Pages) write(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	f, d, err := p.draft(r, v)
	switch {
	case err != nil:
		return err
	case draft(r):
		return p.fill(r, v, f)
	case len(f.Wrong) > 0 && r.PostFormValue(anyway) == "":
		return v.Show(p.set, http.StatusUnprocessableEntity, "form", f)
	case f.Of.Reference != "":
		return p.supplement(r, v, f, d)
	default:
		return p.send(r, v, d)
	}
}

// anyway is the field by which an officer sends an order although something is wrong with it.
const anyway = "anyway"

// fill shows a form again with the files that came with it and what is wrong: nothing is sent yet.
func (p *Pages) fill(r *http.Request, v *officer.Visit, f formView) error {
	if text := r.PostFormValue(certificateField); text != "" && f.Certificate {
		p.certificate(&f, r, v, text)
	}
	status := http.StatusOK
	if len(f.Wrong) > 0 || f.Bad {
		status = http.StatusUnprocessableEntity
	}
	return v.Show(p.set, status, "form", f)
}

// certificate fills a form in from a certificate in XML. What was typed and is not in it stays.
func (p *Pages) certificate(f *formView, r *http.Request, v *officer.Visit, text string) {
	d, unread, err := order.FromXML(strings.NewReader(text), f.Instrument.ID)
	if err != nil || d.Instrument != f.Instrument.ID { // none, or one of the other form
		f.Bad = true
		return
	}
	read := p.typing(d, v.Agency().ID)
	for name, values := range read {
		if len(values) > 0 && values[0] != "" && name != "papers" {
			f.T[name] = values
		}
	}
	in, of := f.Instrument, f.Of
	*f = p.view(r, v, in, of, f.T)
	f.Unread = unread
}

// send gives an order.
func (p *Pages) send(r *http.Request, v *officer.Visit, d order.Document) error {
	o, err := p.Orders.Submit(r.Context(), sender(v), d)
	if errors.Is(err, order.ErrTooLarge) {
		return page.ErrTooLarge
	}
	if err != nil {
		return err
	}
	return v.Leave(path(o.Order) + "?done=" + arrived(o))
}

// arrived is the word for how an order arrived.
func arrived(r order.Receipt) string {
	if r.Again {
		return "again"
	}
	return "sent"
}

// supplement puts a completed order in the place of what it was.
func (p *Pages) supplement(
	r *http.Request, v *officer.Visit, f formView, d order.Document,
) error {
	by := sender(v)
	o, err := p.Orders.Supplement(r.Context(), by, f.Of.ID, d)
	if err == nil && o.Standing == agency.Unsigned {
		o, err = p.Orders.Vouch(r.Context(), by, o.ID)
	}
	switch {
	case errors.Is(err, order.ErrTooLarge):
		return page.ErrTooLarge
	case errors.Is(err, order.ErrState), errors.Is(err, store.ErrConflict):
		f.Gone = true
		return v.Show(p.set, http.StatusConflict, "form", f)
	case errors.Is(err, order.ErrReason):
		f.Wrong = append(f.Wrong, fault{"number", "number", order.Problem{
			Law: f.Instrument.Law, Field: "reference number",
			What: "the number is that of the order",
		}})
		return v.Show(p.set, http.StatusUnprocessableEntity, "form", f)
	case err != nil:
		return err
	}
	return v.Leave(path(o) + "?done=supplemented")
}
