package authority

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/words"
	"parley/internal/store"
	"parley/internal/tlog/verify"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// eventsMost bounds how many events of an order are shown.
const eventsMost = 500

// orderView is what the page of an order shows.
type orderView struct {
	order.Order
	Instrument instrument.Instrument
	Items      []itemLine
	Papers     []paperLine
	Events     []event
	Clocks     []clockLine
	// Done is the key of what has just been done, Wrong of what could not be.
	Done, Wrong string
	// May are what the officer may do with the order now.
	MaySupplement, MayWithdraw, MayConfirm, MayVouch bool
	// Data is until when data waits to be fetched once, 0 for none.
	Data int64
	// Receipts are the lines of the public log of which there are receipts.
	Receipts []string
	// Lacks is what is missing or wrong, while that can be mended.
	Lacks []lack
	// Answer is why it was not carried out, as the agency was told.
	Answer string
}

// lack is what is wrong with a field, in the words of the page and in those of the papers.
type lack struct{ Named, Text string }

// itemLine is a thing that an order names; Taken is the measure in words, empty for none.
type itemLine struct {
	order.Item
	Taken string
	// Because is the reason of a refusal in words, empty for none.
	Because string
}

// paperLine is a signed paper in the list.
type paperLine struct {
	order.Paper
	Title string
}

// event is something that happened to an order, as the agency may know it.
type event struct {
	order.Event
	// Who is an officer's name, empty for the service.
	Who string
}

// clockLine is a period and where it stands.
type clockLine struct {
	order.Period
	// Said is what has to be done, in the language of the page.
	Said string
	// Started and Due are Unix seconds, 0 for none.
	Started, Due int64
}

// public tells whether an agency may know of a kind of event. What the staff sees, suspects and
// signs stays inside.
func public(k order.EventKind) bool {
	switch k {
	case order.Arrived, order.Replayed, order.Supplemented, order.LackedFields, order.CalledBack,
		order.WasApproved, order.WasAnswered, order.WasRefused, order.WasWithdrawn,
		order.WasAnnulled, order.WasMoved, order.ScrutinyAsked, order.Released, order.WasTaken:
		return true
	default:
		return false
	}
}

// clocks are an order's periods, in a language.
func (p *Pages) clocks(lang string, o order.Order) (out []clockLine) {
	for _, x := range o.Periods(p.Clock.Now().Unix()) {
		line := clockLine{Period: x, Said: p.Orders.Sign.Duty(lang, x.Duty)}
		if !x.Status.Started.IsZero() {
			line.Started = x.Status.Started.Unix()
		}
		if !x.Status.Due.IsZero() {
			line.Due = x.Status.Due.Unix()
		}
		out = append(out, line)
	}
	return out
}

// look reads an order for a page.
func (p *Pages) look(r *http.Request, v *officer.Visit, o order.Order) (out orderView, err error) {
	l, _ := page.LanguageOf(r)
	out = orderView{Order: o, Answer: cmp.Or(o.Said, o.Why)}
	out.Instrument, _ = p.Law.Get(o.Document.Instrument)
	if o.State.Open() {
		for _, x := range faults(o.Problems) {
			said := func(key string) string { return p.set.Text(r, key) }
			out.Lacks = append(out.Lacks, lack{x.named(said), p.lacks(l.Code, x.Problem)})
		}
	}
	out.Clocks = p.clocks(l.Code, o)
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		out.Papers, out.Events, out.Receipts = nil, nil, []string{"order"}
		items, err := order.Items(rd, o.Agency, o.ID)
		if err != nil {
			return err
		}
		out.Items = nil
		for _, i := range items {
			x := itemLine{Item: i}
			if i.Measure != nil {
				x.Taken = p.Orders.Sign.Measure(l.Code, i.Measure.Measure)
			}
			if i.State != order.Absent && i.Reason != "" && i.Reason != "not-here" {
				x.Because = p.Orders.Sign.Reason(l.Code, i.Reason)
			}
			out.Items = append(out.Items, x)
		}
		papers, err := order.Papers(rd, o.Agency, o.ID)
		if err != nil {
			return err
		}
		for _, x := range papers {
			letter, err := p.Orders.Sign.Letter(x.Signed, l.Code)
			if err != nil {
				return err
			}
			out.Papers = append(out.Papers, paperLine{x, letter.Title})
		}
		if out.Events, err = p.events(rd, o); err != nil {
			return err
		}
		out.Data = 0
		until, waits, err := disclosure.Waiting(rd, o.Agency, o.ID, p.Clock.Now().Unix())
		if err != nil {
			return err
		}
		if waits {
			out.Data = until
		}
		for _, of := range []string{"effect", "refusal", "disclosure"} {
			_, err := numberOf(rd, o, lineOf(of))
			if err == nil {
				out.Receipts = append(out.Receipts, of)
			} else if !store.IsNotFound(err) {
				return err
			}
		}
		return nil
	})
	out.may(v)
	return out, err
}

