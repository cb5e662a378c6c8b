package order_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// forgery is an order that must come to nothing.
type forgery struct {
	name string
	// spoil makes a good order a bad one.
	spoil func(d *order.Document)
	// want is how it ends, why a part of the reason that is told and logged.
	want order.State
	why  string
}

// forgedPapers are removal orders with something wrong in the paper.
func forgedPapers() []forgery {
	long := strings.Repeat("x", 20_000)
	bad := order.Incomplete
	set := func(fn func(d *order.Document)) func(d *order.Document) { return fn }
	url := func(u string) func(d *order.Document) {
		return func(d *order.Document) { d.Items = []order.Target{{URL: u}} }
	}
	paper := func(a order.Attachment) func(d *order.Document) {
		return func(d *order.Document) { d.Attached = []order.Attachment{a} }
	}
	whole := strings.Repeat("a", 64)
	return []forgery{
		{"no number", set(func(d *order.Document) { d.Number = "" }), bad, "reference number"},
		{"blank number", set(func(d *order.Document) { d.Number = " \t" }), bad, "reference number"},
		{"endless number", set(func(d *order.Document) { d.Number = long }), bad, "too long"},
		{"NUL in the number", set(func(d *order.Document) { d.Number = "7\x00Js" }), bad, "not a text"},
		{"no authority", set(func(d *order.Document) { d.Authority = "" }), bad, "issuing authority"},
		{"other authority", set(func(d *order.Document) { d.Authority = "Ministry" }), bad,
			"another name"},
		{"look-alike authority", set(func(d *order.Document) { d.Authority = "Federal 0ffice" }), bad,
			"another name"},
		{"other country", set(func(d *order.Document) { d.Country = "FR" }), bad, "another country"},
		{"small country", set(func(d *order.Document) { d.Country = "de" }), bad, "another country"},
		{"long country", set(func(d *order.Document) { d.Country = "DEU" }), bad, "another country"},
		{"no country", set(func(d *order.Document) { d.Country = "" }), bad, "another country"},
		{"no statute", set(func(d *order.Document) { d.Basis = nil }), bad, "legal basis"},
		{"statute without provision", set(func(d *order.Document) { d.Basis[0].Provision = "" }), bad,
			"legal basis"},
		{"provision without statute", set(func(d *order.Document) { d.Basis[0].Law = " " }), bad,
			"legal basis"},
		{"no reasons", set(func(d *order.Document) { d.Reasons = "" }), bad, "statement of reasons"},
		{"endless reasons", set(func(d *order.Document) { d.Reasons = long }), bad, "too long"},
		{"reasons are no text", set(func(d *order.Document) { d.Reasons = "a\xffb" }), bad,
			"not a text"},
		{"escape codes", set(func(d *order.Document) { d.Reasons = "\x1b[2Jall good" }), bad,
			"not a text"},
		{"no redress", set(func(d *order.Document) { d.Redress = "" }), bad, "redress"},
		{"undated", set(func(d *order.Document) { d.Issued = 0 }), bad, "date and time of issue"},
		{"from the future", set(func(d *order.Document) { d.Issued += 24 * 3600 }), bad, "in the future"},
		{"unsigned", set(func(d *order.Document) { d.Signed = "" }), bad, "signature"},
		{"no content", set(func(d *order.Document) { d.Items = nil }), bad, "exact URL"},
		{"empty address", url(" "), bad, "exact URL: missing"},
		{"wildcard", url("https://t.me/the_news/*"), bad, "not an exact address"},
		{"two addresses in one", url("https://t.me/a/1 https://t.me/b/2"), bad, "not an exact"},
		{"backslashes", url(`https:\\t.me\the_news\1`), bad, "not an exact"},
		{"encoded", url("https://t.me/the_news/%31"), bad, "not an exact"},
		{"markup", url("https://t.me/<img/onerror=x>"), bad, "not an exact"},
		{"line break", url("https://t.me/the_news/1\nX: y"), bad, "not an exact"},
		{"endless address", url("https://t.me/" + long), bad, "not an exact"},
		{"the same twice", set(func(d *order.Document) { d.Items = append(d.Items, d.Items[0]) }), bad,
			"named twice"},
		{"too many", set(func(d *order.Document) {
			d.Items = make([]order.Target, order.MaxItems+1)
		}), bad, "more than one order may name"},
		{"no action", set(func(d *order.Document) { d.Action = "" }), bad, "what is to be done"},
		{"unknown action", set(func(d *order.Document) { d.Action = "destroy" }), bad,
			"what is to be done: unknown"},
		{"small territory", set(func(d *order.Document) { d.Territory = []string{"de"} }), bad,
			"territorial scope"},
		{"the world", set(func(d *order.Document) { d.Territory = []string{"WORLD"} }), bad,
			"territorial scope"},
		{"territory twice", set(func(d *order.Document) { d.Territory = []string{"DE", "DE"} }), bad,
			"named twice"},
		{"over already", set(func(d *order.Document) { d.Until = d.Issued - 1 }), bad, "over already"},
		{"silence without basis", set(func(d *order.Document) { d.Bar = &order.Bar{} }), bad,
			"prohibition to inform"},
		{"silence that is over", set(func(d *order.Document) {
			d.Bar = &order.Bar{Basis: "Art. 11", Until: d.Issued - 1}
		}), bad, "over already"},
		{"unknown category", set(func(d *order.Document) { d.Category = "STATEMENT_CATEGORY_X" }), bad,
			"category"},
		{"category of nothing", set(func(d *order.Document) { d.Category = safety.NotSpecified }), bad,
			"category"},
		{"keyword of another", set(func(d *order.Document) { d.Category = safety.SelfHarm }), bad,
			"keyword of another category"},
		{"too many papers", set(func(d *order.Document) {
			d.Attached = make([]order.Attachment, 21)
		}), bad, "papers: too many"},
		{"paper without digest", paper(order.Attachment{Name: "a.pdf", Size: 5}), bad, "no digest"},
		{"paper with another form of digest", paper(order.Attachment{
			Name: "a.pdf", Size: 5, Digest: strings.ToUpper(whole),
		}), bad, "no digest"},
		{"altered digest", paper(order.Attachment{Name: "a.pdf", Size: 5, Digest: whole[1:] + "g"}), bad,
			"no digest"},
		{"empty paper", paper(order.Attachment{Name: "a.pdf", Digest: whole}), bad, "too large or empty"},
		{"huge paper", paper(order.Attachment{Name: "a.pdf", Digest: whole, Size: 1 << 30}), bad,
			"too large or empty"},
		{"paper's name", paper(order.Attachment{Name: long, Digest: whole, Size: 1}), bad, "too long"},
		{"long language", set(func(d *order.Document) { d.Lang = "german" }), bad, "language"},
		{"a country that does not exist", set(func(d *order.Document) {
			d.Territory = []string{"XX"}
		}), bad, "territorial scope: no such country"},
		{"an end that cannot be read", set(func(d *order.Document) {
			d.Until = order.Unreadable
		}), bad, "duration: not a time"},
		{"unknown urgency", set(func(d *order.Document) { d.Urgency = "now" }), bad, "urgency"},
		{"wrong statute", set(func(d *order.Document) { d.Instrument = "patriot-act" }), bad,
			"instrument: unknown"},
		{"no instrument", set(func(d *order.Document) { d.Instrument = "" }), bad,
			"instrument: unknown"},
		{"keys", set(func(d *order.Document) { d.Action = policy.Keys }), order.Refused, "no-handler"},
		{"decryption", set(func(d *order.Document) { d.Action = policy.Decrypt }), order.Refused,
			"no-handler"},
		{"back door", set(func(d *order.Document) { d.Action = policy.BackDoor }), order.Refused,
			"no-handler"},
		{"bulk", set(func(d *order.Document) { d.Action = policy.Bulk }), order.Refused, "no-handler"},
		{"continuous", set(func(d *order.Document) { d.Action = policy.Continuous }), order.Refused,
			"no-handler"},
		{"scanning", set(func(d *order.Document) { d.Action = policy.Scan }), order.Refused,
			"no-handler"},
		{"silence", set(func(d *order.Document) { d.Action = policy.Silence }), order.Refused,
			"no-handler"},
	}
}

