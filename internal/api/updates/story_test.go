package updates

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api/chats/roomtest"
	"parley/internal/api/live"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/dialog"
	"parley/internal/chat/fanout"
	"parley/internal/chat/message"
	"parley/internal/chat/secret"
	"parley/internal/ids"
	"parley/internal/mtproto/session"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

var (
	people  = []ids.UserID{roomtest.Alice, roomtest.Bob, roomtest.Carol}
	group   = ids.Peer(-7)
	channel = ids.PeerChannel(5)
)

// shown is what a client keeps of a message.
type shown struct {
	text, reactions string
	pinned, unheard bool
}

// client is what a client knows after the updates that it was given.
type client struct {
	pts      map[ids.Peer]int
	messages map[ids.Peer]map[int]shown
	// readIn and readOut are marks by peer.
	readIn, readOut map[ids.Peer]int
	problems        []string
}

func newClient(user ids.UserID) *client {
	return &client{
		pts:      map[ids.Peer]int{user.Peer(): store.FirstPts, channel: store.FirstPts},
		messages: map[ids.Peer]map[int]shown{user.Peer(): {}, channel: {}},
		readIn:   make(map[ids.Peer]int), readOut: make(map[ids.Peer]int),
	}
}

func (k *client) clone() *client {
	out := &client{
		pts: maps.Clone(k.pts), readIn: maps.Clone(k.readIn), readOut: maps.Clone(k.readOut),
		messages: make(map[ids.Peer]map[int]shown),
	}
	for in, list := range k.messages {
		out.messages[in] = maps.Clone(list)
	}
	return out
}

// same returns how two clients differ, "" when they do not.
func (k *client) same(other *client) string {
	var out []string
	for in, list := range k.messages {
		if k.pts[in] != other.pts[in] {
			out = append(out, fmt.Sprintf("box %d: pts %d, %d", in, k.pts[in], other.pts[in]))
		}
		if !maps.Equal(list, other.messages[in]) {
			out = append(out, fmt.Sprintf("box %d:\n%v\n%v", in, list, other.messages[in]))
		}
	}
	if !maps.Equal(k.readIn, other.readIn) || !maps.Equal(k.readOut, other.readOut) {
		out = append(out, fmt.Sprintf("read %v %v, %v %v",
			k.readIn, k.readOut, other.readIn, other.readOut))
	}
	return strings.Join(out, "\n")
}

// move advances the pts of a box; a gap is a problem.
func (k *client) move(in ids.Peer, pts, count int) {
	if k.pts[in]+count != pts {
		k.problems = append(k.problems,
			fmt.Sprintf("box %d: %d follows %d by %d", in, pts, k.pts[in], count))
	}
	k.pts[in] = pts
}

func show(in tg.MessageClass) (int, shown) {
	var s shown
	switch m := in.(type) {
	case *tg.Message:
		s = shown{text: m.Message, pinned: m.Pinned}
		if _, post := m.PeerID.(*tg.PeerChannel); !post {
			s.unheard = m.MediaUnread
		}
		for _, r := range m.Reactions.Results {
			s.reactions += fmt.Sprint(r.Reaction.(*tg.ReactionEmoji).Emoticon, r.Count)
		}
	case *tg.MessageService:
		s.text = fmt.Sprintf("%T", m.Action)
	}
	return in.GetID(), s
}

func peerOf(p tg.PeerClass) ids.Peer {
	switch p := p.(type) {
	case *tg.PeerUser:
		return ids.UserID(p.UserID).Peer()
	case *tg.PeerChat:
		return ids.PeerChat(ids.ChatID(p.ChatID))
	case *tg.PeerChannel:
		return ids.PeerChannel(ids.ChannelID(p.ChannelID))
	}
	return 0
}

func (k *client) put(in ids.Peer, m tg.MessageClass) {
	id, s := show(m)
	k.messages[in][id] = s
}

