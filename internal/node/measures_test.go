package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/chat/takeout"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/enforce"
	"parley/internal/store"
)

// The words by which the content of a scene is known wherever it turns up.
const (
	roomText    = "quiet-heron-text"
	roomCaption = "quiet-heron-caption"
	roomTitle   = "Heronry"
	roomAbout   = "quiet-heron-about"
	directText  = "brown-otter-text"
	groupText   = "green-newt-text"
	authorName  = "Xenophanes"
	authorAbout = "xeno-about"
	rare        = "🦭"
)

// scene is a small world in which everything that can be restricted is seen by an author, a member
// of all his chats, a stranger, and a member of another country.
type scene struct {
	*world
	author, member, stranger, foreigner *person
	// room is a public supergroup, group a basic group.
	room, group ids.Peer
	// text and photo are messages of the room, direct and joint the author's rows of messages to the
	// member and the group.
	text, photo, direct, joint int
	invite                     string
	// picture hangs on the room's photo; face is the author's profile photo, flag the room's.
	picture, face, flag *tg.Photo
	decisions           int64
}

// viewers are who looks, by name.
func (s *scene) viewers() map[string]*person {
	return map[string]*person{
		"author": s.author, "member": s.member, "stranger": s.stranger, "foreigner": s.foreigner,
	}
}

func newScene(t *testing.T) *scene {
	t.Helper()
	w := newWorld(t)
	s := &scene{
		world: w, author: w.join(authorName), member: w.join("Member 1"),
		stranger: w.join("Member 2"), foreigner: w.join("Member 3"),
	}
	s.lives(s.foreigner, "4915112345678")
	must(s.author.AccountUpdateProfile(ctx(), profile("-", "-", authorAbout)))(t)
	must(s.author.AccountUpdateUsername(ctx(), "xenophanes_one"))(t)
	s.face = s.author.profilePhoto(t)
	s.room = s.author.channel(t, roomTitle, false, s.member, s.foreigner)
	must(s.author.ChannelsUpdateUsername(ctx(), &tg.ChannelsUpdateUsernameRequest{
		Channel: s.author.inputChannel(s.room), Username: "heronry_one",
	}))(t)
	must(s.author.MessagesEditChatAbout(ctx(), &tg.MessagesEditChatAboutRequest{
		Peer: s.author.input(s.room), About: roomAbout,
	}))(t)
	s.furnish(t)
	s.converse(t)
	for _, p := range s.viewers() {
		s.listens(p)
	}
	return s
}

// furnish fills the room.
func (s *scene) furnish(t *testing.T) {
	t.Helper()
	must(s.author.ChannelsEditPhoto(ctx(), &tg.ChannelsEditPhotoRequest{
		Channel: s.author.inputChannel(s.room), Photo: &tg.InputChatUploadedPhoto{
			File: s.author.upload(t, picture(t, 200, 200, 9)),
		},
	}))(t)
	full := must(s.author.ChannelsGetFullChannel(ctx(), s.author.inputChannel(s.room)))(t)
	s.flag = full.FullChat.(*tg.ChannelFull).ChatPhoto.(*tg.Photo)
	u := must(s.author.MessagesSendMessage(ctx(), &tg.MessagesSendMessageRequest{
		Peer: s.author.input(s.room), Message: roomText + " call #heron", RandomID: random(),
		Entities: []tg.MessageEntityClass{&tg.InputMessageEntityMentionName{
			Offset: len(roomText) + 1, Length: 4, UserID: s.author.inputUser(s.member),
		}},
	}))(t)
	s.text = idOf(t, u)
	u = must(s.author.MessagesSendMedia(ctx(), &tg.MessagesSendMediaRequest{
		Peer: s.author.input(s.room), RandomID: random(), Message: roomCaption,
		Media: &tg.InputMediaUploadedPhoto{
			File: s.author.upload(t, picture(t, 300, 200, 77)),
		},
	}))(t)
	s.photo = idOf(t, u)
	m, _ := among(listOf(t, u), func(*tg.UpdateNewChannelMessage) bool { return true })
	media := m.Message.(*tg.Message).Media.(*tg.MessageMediaPhoto)
	s.picture = media.Photo.(*tg.Photo)
	reply := &tg.InputReplyToMessage{ReplyToMsgID: s.text}
	reply.SetQuoteText(roomText)
	in := &tg.MessagesSendMessageRequest{
		Peer: s.member.input(s.room), Message: "so they say", RandomID: random(),
	}
	in.SetReplyTo(reply)
	must(s.member.MessagesSendMessage(ctx(), in))(t)
	must(s.author.MessagesUpdatePinnedMessage(ctx(), &tg.MessagesUpdatePinnedMessageRequest{
		Peer: s.author.input(s.room), ID: s.text,
	}))(t)
	must(s.member.MessagesSendReaction(ctx(), reaction(s.member.input(s.room), s.text, rare)))(t)
	link := must(s.author.MessagesExportChatInvite(ctx(), &tg.MessagesExportChatInviteRequest{
		Peer: s.author.input(s.room),
	}))(t).(*tg.ChatInviteExported).Link
	s.invite = link[len(link)-22:]
	if at := bytes.LastIndexByte([]byte(link), '+'); at >= 0 {
		s.invite = link[at+1:]
	}
	s.settle()
}

// converse has the author talk to the member and in a basic group.
func (s *scene) converse(t *testing.T) {
	t.Helper()
	s.direct = s.author.say(s.member.self.Peer(), directText)
	s.group = s.author.client.group(t, "Newts", s.member)
	s.joint = s.author.say(s.group, groupText)
	must(s.member.ContactsAddContact(ctx(), &tg.ContactsAddContactRequest{
		ID: s.member.inputUser(s.author), FirstName: authorName,
	}))(t)
	s.settle()
}

