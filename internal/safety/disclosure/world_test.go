package disclosure_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parley/internal/blob"
	"parley/internal/ids"
	"parley/internal/keyring/keyringtest"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/country"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/location"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/recipient"
	"parley/internal/safety/safetytest"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// The staff of the tests: two of the law, a lead, and somebody who hands no data over.
const (
	anna  = int64(7)
	boris = int64(8)
	clara = int64(9)
	david = int64(10)
)

// world is the rooms of moderation with a prosecution that has a key, another, and a bureau.
type world struct {
	*safetytest.World
	*disclosure.Service
	agencies *agency.Service
	// office has officer and key, strangers is another agency with stranger.
	office, strangers, bureau agency.Agency
	officer, stranger, clerk  agency.Officer
	// chief is the supervisor of the office, once somebody needed one.
	chief  agency.Officer
	key    *age.HybridIdentity
	roles  map[int64]policy.Role
	alarms []string
}

func start(t testing.TB) *world {
	t.Helper()
	return on(t, storetest.SQLite(t), t.TempDir(), t.TempDir())
}

func on(t testing.TB, s *store.Store, dir, blobs string) *world {
	t.Helper()
	w := &world{World: safetytest.NewKept(t, s, dir)}
	w.roles = map[int64]policy.Role{
		anna: policy.Legal, boris: policy.Lead, clara: policy.Legal, david: policy.Moderator,
	}
	sign, err := answer.Open(dir, "chat.example.org", rand.Reader)
	w.ok(err)
	countries, err := country.Builtin()
	w.ok(err)
	rules, err := policy.Builtin(countries)
	w.ok(err)
	law, err := instrument.Builtin()
	w.ok(err)
	keys := keyringtest.Open(t, dir)
	files, err := blob.OpenDir(blobs, w.World.Clock)
	w.ok(err)
	w.agencies = &agency.Service{Store: s, Clock: w.World.Clock, Random: rand.Reader}
	orders := &order.Service{
		Store: s, Clock: w.World.Clock, Random: rand.Reader, References: w.World.References,
		Places: &location.Resolver{}, Agencies: w.agencies, Decisions: w.World.Decisions,
		Evidence: &evidence.Service{Store: s, Clock: w.World.Clock, Random: rand.Reader},
		Sign:     sign, Judge: rules.Judge, Instrument: law.Get,
		Word: func(id instrument.ID, _ instrument.Urgency) string {
			return strings.ToUpper(strings.ReplaceAll(string(id), "-", "_"))
		},
		Role: func(_ context.Context, staff int64) (policy.Role, error) {
			if role, is := w.roles[staff]; is {
				return role, nil
			}
			return "", order.ErrRole
		},
		Alarm: func(_ order.Order, why string) { w.alarms = append(w.alarms, why) },
	}
	w.Service, err = disclosure.Open(&disclosure.Service{
		Store: s, Clock: w.World.Clock, Random: rand.Reader, Orders: orders, Box: keys.Box(),
		Blobs: files, Alarm: func(_ order.Order, why string) { w.alarms = append(w.alarms, why) },
	})
	w.ok(err)
	w.World.Statements.Data = func(
		r *store.Reader, l store.Letter, lang string,
	) (string, []statement.Part, error) {
		x, err := w.Letter(r, l, lang)
		parts := []statement.Part{{Text: x.Text}}
		for _, line := range x.Lines {
			parts = append(parts, statement.Part{Label: line[0], Text: line[1]})
		}
		return x.Title, append(parts, statement.Part{Text: x.Rights}), err
	}
	w.people()
	return w
}

