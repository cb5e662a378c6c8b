package main

import (
	"context"
	"fmt"

	"github.com/gotd/td/constant"
	"github.com/gotd/td/tg"
)

// Chats are named as in the Bot API: users by their id, channels by a negative number.

func userChat(id int64) int64 {
	var chat constant.TDLibPeerID
	chat.User(id)
	return int64(chat)
}

func channelChat(id int64) int64 {
	var chat constant.TDLibPeerID
	chat.Channel(id)
	return int64(chat)
}

func chatOf(peer tg.PeerClass) int64 {
	switch peer := peer.(type) {
	case *tg.PeerUser:
		return userChat(peer.UserID)
	case *tg.PeerChannel:
		return channelChat(peer.ChannelID)
	default:
		return 0
	}
}

// learn keeps the access hashes of those whom an answer names.
func (p *person) learn(users []tg.UserClass, chats []tg.ChatClass) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range users {
		if u, ok := u.(*tg.User); ok {
			p.known[userChat(u.ID)] = known{peer: u.AsInputPeer()}
		}
	}
	for _, c := range chats {
		if c, ok := c.(*tg.Channel); ok {
			p.known[channelChat(c.ID)] = known{peer: c.AsInputPeer(), channel: c.AsInput()}
		}
	}
}

// meet finds a chat by what the test calls it.
func (p *person) meet(chat any) (known, error) {
	if chat == "me" {
		return known{peer: &tg.InputPeerSelf{}}, nil
	}
	number, ok := chat.(float64)
	if !ok {
		return known{}, fmt.Errorf("%v is no chat", chat)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.known[int64(number)]
	if !ok {
		return known{}, fmt.Errorf("never met %d", int64(number))
	}
	return k, nil
}

func (p *person) find(ctx context.Context, a args) (any, error) {
	found, err := p.resolve(ctx, a.Username)
	if err != nil {
		return nil, err
	}
	p.learn(found.Users, found.Chats)
	return map[string]int64{"id": chatOf(found.Peer)}, nil
}

func (p *person) dialogs(ctx context.Context, _ args) (any, error) {
	got, err := p.MessagesGetDialogs(ctx, &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: 100,
	})
	if err != nil {
		return nil, err
	}
	list, ok := got.AsModified()
	if !ok {
		return nil, fmt.Errorf("the dialogs are %T", got)
	}
	p.learn(list.GetUsers(), list.GetChats())
	texts := make(map[[2]int64]string)
	for _, m := range list.GetMessages() {
		if m, ok := m.(*tg.Message); ok {
			texts[[2]int64{chatOf(m.PeerID), int64(m.ID)}] = m.Message
		}
	}
	out := []map[string]any{}
	for _, d := range list.GetDialogs() {
		if d, ok := d.(*tg.Dialog); ok {
			chat := chatOf(d.Peer)
			out = append(out, map[string]any{"chat": chat, "unread": d.UnreadCount,
				"text": texts[[2]int64{chat, int64(d.TopMessage)}]})
		}
	}
	return out, nil
}

func (p *person) createChannel(ctx context.Context, a args) (any, error) {
	got, err := p.ChannelsCreateChannel(ctx, &tg.ChannelsCreateChannelRequest{
		Title: a.Title, Broadcast: true,
	})
	if err != nil {
		return nil, err
	}
	return p.entered(got)
}

// entered returns the channel of an answer by which one came into it.
func (p *person) entered(got tg.UpdatesClass) (any, error) {
	list, ok := got.(*tg.Updates)
	if !ok || len(list.Chats) != 1 {
		return nil, fmt.Errorf("no channel in %T", got)
	}
	p.learn(list.Users, list.Chats)
	return map[string]int64{"id": channelChat(list.Chats[0].GetID())}, nil
}

func (p *person) setChannelUsername(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	_, err = p.ChannelsUpdateUsername(ctx, &tg.ChannelsUpdateUsernameRequest{
		Channel: k.channel, Username: a.Username,
	})
	return nil, err
}

func (p *person) join(ctx context.Context, a args) (any, error) {
	found, err := p.resolve(ctx, a.Username)
	if err != nil {
		return nil, err
	}
	p.learn(found.Users, found.Chats)
	k, err := p.meet(float64(chatOf(found.Peer)))
	if err != nil {
		return nil, err
	}
	got, err := p.enter(ctx, k.channel)
	if err != nil {
		return nil, err
	}
	return p.entered(got)
}