// lives gives somebody a number of a country.
func (s *scene) lives(p *person, phone string) {
	s.t.Helper()
	err := s.n.Store.Update(ctx(), p.self.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(p.self)
		if err != nil {
			return err
		}
		u.Phone = phone
		return tx.PutUser(u)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// take carries out measures by a decision of their own, and returns what lifts it.
func (s *scene) take(on safety.Subject, list ...safety.MeasureSpec) (lift func() enforce.Restored) {
	s.t.Helper()
	s.decisions++
	id := s.decisions
	err := s.n.Store.Update(ctx(), on.Peer, func(tx *store.Tx) error {
		_, err := s.n.Enforce.Apply(tx, enforce.Order{
			Decision: id, Subject: on, Measures: list, Now: s.clock.Now().Unix(),
		})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.settle()
	return func() (out enforce.Restored) {
		s.t.Helper()
		err := s.n.Store.Update(ctx(), on.Peer, func(tx *store.Tx) (err error) {
			out, err = s.n.Enforce.Lift(tx, on, id, s.clock.Now().Unix())
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		s.settle()
		return out
	}
}

func (s *scene) textSubject() safety.Subject {
	return safety.Subject{
		Peer: s.room, Kind: safety.Message, Item: int64(s.text), Author: s.author.self,
	}
}

func (s *scene) photoSubject() safety.Subject {
	return safety.Subject{
		Peer: s.room, Kind: safety.Message, Item: int64(s.photo), Author: s.author.self,
	}
}

func (s *scene) authorSubject() safety.Subject {
	return safety.Subject{
		Peer: s.author.self.Peer(), Kind: safety.Account, Author: s.author.self,
	}
}

func (s *scene) roomSubject() safety.Subject {
	return safety.Subject{Peer: s.room, Kind: safety.Chat, Author: s.author.self}
}

// id is how a file's or photo's id stands in an encoding.
func id(n int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(n)) }

// seen says in which answers somebody met which secrets: "messages.getHistory by member".
type seen map[string]bool

// look reads everything by every method as every viewer, and everybody's copy of his data, and says
// where each secret turned up.
func (s *scene) look(t *testing.T, secrets map[string][]byte) map[string]seen {
	t.Helper()
	out := make(map[string]seen)
	for name := range secrets {
		out[name] = make(seen)
	}
	note := func(where string, answers ...[]byte) {
		for name, secret := range secrets {
			for _, a := range answers {
				if bytes.Contains(a, secret) {
					out[name][where] = true
				}
			}
		}
	}
	for who, p := range s.viewers() {
		for _, method := range slices.Sorted(maps.Keys(readers)) {
			p.mu.Lock()
			p.read = nil
			p.mu.Unlock()
			readers[method](s, p.client)
			p.mu.Lock()
			answers := p.read
			p.mu.Unlock()
			note(method+" by "+who, answers...)
		}
		var export bytes.Buffer
		err := (&takeout.Service{Store: s.n.Store, Files: s.n.Media.Blobs}).
			Write(ctx(), p.self, &export)
		if err != nil && !errors.Is(err, takeout.ErrEnded) {
			t.Fatal(err)
		}
		note("export by "+who, export.Bytes())
	}
	return out
}

// listens waits until somebody was pushed all that happened before. Who was cut off is pushed
// nothing.
func (s *scene) listens(p *person) {
	s.t.Helper()
	if _, err := p.UpdatesGetState(ctx()); err != nil {
		return
	}
	if p == s.stranger {
		p.catchUp()
	} else {
		p.catchUp(s.room)
	}
}

// heard says who was pushed which secrets since the last call of quiet.
func (s *scene) heard(secrets map[string][]byte) map[string]seen {
	out := make(map[string]seen)
	for name := range secrets {
		out[name] = make(seen)
	}
	for who, p := range s.viewers() {
		s.listens(p)
		p.mu.Lock()
		for name, secret := range secrets {
			for _, body := range p.told {
				if bytes.Contains(body, secret) {
					out[name][who] = true
				}
			}
		}
		p.mu.Unlock()
	}
	return out
}

// quiet forgets what was pushed.
func (s *scene) quiet() {
	for _, p := range s.viewers() {
		s.listens(p)
		p.mu.Lock()
		p.told, p.pushed = nil, nil
		p.mu.Unlock()
	}
}

// same fails for what one look found and another did not.
func same(t *testing.T, what string, got, want map[string]seen) {
	t.Helper()
	for name := range want {
		for where := range want[name] {
			if !got[name][where] {
				t.Errorf("%s: %s is missing from %s", what, name, where)
			}
		}
		for where := range got[name] {
			if !want[name][where] {
				t.Errorf("%s: %s turned up in %s", what, name, where)
			}
		}
	}
}

// TestMethodsAreRead fails for a method whose answer may carry content of others and that nobody
// reads in TestMeasures.
func TestMethodsAreRead(t *testing.T) {
	w := newWorld(t)
	known := make(map[string]bool)
	for _, m := range w.n.api.Methods {
		known[m.Name] = true
		_, read := readers[m.Name]
		_, own := ownActs[m.Name]
		empty := contentless[fmt.Sprint(m.Answer)]
		switch {
		case read && own, own && empty, read && empty:
			t.Errorf("%s is listed twice", m.Name)
		case !read && !own && !empty:
			t.Errorf("%s answers %s: read it in readers, or say in ownActs why it shows nothing "+
				"of others", m.Name, m.Answer)
		}
	}
	for name := range readers {
		if !known[name] {
			t.Errorf("there is no method %s", name)
		}
	}
	for name := range ownActs {
		if !known[name] {
			t.Errorf("there is no method %s", name)
		}
	}
}