// people onboards the agencies and gives the author something to disclose.
func (w *world) people() {
	w.Helper()
	var err error
	w.key, err = age.GenerateHybridIdentity()
	w.ok(err)
	w.office = w.onboard("Prosecution", "FR", agency.Prosecutor, w.key.Recipient().String())
	w.officer = w.enrol(w.office.ID, "Officer One")
	other, err := age.GenerateX25519Identity()
	w.ok(err)
	w.strangers = w.onboard("Police", "FR", agency.Police, other.Recipient().String())
	w.stranger = w.enrol(w.strangers.ID, "Officer Two")
	w.bureau = w.onboard("Bureau", "FR", agency.Regulator, other.Recipient().String())
	w.clerk = w.enrol(w.bureau.ID, "Officer Three")
	w.World.Clock.Advance(8 * 24 * time.Hour)
	a := safetytest.Author
	w.Update(a.Peer(), func(tx *store.Tx) error {
		err := tx.PutUser(store.User{ID: a, FirstName: "Person", Phone: "4930901820",
			About: "not asked for", Created: w.now() - 900, Lang: "en"})
		if err != nil {
			return err
		}
		return tx.PutAuthorization(store.Authorization{
			User: a, KeyID: 11, Created: w.now() - 60, Active: w.now() - 30, IP: "192.0.2.7",
			Device: "Phone",
		})
	})
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return context.Background() }

func (w *world) now() int64 { return w.World.Clock.Now().Unix() }

func (w *world) onboard(name, country string, kind agency.Kind, key string) agency.Agency {
	w.Helper()
	a, err := w.agencies.Propose(w.ctx(), anna, agency.New{
		Name: name, Country: country, Lang: "fr", Kind: kind, Key: key,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	w.ok(err)
	w.approveAgency(a.ID, key)
	return a
}

// approveAgency calls an agency, which reads its key out, and approves it.
func (w *world) approveAgency(id int64, key string) {
	w.Helper()
	k, err := recipient.Parse(key)
	w.ok(err)
	w.ok(w.agencies.Verify(w.ctx(), anna, id, agency.Check{
		Number: "+33 1 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true, Fingerprint: k.Fingerprint,
	}))
	w.ok(w.agencies.Approve(w.ctx(), boris, id))
}

func (w *world) enrol(of int64, name string) agency.Officer {
	w.Helper()
	return w.enrolAs(of, name, agency.Member)
}

func (w *world) enrolAs(of int64, name string, role agency.Role) agency.Officer {
	w.Helper()
	o, link, err := w.agencies.ProposeOfficer(w.ctx(), anna, of, name, role)
	w.ok(err)
	code, err := w.agencies.ApproveOfficer(w.ctx(), boris, of, o.ID)
	w.ok(err)
	o, err = w.agencies.Bind(w.ctx(), agency.Both(link, code), agency.Credential{ID: name, Body: []byte{1}})
	w.ok(err)
	return o
}

func sender(o agency.Officer) order.Sender {
	return order.Sender{Agency: o.Agency, Officer: o.ID}
}

// certificate is a production order of the prosecution for what the author's account is.
func (w *world) certificate(data ...policy.Data) order.Document {
	if len(data) == 0 {
		data = []policy.Data{policy.Subscriber, policy.LastLogin}
	}
	return order.Document{
		Instrument: instrument.Production, Number: "9 UJs 2/26", Issued: w.now() - 60,
		Country: "FR", Authority: "Prosecution", Signed: "C, desk", Validated: "Court", Lang: "fr",
		Basis:   []order.Basis{{Law: "Code", Provision: "Art. 5"}},
		Reasons: "Who runs the shop has to be known.", Necessity: "Nothing milder does.",
		Redress: "Tribunal within two months.", Action: policy.Disclose,
		Accounts: []order.Identifier{
			{Type: "id", Value: strconv.FormatInt(int64(safetytest.Author), 10)},
		},
		Data: data, From: w.now() - 3600, To: w.now(), Offence: "fraud", Penalty: 5,
	}
}

// approved sends an order and has it checked and signed.
func (w *world) approved(from agency.Officer, d order.Document) order.Order {
	w.Helper()
	r, err := w.Orders.Submit(w.ctx(), sender(from), d)
	w.ok(err)
	return w.signed(r.Order)
}

func (w *world) signed(o order.Order) order.Order {
	w.Helper()
	var err error
	for _, c := range o.Verdict.Unverified {
		o, err = w.Orders.Check(w.ctx(), anna, o.Agency, o.ID, c, "looked at it")
		w.ok(err)
	}
	p, err := w.Orders.PlanOf(w.ctx(), o.Agency, o.ID)
	w.ok(err)
	for _, g := range o.Verdict.Sign {
		for n := range max(g.People, 1) {
			who := map[policy.Role][]int64{
				policy.Legal: {anna, clara}, policy.Lead: {boris}, policy.Moderator: {david},
			}[g.Role][n]
			o, err = w.Orders.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
				Staff: who, Digest: p.Digest,
			})
			w.ok(err)
		}
	}
	if o.State != order.Approved {
		w.Fatalf("%v: %v %+v", o.State, o.Problems, o.Verdict.Refusals)
	}
	return o
}