// forgedRequests are orders for data with something wrong in the paper.
func forgedRequests() []forgery {
	bad := order.Incomplete
	who := func(kind, value string) func(d *order.Document) {
		return func(d *order.Document) {
			d.Accounts = []order.Identifier{{Type: kind, Value: value}}
		}
	}
	data := func(list ...policy.Data) func(d *order.Document) {
		return func(d *order.Document) { d.Data = list }
	}
	return []forgery{
		{"nobody", func(d *order.Document) { d.Accounts = nil }, bad, "account identifiers"},
		{"everybody", who("username", "*"), bad, "not an exact identifier"},
		{"a prefix", who("username", "news%"), bad, "not an exact identifier"},
		{"at nobody", who("username", "@"), bad, "not an exact identifier"},
		{"short number", who("phone", "+49"), bad, "not an exact identifier"},
		{"number with letters", who("phone", "+49CALLME1"), bad, "not an exact identifier"},
		{"number zero", who("id", "0"), bad, "not an exact identifier"},
		{"all ids", who("id", "all"), bad, "not an exact identifier"},
		{"a range of ids", who("id", "1-999"), bad, "not an exact identifier"},
		{"huge id", who("id", strings.Repeat("9", 40)), bad, "not an exact identifier"},
		{"by device", who("imei", "490154203237518"), bad, "not an exact identifier"},
		{"a pattern of links", who("url", "https://t.me/*"), bad, "not an exact identifier"},
		{"the same twice", func(d *order.Document) {
			d.Accounts = append(d.Accounts, d.Accounts[0])
		}, bad, "named twice"},
		{"a thousand and one", func(d *order.Document) {
			d.Accounts = make([]order.Identifier, order.MaxItems+1)
		}, order.Refused, "no-handler"},
		{"no data", data(), bad, "data sought"},
		{"unknown data", data("everything"), bad, "unknown class"},
		{"data twice", data(policy.Subscriber, policy.Subscriber), bad, "named twice"},
		{"data a thousand times", data(slices.Repeat([]policy.Data{policy.Subscriber}, 1000)...), bad,
			"named twice"},
		{"accounts beside a post", func(d *order.Document) {
			d.Items = []order.Target{{URL: "https://t.me/the_news/1"}}
		}, bad, "beside addresses"},
		{"secret chats", data(policy.Secret), order.Refused, "unreadable"},
		{"passwords", data(policy.Password), order.Refused, "no-handler"},
		{"live location", data(policy.Location), order.Refused, "not-held"},
		{"ends before it begins", func(d *order.Document) { d.From, d.To = d.To, d.From }, bad,
			"ends before it begins"},
		{"data of tomorrow", func(d *order.Document) { d.To += 24 * 3600 }, bad, "in the future"},
		{"negative penalty", func(d *order.Document) { d.Penalty = -1 }, bad, "no such penalty"},
		{"endless penalty", func(d *order.Document) { d.Penalty = 999 }, bad, "no such penalty"},
		{"not necessary", func(d *order.Document) { d.Necessity = "" }, bad, "necessity"},
		{"keys of a person", func(d *order.Document) { d.Action = policy.Keys }, order.Refused,
			"no-handler"},
		{"bulk data", func(d *order.Document) { d.Action = policy.Bulk }, order.Refused, "no-handler"},
		{"live access", func(d *order.Document) { d.Action = policy.Continuous }, order.Refused,
			"no-handler"},
		{"weaker protection", func(d *order.Document) { d.Action = policy.BackDoor }, order.Refused,
			"no-handler"},
	}
}

