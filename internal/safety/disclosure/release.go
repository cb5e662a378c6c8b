package disclosure

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/recipient"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// Act is a member of staff's word under what leaves. It says no role: that is looked up.
type Act struct {
	Staff int64
	// Digest is that of the content that he has seen.
	Digest string
	// Proven is when he proved last who he is, by a key or by his password and a code.
	Proven time.Time
}

// Release lets go what another person in another role has laid out, by the digest of what was seen.
// In one transaction the line for the public log is written, what leaves is encrypted to the
// agency's key, what lay readable to the server is erased, and the order is answered. Nothing at
// all leaves where nothing is held; then the answer says so. Errors are those of LayOut, and
// order.ErrSamePerson, order.ErrRole for the same role, order.ErrChanged for another content,
// ErrProof, order.ErrObjection while a notified authority may object, ErrUntold, ErrLarge.
func (s *Service) Release(ctx context.Context, of, id int64, by Act) (order.Order, error) {
	if !safety.FreshProof(by.Proven, s.Clock.Now()) {
		return order.Order{}, ErrProof
	}
	role, err := s.role(ctx, by.Staff)
	if err != nil {
		return order.Order{}, err
	}
	d, err := s.laidOut(ctx, of, id)
	if err != nil {
		return order.Order{}, err
	}
	// Who laid it out must still be who he was.
	first, err := s.role(ctx, d.Row.PreparedBy)
	switch {
	case err != nil:
		return order.Order{}, err
	case d.Row.PreparedBy == by.Staff:
		return order.Order{}, order.ErrSamePerson
	case string(first) != d.Row.PreparedRole || first == role:
		return order.Order{}, order.ErrRole
	case d.Row.Content != by.Digest:
		return order.Order{}, order.ErrChanged
	}
	extra, err := s.bytesOf(ctx, d.Content)
	if err != nil {
		return order.Order{}, err
	}
	s.crash("read")
	o, err := s.Orders.Handover(ctx, of, id, func(h *order.Handover) error {
		return s.release(h, d, extra, by.Staff, role)
	})
	if err == nil {
		s.crash("released")
		s.Wake()
	}
	return o, err
}

// release is the transaction in which data is let go.
func (s *Service) release(
	h *order.Handover, d Draft, extra []file, staff int64, role policy.Role,
) error {
	key, err := s.fit(h)
	if err != nil {
		return err
	}
	rows, err := h.Tx.Disclosures(h.Order.Agency, h.Order.ID)
	if err != nil {
		return err
	}
	x := current(rows)
	if x.ID != d.Row.ID || State(x.State) != LaidOut || x.Content != d.Row.Content ||
		x.Plan != h.Plan.Digest || x.Fingerprint != key.Fingerprint || x.Ends <= h.Now {
		return order.ErrChanged
	}
	if err := s.toldBefore(h); err != nil {
		return err
	}
	x.ReleasedBy, x.ReleasedRole, x.Released = staff, string(role), h.Now
	x.Sealed = []byte{}
	data := outcomes(h, d.Content)
	if x.People == 0 {
		x.State = int64(Dropped)
		if err := h.Tx.PutDisclosure(x); err != nil {
			return err
		}
		if err := h.Note(order.Released, order.By{Staff: staff}, "nothing"); err != nil {
			return err
		}
		return h.Answer(data, nil, struckText(d.Content))
	}
	proof, err := h.Log(x.ID, s.people(h, d, staff))
	if err != nil {
		return err
	}
	s.crash("logged")
	p, err := pack(proof, parcel{
		order: h.Order.ID, heading: headingOf(h, s.Orders.Sign.Issuer(), d), content: d.Content,
		files: extra,
	}, key, s.Clock.Now())
	if err != nil {
		return err
	}
	x.State, x.Package, x.Digest = int64(Released), p.body, p.digest
	x.Size, x.Ends = int64(len(p.body)), h.Now+fetchDays*day
	if err := h.Tx.PutDisclosure(x); err != nil {
		return err
	}
	s.crash("packed")
	if err := oweTellings(h, d); err != nil {
		return err
	}
	text := fmt.Sprintf("%s as %s; package %s to key %s", x.Content, role, p.digest,
		key.Fingerprint)
	if err := h.Note(order.Released, order.By{Staff: staff}, text); err != nil {
		return err
	}
	err = h.Answer(data, &paper.Package{
		Digest: p.digest, Size: x.Size, Manifest: p.manifest, Key: key.Fingerprint,
		Until: paper.Time(x.Ends),
	}, struckText(d.Content))
	s.crash("answered")
	return err
}

// people are how many the disclosure is about, how many of them know, and how many of the staff had
// a part in it.
func (s *Service) people(h *order.Handover, d Draft, staff int64) order.People {
	p := order.People{Accounts: d.Row.People}
	if h.Order.TellAt(h.Now) <= h.Now {
		p.Told = p.Accounts
	}
	hands := []int64{d.Row.PreparedBy, staff}
	for _, by := range h.Signers() {
		if !slices.Contains(hands, by) {
			hands = append(hands, by)
		}
	}
	p.Signed = int64(len(hands))
	return p
}

func headingOf(h *order.Handover, service string, d Draft) heading {
	return heading{
		Service: service, Reference: h.Order.Reference, Number: h.Order.Document.Number,
		Agency: h.Agency.Name, Country: h.Agency.Country, Document: h.Order.Digest,
		Plan: h.Plan.Digest, Content: d.Row.Content, From: moment(h.Plan.From),
		To: moment(h.Plan.To), Released: moment(h.Now),
	}
}

