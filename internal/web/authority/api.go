package authority

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/ledger"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// apiVersion is the version of the format that docs/authority-api.md describes.
const apiVersion = 1

// mountAPI adds what programs of agencies call.
func (p *Pages) mountAPI(mux *http.ServeMux) {
	for at, h := range map[string]officer.ProgramHandler{
		"POST " + apiPath + "orders":                           p.apiSubmit,
		"GET " + apiPath + "orders":                            p.apiList,
		"GET " + apiPath + "orders/{reference}":                p.apiShow,
		"POST " + apiPath + "orders/{reference}/supplement":    p.apiSupplement,
		"POST " + apiPath + "orders/{reference}/withdraw":      p.apiWithdraw,
		"GET " + apiPath + "orders/{reference}/papers":         p.apiPapers,
		"GET " + apiPath + "orders/{reference}/papers/{n}":     p.apiPaper,
		"GET " + apiPath + "orders/{reference}/papers/{n}/pdf": p.apiPDF,
		"GET " + apiPath + "orders/{reference}/receipt/{of}":   p.apiReceipt,
	} {
		mux.Handle(at, p.Officers.Program(callBytes, func(
			w http.ResponseWriter, r *http.Request, a agency.Agency,
		) error {
			if !official(a) {
				return officer.Fault{Status: http.StatusForbidden, Code: "kind",
					Text: "This is the door of authorities; yours is another one."}
			}
			return h(w, r, a)
		}))
	}
}

// program is an agency's program as orders know it.
func program(a agency.Agency) order.Sender { return order.Sender{Agency: a.ID, Program: true} }

// orderSaid is an order as programs are told of it. Times are RFC 3339 in UTC, none is left out.
type orderSaid struct {
	V          int    `json:"v"`
	Reference  string `json:"reference"`
	Number     string `json:"number"`
	Instrument string `json:"instrument"`
	State      string `json:"state"`
	Document   string `json:"document"`
	Received   string `json:"received"`
	Due        string `json:"due,omitempty"`
	Paused     string `json:"paused,omitempty"`
	Closed     string `json:"closed,omitempty"`
	// Waits is "officer" while no officer has vouched for it.
	Waits string `json:"waits,omitempty"`
	// Refused is the class of a refusal, Why the reasons in the agency's language.
	Refused string               `json:"refused,omitempty"`
	Why     string               `json:"why,omitempty"`
	Missing []officer.FieldFault `json:"missing,omitempty"`
	Items   []itemSaid           `json:"items,omitempty"`
	Papers  []paperSaid          `json:"papers,omitempty"`
	URL     string               `json:"url"`
}

// itemSaid is what became of one thing that an order names.
type itemSaid struct {
	N        int64  `json:"n"`
	Location string `json:"location"`
	State    string `json:"state"`
	Reason   string `json:"reason,omitempty"`
}

// paperSaid is a signed paper and where it is.
type paperSaid struct {
	N    int64  `json:"n"`
	Kind string `json:"kind"`
	At   string `json:"at"`
	URL  string `json:"url"`
	// Signed is the paper itself, where it is given at once.
	Signed string `json:"signed,omitempty"`
}

// said is a time as programs are told it, empty for none.
func said(at int64) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(time.RFC3339)
}

// say writes an order without its items and papers.
func (p *Pages) say(a agency.Agency, o order.Order) orderSaid {
	out := orderSaid{
		V: apiVersion, Reference: o.Reference, Number: o.Document.Number,
		Instrument: string(o.Document.Instrument), State: o.State.String(), Document: o.Digest,
		Received: said(o.Received), Due: said(o.Due), Paused: said(o.Paused),
		Closed: said(o.Closed), Refused: o.Refused, Why: cmp.Or(o.Said, o.Why),
		URL: p.Site.URL(apiPath + "orders/" + o.Reference),
	}
	if o.Standing == agency.Unsigned && o.State.Open() {
		out.Waits = "officer"
	}
	for _, x := range o.Problems {
		out.Missing = append(out.Missing, officer.FieldFault{
			Law: x.Law, Field: x.Field, What: x.What,
			Said: p.lacks(cmp.Or(a.Lang, o.Document.Lang), x),
		})
	}
	return out
}

// full writes an order with its items and papers.
func (p *Pages) full(
	r *http.Request, a agency.Agency, o order.Order,
) (out orderSaid, err error) {
	out = p.say(a, o)
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		out.Items = nil
		items, err := order.Items(rd, o.Agency, o.ID)
		if err != nil {
			return err
		}
		for _, i := range items {
			out.Items = append(out.Items, itemSaid{i.N, i.Location, i.State.String(), i.Reason})
		}
		out.Papers, err = p.papers(rd, o, false)
		return err
	})
	return out, err
}

