// Package updates answers the updates.* methods: where a box stands, and what happened in it since.
// It reads the same entries that live updates are made from.
//
// https://core.telegram.org/api/updates
package updates

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/dialog"
	"parley/internal/chat/message"
	"parley/internal/chat/secret"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// slice is the largest number of entries in one difference of a user's box.
	slice = 500
	// channelSlice is the same for a channel, unless the client asks for less.
	channelSlice = 100
	// tooFar is how many entries a client may miss before it is told to start anew.
	tooFar = 20_000
	// channelTooFar is the same for a channel: the newest messages then serve better.
	channelTooFar = 1000
	// stateSlack is how much older than the client's date, in seconds, entries without a pts are
	// repeated: the client's date may be a little ahead of what it has applied.
	stateSlack = 60
	// notesMost is how many entries without a pts are told at one pts.
	notesMost = 1000
	// withoutNotes as a time leaves out all entries without a pts.
	withoutNotes = 1 << 62
	// pollSeconds is how long a client without pushes should wait before it asks again.
	pollSeconds = 30
)

// Handlers answer updates.*.
type Handlers struct {
	desk.Desk
	Secret *secret.Service
}

// Methods are the rows of the namespace.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Read, h.getState),
		api.On(api.User, api.Read, h.getDifference),
		api.On(api.User, api.Read, h.getChannelDifference),
	}
}

func state(b store.Box, qts, now int64) tg.UpdatesState {
	return tg.UpdatesState{Pts: int(b.Pts), Qts: int(qts), Date: int(now)}
}

// getState says where the caller's box stands.
//
// https://core.telegram.org/method/updates.getState
func (h *Handlers) getState(c *api.Call, _ *tg.UpdatesGetStateRequest) (*tg.UpdatesState, error) {
	var out tg.UpdatesState
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		b, err := r.Box(c.Self.Peer())
		if err != nil {
			return err
		}
		d, err := r.SecretDevice(c.Self, c.Key.ID)
		out = state(b, d.Qts, c.Unix())
		return err
	})
	return &out, err
}

// getDifference says what happened in the caller's box since a state.
//
// https://core.telegram.org/method/updates.getDifference
func (h *Handlers) getDifference(
	c *api.Call, req *tg.UpdatesGetDifferenceRequest,
) (out tg.UpdatesDifferenceClass, err error) {
	most := slice
	if req.PtsLimit > 0 {
		most = min(most, max(req.PtsLimit, 10))
	}
	who := secret.Caller{User: c.Self, Key: c.Key.ID}
	if err := h.Secret.Has(c.Context, who, int64(req.Qts)); err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		b, err := r.Box(c.Self.Peer())
		if err != nil {
			return err
		}
		from := int64(req.Pts)
		if from < 0 || from > b.Pts {
			return chat.Invalid("PERSISTENT_TIMESTAMP_INVALID")
		}
		first, err := r.FirstEvent(c.Self.Peer())
		if err != nil {
			return err
		}
		total := int64(req.PtsTotalLimit)
		if from < first && first > store.FirstPts || b.Pts-from > tooFar ||
			total > 0 && b.Pts-from > total {
			out = &tg.UpdatesDifferenceTooLong{Pts: int(b.Pts)}
			return nil
		}
		s, err := secrets(c, r, v.On(c.Key.ID), int64(req.Qts), int64(req.Date)-stateSlack)
		if err != nil {
			return err
		}
		out, err = h.difference(c, r, v, b, span{from, int64(req.Date) - stateSlack, most}, s)
		return err
	})
	return out, err
}

// span is what a difference tells of: up to most entries after a pts; without a pts, since a time.
type span struct {
	from, since int64
	most        int
}

func (h *Handlers) difference(
	c *api.Call, r *store.Reader, v *view.View, b store.Box, of span, s told,
) (tg.UpdatesDifferenceClass, error) {
	events, cut, err := stretch(r, c.Self.Peer(), of.from, of.since, of.most)
	if err != nil {
		return nil, err
	}
	messages, others := split(v, events, 0)
	end := b
	if cut {
		end.Pts = max(events[len(events)-1].Pts, of.from)
	}
	others = append(others, s.chats...)
	if end.Pts < b.Pts || s.cut {
		return &tg.UpdatesDifferenceSlice{
			NewMessages: messages, NewEncryptedMessages: s.messages, OtherUpdates: others,
			Chats: v.Chats(), Users: v.Users(), IntermediateState: state(end, s.qts, c.Unix()),
		}, nil
	}
	moved, err := channelsMoved(r, v, c.Self, of.since)
	if err != nil {
		return nil, err
	}
	others = append(others, moved...)
	if len(events)+len(moved)+len(s.messages)+len(s.chats) == 0 {
		return &tg.UpdatesDifferenceEmpty{Date: int(c.Unix())}, nil
	}
	return &tg.UpdatesDifference{
		NewMessages: messages, NewEncryptedMessages: s.messages, OtherUpdates: others,
		Chats: v.Chats(), Users: v.Users(), State: state(b, s.qts, c.Unix()),
	}, nil
}

// stretch returns at most so many entries after a pts, and whether there may be more. It ends where
// a pts ends, with all that happened there without moving it, because a client cannot ask for the
// rest of a pts; and it always gets beyond from.
func stretch(
	r *store.Reader, in ids.Peer, from, since int64, most int,
) (events []store.Event, cut bool, err error) {
	events, err = r.Events(in, from, since, most)
	if err != nil || len(events) < most {
		return events, false, err
	}
	if events[most-1].Pts == from {
		most += notesMost
		if events, err = r.Events(in, from, since, most); err != nil || len(events) < most {
			return events, false, err
		}
	}
	if events[most-1].Pts == from {
		// So many entries without a pts are left out: their state can be asked for.
		events, err = r.Events(in, from, withoutNotes, most)
		return events, len(events) == most, err
	}
	last := events[most-1]
	rest, err := r.Events(in, last.Pts, since, notesMost)
	for _, e := range rest {
		if e.Pts == last.Pts && e.Sub > last.Sub {
			events = append(events, e)
		}
	}
	return events, true, err
}

