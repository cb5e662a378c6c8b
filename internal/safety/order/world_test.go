package order_test

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/country"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/location"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// The staff of the tests.
const (
	anna  = int64(7)
	boris = int64(8)
	clara = int64(9)
)

// world is the rooms of moderation with two agencies and their officers.
type world struct {
	*safetytest.World
	*order.Service
	// office is a German authority, bureau a French one.
	office, bureau     agency.Agency
	officer, other     agency.Officer
	supervisor, abroad agency.Officer
	// prosecutor is of a French prosecution.
	prosecutor agency.Officer
	law        *instrument.Set
	// roles are those of the staff by its records.
	roles  map[int64]policy.Role
	alarms []string
	// waiting are orders of nobody known.
	waiting []order.Order
}

func start(t testing.TB) *world {
	t.Helper()
	return on(t, storetest.SQLite(t), t.TempDir(), true)
}

// on makes a world on a store; fresh is one that has nobody yet.
func on(t testing.TB, s *store.Store, keys string, fresh bool) *world {
	t.Helper()
	w := new(world)
	if fresh {
		w.World = safetytest.NewKept(t, s, keys)
	} else {
		w.World = safetytest.Attach(t, s, keys)
	}
	sign, err := answer.Open(keys, "chat.example.org", rand.Reader)
	w.ok(err)
	countries, err := country.Builtin()
	w.ok(err)
	rules, err := policy.Builtin(countries)
	w.ok(err)
	law, err := instrument.Builtin()
	w.ok(err)
	w.law = law
	w.roles = make(map[int64]policy.Role)
	w.Service = &order.Service{
		Role:  w.role,
		Store: s, Clock: w.World.Clock, Random: rand.Reader, References: w.World.References,
		Places:    &location.Resolver{},
		Agencies:  &agency.Service{Store: s, Clock: w.World.Clock, Random: rand.Reader},
		Decisions: w.World.Decisions,
		Evidence:  &evidence.Service{Store: s, Clock: w.World.Clock, Random: rand.Reader},
		Sign:      sign, Judge: rules.Judge, Instrument: law.Get, Word: word,
		Unknown: law.Unknown(),
		Alarm:   func(_ order.Order, why string) { w.alarms = append(w.alarms, why) },
	}
	w.World.Statements.Authority = w.Service.Lifted
	if fresh {
		w.named()
		w.office = w.onboard("Federal Office", "DE", agency.TerroristContent)
		w.officer = w.enrol(w.office.ID, "Officer One", agency.Member)
		w.supervisor = w.enrol(w.office.ID, "Supervisor", agency.Supervisor)
		w.bureau = w.onboard("Bureau", "FR", agency.Regulator)
		w.abroad = w.enrol(w.bureau.ID, "Officer Two", agency.Member)
		w.prosecutor = w.enrol(w.onboard("Prosecution", "FR", agency.Prosecutor).ID, "Officer Three",
			agency.Member)
		w.World.Clock.Advance(8 * 24 * time.Hour) // past the week in which emergencies wait
	}
	return w
}

// named gives the channel its public name.
func (w *world) named() {
	w.Helper()
	name, at := "the_news", safetytest.Channel
	w.Update(at, func(tx *store.Tx) error { return tx.TakeUsername(name, at) })
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return context.Background() }

func (w *world) onboard(name, country string, kind agency.Kind) agency.Agency {
	w.Helper()
	a, err := w.Agencies.Propose(w.ctx(), anna, agency.New{
		Name: name, Country: country, Lang: strings.ToLower(country), Kind: kind,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	w.ok(err)
	w.ok(w.Agencies.Verify(w.ctx(), anna, a.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true,
	}))
	w.ok(w.Agencies.Approve(w.ctx(), boris, a.ID))
	return a
}

func (w *world) enrol(of int64, name string, role agency.Role) agency.Officer {
	w.Helper()
	o, link, err := w.Agencies.ProposeOfficer(w.ctx(), anna, of, name, role)
	w.ok(err)
	code, err := w.Agencies.ApproveOfficer(w.ctx(), boris, of, o.ID)
	w.ok(err)
	o, err = w.Agencies.Bind(w.ctx(), agency.Both(link, code), agency.Credential{ID: name, Body: []byte{1}})
	w.ok(err)
	return o
}

// sender is an officer at the door.
func sender(o agency.Officer) order.Sender {
	return order.Sender{Agency: o.Agency, Officer: o.ID}
}

func (w *world) submit(from order.Sender, d order.Document) order.Receipt {
	w.Helper()
	r, err := w.Submit(w.ctx(), from, d)
	w.ok(err)
	return r
}

func (w *world) now() int64 { return w.World.Clock.Now().Unix() }

// link is the address of a post of the channel.
func link(s safety.Subject) string { return "https://t.me/the_news/" + decimal(s.Item) }

func decimal(n int64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append(b, byte('0'+n%10))
	}
	slices.Reverse(b)
	return string(b)
}