// events are what of an order's events its agency may know.
func (p *Pages) events(rd *store.Reader, o order.Order) (out []event, err error) {
	list, err := order.Events(rd, o.Agency, o.ID, 0, eventsMost)
	if err != nil {
		return nil, err
	}
	officers, err := agency.Officers(rd, o.Agency)
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string)
	for _, x := range officers {
		names[x.ID] = x.Name
	}
	for _, e := range list {
		mine := e.Kind == order.CheckMade && e.Officer != 0
		if public(e.Kind) || mine {
			out = append(out, event{e, names[e.Officer]})
		}
	}
	return out, nil
}

// may says what the officer may do with the order. Whether he may is decided where it is done.
func (o *orderView) may(v *officer.Visit) {
	open := o.State.Open() && o.State != order.Ending
	o.MaySupplement = open && o.State != order.Approved
	o.MayWithdraw = open || o.State == order.Answered
	o.MayVouch = open && o.Standing == agency.Unsigned
	confirmed := false
	for _, c := range o.Checks {
		confirmed = confirmed || c.Check == policy.SupervisorCheck
	}
	o.MayConfirm = open && !confirmed && o.Document.Urgency == instrument.Life &&
		v.Officer().Role == agency.Supervisor && o.Officer != 0 && v.Officer().ID != o.Officer
}

// show shows an order.
func (p *Pages) show(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	o, err := p.find(r, sender(v))
	if err != nil {
		return err
	}
	return p.showOrder(r, v, o, http.StatusOK, "")
}

func (p *Pages) showOrder(
	r *http.Request, v *officer.Visit, o order.Order, status int, wrong string,
) error {
	out, err := p.look(r, v, o)
	if err != nil {
		return err
	}
	out.Wrong = wrong
	if key := "done." + r.FormValue("done"); p.set.Texts().Has(key) {
		out.Done = key
	}
	return v.Show(p.set, status, "order", out)
}

// act does something with an order in the agency's name, and says what came of it.
func (p *Pages) act(
	r *http.Request, v *officer.Visit, done string,
	fn func(by order.Sender, id int64) (order.Order, error),
) error {
	by := sender(v)
	o, err := p.find(r, by)
	if err != nil {
		return err
	}
	after, err := fn(by, o.ID)
	switch {
	case errors.Is(err, order.ErrReason):
		return p.showOrder(r, v, o, http.StatusUnprocessableEntity, "wrong.reason")
	case errors.Is(err, order.ErrSamePerson):
		v.Refused(done + ": the same person")
		return p.showOrder(r, v, o, http.StatusForbidden, "wrong.same")
	case errors.Is(err, order.ErrStanding):
		v.Refused(done + ": no standing")
		return p.showOrder(r, v, o, http.StatusForbidden, "wrong.standing")
	case errors.Is(err, order.ErrState):
		return p.showOrder(r, v, o, http.StatusConflict, "wrong.state")
	case err != nil:
		return err
	}
	return v.Leave(path(after) + "?done=" + done)
}

func (p *Pages) withdraw(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	return p.act(r, v, "withdrawn", func(by order.Sender, id int64) (order.Order, error) {
		return p.Orders.Withdraw(r.Context(), by, id, reason)
	})
}

func (p *Pages) confirm(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.act(r, v, "confirmed", func(by order.Sender, id int64) (order.Order, error) {
		return p.Orders.Confirm(r.Context(), by, id)
	})
}

func (p *Pages) vouch(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.act(r, v, "vouched", func(by order.Sender, id int64) (order.Order, error) {
		return p.Orders.Vouch(r.Context(), by, id)
	})
}

// data hands the encrypted data of an order out, once.
func (p *Pages) data(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	by := sender(v)
	o, err := p.find(r, by)
	if err != nil {
		return err
	}
	x, err := p.Disclosures.Fetch(r.Context(), by, o.Reference)
	switch {
	case errors.Is(err, order.ErrStanding):
		v.Refused("data: no standing")
		return p.showOrder(r, v, o, http.StatusForbidden, "wrong.standing")
	case errors.Is(err, disclosure.ErrKey):
		return p.showOrder(r, v, o, http.StatusConflict, "wrong.key")
	case errors.Is(err, disclosure.ErrGone), errors.Is(err, order.ErrState):
		return p.showOrder(r, v, o, http.StatusConflict, "wrong.gone")
	case err != nil:
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+x.Name+`"`)
	p.Site.Bytes(w, r, http.StatusOK, "application/octet-stream", x.Body)
	return nil
}

// paperOf is the paper that a request names, with its order.
func (p *Pages) paperOf(
	r *http.Request, by order.Sender,
) (o order.Order, out order.Paper, err error) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return o, out, page.ErrNotFound
	}
	if o, err = p.find(r, by); err != nil {
		return o, out, err
	}
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		list, err := order.Papers(rd, o.Agency, o.ID)
		for _, x := range list {
			if x.N == n {
				out = x
				return err
			}
		}
		return cmp.Or(err, page.ErrNotFound)
	})
	return o, out, err
}

// letterView is what the page of a paper shows.
type letterView struct {
	order.Order
	answer.Letter
	N int64
}