// channelsMoved names the channels of a user in which somebody wrote since a time: many clients ask
// for the difference of a channel only when they are told to.
//
// https://core.telegram.org/constructor/updateChannelTooLong
func channelsMoved(
	r *store.Reader, v *view.View, user ids.UserID, since int64,
) ([]tg.UpdateClass, error) {
	channels, err := r.ChannelsOf(user)
	if err != nil {
		return nil, err
	}
	var out []tg.UpdateClass
	for _, peer := range channels {
		b, err := r.Box(peer)
		if err != nil {
			return nil, err
		}
		if b.TopDate < since {
			continue
		}
		u := &tg.UpdateChannelTooLong{ChannelID: int64(peer.Channel())}
		u.SetPts(int(b.Pts))
		v.Chat(peer)
		out = append(out, u)
	}
	return out, nil
}

// split renders entries: new messages apart from the rest. An edit of a message that is itself new
// in the same stretch says nothing more, because the message is rendered as it is now. Messages up
// to an id are hidden from the viewer.
func split(
	v *view.View, events []store.Event, hidden int64,
) ([]tg.MessageClass, []tg.UpdateClass) {
	var messages []tg.MessageClass
	var others []tg.UpdateClass
	fresh := make(map[int64]bool)
	for _, e := range events {
		entry, err := box.Decode(e)
		if err == nil && entry.ID != 0 && entry.ID <= hidden {
			continue
		}
		if err == nil && box.Kind(e.Kind) == box.NewMessage {
			fresh[entry.ID] = true
		}
		if err == nil && box.Kind(e.Kind) == box.EditMessage && fresh[entry.ID] {
			continue
		}
		switch u := v.Update(e).(type) {
		case nil:
		case *tg.UpdateNewMessage:
			messages = append(messages, u.Message)
		case *tg.UpdateNewChannelMessage:
			messages = append(messages, u.Message)
		default:
			others = append(others, u)
		}
	}
	return messages, others
}

// getChannelDifference says what happened in a channel since a pts.
//
// https://core.telegram.org/method/updates.getChannelDifference
func (h *Handlers) getChannelDifference(
	c *api.Call, req *tg.UpdatesGetChannelDifferenceRequest,
) (out tg.UpdatesChannelDifferenceClass, err error) {
	channel, err := h.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if req.Pts < 0 {
		return nil, chat.Invalid("PERSISTENT_TIMESTAMP_INVALID")
	}
	most := channelSlice
	if req.Limit > 0 {
		most = min(most, req.Limit)
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, channel, c.Unix()); err != nil {
			return err
		}
		b, err := r.Box(channel)
		if err != nil {
			return err
		}
		first, err := r.FirstEvent(channel)
		if err != nil {
			return err
		}
		from := int64(req.Pts)
		if from > b.Pts {
			return chat.Invalid("PERSISTENT_TIMESTAMP_INVALID")
		}
		if from < first && first > store.FirstPts || b.Pts-from > channelTooFar {
			out, err = h.tooLong(c, r, v, b, most)
			return err
		}
		out, err = channelDifference(c, r, v, b, from, most)
		return err
	})
	return out, err
}

func channelDifference(
	c *api.Call, r *store.Reader, v *view.View, b store.Box, from int64, most int,
) (tg.UpdatesChannelDifferenceClass, error) {
	events, err := r.Events(b.ID, from, withoutNotes, most)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		empty := &tg.UpdatesChannelDifferenceEmpty{Final: true, Pts: int(b.Pts)}
		empty.SetTimeout(pollSeconds)
		empty.SetFlags()
		return empty, nil
	}
	above, err := message.Horizon(r, c.Self, b.ID)
	if err != nil {
		return nil, err
	}
	v.Chat(b.ID)
	messages, others := split(v, events, above)
	end := max(events[len(events)-1].Pts, from)
	if len(events) < most {
		end = b.Pts
	}
	d := &tg.UpdatesChannelDifference{
		Final: end == b.Pts, Pts: int(end), NewMessages: messages, OtherUpdates: others,
		Chats: v.Chats(), Users: v.Users(),
	}
	d.SetTimeout(pollSeconds)
	d.SetFlags()
	return d, nil
}

// tooLong answers with the newest messages instead of all that happened.
func (h *Handlers) tooLong(
	c *api.Call, r *store.Reader, v *view.View, b store.Box, most int,
) (tg.UpdatesChannelDifferenceClass, error) {
	d, err := r.DialogOrNew(c.Self, b.ID)
	if err != nil {
		return nil, err
	}
	line, err := dialog.Complete(r, d)
	if err != nil {
		return nil, err
	}
	rows, err := message.History(r, c.Self, b.ID, d.MinID, message.Page{Limit: most})
	if err != nil {
		return nil, err
	}
	out := &tg.UpdatesChannelDifferenceTooLong{Final: true, Dialog: v.Dialog(line)}
	for _, m := range rows {
		out.Messages = append(out.Messages, v.Message(m))
	}
	out.SetTimeout(pollSeconds)
	out.Chats, out.Users = v.Chats(), v.Users()
	out.SetFlags()
	return out, nil
}
