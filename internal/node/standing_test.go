package node

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat"
	accounts "parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/mtproto/session"
	"parley/internal/safety"
	"parley/internal/store"
)

// reason is the name of the error that the API answers with, "" for none.
func reason(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var r chat.Refusal
	if !errors.As(err, &r) {
		t.Fatal(err)
	}
	return r.Reason
}

// samples are values of the types without which a request cannot be encoded.
var samples = []any{
	&tg.InputPeerSelf{}, &tg.InputUserSelf{}, &tg.InputChannel{}, &tg.InputMediaEmpty{},
	&tg.InputChatPhotoEmpty{}, &tg.SendMessageTypingAction{}, &tg.InputNotifyUsers{},
}

// filled returns the encoding of a request of a method that says as little as it can.
func filled(method uint32) []byte {
	var b bin.Buffer
	if make := tg.TypesConstructorMap()[method]; make != nil {
		req := make()
		v := reflect.ValueOf(req).Elem()
		for i := range v.NumField() {
			for _, s := range samples {
				f := v.Field(i)
				if f.Kind() == reflect.Interface && reflect.TypeOf(s).Implements(f.Type()) {
					f.Set(reflect.ValueOf(s))
				}
			}
		}
		if req.Encode(&b) == nil {
			return b.Buf
		}
	}
	b.Reset()
	b.PutID(method)
	return b.Buf
}

// call sends a request of a method: what the dispatcher refuses it refuses before it looks further.
func (d *client) call(method uint32) error {
	var b bin.Buffer
	b.Buf = filled(method)
	_, err := d.w.n.api.Serve(ctx(), d.st, session.Query{Body: b.Buf})
	return err
}

// config returns a value of the client configuration, nil when it is not there.
func (d *client) config(t *testing.T, key string) tg.JSONValueClass {
	t.Helper()
	c := must(d.HelpGetAppConfig(ctx(), 0))(t).(*tg.HelpAppConfig)
	for _, x := range c.Config.(*tg.JSONObject).Value {
		if x.Key == key {
			return x.Value
		}
	}
	return nil
}

// TestSuspended holds every method of the table against a suspended account.
func TestSuspended(t *testing.T) {
	s := newScene(t)
	s.quiet()
	end := s.clock.Now().Add(time.Hour).Unix()
	lift := s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.Suspend, Ends: end})
	hears(s.author.client, func(*tg.UpdateConfig) bool { return true })
	for _, m := range s.n.api.Methods {
		if m.Class == api.Login {
			continue // they change who the caller is
		}
		err := s.author.call(m.ID)
		if frozen := errors.Is(err, chat.ErrFrozen); frozen == m.Frozen {
			t.Errorf("%s, open to the suspended %v: %v", m.Name, m.Frozen, err)
		}
	}
	if v, ok := s.author.config(t, "freeze_until_date").(*tg.JSONNumber); !ok ||
		int64(v.Value) != end {
		t.Errorf("the client is told of an end at %v", v)
	}
	if v, ok := s.author.config(t, "freeze_appeal_url").(*tg.JSONString); !ok ||
		!strings.Contains(v.Value, "/p/") {
		t.Errorf("the client is sent to %v", v)
	}
	for what, peer := range map[string]ids.Peer{
		"a person": s.member.self.Peer(), "himself": s.author.self.Peer(), "a room": s.room,
		"a group": s.group,
	} {
		if got := s.author.tries(t, peer); got != "FROZEN_METHOD_INVALID" {
			t.Errorf("writing to %s: %q", what, got)
		}
	}
	if got := s.author.tries(t, accounts.ServiceUser.Peer()); got != "" {
		t.Errorf("writing to the service: %s", got)
	}
	must(s.author.MessagesReadHistory(ctx(), &tg.MessagesReadHistoryRequest{
		Peer: s.author.input(s.group), MaxID: 1,
	}))(t)
	lift()
	if got := s.author.tries(t, s.member.self.Peer()); got != "" {
		t.Errorf("after the end: %s", got)
	}
	if s.author.config(t, "freeze_since_date") != nil {
		t.Error("the client still shows a suspension")
	}
}