// letter shows a signed paper in words.
func (p *Pages) letter(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	o, x, err := p.paperOf(r, sender(v))
	if err != nil {
		return err
	}
	letter, err := p.Orders.Sign.Letter(x.Signed, letterLang(r, v.Agency()))
	if err != nil {
		return err
	}
	return v.Show(p.set, http.StatusOK, "paper", letterView{o, letter, x.N})
}

// letterLang is the language of a letter on a page: the page's, except that an agency whose
// language no page has reads its letters in that.
func letterLang(r *http.Request, a agency.Agency) string {
	l, chosen := page.LanguageOf(r)
	if !chosen && !slices.Contains(words.People(), a.Lang) {
		return a.Lang
	}
	return l.Code
}

// signed hands a signed paper out.
func (p *Pages) signed(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.hand(w, r, sender(v))
}

// printed hands a signed paper out as pages.
func (p *Pages) printed(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.handPDF(w, r, sender(v), v.Agency().Lang)
}

// hand hands the signed paper that a request names out, and notes that it was fetched.
func (p *Pages) hand(w http.ResponseWriter, r *http.Request, by order.Sender) error {
	o, x, err := p.paperOf(r, by)
	if err != nil {
		return err
	}
	return p.handAs(w, r, o, x, "note", "text/plain; charset=utf-8", x.Signed)
}

// handPDF is hand of its pages in the agency's language, which have the signed paper in them.
func (p *Pages) handPDF(
	w http.ResponseWriter, r *http.Request, by order.Sender, lang string,
) error {
	o, x, err := p.paperOf(r, by)
	if err != nil {
		return err
	}
	b, err := p.Orders.Sign.PDF(x.Signed, lang)
	if err != nil {
		return err
	}
	return p.handAs(w, r, o, x, "pdf", "application/pdf", b)
}

func (p *Pages) handAs(
	w http.ResponseWriter, r *http.Request, o order.Order, x order.Paper, ends, mime string,
	body []byte,
) error {
	if err := p.Orders.Fetched(r.Context(), o.Agency, o.ID, x.N); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%d-%s.%s", o.Reference, x.N, x.Kind, ends)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	p.Site.Bytes(w, r, http.StatusOK, mime, body)
	return nil
}

// waitSeconds is after how long it is worth asking again for a receipt that is not there yet.
const waitSeconds = 60

// lineOf is the kind of line of the public log of a word in an address, 0 for none.
func lineOf(of string) ledger.Kind {
	return map[string]ledger.Kind{
		"order": ledger.Order, "effect": ledger.Effect, "refusal": ledger.Refusal,
		"disclosure": ledger.Disclosure,
	}[of]
}

// numberOf is the number under which the public log has the line of a kind about an order.
// store.ErrNotFound for none.
func numberOf(rd *store.Reader, o order.Order, kind ledger.Kind) (id int64, err error) {
	id = o.ID
	if kind == ledger.Disclosure { // of which an order can have several
		if id, err = disclosure.Logged(rd, o.Agency, o.ID); err != nil {
			return 0, err
		}
	}
	_, err = rd.LedgerRow(ids.Peer(o.Agency), id, int64(kind))
	return id, err
}

// proof is the receipt of a line of the public log about an order, as JSON.
func (p *Pages) proof(r *http.Request, o order.Order) (body []byte, name string, err error) {
	of := r.PathValue("of")
	kind := lineOf(of)
	if kind == 0 {
		return nil, "", page.ErrNotFound
	}
	var id int64
	err = p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		id, err = numberOf(rd, o, kind)
		return err
	})
	var proof verify.Receipt
	if err == nil {
		proof, err = p.Receipt(r.Context(), ids.Peer(o.Agency), id, kind)
	}
	if store.IsNotFound(err) {
		return nil, "", page.ErrNotFound
	}
	if err != nil {
		return nil, "", err
	}
	body, err = json.MarshalIndent(proof, "", "  ")
	return append(body, '\n'), fmt.Sprintf("receipt-%s-%d.json", of, proof.Index), err
}

// receipt hands out the proof that a line about an order is in the public log.
func (p *Pages) receipt(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	o, err := p.find(r, sender(v))
	if err != nil {
		return err
	}
	body, name, err := p.proof(r, o)
	if errors.Is(err, ledger.ErrWaiting) {
		w.Header().Set("Retry-After", strconv.Itoa(waitSeconds))
		return v.Show(p.set, http.StatusServiceUnavailable, "waiting", o)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	p.Site.JSON(w, r, http.StatusOK, body)
	return nil
}

// verifyView is what the page about checking papers shows.
type verifyView struct{ Key, Contact string }

// verify says to anybody how a signed paper is checked.
func (p *Pages) verify(w http.ResponseWriter, r *http.Request) error {
	return p.set.Render(w, r, http.StatusOK, "verify", officer.Frame{Body: verifyView{
		p.Orders.Sign.Public(), p.Site.URL("/.well-known/authority-contact.json"),
	}})
}

// first says to anybody what an authority does that has no key yet.
func (p *Pages) first(w http.ResponseWriter, r *http.Request) error {
	return p.set.Render(w, r, http.StatusOK, "first", officer.Frame{})
}