// papers are the signed papers of an order, whole where they are asked for.
func (p *Pages) papers(rd *store.Reader, o order.Order, whole bool) (out []paperSaid, err error) {
	list, err := order.Papers(rd, o.Agency, o.ID)
	for _, x := range list {
		s := paperSaid{N: x.N, Kind: x.Kind, At: said(x.At),
			URL: p.Site.URL(fmt.Sprint(apiPath, "orders/", o.Reference, "/papers/", x.N))}
		if whole {
			s.Signed = string(x.Signed)
		}
		out = append(out, s)
	}
	return out, err
}

// sendJSON answers a program.
func (p *Pages) sendJSON(w http.ResponseWriter, r *http.Request, status int, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return err
	}
	p.Site.JSON(w, r, status, append(b, '\n'))
	return nil
}

// malformed is told to who sends what cannot be read.
func malformed(err error) error {
	if most := new(http.MaxBytesError); errors.As(err, &most) {
		return err
	}
	return officer.Fault{Status: http.StatusBadRequest, Code: "malformed",
		Text: "The body cannot be read: " + err.Error()}
}

// decode reads one JSON value with no field that is not known.
func decode(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed(errors.New("something follows the object"))
	}
	return nil
}

// read reads an order: JSON, or a form with a part "order" that is JSON and parts "paper".
func (p *Pages) read(r *http.Request) (d order.Document, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "application/json":
		err = decode(r.Body, &d)
	case err == nil && kind == "multipart/form-data":
		return p.readParts(r)
	default:
		err = officer.Fault{Status: http.StatusUnsupportedMediaType, Code: "type",
			Text: "The body is application/json or multipart/form-data."}
	}
	if err == nil && len(d.Attached) > 0 {
		err = officer.Fault{Status: http.StatusUnprocessableEntity, Code: "papers",
			Text:     "Papers come with the order, as parts of multipart/form-data.",
			Problems: []officer.FieldFault{{Field: "attached", What: "not brought here"}}}
	}
	return d, err
}

// readParts reads an order that comes with papers. The order comes first.
func (p *Pages) readParts(r *http.Request) (d order.Document, err error) {
	body, err := r.MultipartReader()
	if err != nil {
		return d, malformed(err)
	}
	ordered := false
	for {
		part, err := body.NextPart()
		if errors.Is(err, io.EOF) && ordered {
			return d, nil
		}
		if err != nil {
			return d, malformed(err)
		}
		switch part.FormName() {
		case "order":
			if ordered {
				return d, malformed(errors.New("there are two orders"))
			}
			ordered = true
			if err := decode(part, &d); err != nil {
				return d, err
			}
			if len(d.Attached) > 0 {
				return d, malformed(errors.New("attached is filled in from the papers"))
			}
		case paperField:
			if err := p.attach(r, part, ordered, &d); err != nil {
				return d, err
			}
		default:
			return d, malformed(errors.New("a part is neither order nor paper"))
		}
	}
}

// attach keeps a paper that a program brings.
func (p *Pages) attach(
	r *http.Request, part *multipart.Part, ordered bool, d *order.Document,
) error {
	if !ordered {
		return malformed(errors.New("the order comes before its papers"))
	}
	if len(d.Attached) >= order.MaxPapers {
		return officer.Fault{Status: http.StatusRequestEntityTooLarge, Code: "large",
			Text: fmt.Sprintf("An order has at most %d papers.", order.MaxPapers)}
	}
	x, err := p.keep(r.Context(), part.FileName(), part.Header.Get("Content-Type"), part)
	if errors.Is(err, page.ErrTooLarge) {
		return officer.Fault{Status: http.StatusRequestEntityTooLarge, Code: "large",
			Text: fmt.Sprintf("A paper has more than %d bytes.", paperBytes)}
	}
	d.Attached = append(d.Attached, x)
	return err
}

// tooLarge tells a program that its order is larger than any has to be.
func tooLarge(err error) error {
	if errors.Is(err, order.ErrTooLarge) {
		return officer.Fault{Status: http.StatusRequestEntityTooLarge, Code: "large",
			Text: "The order is larger than any has to be."}
	}
	return err
}

// receivedSaid is the answer to an order: where it is, and its signed receipt.
type receivedSaid struct {
	orderSaid
	// Again is set when the same order had come before.
	Again   bool   `json:"again"`
	Receipt string `json:"receipt"`
}

// apiSubmit takes an order in. It waits until an officer has vouched for it at the portal.
func (p *Pages) apiSubmit(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	d, err := p.read(r)
	if err != nil {
		return err
	}
	got, err := p.Orders.Submit(r.Context(), program(a), d)
	if err != nil {
		return tooLarge(err)
	}
	out, err := p.full(r, a, got.Order)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if got.Again {
		status = http.StatusOK
	}
	w.Header().Set("Location", out.URL)
	return p.sendJSON(w, r, status, receivedSaid{out, got.Again, string(got.Signed)})
}