// forgedCertificates are European certificates with something wrong in the paper.
func forgedCertificates() []forgery {
	bad := order.Incomplete
	return []forgery{
		{"wrong court", func(d *order.Document) { d.Authority = "Other court" }, bad, "another name"},
		{"not validated", func(d *order.Document) {
			d.Validated, d.Data = "", []policy.Data{policy.Messages}
		}, bad, "validation"},
		{"no penalty", func(d *order.Document) {
			d.Penalty, d.Data = 0, []policy.Data{policy.Messages}
		}, bad, "greatest term of imprisonment: missing"},
		{"a petty offence", func(d *order.Document) {
			d.Penalty, d.Data = 1, []policy.Data{policy.Messages}
		}, order.Refused, "not-covered"},
		{"a directive that nobody adopted", func(d *order.Document) {
			d.Penalty, d.Data = 1, []policy.Data{policy.Subscriber}
			d.Directives = []order.Directive{"2099/1"}
		}, bad, "directive that lists the offence: unknown"},
		{"a directive twice", func(d *order.Document) {
			d.Directives = []order.Directive{order.Terrorism, order.Terrorism}
		}, bad, "named twice"},
		{"no time", func(d *order.Document) {
			d.From, d.Data = 0, []policy.Data{policy.Messages}
		}, bad, "time of the data sought: missing"},
		{"a time that cannot be read", func(d *order.Document) { d.To = order.Unreadable }, bad,
			"time of the data sought: not a time"},
		{"an emergency without its reasons", func(d *order.Document) {
			d.Urgency, d.Reasons = instrument.Life, ""
		}, bad, "statement of reasons: missing"},
		{"no offence", func(d *order.Document) { d.Offence = "" }, bad, "offence"},
		{"unsigned", func(d *order.Document) { d.Signed = "" }, bad, "signature"},
		{"undated", func(d *order.Document) { d.Issued = 0 }, bad, "date and time of issue"},
		{"other state", func(d *order.Document) { d.Country = "HU" }, bad, "another country"},
	}
}