// tries sends a text and returns why it was refused.
func (d *client) tries(t *testing.T, to ids.Peer) string {
	t.Helper()
	_, err := d.MessagesSendMessage(ctx(), &tg.MessagesSendMessageRequest{
		Peer: d.input(to), Message: "hello", RandomID: random(),
	})
	d.w.settle()
	return reason(t, err)
}

// invites adds somebody to a channel and returns who would not be added.
func (p *person) invites(t *testing.T, to ids.Peer, who *person) []tg.MissingInvitee {
	t.Helper()
	got := must(p.ChannelsInviteToChannel(ctx(), &tg.ChannelsInviteToChannelRequest{
		Channel: p.inputChannel(to), Users: []tg.InputUserClass{p.inputUser(who)},
	}))(t)
	return got.MissingInvitees
}

func TestSuspensionRunsOut(t *testing.T) {
	s := newScene(t)
	s.take(s.authorSubject(), safety.MeasureSpec{
		Measure: safety.Suspend, Ends: s.clock.Now().Add(time.Hour).Unix(),
	})
	s.take(s.textSubject(), safety.MeasureSpec{
		Measure: safety.Remove, Ends: s.clock.Now().Add(2 * time.Hour).Unix(),
	})
	text := map[string][]byte{"text": []byte(roomText)}
	for _, step := range []struct {
		after  time.Duration
		frozen bool
		shown  bool
	}{{time.Hour - time.Second, true, false}, {time.Second, false, false}, {time.Hour, false, true}} {
		s.clock.Advance(step.after)
		if err := s.n.Enforce.Expire(ctx()); err != nil {
			t.Fatal(err)
		}
		s.settle()
		if got := s.author.tries(t, s.room); (got != "") != step.frozen {
			t.Errorf("%v later: %q", step.after, got)
		}
		if shown := len(s.look(t, text)["text"]) > 0; shown != step.shown {
			t.Errorf("%v later the text is shown: %v", step.after, shown)
		}
	}
}

func TestTerminated(t *testing.T) {
	s := newScene(t)
	tablet := s.author.another()
	s.quiet()
	lift := s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.Terminate})
	hears(s.member.client, func(u *tg.UpdateUser) bool { return u.UserID == int64(s.author.self) })
	if s.n.hub.Live(s.author.self) {
		t.Error("his sessions hear of what happens")
	}
	for _, d := range []*client{s.author.client, tablet} {
		for _, m := range s.n.api.Methods {
			if m.ID == tg.AuthLogOutRequestTypeID {
				continue
			}
			if got := reason(t, d.call(m.ID)); got != "USER_DEACTIVATED_BAN" {
				t.Errorf("%s: %q", m.Name, got)
			}
		}
	}
	d := s.device()
	in := &tg.AuthSignInRequest{
		PhoneNumber: s.author.phone, PhoneCodeHash: d.sendCode(s.author.phone),
	}
	in.SetPhoneCode("22222")
	_, err := d.AuthSignIn(ctx(), in)
	refused(t, "logging in", err, "PHONE_NUMBER_BANNED")
	_, err = s.member.ContactsResolveUsername(ctx(), &tg.ContactsResolveUsernameRequest{
		Username: "xenophanes_one",
	})
	refused(t, "his name", err, "USERNAME_NOT_OCCUPIED")
	if got := s.member.tries(t, s.author.self.Peer()); got != "INPUT_USER_DEACTIVATED" {
		t.Errorf("writing to him: %q", got)
	}
	lift()
	must(s.author.UpdatesGetState(ctx()))(t)
	s.member.say(s.author.self.Peer(), "welcome back")
	hears(s.author.client, func(*tg.UpdateNewMessage) bool { return true })
	must(tablet.UpdatesGetState(ctx()))(t)
}

