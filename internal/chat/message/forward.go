package message

import (
	"context"
	"strings"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/store"
)

// Forwarding is a request to forward messages.
type Forwarding struct {
	User ids.UserID
	From ids.Peer
	To   ids.Peer
	IDs  []int64
	// Random has one number per message.
	Random []int64
	Silent bool
	// DropAuthor sends the content as the user's own, DropCaption without the text of media.
	DropAuthor  bool
	DropCaption bool
	Protected   bool
	AsChat      bool
}

// Visible tells whether others may be led to a person by what he wrote.
type Visible func(r *store.Reader, viewer, author ids.UserID) (bool, error)

// Forward sends messages on. What was sent before an error stays sent and is returned with it.
//
// https://core.telegram.org/method/messages.forwardMessages
func (s *Service) Forward(ctx context.Context, f Forwarding, visible Visible) ([]Sent, error) {
	if len(f.IDs) != len(f.Random) {
		return nil, chat.Invalid("RANDOM_ID_INVALID")
	}
	outgoing, err := s.copies(ctx, f, visible)
	if err != nil {
		return nil, err
	}
	var out []Sent
	for _, o := range outgoing {
		sent, err := s.Send(ctx, o)
		if err != nil {
			return out, err
		}
		out = append(out, sent)
		if f.From.Kind() == ids.Channel && !sent.Again {
			if err := s.countForward(ctx, f.From, o.Content.Forward); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// copies makes the messages to send from those to forward.
func (s *Service) copies(ctx context.Context, f Forwarding, visible Visible) ([]Outgoing, error) {
	var out []Outgoing
	groups := make(map[int64]int64)
	err := s.Store.View(ctx, func(r *store.Reader) error {
		out = nil
		a, err := See(r, f.User, f.From, s.Clock.Now().Unix())
		if err != nil {
			return err
		}
		if a.Chat.Flags.Has(store.ChatNoForwards) {
			return errForwards
		}
		for i, id := range f.IDs {
			m, err := Get(r, f.User, f.From, id)
			if err != nil {
				return err
			}
			if err := forwardable(r, f.User, m); err != nil {
				return err
			}
			c, err := s.copied(r, f, m, visible)
			if err != nil {
				return err
			}
			o := Outgoing{
				From: f.User, To: f.To, Random: f.Random[i], Content: c, Silent: f.Silent,
				Protected: f.Protected, AsChat: f.AsChat, forwards: Ref{Box: m.Box, ID: m.ID},
			}
			if m.Grouped != 0 {
				if groups[m.Grouped] == 0 {
					groups[m.Grouped] = f.Random[i]
				}
				o.Grouped = groups[m.Grouped]
			}
			out = append(out, o)
		}
		return nil
	})
	return out, err
}

// forwardable refuses to forward what is protected, by who wrote it or by the service, and what is
// withheld from the user.
func forwardable(r *store.Reader, user ids.UserID, m store.Message) error {
	if m.Flags.Has(store.NoForwards) || m.Flags.Has(store.Service) {
		return errForwards
	}
	v, err := open(r, user, m)
	if err == nil && v.Still {
		err = errForwards
	}
	return err
}

var errForwards = chat.Invalid("CHAT_FORWARDS_RESTRICTED")

// copied is the content of a message as it is forwarded.
func (s *Service) copied(
	r *store.Reader, f Forwarding, m store.Message, visible Visible,
) (Content, error) {
	c, err := DecodeContent(m.Body)
	if err != nil {
		return c, err
	}
	c.Reply, c.Mentioned = nil, nil
	if f.DropCaption && c.Media != nil {
		c.Text, c.Entities = "", nil
	}
	if f.DropAuthor {
		c.Forward = nil
		c.Author = ""
		return c, nil
	}
	if c.Forward == nil {
		if c.Forward, err = source(r, f.User, m, c.Author, visible); err != nil {
			return c, err
		}
	} else {
		fwd := *c.Forward
		c.Forward = &fwd
	}
	c.Author = ""
	c.Forward.SavedPeer, c.Forward.SavedID = 0, 0
	if f.To == f.User.Peer() {
		c.Forward.SavedPeer, c.Forward.SavedID = f.From, m.ID
	}
	return c, nil
}

// source says where a message that was written here comes from.
func source(
	r *store.Reader, user ids.UserID, m store.Message, author string, visible Visible,
) (*Forward, error) {
	f := &Forward{Date: m.Date}
	if m.Flags.Has(store.Post) {
		f.From, f.Post, f.Author = m.Box, m.ID, author
		return f, nil
	}
	var err error
	f.From, f.Name, err = writer(r, user, m, visible)
	return f, err
}

// writer says by whom a message is that a user shows to others: the author, or only the name of one
// who does not want to be linked to.
func writer(
	r *store.Reader, user ids.UserID, m store.Message, visible Visible,
) (from ids.Peer, name string, err error) {
	author := m.From.User()
	if author == 0 || author == user {
		return m.From, "", nil
	}
	if visible != nil {
		if ok, err := visible(r, user, author); err != nil || ok {
			return m.From, "", err
		}
	}
	u, err := r.User(author)
	if err != nil {
		return 0, "", dropGone(err)
	}
	return 0, strings.TrimSpace(u.FirstName + " " + u.LastName), nil
}

// countForward counts a forward of a channel's post.
func (s *Service) countForward(ctx context.Context, channel ids.Peer, f *Forward) error {
	if f == nil || f.From != channel || f.Post == 0 {
		return nil
	}
	return s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		return tx.AddViews(channel, f.Post, 0, 1)
	})
}

// CountViews counts that posts of a channel were seen.
//
// https://core.telegram.org/method/messages.getMessagesViews
func (s *Service) CountViews(ctx context.Context, channel ids.Peer, list []int64) error {
	return s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		for _, id := range list {
			m, err := tx.Message(channel, id)
			if err != nil {
				if dropGone(err) != nil {
					return err
				}
				continue
			}
			if !m.Flags.Has(store.Post) {
				continue
			}
			if err := tx.AddViews(channel, id, 1, 0); err != nil {
				return err
			}
		}
		return nil
	})
}