// forgers are senders whose word is worth nothing, and why.
func (w *world) forgers() map[string]struct {
	from order.Sender
	why  string
} {
	w.Helper()
	out := make(map[string]struct {
		from order.Sender
		why  string
	})
	put := func(name string, from order.Sender, why agency.Problem) {
		out[name] = struct {
			from order.Sender
			why  string
		}{from, "sender-" + string(why)}
	}
	put("agency without officer", order.Sender{Agency: w.office.ID}, agency.Unknown)
	put("officer of another agency", order.Sender{
		Agency: w.office.ID, Officer: w.abroad.ID,
	}, agency.Unknown)
	put("nobody's number", order.Sender{Agency: w.office.ID, Officer: w.officer.ID + 1},
		agency.Unknown)
	put("negative numbers", order.Sender{Agency: -5, Officer: -6}, agency.Unknown)
	stolen := w.enrol(w.office.ID, "Stolen", agency.Member)
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, w.office.ID, stolen.ID, "key stolen"))
	put("suspended officer", sender(stolen), agency.Halted)
	lost := w.enrol(w.office.ID, "Lost", agency.Member)
	_, err := w.Agencies.ResetOfficer(w.ctx(), anna, w.office.ID, lost.ID, "key lost")
	w.ok(err)
	put("officer who begins anew", sender(lost), agency.Unapproved)
	unbound, _, err := w.Agencies.ProposeOfficer(w.ctx(), anna, w.office.ID, "New", agency.Member)
	w.ok(err)
	put("officer whom one approved", sender(unbound), agency.Unapproved)
	keyless, _, err := w.Agencies.ProposeOfficer(w.ctx(), anna, w.office.ID, "Late", agency.Member)
	w.ok(err)
	_, err = w.Agencies.ApproveOfficer(w.ctx(), boris, w.office.ID, keyless.ID)
	w.ok(err)
	put("officer without key", sender(keyless), agency.Unbound)
	halted := w.onboard("Halted", "DE", agency.Police)
	one := w.enrol(halted.ID, "One", agency.Member)
	w.ok(w.Agencies.Suspend(w.ctx(), anna, halted.ID, "answers from nowhere"))
	put("suspended agency", sender(one), agency.Halted)
	return out
}

// nothing checks that an order came to nothing, with a reason that is told, logged and kept.
func (w *world) nothing(t *testing.T, o order.Order, post safety.Subject, want order.State, why string) {
	t.Helper()
	w.ok(w.CarryOut(w.ctx()))
	o = w.order(o.Agency, o.ID)
	if o.State != want {
		t.Errorf("ends as %v, want %v: %v %s", o.State, want, o.Problems, o.Refused)
	}
	reason := o.Refused
	for _, p := range o.Problems {
		reason += "\n" + p.Error()
	}
	if !strings.Contains(reason, why) {
		t.Errorf("because of %q, want %q", reason, why)
	}
	if w.withheld(post, "DE") || w.withheld(post, "FR") || !w.There(post) {
		t.Error("something was taken away")
	}
	for _, i := range w.items(o) {
		if i.State == order.Done || i.Decision != 0 || i.Hold != 0 {
			t.Errorf("item %+v", i)
		}
	}
	lines, papers := w.lines(o), w.papers(o)
	last := papers[len(papers)-1]
	kinds := []entry.Kind{entry.Order}
	if want == order.Refused {
		kinds = append(kinds, entry.Refusal)
		if last.Kind != paper.Refusal || last.Reason != o.Refused || last.Text == "" {
			t.Errorf("the last paper: %+v", last)
		}
	} else if last.Kind != paper.Incomplete || len(last.Missing) == 0 {
		t.Errorf("the last paper: %+v", last)
	}
	if len(lines) != len(kinds) || lines[0].Kind != kinds[0] ||
		lines[len(lines)-1].Kind != kinds[len(kinds)-1] {
		t.Errorf("lines: %+v", lines)
	}
	w.View(func(r *store.Reader) error {
		events, err := order.Events(r, o.Agency, o.ID, 0, 100)
		if len(events) < 2 {
			t.Errorf("%d events", len(events))
		}
		return err
	})
}