// TestLimited holds an account that may not write to others, and one that may not join, to it.
func TestLimited(t *testing.T) {
	s := newScene(t)
	posts := s.author.channel(t, "Posts", true)
	lift := s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.LimitSending})
	expect := func(what string, to ids.Peer, want string) {
		t.Helper()
		if got := s.author.tries(t, to); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	expect("a stranger", s.stranger.self.Peer(), "PEER_FLOOD")
	expect("who has him in his address book", s.member.self.Peer(), "")
	expect("himself", s.author.self.Peer(), "")
	expect("the service", accounts.ServiceUser.Peer(), "")
	expect("a room", s.room, "USER_BANNED_IN_CHANNEL")
	expect("a group", s.group, "PEER_FLOOD")
	expect("his own channel", posts, "")
	if missing := s.author.invites(t, posts, s.stranger); len(missing) != 1 {
		t.Error("he adds strangers to it")
	}
	if missing := s.author.invites(t, posts, s.member); len(missing) != 0 {
		t.Error("he cannot add who has him in his address book")
	}
	s.stranger.say(s.author.self.Peer(), "hello")
	expect("who wrote to him", s.stranger.self.Peer(), "")
	edit := &tg.MessagesEditMessageRequest{Peer: s.author.input(s.room), ID: s.text}
	edit.SetMessage("buy")
	_, err := s.author.MessagesEditMessage(ctx(), edit)
	refused(t, "editing what is in a room", err, "USER_BANNED_IN_CHANNEL")
	lift()
	expect("a room again", s.room, "")

	lift = s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.LimitJoining})
	_, err = s.author.ChannelsCreateChannel(ctx(), &tg.ChannelsCreateChannelRequest{
		Title: "Room", Megagroup: true,
	})
	refused(t, "making a room", err, "USER_RESTRICTED")
	other := s.member.channel(t, "Room", false)
	if len(s.member.invites(t, other, s.author)) != 1 {
		t.Error("somebody else let him in")
	}
	expect("a room that he is in", s.room, "")
	lift()
	must(s.author.ChannelsCreateChannel(ctx(), &tg.ChannelsCreateChannelRequest{
		Title: "Room", Megagroup: true,
	}))(t)
}

// TestInteraction holds everybody to it that a message may not be forwarded or answered, and a quote
// to what may be shown of the message that it is from.
func TestInteraction(t *testing.T) {
	s := newScene(t)
	forward := func(p *person, id int) string {
		_, err := p.MessagesForwardMessages(ctx(), &tg.MessagesForwardMessagesRequest{
			FromPeer: p.input(s.room), ToPeer: &tg.InputPeerSelf{}, ID: []int{id},
			RandomID: []int64{random()},
		})
		return reason(t, err)
	}
	answer := func(p *person, id int) string {
		in := &tg.MessagesSendMessageRequest{
			Peer: p.input(s.room), Message: "well", RandomID: random(),
		}
		in.SetReplyTo(&tg.InputReplyToMessage{ReplyToMsgID: id})
		_, err := p.MessagesSendMessage(ctx(), in)
		s.settle()
		return reason(t, err)
	}
	resend := func(p *person) string {
		_, err := p.MessagesSendMedia(ctx(), &tg.MessagesSendMediaRequest{
			Peer: &tg.InputPeerSelf{}, RandomID: random(),
			Media: &tg.InputMediaPhoto{ID: s.picture.AsInput()},
		})
		return reason(t, err)
	}
	if forward(s.member, s.photo)+answer(s.member, s.photo)+resend(s.member) != "" {
		t.Fatal("refused before there was a measure")
	}
	type wants struct{ forward, answer, resend string }
	const still, gone = "CHAT_FORWARDS_RESTRICTED", "MESSAGE_ID_INVALID"
	const noAnswer, expired = "REPLY_MESSAGE_ID_INVALID", "FILE_REFERENCE_EXPIRED"
	germany := []string{"DE"}
	for _, c := range []struct {
		on   safety.Subject
		spec safety.MeasureSpec
		who  *person
		want wants
	}{
		{s.photoSubject(), safety.MeasureSpec{Measure: safety.InteractionRestrict}, s.member,
			wants{still, noAnswer, still}},
		{s.roomSubject(), safety.MeasureSpec{Measure: safety.InteractionRestrict}, s.member,
			wants{still, noAnswer, still}},
		{s.photoSubject(), safety.MeasureSpec{Measure: safety.Disable}, s.member,
			wants{gone, noAnswer, expired}},
		{s.photoSubject(), safety.MeasureSpec{Measure: safety.Disable, Territory: germany},
			s.member, wants{}},
		{s.photoSubject(), safety.MeasureSpec{Measure: safety.Disable, Territory: germany},
			s.foreigner, wants{gone, noAnswer, expired}},
		{s.photoSubject(), safety.MeasureSpec{Measure: safety.Remove}, s.member,
			wants{gone, noAnswer, expired}},
		{s.roomSubject(), safety.MeasureSpec{Measure: safety.Terminate}, s.member,
			wants{"CHANNEL_PRIVATE", "CHANNEL_PRIVATE", "CHANNEL_PRIVATE"}},
	} {
		lift := s.take(c.on, c.spec)
		got := wants{forward(c.who, s.photo), answer(c.who, s.photo), resend(c.who)}
		if got != c.want {
			t.Errorf("%v of a %v: %+v, want %+v", c.spec.Measure, c.on.Kind, got, c.want)
		}
		lift()
		if forward(c.who, s.photo)+answer(c.who, s.photo)+resend(c.who) != "" {
			t.Errorf("%v of a %v: refused when it was lifted", c.spec.Measure, c.on.Kind)
		}
	}
}