// outcomes are what became of each class of data that the order asks for, by its items.
func outcomes(h *order.Handover, c Content) map[int64][]paper.Datum {
	out := make(map[int64][]paper.Datum)
	for _, i := range h.Items {
		if i.Reason == "not-named" {
			continue
		}
		for _, class := range h.Order.Document.Data {
			out[i.N] = append(out[i.N], outcomeOf(h, c, i.N, class))
		}
	}
	return out
}

// outcomeOf is what became of one class of data of one item.
func outcomeOf(h *order.Handover, c Content, item int64, class policy.Data) paper.Datum {
	d := paper.Datum{Class: string(class), Given: "no", Reason: "not-here"}
	if !slices.Contains(h.Plan.Data, class) {
		d.Reason = refusedFor(h.Order.Verdict, class)
		return d
	}
	k := slices.IndexFunc(c.Accounts, func(a Account) bool { return a.Item == item })
	if k < 0 {
		return d
	}
	a := c.Accounts[k]
	struck := slices.ContainsFunc(c.Struck, func(x Strike) bool {
		return x.Item == item && x.Class == class
	})
	held := slices.ContainsFunc(a.Records, func(r personal.Record) bool { return r.Class == class })
	switch {
	case held && struck:
		return paper.Datum{Class: string(class), Given: "yes", Reason: "partly-struck-out"}
	case held:
		return paper.Datum{Class: string(class), Given: "yes"}
	case struck:
		d.Reason = order.StruckOut
		return d
	}
	d.Reason = string(a.Lacks[class])
	if a.Lacks[class] == personal.NoneHeld {
		d.Given = "none"
	}
	return d
}

// refusedFor is why policy gives none of a class.
func refusedFor(v policy.Verdict, class policy.Data) string {
	for _, r := range v.Refusals {
		if len(r.Data) == 0 || slices.Contains(r.Data, class) {
			return string(r.Code)
		}
	}
	return "policy"
}

// struckText is why things were struck out, in words, each reason once.
func struckText(c Content) string {
	var out []string
	for _, x := range c.Struck {
		if !slices.Contains(out, x.Reason) {
			out = append(out, x.Reason)
		}
	}
	return strings.Join(out, "\n")
}

// Package is what an officer fetched.
type Package struct {
	// Name is a name for the file, Body its bytes, which only the agency can open.
	Name   string
	Body   []byte
	Digest string
}

// Fetch hands the package of an order to an officer of the agency who has just proved himself,
// once. To officers of others there is no such order: store.ErrNotFound. ErrGone says that nothing
// is there, order.ErrStanding that he has no standing, ErrKey that the agency has another key by
// now. What an officer did not receive whole is not handed out again: that takes a new decision.
func (s *Service) Fetch(ctx context.Context, by order.Sender, ref string) (Package, error) {
	o, err := s.Orders.Find(ctx, by, ref)
	if err != nil {
		return Package{}, err
	}
	if o.Document.Action != policy.Disclose {
		return Package{}, ErrGone
	}
	var out Package
	_, err = s.Orders.Custody(ctx, o.Agency, o.ID, func(h *order.Handover) error {
		out = Package{}
		standing, err := agency.StandingOf(&h.Tx.Reader, by.Agency, by.Officer, h.Now)
		if err != nil {
			return err
		}
		if standing.Problem != "" {
			return order.ErrStanding
		}
		rows, err := h.Tx.Disclosures(o.Agency, o.ID)
		if err != nil {
			return err
		}
		x := current(rows)
		switch {
		case h.Order.Objected != nil: // the authority that was notified: nothing more leaves
			return ErrGone
		case h.Order.State != order.Answered || State(x.State) != Released || x.Ends <= h.Now:
			return ErrGone
		case h.Order.Review: // whoever asked for it was suspended, and nobody has looked yet
			return order.ErrStanding
		case h.Agency.Fingerprint() != x.Fingerprint:
			return ErrKey
		}
		out = Package{Name: o.Reference + suffix(h.Agency), Body: x.Package, Digest: x.Digest}
		x.State, x.Officer, x.Fetched, x.Package = int64(Fetched), by.Officer, h.Now, []byte{}
		if err := h.Tx.PutDisclosure(x); err != nil {
			return err
		}
		return h.Note(order.WasTaken, order.By{Officer: by.Officer}, x.Digest)
	})
	if err != nil {
		return Package{}, err
	}
	s.crash("fetched")
	return out, nil
}

// suffix is what the name of a file ends with that is encrypted to an agency's key.
func suffix(a agency.Agency) string {
	k, err := recipient.Parse(a.Key)
	if err != nil {
		return ""
	}
	return ".zip" + k.Suffix()
}

// Logged is the number under which the public log has the last disclosure of an order, 0 for none.
func Logged(r *store.Reader, agency, id int64) (number int64, err error) {
	rows, err := r.Disclosures(agency, id)
	for _, x := range rows {
		if x.Released != 0 && x.People > 0 {
			number = x.ID
		}
	}
	return number, err
}

// Waiting tells whether a package waits to be fetched, and until when, in Unix seconds.
func Waiting(r *store.Reader, agency, id, now int64) (until int64, waits bool, err error) {
	rows, err := r.Disclosures(agency, id)
	if err != nil {
		return 0, false, err
	}
	x := current(rows)
	return x.Ends, State(x.State) == Released && x.Ends > now, nil
}
