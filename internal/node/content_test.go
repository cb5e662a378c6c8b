package node

import (
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/enforce"
	"parley/internal/store"
)

// measure takes measures against a post, as a decision would.
func (w *world) measure(post int, in ids.Peer, author *person, list ...safety.MeasureSpec) {
	w.t.Helper()
	w.marks++
	err := w.n.Store.Update(ctx(), in, func(tx *store.Tx) error {
		_, err := w.n.Enforce.Apply(tx, enforce.Order{
			Decision: int64(w.marks), Now: w.clock.Now().Unix(), Measures: list,
			Subject: safety.Subject{
				Peer: in, Kind: safety.Message, Item: int64(post), Author: author.self,
			},
		})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
}

func TestSensitiveContent(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	tablet := b.another()
	posts := a.channel(t, "Posts", true, b, c)
	id := a.say(posts, "not for minors")
	w.measure(id, posts, a, safety.MeasureSpec{Measure: safety.AgeRestrict})
	wants := func(d *client) bool {
		t.Helper()
		s := must(d.AccountGetContentSettings(ctx()))(t)
		if !s.SensitiveCanChange {
			t.Error("the setting cannot be changed")
		}
		return s.SensitiveEnabled
	}
	reads := func(d *client) bool { return d.history(t, posts)[0] == "not for minors" }
	if wants(b.client) || reads(b.client) {
		t.Error("sensitive content shows to somebody who has not asked for it")
	}
	must(b.AccountSetContentSettings(ctx(), &tg.AccountSetContentSettingsRequest{
		SensitiveEnabled: true,
	}))(t)
	if !wants(tablet) || !reads(tablet) {
		t.Error("the other device does not show what was asked for")
	}
	if wants(c.client) || reads(c.client) {
		t.Error("somebody else's setting changed")
	}
	must(tablet.AccountSetContentSettings(ctx(), &tg.AccountSetContentSettingsRequest{}))(t)
	if wants(b.client) || reads(b.client) {
		t.Error("sensitive content shows after it was asked for no more")
	}
}

func TestFactChecks(t *testing.T) {
	w := newWorld(t)
	a, b, stranger := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	posts := a.channel(t, "Posts", true, b)
	plain, labelled := a.say(posts, "plain"), a.say(posts, "labelled")
	w.measure(labelled, posts, a, safety.MeasureSpec{
		Measure: safety.Label, Detail: "This picture was made by a program.",
	})
	ask := func(d *client, list ...int) ([]tg.FactCheck, error) {
		return d.MessagesGetFactCheck(ctx(), &tg.MessagesGetFactCheckRequest{
			Peer: d.input(posts), MsgID: list,
		})
	}
	got := must(ask(b.client, labelled, plain, 4711, labelled))(t)
	if len(got) != 4 || got[0].Hash == 0 || got[0].Hash != got[3].Hash ||
		got[0].Text.Text != "This picture was made by a program." {
		t.Errorf("told %+v", got)
	}
	if got[1].Hash != 0 || got[2].Hash != 0 {
		t.Errorf("of what has no label, or is not there: %+v", got[1:3])
	}
	refused(t, "a stranger", failure(ask(stranger.client, labelled)), "CHANNEL_PRIVATE")
	refused(t, "too many", failure(ask(b.client, make([]int, 101)...)), "LIMIT_INVALID")
}

// TestButtons presses buttons that are none. What the service account's own buttons do is tested
// where appeals are.
func TestButtons(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	id := a.say(b.self.Peer(), "hello")
	press := func(peer tg.InputPeerClass, id int, data string) error {
		in := &tg.MessagesGetBotCallbackAnswerRequest{Peer: peer, MsgID: id}
		in.SetData([]byte(data))
		return failure(a.MessagesGetBotCallbackAnswer(ctx(), in))
	}
	service := a.input(ids.UserID(777000).Peer())
	refused(t, "a person's message", press(a.input(b.self.Peer()), id, "x"), "BOT_INVALID")
	refused(t, "no data", press(service, 1, ""), "DATA_INVALID")
	refused(t, "data of no button", press(service, id, "x"), "MESSAGE_ID_INVALID")
}