func (k *client) change(in ids.Peer, list []int, fn func(*shown)) {
	for _, id := range list {
		if s, ok := k.messages[in][id]; ok {
			fn(&s)
			k.messages[in][id] = s
		}
	}
}

// apply takes an update in; moves says whether its pts counts, as it does live.
func (k *client) apply(self ids.Peer, update tg.UpdateClass, moves bool) {
	move := k.move
	if !moves {
		move = func(ids.Peer, int, int) {}
	}
	drop := func(in ids.Peer, list []int) {
		for _, id := range list {
			delete(k.messages[in], id)
		}
	}
	switch u := update.(type) {
	case *tg.UpdateNewMessage:
		move(self, u.Pts, u.PtsCount)
		k.put(self, u.Message)
	case *tg.UpdateEditMessage:
		move(self, u.Pts, u.PtsCount)
		k.put(self, u.Message)
	case *tg.UpdateDeleteMessages:
		move(self, u.Pts, u.PtsCount)
		drop(self, u.Messages)
	case *tg.UpdateReadHistoryInbox:
		move(self, u.Pts, u.PtsCount)
		k.readIn[peerOf(u.Peer)] = u.MaxID
	case *tg.UpdateReadHistoryOutbox:
		move(self, u.Pts, u.PtsCount)
		k.readOut[peerOf(u.Peer)] = u.MaxID
	case *tg.UpdateReadMessagesContents:
		move(self, u.Pts, u.PtsCount)
		k.change(self, u.Messages, func(s *shown) { s.unheard = false })
	case *tg.UpdatePinnedMessages:
		move(self, u.Pts, u.PtsCount)
		k.change(self, u.Messages, func(s *shown) { s.pinned = u.Pinned })
	case *tg.UpdateNewChannelMessage:
		move(channel, u.Pts, u.PtsCount)
		k.put(channel, u.Message)
	case *tg.UpdateEditChannelMessage:
		move(channel, u.Pts, u.PtsCount)
		k.put(channel, u.Message)
	case *tg.UpdateDeleteChannelMessages:
		move(channel, u.Pts, u.PtsCount)
		drop(channel, u.Messages)
	case *tg.UpdatePinnedChannelMessages:
		move(channel, u.Pts, u.PtsCount)
		k.change(channel, u.Messages, func(s *shown) { s.pinned = u.Pinned })
	case *tg.UpdateReadChannelInbox:
		k.readIn[channel] = u.MaxID
	case *tg.UpdateReadChannelOutbox:
		k.readOut[channel] = u.MaxID
	}
}

// listener is a live session that keeps what it is told.
type listener struct {
	self ids.Peer
	// heard has something in it when something was pushed since it was last looked at.
	heard chan struct{}
	mu    sync.Mutex
	*client
}

func (l *listener) Layer() int { return 1 }

func (l *listener) KeyID() int64 { return 0 }

func (l *listener) Push(b session.Body) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		select {
		case l.heard <- struct{}{}:
		default:
		}
	}()
	u, err := tg.DecodeUpdates(&bin.Buffer{Buf: b.Bytes})
	if err != nil {
		l.problems = append(l.problems, err.Error())
		return
	}
	list, ok := u.(*tg.Updates)
	if !ok {
		l.problems = append(l.problems, fmt.Sprintf("pushed %T", u))
		return
	}
	for _, x := range list.Updates {
		l.apply(l.self, x, true)
	}
}

// story is a world in which things happen, with clients that listen and clients that ask.
type story struct {
	*roomtest.World
	h     *Handlers
	rand  *rand.Rand
	live  map[ids.UserID]*listener
	asked map[ids.UserID][]*client
}