func (w *world) layOut(o order.Order) disclosure.Draft {
	w.Helper()
	d, err := w.LayOut(w.ctx(), anna, o.Agency, o.ID)
	w.ok(err)
	return d
}

// act is the word of somebody who has just proved who he is.
func (w *world) act(staff int64, digest string) disclosure.Act {
	return disclosure.Act{Staff: staff, Digest: digest, Proven: w.World.Clock.Now()}
}

func (w *world) release(o order.Order, d disclosure.Draft) order.Order {
	w.Helper()
	o, err := w.Release(w.ctx(), o.Agency, o.ID, w.act(boris, d.Row.Content))
	w.ok(err)
	return o
}

// open decrypts a package and checks each file against the manifest.
func (w *world) open(p disclosure.Package, manifest string) map[string]string {
	w.Helper()
	r, err := age.Decrypt(bytes.NewReader(p.Body), w.key)
	w.ok(err)
	b, err := io.ReadAll(r)
	w.ok(err)
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	w.ok(err)
	out := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		w.ok(err)
		b, err := io.ReadAll(r)
		w.ok(err)
		out[f.Name] = string(b)
	}
	if got := sum(out[disclosure.Manifest]); got != manifest {
		w.Errorf("manifest %s, the paper says %s", got, manifest)
	}
	lines := strings.Split(strings.TrimSpace(out[disclosure.Manifest]), "\n")
	if len(lines) != len(out)-1 {
		w.Errorf("%d files, %d in the manifest", len(out)-1, len(lines))
	}
	for _, l := range lines {
		digest, name, _ := strings.Cut(l, "  ")
		if sum(out[name]) != digest {
			w.Errorf("%s is not what the manifest says", name)
		}
	}
	return out
}

func sum(s string) string {
	x := sha256.Sum256([]byte(s))
	return hex.EncodeToString(x[:])
}

// rows are what was laid out of an order.
func (w *world) rows(o order.Order) (out []store.Disclosure) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = r.Disclosures(o.Agency, o.ID)
		return err
	})
	return out
}

func (w *world) order(o order.Order) (out order.Order) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = w.Orders.Of(r, o.Agency, o.ID)
		return err
	})
	return out
}

func (w *world) papers(o order.Order) (out []paper.Paper) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := order.Papers(r, o.Agency, o.ID)
		for _, x := range list {
			p, err := w.Orders.Sign.Read(x.Signed)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return err
	})
	return out
}

// lines are the kinds of the lines that an agency's orders have in the public log.
func (w *world) lines(o order.Order) (out []entry.Entry) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		rows, err := r.LedgerRowsOf(ids.Peer(o.Agency))
		for _, row := range rows {
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

func (w *world) count(o order.Order, k entry.Kind) (n int) {
	for _, l := range w.lines(o) {
		if l.Kind == k {
			n++
		}
	}
	return n
}

// events are the kinds of what happened to an order.
func (w *world) events(o order.Order) (out []order.EventKind) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := order.Events(r, o.Agency, o.ID, 0, 200)
		for _, e := range list {
			out = append(out, e.Kind)
		}
		return err
	})
	return out
}

// letters are what the author was written.
func (w *world) letters() (out []string) {
	w.Helper()
	w.Deliver()
	for _, m := range w.Letters(safetytest.Author) {
		out = append(out, w.Content(m).Text)
	}
	return out
}
