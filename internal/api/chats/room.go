package chats

import (
	"context"
	"errors"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// settleMost is how long an answer waits for the chat lists that it changes. Under a rush into one
// chat they follow later, by updates.
const settleMost = 3 * time.Second

// Room is what handlers about chats of many people answer with, here and in api/channels.
type Room struct {
	desk.Desk
	// Settled waits until what a box had to tell others is done.
	Settled func(ctx context.Context, box ids.Peer) error
}

// settleSteps is how many steps a change may take until it is in the chat lists: the deletion of a
// chat first finds its members, in a row of its own, and then tells them.
const settleSteps = 2

// Settle waits a while until the chat lists show what was changed.
func (h *Room) Settle(c *api.Call, boxes ...ids.Peer) error {
	ctx, cancel := context.WithTimeout(c.Context, settleMost)
	defer cancel()
	for i := range settleSteps * len(boxes) {
		err := h.Settled(ctx, boxes[i%len(boxes)])
		if errors.Is(err, context.DeadlineExceeded) && c.Context.Err() == nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Answer is an answer about a chat: other updates first, that it changed, and service messages that
// say how.
func (h *Room) Answer(
	c *api.Call, peer ids.Peer, first []tg.UpdateClass, sent ...message.Sent,
) (out *tg.Updates, err error) {
	var events []store.Event
	for _, s := range sent {
		if s.Message.ID != 0 {
			events = append(events, s.Event)
		}
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		v.Chat(peer)
		if peer.Kind() == ids.Channel {
			first = append(first, &tg.UpdateChannel{ChannelID: int64(peer.Channel())})
		}
		out = v.Updates(first, events...)
		return nil
	})
	return out, err
}

// Roster is Answer with the members of a basic group.
func (h *Room) Roster(
	c *api.Call, peer ids.Peer, first []tg.UpdateClass, sent ...message.Sent,
) (*tg.Updates, error) {
	err := h.View(c, func(_ *store.Reader, v *view.View) error {
		u := &tg.UpdateChatParticipants{Participants: v.Participants(peer)}
		first = append(first[:len(first):len(first)], u)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h.Answer(c, peer, first, sent...)
}

// Created names the first message of a chat by its random_id, which clients look for in the answer.
func Created(s message.Sent) []tg.UpdateClass {
	return []tg.UpdateClass{
		&tg.UpdateMessageID{ID: int(s.Message.ID), RandomID: s.Message.Nonce},
	}
}

// Missing names who could not be added to a chat.
func Missing(list []ids.UserID) []tg.MissingInvitee {
	out := make([]tg.MissingInvitee, 0, len(list))
	for _, id := range list {
		out = append(out, tg.MissingInvitee{UserID: int64(id)})
	}
	return out
}

// Joined wraps the answer of somebody who came into a chat.
func Joined(u *tg.Updates, err error) (tg.MessagesChatInviteJoinResultClass, error) {
	if err != nil {
		return nil, err
	}
	return &tg.MessagesChatInviteJoinResultOk{Updates: u}, nil
}
