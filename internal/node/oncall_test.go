package node

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/chat/account"
	"parley/internal/config"
	"parley/internal/hook"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// pager is a program that is called.
type pager struct {
	mu  sync.Mutex
	got []map[string]any
}

func (p *pager) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var call map[string]any
	if err != nil || json.Unmarshal(body, &call) != nil ||
		!strings.HasPrefix(r.Header.Get(hook.SignatureHeader), "t=") {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, call)
}

func (p *pager) take() []map[string]any {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.got
	p.got = nil
	return out
}

// withLine is a world with an emergency line: a program, then a mailbox and an account.
func withLine(t *testing.T) (*world, *postbox, *pager, *person) {
	w, box := withMail(t)
	lead := w.join("Lead")
	p := &pager{}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	w.close()
	w.cfg.OnCall.Secret = "a secret of the pager"
	w.cfg.OnCall.People = []config.Callee{
		{Level: 1, Name: "Desk", Hook: server.URL},
		{Level: 2, Name: "Lead", Mail: "lead@example.org", Chat: "+" + lead.phone},
	}
	w.open()
	lead.client = lead.another()
	return w, box, p, lead
}

func (w *world) ring() {
	w.t.Helper()
	err := w.n.OnCall.Step(ctx())
	if err == nil {
		err = w.n.Courier.Settled(ctx(), account.ServiceUser.Peer())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// urgent is an order that gives an hour.
func urgent(id int64) order.Order {
	o := order.Order{Agency: 5, ID: id, Reference: "O5", Country: "DE"}
	o.Document.Instrument = instrument.Removal
	return o
}

// TestOneHourOrderWakes: a program is called, then a mail and a message are sent; the link of the
// program and the button of the message confirm, and a restart between them loses nothing.
func TestOneHourOrderWakes(t *testing.T) {
	w, box, p, lead := withLine(t)
	w.n.Orders.Alarm(urgent(1), "arrived")
	w.n.Orders.Alarm(urgent(1), "arrived")
	calm := urgent(2)
	calm.Document.Instrument = instrument.Inform
	w.n.Orders.Alarm(calm, "arrived")
	w.ring()
	calls := p.take()
	if len(calls) != 1 || calls[0]["kind"] != "order" || calls[0]["country"] != "DE" {
		t.Fatalf("calls: %v", calls)
	}
	err := w.n.Store.View(ctx(), func(r *store.Reader) error {
		list, err := oncall.Newest(r, 1)
		if err == nil && (len(list) != 1 || list[0].Path != "/order/5/1") {
			t.Errorf("where it lies in the console: %+v", list)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := box.take(); len(got) != 0 {
		t.Errorf("mails before their time: %+v", got)
	}
	w.clock.Advance(11 * time.Minute)
	w.close()
	w.open()
	lead.client = lead.another()
	w.ring()
	got := box.take()
	if len(got) != 1 || got[0].to != "lead@example.org" ||
		!strings.Contains(got[0].text, w.cfg.Web.PublicURL+"/oncall/") {
		t.Fatalf("mails: %+v", got)
	}
	link, _ := calls[0]["confirm"].(string)
	at := strings.TrimPrefix(link, w.cfg.Web.PublicURL)
	v := w.visitor()
	body := v.look(at + "?lang=fa")
	if !strings.Contains(body, `dir="rtl"`) || !strings.Contains(body, `id="confirm"`) {
		t.Errorf("the page: %s", body)
	}
	if status, _ := v.get("/oncall/nothing"); status != http.StatusNotFound {
		t.Errorf("a link that nobody was sent: %d", status)
	}
	if answer := lead.presses(); !strings.Contains(answer, "Lead deals with it.") {
		t.Errorf("pressed: %q", answer)
	}
	r := httptest.NewRequest(http.MethodPost, link, strings.NewReader(url.Values{}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if status, body := v.send(r); status != http.StatusOK ||
		!strings.Contains(body, "Lead deals with it.") {
		t.Errorf("confirmed afterwards: %d %s", status, body)
	}
	w.ring()
	if calls := p.take(); len(calls) != 1 || calls[0]["status"] != "confirmed" {
		t.Errorf("told: %v", calls)
	}
	w.clock.Advance(24 * time.Hour)
	w.ring()
	if calls, got := p.take(), box.take(); len(calls)+len(got) != 0 {
		t.Errorf("called again: %v, %+v", calls, got)
	}
}

// presses presses the button of the newest message of the service account that has one.
func (p *person) presses() string {
	p.w.t.Helper()
	dialogs, err := p.MessagesGetDialogs(ctx(), &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: 10,
	})
	if err != nil {
		p.w.t.Fatal(err)
	}
	all, ok := dialogs.AsModified()
	if !ok {
		p.w.t.Fatalf("%T", dialogs)
	}
	peer := &tg.InputPeerUser{UserID: int64(account.ServiceUser)}
	for _, u := range all.GetUsers() {
		if u, ok := u.(*tg.User); ok && u.ID == int64(account.ServiceUser) {
			peer.AccessHash = u.AccessHash
		}
	}
	// Another message, that of a new device, may have come after it.
	history, err := p.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{Peer: peer, Limit: 20})
	if err != nil {
		p.w.t.Fatal(err)
	}
	said, ok := history.AsModified()
	if !ok {
		p.w.t.Fatalf("%T", history)
	}
	for _, m := range said.GetMessages() {
		m, ok := m.(*tg.Message)
		if !ok {
			continue
		}
		markup, _ := m.ReplyMarkup.(*tg.ReplyInlineMarkup)
		if markup == nil {
			continue
		}
		c, ok := markup.Rows[0].Buttons[0].Type.(*tg.InlineButtonTypeCallback)
		if !ok {
			continue
		}
		in := &tg.MessagesGetBotCallbackAnswerRequest{Peer: peer, MsgID: m.ID}
		in.SetData(c.Data)
		answer, err := p.MessagesGetBotCallbackAnswer(ctx(), in)
		if err != nil {
			p.w.t.Fatal(err)
		}
		return answer.Message
	}
	return ""
}