// TestForwardsStay: what was forwarded before is a message of its own.
func TestForwardsStay(t *testing.T) {
	s := newScene(t)
	must(s.member.MessagesForwardMessages(ctx(), &tg.MessagesForwardMessagesRequest{
		FromPeer: s.member.input(s.room), ToPeer: &tg.InputPeerSelf{}, ID: []int{s.text},
		RandomID: []int64{random()},
	}))(t)
	s.take(s.textSubject(), safety.MeasureSpec{Measure: safety.Remove})
	h := must(s.member.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{
		Peer: &tg.InputPeerSelf{}, Limit: 10,
	}))(t).(*tg.MessagesMessages)
	if len(h.Messages) != 1 || !strings.Contains(h.Messages[0].(*tg.Message).Message, roomText) {
		t.Errorf("the forward is %+v", h.Messages)
	}
}

// TestMarks looks at what clients are told of restricted things.
func TestMarks(t *testing.T) {
	s := newScene(t)
	first := func(p *person, id int) *tg.Message {
		t.Helper()
		list := must(p.ChannelsGetMessages(ctx(), &tg.ChannelsGetMessagesRequest{
			Channel: p.inputChannel(s.room), ID: []tg.InputMessageClass{&tg.InputMessageID{ID: id}},
		}))(t).(*tg.MessagesChannelMessages)
		return list.Messages[0].(*tg.Message)
	}
	s.take(s.textSubject(), safety.MeasureSpec{Measure: safety.Label, Detail: "disputed"},
		safety.MeasureSpec{Measure: safety.InteractionRestrict})
	m := first(s.stranger, s.text)
	if m.Factcheck.Text.Text != "disputed" || m.Factcheck.Hash == 0 || !m.Noforwards {
		t.Errorf("a labelled message: %+v", m)
	}
	checks := must(s.stranger.MessagesGetFactCheck(ctx(), &tg.MessagesGetFactCheckRequest{
		Peer: s.stranger.input(s.room), MsgID: []int{s.text, s.photo},
	}))(t)
	if checks[0].Hash != m.Factcheck.Hash || checks[1].Hash != 0 {
		t.Errorf("checks %+v", checks)
	}
	s.take(s.photoSubject(), safety.MeasureSpec{
		Measure: safety.Disable, Territory: []string{"DE"},
	})
	m = first(s.foreigner, s.photo)
	if why := m.RestrictionReason; len(why) != 1 || why[0].Platform != "all" ||
		why[0].Reason != "legal" || m.Message != why[0].Text || m.Media != nil {
		t.Errorf("a withheld message: %+v", m)
	}
	found := must(s.foreigner.MessagesSearch(ctx(), &tg.MessagesSearchRequest{
		Peer: s.foreigner.input(s.room), Q: "caption", Filter: &tg.InputMessagesFilterEmpty{},
		Limit: 10,
	}))(t).(*tg.MessagesChannelMessages)
	if found.Count != 0 {
		t.Errorf("a search tells that the withheld message has the word: %d", found.Count)
	}
	for id, want := range map[int]string{0: "", s.text: "", s.photo: "legal"} {
		err := s.n.Store.View(ctx(), func(r *store.Reader) error {
			got, err := Withheld(r, s.room, int64(id))
			if got != want {
				t.Errorf("on the web %d is withheld for %q, want %q", id, got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.take(s.roomSubject(), safety.MeasureSpec{Measure: safety.Label, Detail: "scam"})
	s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.Label, Detail: "fake"},
		safety.MeasureSpec{Measure: safety.Demote})
	chats := must(s.stranger.ChannelsGetChannels(ctx(), []tg.InputChannelClass{
		s.stranger.inputChannel(s.room),
	}))(t)
	if c := chats.GetChats()[0].(*tg.Channel); !c.Scam || c.Fake || c.Restricted {
		t.Errorf("a room with a label: %+v", c)
	}
	people := must(s.stranger.UsersGetUsers(ctx(), []tg.InputUserClass{
		s.stranger.inputUser(s.author),
	}))(t)
	if u := people[0].(*tg.User); !u.Fake || u.Scam || u.Restricted {
		t.Errorf("a person with a label: %+v", u)
	}
	hits := must(s.stranger.ContactsSearch(ctx(), &tg.ContactsSearchRequest{
		Q: "xenophanes", Limit: 10,
	}))(t)
	if len(hits.Results) != 0 {
		t.Errorf("a demoted person is found: %+v", hits.Results)
	}
}

// TestMeasureMeetsSender has a measure come while somebody writes: what he is told was sent was sent
// before it, and nothing afterwards.
func TestMeasureMeetsSender(t *testing.T) {
	s := newScene(t)
	for round := range 5 {
		var wg sync.WaitGroup
		taken := make(chan struct{})
		for _, to := range []ids.Peer{s.room, s.member.self.Peer(), s.group} {
			wg.Go(func() {
				for i := 0; ; i++ {
					var late bool
					select {
					case <-taken:
						late = true
					default:
					}
					_, err := s.author.MessagesSendMessage(ctx(), &tg.MessagesSendMessageRequest{
						Peer: s.author.input(to), Message: fmt.Sprintf("%d of %d", i, round),
						RandomID: random(),
					})
					if late {
						if err == nil {
							t.Error("something was sent after the measure")
						}
						return
					}
				}
			})
		}
		lift := s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.Suspend})
		close(taken)
		wg.Wait()
		lift()
	}
}

// TestMeasureMeetsReader has everybody read while a message is taken away: once that is done nobody
// gets it, and nobody is pushed it after its end.
func TestMeasureMeetsReader(t *testing.T) {
	s := newScene(t)
	for range 5 {
		s.quiet()
		var wg sync.WaitGroup
		taken := make(chan struct{})
		for _, p := range s.viewers() {
			wg.Go(func() {
				for late := false; !late; {
					select {
					case <-taken:
						late = true
					default:
					}
					got, err := p.ChannelsGetMessages(ctx(), &tg.ChannelsGetMessagesRequest{
						Channel: p.inputChannel(s.room),
						ID:      []tg.InputMessageClass{&tg.InputMessageID{ID: s.text}},
					})
					if err != nil {
						t.Error(err)
						return
					}
					list, _ := got.AsModified()
					if _, gone := list.GetMessages()[0].(*tg.MessageEmpty); late && !gone {
						t.Error("the message was read after it was taken away")
					}
				}
			})
		}
		lift := s.take(s.textSubject(), safety.MeasureSpec{Measure: safety.Remove})
		close(taken)
		wg.Wait()
		hears(s.member.client, func(u *tg.UpdateDeleteChannelMessages) bool {
			return u.Messages[0] == s.text
		})
		lift()
		hears(s.member.client, func(u *tg.UpdateNewChannelMessage) bool {
			return u.Message.GetID() == s.text
		})
	}
}