// apiList lists the agency's orders, the newest first; "next" continues.
func (p *Pages) apiList(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	below := int64(math.MaxInt64)
	if text := r.FormValue("below"); text != "" {
		var err error
		if below, err = strconv.ParseInt(text, 10, 64); err != nil {
			return malformed(errors.New("below is no number"))
		}
	}
	var list []order.Order
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		list, err = p.Orders.OfAgency(rd, a.ID, below, listPage+1)
		return err
	})
	if err != nil {
		return err
	}
	out := struct {
		V      int         `json:"v"`
		Orders []orderSaid `json:"orders"`
		Next   string      `json:"next,omitempty"`
	}{V: apiVersion, Orders: []orderSaid{}}
	if len(list) > listPage {
		list = list[:listPage]
		out.Next = p.Site.URL(fmt.Sprint(apiPath, "orders?below=", list[listPage-1].ID))
	}
	for _, o := range list {
		out.Orders = append(out.Orders, p.say(a, o))
	}
	return p.sendJSON(w, r, http.StatusOK, out)
}

func (p *Pages) apiShow(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	o, err := p.find(r, program(a))
	if err != nil {
		return err
	}
	out, err := p.full(r, a, o)
	if err != nil {
		return err
	}
	return p.sendJSON(w, r, http.StatusOK, out)
}

// refused says why an order could not be changed.
func (p *Pages) refused(o order.Order, err error) error {
	f := officer.Fault{Status: http.StatusConflict, Code: "state",
		Text: "The order is " + o.State.String() + ": this cannot be done any more."}
	switch {
	case errors.Is(err, order.ErrStanding):
		f = officer.Fault{Status: http.StatusForbidden, Code: "officer",
			Text: "An officer has put his key to it: only an officer changes it, at the portal."}
	case errors.Is(err, order.ErrReason):
		f = officer.Fault{Status: http.StatusUnprocessableEntity, Code: "reason",
			Text: "A reason is missing, or number or instrument are another order's."}
	case errors.Is(err, store.ErrConflict):
		f.Code, f.Text = "twice", "Another order of yours has this document."
	case !errors.Is(err, order.ErrState):
		return tooLarge(err)
	}
	return f
}

// change changes the order that a request names and answers with what it is then.
func (p *Pages) change(
	w http.ResponseWriter, r *http.Request, a agency.Agency,
	fn func(by order.Sender, id int64) (order.Order, error),
) error {
	by := program(a)
	o, err := p.find(r, by)
	if err != nil {
		return err
	}
	after, err := fn(by, o.ID)
	if err != nil {
		return p.refused(o, err)
	}
	out, err := p.full(r, a, after)
	if err != nil {
		return err
	}
	return p.sendJSON(w, r, http.StatusOK, out)
}

func (p *Pages) apiSupplement(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	return p.change(w, r, a, func(by order.Sender, id int64) (order.Order, error) {
		d, err := p.read(r)
		if err != nil {
			return order.Order{}, err
		}
		return p.Orders.Supplement(r.Context(), by, id, d)
	})
}

func (p *Pages) apiWithdraw(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	return p.change(w, r, a, func(by order.Sender, id int64) (order.Order, error) {
		var why struct {
			Reason string `json:"reason"`
		}
		if err := decode(r.Body, &why); err != nil {
			return order.Order{}, err
		}
		return p.Orders.Withdraw(r.Context(), by, id, why.Reason)
	})
}

// apiPapers gives all signed papers of an order.
func (p *Pages) apiPapers(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	o, err := p.find(r, program(a))
	if err != nil {
		return err
	}
	var list []paperSaid
	err = p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		list, err = p.papers(rd, o, true)
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range list {
		if err := p.Orders.Fetched(r.Context(), o.Agency, o.ID, x.N); err != nil {
			return err
		}
	}
	return p.sendJSON(w, r, http.StatusOK, struct {
		V      int         `json:"v"`
		Papers []paperSaid `json:"papers"`
	}{apiVersion, list})
}

func (p *Pages) apiPaper(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	return p.hand(w, r, program(a))
}

// apiPDF gives a signed paper as pages.
func (p *Pages) apiPDF(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	return p.handPDF(w, r, program(a), a.Lang)
}

// apiReceipt gives the proof that a line about an order is in the public log.
func (p *Pages) apiReceipt(w http.ResponseWriter, r *http.Request, a agency.Agency) error {
	o, err := p.find(r, program(a))
	if err != nil {
		return err
	}
	body, _, err := p.proof(r, o)
	if errors.Is(err, ledger.ErrWaiting) {
		w.Header().Set("Retry-After", strconv.Itoa(waitSeconds))
		return officer.Fault{Status: http.StatusServiceUnavailable, Code: "waiting",
			Text: "The line is not published yet. Ask again later."}
	}
	if err != nil {
		return err
	}
	p.Site.JSON(w, r, http.StatusOK, body)
	return nil
}
