// Package demo fills an empty server with something to look at: invented members, a channel with
// posts and a group with talk. Everything it makes is visibly synthetic: members are called "Member
// 1" to "Member 300" and are marked as such in the store. Anybody can log in as one of them with a
// code that everybody knows, which is why a demo server stays on its machine.
package demo

import (
	"context"
	"fmt"

	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// Members is how many members there are.
	Members = 300
	// Code is the login code of each of them.
	Code = "22222"
	// ChannelName and GroupName are the usernames of what there is to see.
	ChannelName = "parley_demo"
	GroupName   = "parley_demo_talk"
	// marker is the store's note that the demo is there.
	marker = "demo"
)

// Phone is the number of the nth member, from 1.
func Phone(n int) string { return fmt.Sprintf("999662%04d", n) }

// Place is a chat to make.
type Place struct {
	Broadcast bool
	Title     string
	About     string
	Username  string
}

// Rooms are the parts of the messenger that the demo uses.
type Rooms struct {
	Store   *store.Store
	Clock   clock.Clock
	Message *message.Service
	// Register makes an account.
	Register func(ctx context.Context, phone, first, last string) (ids.UserID, error)
	// Create makes a channel or supergroup owned by somebody.
	Create func(ctx context.Context, owner ids.UserID, p Place) (ids.Peer, error)
	// Join makes somebody a member of a public chat.
	Join func(ctx context.Context, user ids.UserID, chat ids.Peer) error
	// Settled waits until what a box had to tell others is done.
	Settled func(ctx context.Context, box ids.Peer) error
}

// posts are what the channel says.
var posts = []string{
	"Welcome to the demonstration channel of this server.",
	"Everything here is invented. The members are numbered, so that nobody takes them for people.",
	"A post like this one is stored once, however many subscribers there are.",
	"Добро пожаловать! Здесь можно искать и по-русски.",
	"خوش آمدید! این پیام از راست به چپ است.",
	"Selamat datang! Cobalah mencari pesan ini.",
	"Willkommen! Auch die Suche nach Straßen funktioniert.",
	"欢迎使用这个服务器。",
	"React to this post, forward it, or search for it.",
}

// talk is what the group says.
var talk = []string{
	"Is anybody here?",
	"Three hundred of us, all made of numbers.",
	"What can one do here?",
	"Write, answer, edit, delete, pin, react: try it on this message.",
	"And if the server is switched off in the middle?",
	"Whatever got its tick is still there afterwards.",
}

// Fill fills the server. On one that was filled before it does nothing; one that was interrupted it
// completes.
func Fill(ctx context.Context, r Rooms) error {
	done, err := r.done(ctx)
	if err != nil || done {
		return err
	}
	members := make([]ids.UserID, 0, Members)
	for n := 1; n <= Members; n++ {
		id, err := r.member(ctx, n)
		if err != nil {
			return fmt.Errorf("demo: member %d: %w", n, err)
		}
		members = append(members, id)
	}
	channel, err := r.chat(ctx, members, Place{
		Broadcast: true, Title: "Parley Demo", Username: ChannelName,
		About: "What a channel looks like on this server.",
	})
	if err != nil {
		return fmt.Errorf("demo: channel: %w", err)
	}
	group, err := r.chat(ctx, members, Place{
		Title: "Parley Demo Talk", Username: GroupName,
		About: "What a group looks like on this server.",
	})
	if err != nil {
		return fmt.Errorf("demo: group: %w", err)
	}
	for i, text := range posts {
		if err := r.say(ctx, members[0], channel, text, i); err != nil {
			return err
		}
	}
	for i, text := range talk {
		if err := r.say(ctx, members[i%len(members)], group, text, i); err != nil {
			return err
		}
	}
	return r.Store.Update(ctx, 0, func(tx *store.Tx) error { return tx.SetMeta(marker, 1) })
}

func (r *Rooms) done(ctx context.Context) (done bool, err error) {
	err = r.Store.View(ctx, func(v *store.Reader) error {
		_, err := v.Meta(marker)
		done = err == nil
		if store.IsNotFound(err) {
			return nil
		}
		return err
	})
	return done, err
}

// member returns the nth member, whom it makes if he is not there.
func (r *Rooms) member(ctx context.Context, n int) (id ids.UserID, err error) {
	err = r.Store.View(ctx, func(v *store.Reader) (err error) {
		id, err = v.UserByPhone(Phone(n))
		return err
	})
	if !store.IsNotFound(err) {
		return id, err
	}
	if id, err = r.Register(ctx, Phone(n), "Member", fmt.Sprint(n)); err != nil {
		return id, err
	}
	return id, r.Store.Update(ctx, id.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		u.Flags |= store.UserSynthetic
		u.About = "An invented member of a demonstration."
		return tx.PutUser(u)
	})
}

// chat returns a chat by its username; one that is not there it makes, with all members in it.
func (r *Rooms) chat(ctx context.Context, members []ids.UserID, p Place) (peer ids.Peer, err error) {
	err = r.Store.View(ctx, func(v *store.Reader) (err error) {
		peer, err = v.PeerByUsername(p.Username)
		return err
	})
	if store.IsNotFound(err) {
		peer, err = r.Create(ctx, members[0], p)
	}
	if err != nil {
		return peer, err
	}
	for _, id := range members[1:] {
		var in bool
		err := r.Store.View(ctx, func(v *store.Reader) error {
			m, err := v.Member(peer, id)
			in = m.Role.In()
			return err
		})
		if err == nil && !in {
			err = r.Join(ctx, id, peer)
		}
		if err != nil {
			return peer, err
		}
	}
	return peer, r.Settled(ctx, peer)
}

// say writes the nth message of a chat, once.
func (r *Rooms) say(ctx context.Context, from ids.UserID, to ids.Peer, text string, n int) error {
	_, err := r.Message.Send(ctx, message.Outgoing{
		From: from, To: to, Random: int64(n + 1), Content: message.Content{Text: text}, Silent: true,
		Trusted: true,
	})
	return err
}