// TestForgedOrders is the pack of orders that must come to nothing.
func TestForgedOrders(t *testing.T) {
	w := start(t)
	post := w.Post("join the fight")
	n := 0
	for _, f := range forgedPapers() {
		t.Run(f.name, func(t *testing.T) {
			n++
			d := w.removal(post)
			d.Number += decimal(int64(n))
			f.spoil(&d)
			w.nothing(t, w.submit(sender(w.officer), d).Order, post, f.want, f.why)
		})
	}
	for _, f := range forgedRequests() {
		t.Run("data: "+f.name, func(t *testing.T) {
			n++
			d := w.information()
			d.Number += decimal(int64(n))
			f.spoil(&d)
			w.nothing(t, w.submit(sender(w.abroad), d).Order, post, f.want, f.why)
		})
	}
	for _, f := range forgedCertificates() {
		t.Run("certificate: "+f.name, func(t *testing.T) {
			n++
			d := w.certificate(instrument.Production)
			d.Number += decimal(int64(n))
			f.spoil(&d)
			w.nothing(t, w.submit(sender(w.prosecutor), d).Order, post, f.want, f.why)
		})
	}
	w.unsigned(t, post, &n)
	for name, f := range w.forgers() {
		t.Run(name, func(t *testing.T) {
			n++
			d := w.removal(post)
			d.Number += decimal(int64(n))
			w.nothing(t, w.submit(f.from, d).Order, post, order.Refused, f.why)
		})
	}
	for _, kind := range []agency.Kind{agency.Organisation, agency.TrustedFlagger} {
		t.Run("an order by "+kind.String(), func(t *testing.T) {
			a := w.onboard(kind.String(), "DE", kind)
			d := w.removal(post)
			d.Authority = a.Name
			o := w.submit(sender(w.enrol(a.ID, "One", agency.Member)), d).Order
			w.nothing(t, o, post, order.Refused, "wrong-requester")
			n++
		})
	}
	w.lapsed(t)
	w.World.Clock.Advance(90 * 24 * time.Hour)
	t.Run("attestation lapsed", func(t *testing.T) {
		n++
		w.nothing(t, w.submit(sender(w.officer), w.removal(post)).Order, post, order.Refused,
			"sender-attestation-lapsed")
	})
	if n < 300 {
		t.Errorf("only %d forgeries were tried", n)
	}
}

// unsigned sends the whole pack again as a program of the agency brings it, and as anybody can write
// it in a mail: the former waits for nothing that could mend it, the latter is nobody's.
func (w *world) unsigned(t *testing.T, post safety.Subject, n *int) {
	t.Helper()
	for _, x := range []struct {
		list []forgery
		good func() order.Document
		of   agency.Officer
	}{
		{forgedPapers(), func() order.Document { return w.removal(post) }, w.officer},
		{forgedRequests(), w.information, w.abroad},
		{forgedCertificates(), func() order.Document {
			return w.certificate(instrument.Production)
		}, w.prosecutor},
	} {
		for _, f := range x.list {
			d := x.good()
			*n += 2
			d.Number += decimal(int64(*n))
			f.spoil(&d)
			t.Run("by a program: "+f.name, func(t *testing.T) {
				from := order.Sender{Agency: x.of.Agency, Program: true}
				w.nothing(t, w.submit(from, d).Order, post, f.want, f.why)
			})
			t.Run("by mail: "+f.name, func(t *testing.T) {
				w.nobody(t, w.submit(order.Sender{}, d).Order, post)
			})
		}
	}
}

// nobody checks that an order of nobody known waits, unless it asks for what nobody gets, and that
// nothing was done because of it.
func (w *world) nobody(t *testing.T, o order.Order, post safety.Subject) {
	t.Helper()
	if o.State == order.Refused {
		w.nothing(t, o, post, order.Refused, "no-handler")
		return
	}
	w.ok(w.CarryOut(w.ctx()))
	papers := w.papers(o)
	last := papers[len(papers)-1]
	if o.State != order.Incomplete || o.Due != 0 || last.Kind != paper.Incomplete ||
		last.Missing[0].Field != "issuing authority" || last.Text == "" {
		t.Errorf("%v, due %d: %+v", o.State, o.Due, last)
	}
	if w.withheld(post, "DE") || !w.There(post) || len(w.lines(o)) != 0 {
		t.Errorf("something was done: %+v", w.lines(o))
	}
	w.waiting = append(w.waiting, o)
}

