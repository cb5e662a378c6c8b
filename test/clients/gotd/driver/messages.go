package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
)

// item is a message in a list.
type item struct {
	ID        int    `json:"id"`
	Text      string `json:"text"`
	Forwarded bool   `json:"forwarded"`
}

// listen returns what tells the test of updates.
func (p *person) listen() telegram.UpdateHandler {
	d := tg.NewUpdateDispatcher()
	message := func(m tg.MessageClass, kind string) {
		if m, ok := m.(*tg.Message); ok && (kind == "edited" || !m.Out) {
			p.emit(event{Kind: kind, Chat: chatOf(m.PeerID), ID: m.ID, Text: m.Message,
				Reactions: reactions(m)})
		}
	}
	d.OnNewMessage(func(_ context.Context, _ tg.Entities, u *tg.UpdateNewMessage) error {
		message(u.Message, "message")
		return nil
	})
	d.OnNewChannelMessage(func(
		_ context.Context, _ tg.Entities, u *tg.UpdateNewChannelMessage,
	) error {
		message(u.Message, "message")
		return nil
	})
	d.OnEditMessage(func(_ context.Context, _ tg.Entities, u *tg.UpdateEditMessage) error {
		message(u.Message, "edited")
		return nil
	})
	d.OnDeleteMessages(func(_ context.Context, _ tg.Entities, u *tg.UpdateDeleteMessages) error {
		p.emit(event{Kind: "deleted", IDs: u.Messages})
		return nil
	})
	d.OnReadHistoryOutbox(func(
		_ context.Context, _ tg.Entities, u *tg.UpdateReadHistoryOutbox,
	) error {
		p.emit(event{Kind: "read", Chat: chatOf(u.Peer), ID: u.MaxID})
		return nil
	})
	return d
}

func reactions(m *tg.Message) (out []string) {
	for _, r := range m.Reactions.Results {
		if r, ok := r.Reaction.(*tg.ReactionEmoji); ok {
			out = append(out, r.Emoticon)
		}
	}
	return out
}

// random returns what makes a send repeatable.
func random() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]))
}

// sent returns the message that an answer to a send is about.
func sent(got tg.UpdatesClass) (any, error) {
	list, ok := got.(*tg.Updates)
	if !ok {
		return nil, fmt.Errorf("a send is answered by %T", got)
	}
	for _, u := range list.Updates {
		if u, ok := u.(*tg.UpdateMessageID); ok {
			return item{ID: u.ID}, nil
		}
	}
	return nil, fmt.Errorf("a send is answered without updateMessageID")
}

func (p *person) send(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	got, err := p.MessagesSendMessage(ctx, &tg.MessagesSendMessageRequest{
		Peer: k.peer, Message: a.Text, RandomID: random(),
	})
	if err != nil {
		return nil, err
	}
	return sent(got)
}

// items returns the messages of an answer.
func (p *person) items(got tg.MessagesMessagesClass, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	list, ok := got.AsModified()
	if !ok {
		return nil, fmt.Errorf("the messages are %T", got)
	}
	p.learn(list.GetUsers(), list.GetChats())
	out := []item{}
	for _, m := range list.GetMessages() {
		if m, ok := m.(*tg.Message); ok {
			_, forwarded := m.GetFwdFrom()
			out = append(out, item{ID: m.ID, Text: m.Message, Forwarded: forwarded})
		}
	}
	return out, nil
}

func (p *person) history(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	return p.items(p.MessagesGetHistory(ctx, &tg.MessagesGetHistoryRequest{
		Peer: k.peer, Limit: a.Limit,
	}))
}

func (p *person) search(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	return p.items(p.MessagesSearch(ctx, &tg.MessagesSearchRequest{
		Peer: k.peer, Q: a.Text, Filter: &tg.InputMessagesFilterEmpty{}, Limit: 30,
	}))
}

func (p *person) edit(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	_, err = p.MessagesEditMessage(ctx, &tg.MessagesEditMessageRequest{
		Peer: k.peer, ID: a.ID, Message: a.Text,
	})
	return nil, err
}

func (p *person) remove(ctx context.Context, a args) (any, error) {
	_, err := p.MessagesDeleteMessages(ctx, &tg.MessagesDeleteMessagesRequest{
		Revoke: true, ID: a.IDs,
	})
	return nil, err
}

func (p *person) forward(ctx context.Context, a args) (any, error) {
	from, err := p.meet(a.From)
	if err != nil {
		return nil, err
	}
	to, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	req := &tg.MessagesForwardMessagesRequest{FromPeer: from.peer, ToPeer: to.peer, ID: a.IDs}
	for range a.IDs {
		req.RandomID = append(req.RandomID, random())
	}
	_, err = p.MessagesForwardMessages(ctx, req)
	return nil, err
}

func (p *person) react(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	_, err = p.MessagesSendReaction(ctx, &tg.MessagesSendReactionRequest{
		Peer: k.peer, MsgID: a.ID, Reaction: []tg.ReactionClass{
			&tg.ReactionEmoji{Emoticon: a.Emoji},
		},
	})
	return nil, err
}

func (p *person) read(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	_, err = p.MessagesReadHistory(ctx, &tg.MessagesReadHistoryRequest{Peer: k.peer, MaxID: a.ID})
	return nil, err
}