// removal is a removal order for a post, complete in every field.
func (w *world) removal(posts ...safety.Subject) order.Document {
	d := order.Document{
		Instrument: instrument.Removal, Number: "7 Js 1/26", Issued: w.now() - 60, Country: "DE",
		Authority: "Federal Office", Signed: "B, desk", Lang: "de",
		Basis:    []order.Basis{{Law: "Regulation (EU) 2021/784", Provision: "Art. 3(1)"}},
		Reasons:  "The post incites others to commit a terrorist offence.",
		Redress:  "Action before the administrative court within one month.",
		Action:   policy.Withhold,
		Category: safety.PublicSecurity, Keywords: []safety.Keyword{"KEYWORD_TERRORIST_CONTENT"},
	}
	for _, p := range posts {
		d.Items = append(d.Items, order.Target{URL: link(p)})
	}
	return d
}

// information is an order for the data of the channel's author.
func (w *world) information() order.Document {
	return order.Document{
		Instrument: instrument.Inform, Number: "9 UJs 2/26", Issued: w.now() - 60, Country: "FR",
		Authority: "Bureau", Signed: "C, desk", Lang: "fr",
		Basis:   []order.Basis{{Law: "Code", Provision: "Art. 5"}},
		Reasons: "Who runs the shop has to be known.", Necessity: "Nothing milder does.",
		Redress: "Tribunal within two months.", Action: policy.Disclose,
		Accounts: []order.Identifier{{Type: "id", Value: decimal(int64(safetytest.Author))}},
		Data:     []policy.Data{policy.Subscriber}, From: w.now() - 3600, To: w.now(),
	}
}

// certificate is a European certificate for the data of the channel's author.
func (w *world) certificate(of instrument.ID) order.Document {
	d := w.information()
	d.Instrument, d.Authority, d.Offence, d.Penalty = of, "Prosecution", "fraud", 5
	d.Validated = "Court"
	if of == instrument.Preservation {
		d.Action = policy.Preserve
	}
	return d
}

// emergency is a request to save a life.
func (w *world) emergency() order.Document {
	d := w.information()
	d.Instrument, d.Number, d.Country, d.Authority = instrument.Emergency, "E 1", "DE",
		"Federal Office"
	d.Urgency, d.Supervisor = instrument.Life, "Supervisor"
	return d
}

func (w *world) order(of, id int64) (o order.Order) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		o, err = w.Of(r, of, id)
		return err
	})
	return o
}

func (w *world) items(o order.Order) (list []order.Item) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		list, err = order.Items(r, o.Agency, o.ID)
		return err
	})
	return list
}

// papers opens all papers of an order, each of which must be signed.
func (w *world) papers(o order.Order) (out []paper.Paper) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := order.Papers(r, o.Agency, o.ID)
		if err != nil {
			return err
		}
		for _, x := range list {
			p, err := w.Sign.Read(x.Signed)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	return out
}

// lines are an order's lines for the public log.
func (w *world) lines(o order.Order) (out []entry.Entry) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		rows, err := r.LedgerRowsOf(ids.Peer(o.Agency))
		for _, row := range rows {
			if row.ID != o.ID {
				continue
			}
			e, err := ledger.Read(row)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	return out
}

func (w *world) plan(o order.Order) order.Plan {
	w.Helper()
	p, err := w.PlanOf(w.ctx(), o.Agency, o.ID)
	w.ok(err)
	return p
}

// check makes all checks that policy wants and that staff can make.
func (w *world) check(o order.Order) order.Order {
	w.Helper()
	for _, c := range o.Verdict.Unverified {
		if c == policy.CallBack || c == policy.SupervisorCheck {
			continue
		}
		var err error
		o, err = w.Check(w.ctx(), anna, o.Agency, o.ID, c, "looked at it")
		w.ok(err)
	}
	return o
}

// role is the role of a member of staff.
func (w *world) role(_ context.Context, staff int64) (policy.Role, error) {
	if role, is := w.roles[staff]; is {
		return role, nil
	}
	return "", order.ErrRole
}

// approve signs by all whom policy wants.
func (w *world) approve(o order.Order) order.Order {
	w.Helper()
	digest := w.plan(o).Digest
	who := anna
	for _, g := range o.Verdict.Sign {
		for range max(g.People, 1) {
			var err error
			w.roles[who] = g.Role
			o, err = w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
				Staff: who, Digest: digest,
			})
			w.ok(err)
			who++
		}
	}
	return o
}

// withheld tells whether a post is withheld in a country.
func (w *world) withheld(s safety.Subject, country string) (yes bool) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := r.Restrictions(store.Restricts{
			Peer: s.Peer, Kind: int64(s.Kind), Item: s.Item,
		})
		for _, x := range list {
			yes = yes || safety.Measure(x.Measure) == safety.Disable &&
				safety.Covers(x.Territory, country)
		}
		return err
	})
	return yes
}

func word(id instrument.ID, _ instrument.Urgency) string {
	return strings.ToUpper(strings.ReplaceAll(string(id), "-", "_"))
}