// lapsed lets the time of all orders of nobody known be over: each is refused with its reason and
// in the register, and the public log counts them together.
func (w *world) lapsed(t *testing.T) {
	t.Helper()
	w.World.Clock.Advance(31 * 24 * time.Hour)
	_, err := w.Sweep(w.ctx())
	w.ok(err)
	registered := make(map[int64]bool)
	w.View(func(r *store.Reader) error {
		list, err := order.Refusals(r, store.RefusalFilter{
			At: 1 << 60, Class: "sender-unknown",
		}, "", 10_000)
		for _, x := range list {
			registered[x.Order] = true
		}
		return err
	})
	for _, o := range w.waiting {
		now, papers := w.order(0, o.ID), w.papers(o)
		if last := papers[len(papers)-1]; now.State != order.Refused || !registered[o.ID] ||
			last.Kind != paper.Refusal || last.Reason != "sender-unknown" ||
			len(w.lines(o)) != 0 {
			t.Fatalf("%s: %v %+v", o.Document.Number, now.State, last)
		}
	}
	var counted, lines int64
	w.View(func(r *store.Reader) error {
		rows, err := r.LedgerRowsOf(ids.Peer(0))
		for _, row := range rows {
			e, rerr := ledger.Read(row)
			if rerr != nil {
				return rerr
			}
			if e.Kind == entry.Refusal && e.Reason == "sender-unknown" {
				lines++
				counted += e.Items
			}
		}
		return err
	})
	if n := int64(len(w.waiting)); n == 0 || lines == 0 || lines > n/4 || counted == 0 {
		t.Errorf("%d lines count %d of %d orders", lines, counted, n)
	}
}

// TestOverBroadItems names a whole channel and an account instead of what is in them.
func TestOverBroadItems(t *testing.T) {
	w := start(t)
	author := safetytest.Author.Peer()
	w.Update(author, func(tx *store.Tx) error { return tx.TakeUsername("the_author", author) })
	for n, u := range []string{"https://t.me/the_news", "@the_news"} {
		d := w.removal()
		d.Number += decimal(int64(n) + 1)
		d.Items = []order.Target{{URL: u}}
		o := w.approve(w.check(w.submit(sender(w.officer), d).Order))
		w.ok(w.CarryOut(w.ctx()))
		o = w.order(o.Agency, o.ID)
		if i := w.items(o)[0]; o.State != order.Answered || i.State != order.Declined ||
			i.Reason != "over-broad" || i.Decision != 0 {
			t.Errorf("%s: %v %+v", u, o.State, i)
		}
		if lines := w.lines(o); lines[1].Outcome != "none" || lines[1].Reason != "over-broad" {
			t.Errorf("%s: %+v", u, lines)
		}
	}
	d := w.removal()
	d.Items = []order.Target{{URL: "https://t.me/the_author"}}
	o := w.submit(sender(w.officer), d).Order
	w.nothing(t, o, w.Post("anything"), order.Refused, "item-before-account")
}

// TestReplay sends the same paper twice, and another under its number.
func TestReplay(t *testing.T) {
	w := start(t)
	post, other := w.Post("join the fight"), w.Post("good morning")
	d := w.removal(post)
	first := w.submit(sender(w.officer), d)
	for range 3 {
		again := w.submit(sender(w.officer), d)
		if !again.Again || again.Order.ID != first.Order.ID ||
			string(again.Signed) != string(first.Signed) {
			t.Errorf("again: %v %d", again.Again, again.Order.ID)
		}
	}
	bare := d
	bare.Number = ""
	if w.submit(sender(w.officer), bare).Again || !w.submit(sender(w.officer), bare).Again {
		t.Error("an order without a number is not known again")
	}
	d.Items[0].URL = link(other)
	twin := w.submit(sender(w.officer), d).Order
	w.nothing(t, twin, other, order.Incomplete, "stands on another document")
	if !slices.Contains(twin.Signals, "altered-twin") || twin.Score < agency.Suspicious {
		t.Errorf("scores %d: %v", twin.Score, twin.Signals)
	}
	if lines := w.lines(first.Order); len(lines) != 1 {
		t.Errorf("%d lines", len(lines))
	}
}