func newStory(t *testing.T, seed uint64) *story {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := store.Open(ctx, store.Options{
		URL: storetest.SQLiteURL(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := roomtest.New(t, s)
	x := &story{
		World: w, rand: rand.New(rand.NewPCG(seed, 1)),
		h: &Handlers{
			Desk: w.Desk, Secret: &secret.Service{Store: w.Store, Clock: w.Clock},
		},
		live: make(map[ids.UserID]*listener), asked: make(map[ids.UserID][]*client),
	}
	w.Desk.Env.Reference = view.References{Clock: w.Clock}.Make
	renderer := &live.Renderer{Store: s, Env: w.Desk.Env, Clock: w.Clock}
	down := func(_ int, body []byte) ([]byte, error) { return body, nil }
	hub := fanout.NewHub(ctx, s, renderer.Render(down), slog.New(slog.DiscardHandler), 2)
	s.OnCommit(func(c store.Commit) {
		hub.Committed(c)
		w.Courier.Committed(c)
	})
	for _, peer := range []ids.Peer{group, channel} {
		w.Update(peer, func(tx *store.Tx) error {
			c := store.Chat{Peer: peer, Title: "All", Members: 3}
			if peer == channel {
				c.Flags = store.Megagroup
			}
			if err := tx.PutChat(c); err != nil {
				return err
			}
			for i, who := range people {
				role := store.Participant
				if i == 0 {
					role = store.Creator
				}
				m := store.Member{Peer: peer, User: who, Role: role, Date: 1}
				if err := tx.PutMember(m); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, who := range people {
		w.Update(who.Peer(), func(tx *store.Tx) error {
			return tx.PutDialog(store.Dialog{User: who, Peer: channel})
		})
		l := &listener{
			self: who.Peer(), client: newClient(who), heard: make(chan struct{}, 1),
		}
		if err := hub.Attach(ctx, who, l); err != nil {
			t.Fatal(err)
		}
		x.live[who] = l
		x.asked[who] = []*client{newClient(who)}
	}
	return x
}

// pick returns somebody, a peer of his and some message that he sees there, 0 when there is none.
func (x *story) pick() (who ids.UserID, peer ids.Peer, list []store.Message) {
	who = people[x.rand.IntN(len(people))]
	peers := []ids.Peer{group, group, channel, channel}
	for _, other := range people {
		peers = append(peers, other.Peer())
	}
	peer = peers[x.rand.IntN(len(peers))]
	x.View(func(r *store.Reader) (err error) {
		list, err = message.History(r, who, peer, 0, message.Page{Limit: 100})
		return err
	})
	x.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return who, peer, list
}

// step lets something happen. What the rules refuse does not.
func (x *story) step() error {
	ctx := context.Background()
	who, peer, list := x.pick()
	var id int64
	if len(list) > 0 {
		id = list[0].ID
	}
	some := make([]int64, 0, 3)
	for _, m := range list[:min(len(list), x.rand.IntN(4))] {
		some = append(some, m.ID)
	}
	coin := x.rand.IntN(2) == 0
	var err error
	switch x.rand.IntN(12) {
	case 0, 1, 2, 3:
		o := message.Outgoing{
			From: who, To: peer, Random: x.Random(),
			Content: message.Content{Text: fmt.Sprint("said ", x.rand.IntN(1000))},
		}
		if coin {
			o.ReplyTo = id
		}
		if x.rand.IntN(4) == 0 {
			o.Content.Media = &message.Media{Kind: message.Document, ID: 9, Class: message.Voice}
		}
		if x.rand.IntN(3) == 0 {
			o.Mentions = []ids.UserID{people[x.rand.IntN(len(people))]}
		}
		_, err = x.Message.Send(ctx, o)
	case 4:
		text := fmt.Sprint("edited ", x.rand.IntN(1000))
		_, err = x.Message.Edit(ctx, who, peer, id, message.Change{Text: &text})
	case 5:
		if peer == channel {
			_, err = x.Message.DeletePosts(ctx, who, peer, some)
		} else {
			_, err = x.Message.Delete(ctx, who, some, coin)
		}
	case 6, 7:
		_, err = x.Message.Read(ctx, who, peer, id)
	case 8:
		if peer == channel {
			_, err = x.Message.ReadContents(ctx, who, channel, some)
		} else {
			_, err = x.Message.ReadContents(ctx, who, who.Peer(), some)
		}
	case 9:
		_, err = x.Message.Pin(ctx, who, peer, id, coin, x.rand.IntN(4) == 0)
	case 10:
		emoji := []string{"👍", "❤", "🔥"}[:x.rand.IntN(3)]
		_, err = x.Message.React(ctx, who, peer, id, emoji)
	case 11:
		switch x.rand.IntN(6) {
		case 0:
			if peer != channel {
				_, err = x.Message.DeleteHistory(ctx, who, peer, id, coin, !coin)
			}
		case 1:
			_, err = x.Message.UnpinAll(ctx, who, peer)
		default:
			_, err = x.Message.ReadMentions(ctx, who, peer)
		}
	}
	var refusal chat.Refusal
	if errors.As(err, &refusal) {
		err = nil
	}
	return err
}

// settle waits until all that happened has reached every box.
func (x *story) settle() {
	x.T.Helper()
	for range 2 {
		for _, in := range append([]ids.Peer{channel}, x.boxes()...) {
			if err := x.Settled(context.Background(), in); err != nil {
				x.T.Fatal(err)
			}
		}
	}
}

func (x *story) boxes() (out []ids.Peer) {
	for _, who := range people {
		out = append(out, who.Peer())
	}
	return out
}

// reload is what a client knows that asks for everything.
func (x *story) reload(who ids.UserID) *client {
	k := newClient(who)
	x.View(func(r *store.Reader) error {
		v := view.New(r, x.Desk.Env, who, x.Clock.Now().Unix())
		for in := range k.messages {
			b, err := r.Box(in)
			if err != nil {
				return err
			}
			k.pts[in] = int(b.Pts)
			for id := int64(1); id <= b.TopID; id++ {
				m, err := r.Message(in, id)
				if store.IsNotFound(err) {
					continue
				}
				if err != nil {
					return err
				}
				k.put(in, v.Message(m))
			}
		}
		lines, err := r.Dialogs(who)
		for _, d := range lines {
			if d.ReadIn > 0 && d.Peer != who.Peer() {
				k.readIn[d.Peer] = int(d.ReadIn)
			}
			if d.ReadOut > 0 && d.Peer != who.Peer() {
				k.readOut[d.Peer] = int(d.ReadOut)
			}
		}
		return errors.Join(err, v.Err())
	})
	return k
}

// ask brings a client up to date by differences.
func (x *story) ask(who ids.UserID, k *client) {
	x.T.Helper()
	self := who.Peer()
	take := func(in ids.Peer, messages []tg.MessageClass, others []tg.UpdateClass) {
		for _, m := range messages {
			k.put(in, m)
		}
		for _, u := range others {
			k.apply(self, u, false)
		}
	}
	for done := false; !done; {
		out, err := x.h.getDifference(x.Call(who), &tg.UpdatesGetDifferenceRequest{
			Pts: k.pts[self], Date: 1_600_000_000, PtsLimit: 10 + x.rand.IntN(30),
		})
		if err != nil {
			x.T.Fatal(err)
		}
		switch d := out.(type) {
		case *tg.UpdatesDifferenceEmpty:
			done = true
		case *tg.UpdatesDifference:
			take(self, d.NewMessages, d.OtherUpdates)
			k.pts[self], done = d.State.Pts, true
		case *tg.UpdatesDifferenceSlice:
			take(self, d.NewMessages, d.OtherUpdates)
			if d.IntermediateState.Pts <= k.pts[self] {
				x.T.Fatalf("a slice from %d leads to %d", k.pts[self], d.IntermediateState.Pts)
			}
			k.pts[self] = d.IntermediateState.Pts
		default:
			x.T.Fatalf("difference %T", out)
		}
	}
	for done := false; !done; {
		out, err := x.h.getChannelDifference(x.Call(who), &tg.UpdatesGetChannelDifferenceRequest{
			Channel: roomtest.InputChannel(who, channel), Pts: k.pts[channel],
			Filter: &tg.ChannelMessagesFilterEmpty{}, Limit: 1 + x.rand.IntN(30),
		})
		if err != nil {
			x.T.Fatal(err)
		}
		switch d := out.(type) {
		case *tg.UpdatesChannelDifferenceEmpty:
			done = d.Final
		case *tg.UpdatesChannelDifference:
			take(channel, d.NewMessages, d.OtherUpdates)
			k.pts[channel], done = d.Pts, d.Final
		default:
			x.T.Fatalf("difference %T", out)
		}
	}
}

// check compares what was told live, what differences say and what there is.
func (x *story) check() {
	x.T.Helper()
	x.settle()
	for _, who := range people {
		want := x.reload(who)
		asked := x.asked[who]
		late := asked[x.rand.IntN(len(asked))].clone()
		x.ask(who, late)
		if diff := want.same(late); diff != "" {
			x.T.Errorf("%d: reload and difference differ:\n%s", who, diff)
		}
		x.asked[who] = append(asked, late)
		l := x.live[who]
		deadline := time.After(20 * time.Second)
		for {
			l.mu.Lock()
			diff := want.same(l.client)
			l.mu.Unlock()
			if diff == "" {
				break
			}
			select {
			case <-l.heard:
			case <-deadline:
				x.T.Fatalf("%d: reload and live updates differ:\n%s", who, diff)
			}
		}
		l.mu.Lock()
		for _, p := range l.problems {
			x.T.Errorf("%d live: %s", who, p)
		}
		l.mu.Unlock()
		x.recount(who)
	}
}

// recount compares the counters of a user's dialogs with what there is to count.
func (x *story) recount(who ids.UserID) {
	x.T.Helper()
	x.View(func(r *store.Reader) error {
		lines, err := dialog.List(r, who, 0)
		if err != nil {
			return err
		}
		for _, l := range lines {
			rows, err := message.History(r, who, l.Peer, 0, message.Page{Limit: 100})
			if err != nil || len(rows) == 100 {
				return err
			}
			want := store.Dialog{}
			for i, m := range rows {
				if i == 0 {
					want.TopID = m.ID
				}
				mine := m.Flags.Has(store.Out) || l.Peer == channel && m.From == who.Peer()
				if m.ID > l.ReadIn && !mine {
					want.Unread++
				}
				if m.Flags.Has(store.Mentioned | store.MediaUnread) {
					want.Mentions++
				}
				want.Messages++
			}
			list, err := r.Mentions(who, l.Peer, 1<<31-1, 1000)
			if err != nil {
				return err
			}
			if l.Peer == channel {
				want.Mentions, want.Messages = int64(len(list)), l.Messages
				for _, id := range list {
					if _, err := r.Message(channel, id); err != nil {
						x.T.Errorf("%d is called by post %d: %v", who, id, err)
					}
				}
			}
			got := store.Dialog{
				TopID: l.TopID, Unread: l.Unread, Mentions: l.Mentions, Messages: l.Messages,
			}
			if got.TopID != want.TopID || got.Unread != want.Unread ||
				got.Mentions != want.Mentions || got.Messages != want.Messages ||
				int(l.Mentions) != len(list) {
				x.T.Errorf("%d with %d: counted %+v, kept %+v", who, l.Peer, want, got)
			}
		}
		return nil
	})
}

// TestOneStory lets many things happen at random, and looks now and then whether live updates,
// differences from any time before and a reload all tell the same story.
func TestOneStory(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			x := newStory(t, seed)
			for n := range 240 {
				if err := x.step(); err != nil {
					t.Fatal(err)
				}
				if x.rand.IntN(3) > 0 {
					x.settle()
				}
				if n%40 == 39 {
					x.check()
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}