// TestChangedAfterApproval changes one digit of the target in the database itself.
func TestChangedAfterApproval(t *testing.T) {
	w := start(t)
	post, other := w.Post("join the fight"), w.Post("good morning")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.Update(ids.Peer(o.Agency), func(tx *store.Tx) error {
		list, err := tx.OrderItems(o.Agency, o.ID, 9)
		if err != nil {
			return err
		}
		list[0].Item = other.Item
		return tx.PutOrderItem(list[0])
	})
	w.ok(w.CarryOut(w.ctx()))
	o = w.order(o.Agency, o.ID)
	if o.State != order.Assessed || w.withheld(post, "DE") || w.withheld(other, "DE") {
		t.Errorf("%v", o.State)
	}
	if len(w.alarms) == 0 || w.alarms[len(w.alarms)-1] != "signatures are under another plan" {
		t.Errorf("alarms: %q", w.alarms)
	}
}

// TestForgedEmergencies tries every way around what an emergency needs.
func TestForgedEmergencies(t *testing.T) {
	w := start(t)
	post := w.Post("anything")
	d := w.emergency()
	d.Supervisor = ""
	w.nothing(t, w.submit(sender(w.officer), d).Order, post, order.Incomplete, "supervisor: missing")
	d = w.emergency()
	d.Number = "E 2"
	fresh := w.enrol(w.office.ID, "Fresh", agency.Member)
	if o := w.submit(sender(fresh), d).Order; o.State != order.Held {
		t.Errorf("within the week: %v", o.State)
	}
	d.Number = "E 3"
	o := w.check(w.submit(sender(w.officer), d).Order)
	if o.State != order.Received {
		t.Fatalf("%v", o.State)
	}
	w.roles[anna] = policy.Legal
	sign := order.Signature{Staff: anna, Digest: w.plan(o).Digest}
	for what, c := range map[string]struct {
		try  func() error
		want error
	}{
		"signed before the call": {func() error {
			_, err := w.Approve(w.ctx(), o.Agency, o.ID, sign)
			return err
		}, order.ErrState},
		"called at the order's own number": {func() error {
			_, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
				Number: "+49 171 0000000", Spoke: "the officer", Confirmed: true,
			})
			return err
		}, order.ErrNumber},
		"call-back as a mere check": {func() error {
			_, err := w.Check(w.ctx(), anna, o.Agency, o.ID, policy.CallBack, "called")
			return err
		}, order.ErrState},
		"supervised by himself": {func() error {
			_, err := w.Confirm(w.ctx(), sender(w.officer), o.ID)
			return err
		}, order.ErrSamePerson},
		"supervised by a member": {func() error {
			_, err := w.Confirm(w.ctx(), sender(fresh), o.ID)
			return err
		}, order.ErrStanding},
		"supervised from abroad": {func() error {
			_, err := w.Confirm(w.ctx(), sender(w.abroad), o.ID)
			return err
		}, store.ErrNotFound},
	} {
		if err := c.try(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	o, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
		Number: "+49 30 5559 999", Spoke: "B, desk",
	})
	w.ok(err)
	w.nothing(t, o, post, order.Refused, "denied-by-agency")
	w.View(func(r *store.Reader) error {
		s, err := agency.StandingOf(r, w.office.ID, w.officer.ID, w.now())
		if s.Problem != agency.Halted {
			t.Errorf("the officer is %q", s.Problem)
		}
		return err
	})
}

// TestEmergencyInOrder makes sure that a true one gets through to whoever discloses.
func TestEmergencyInOrder(t *testing.T) {
	w := start(t)
	o := w.check(w.submit(sender(w.officer), w.emergency()).Order)
	o, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
		Number: "+49305559999", Spoke: "B, desk", Confirmed: true,
	})
	w.ok(err)
	o, err = w.Confirm(w.ctx(), sender(w.supervisor), o.ID)
	w.ok(err)
	if o.State != order.Assessed {
		t.Fatalf("%v %v", o.State, o.Verdict.Unverified)
	}
	if o = w.approve(o); o.State != order.Approved {
		t.Errorf("%v", o.State)
	}
	if len(w.alarms) == 0 || w.alarms[0] != "arrived" {
		t.Errorf("nobody was woken: %q", w.alarms)
	}
}
