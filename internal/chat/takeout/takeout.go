// Package takeout writes a copy of what an account has here, for whom it belongs to: who he is, his
// contacts and devices, his messages and the files that hang on them. It has the form of Telegram
// Desktop's export, so that other programs read it, as ZIP archives that are made one after the
// other and may be made again. It reads and changes nothing else, and keeps nothing in memory but a
// page of messages and the names of the files of one archive.
//
// Invariants: of a channel or supergroup it has what the account wrote itself and nothing of
// others; of its own box it has what the account sees there; secret chats are not in it, because
// the server has nothing of them. What the service has taken away or withholds from the account is
// not in its copy either, nor is a file that hangs on that; the copy says why in its place.
//
// https://core.telegram.org/import-export
package takeout

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
)

// page is how many messages are read at once.
const page = 200

// ErrEnded is for an account that the service has ended: nothing of it is served to anybody.
var ErrEnded = chat.Forbidden("USER_DEACTIVATED")

// person is who the account is.
type person struct {
	ID       ids.UserID `json:"user_id"`
	First    string     `json:"first_name"`
	Last     string     `json:"last_name,omitempty"`
	Phone    string     `json:"phone_number"`
	Username string     `json:"username,omitempty"`
	Bio      string     `json:"bio,omitempty"`
	Created  string     `json:"created"`
}

// contact is somebody in the address book.
type contact struct {
	ID    ids.UserID `json:"user_id,omitempty"`
	First string     `json:"first_name"`
	Last  string     `json:"last_name,omitempty"`
	Phone string     `json:"phone_number,omitempty"`
}

// device is a device that is signed in.
type device struct {
	Device string `json:"device_model"`
	System string `json:"platform"`
	App    string `json:"application_name"`
	IP     string `json:"last_ip,omitempty"`
	Made   string `json:"created"`
	Active string `json:"last_active"`
}

// item is a message.
type item struct {
	ID     int64  `json:"id"`
	Type   string `json:"type"`
	Date   string `json:"date"`
	Unix   string `json:"date_unixtime"`
	Edited string `json:"edited_unixtime,omitempty"`
	From   string `json:"from"`
	FromID string `json:"from_id"`
	Reply  int64  `json:"reply_to_message_id,omitempty"`
	// Forwarded is who wrote first what somebody has passed on.
	Forwarded string `json:"forwarded_from,omitempty"`
	medium
	Text     string  `json:"text"`
	Entities []piece `json:"text_entities,omitempty"`
	// Withheld is why the message is withheld; Text says it in words then.
	Withheld string `json:"restriction_reason,omitempty"`
}

// afterAll is above the numbers of all messages.
const afterAll = 1 << 31

// found is a message with the file that hangs on it, if one does.
type found struct {
	item
	file *attached
}

// writer writes a file and keeps its first error.
type writer struct {
	*bufio.Writer
	err error
}

func (w *writer) raw(s string) {
	if w.err == nil {
		_, w.err = w.WriteString(s)
	}
}

func (w *writer) value(x any) {
	b, err := json.Marshal(x)
	if w.err == nil {
		w.err = err
	}
	w.raw(string(b))
}

// Write writes result.json of an account's copy, which is all but the files. Messages are read in
// pages, so that what arrives meanwhile may be in it or not. ErrEnded.
func (s *Service) Write(ctx context.Context, user ids.UserID, to io.Writer) error {
	w := &writer{Writer: bufio.NewWriter(to)}
	dialogs, err := s.dialogs(ctx, user)
	if err != nil {
		return fmt.Errorf("takeout: %w", err)
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		who, contacts, devices, err := about(r, user)
		if err != nil {
			return err
		}
		w.Reset(to)
		w.raw(`{"personal_information":`)
		w.value(who)
		w.raw(`,"contacts":{"list":`)
		w.value(contacts)
		w.raw(`},"sessions":{"list":`)
		w.value(devices)
		w.raw(`},"chats":{"list":[`)
		return nil
	})
	if err != nil {
		return fmt.Errorf("takeout: %w", err)
	}
	for i, d := range dialogs {
		if i > 0 {
			w.raw(",")
		}
		if err := s.chat(ctx, w, user, d); err != nil {
			return fmt.Errorf("takeout: chat %d: %w", i, err)
		}
	}
	w.raw("]}}\n")
	if w.err == nil {
		w.err = w.Flush()
	}
	return w.err
}

// about is what is known of the account beside its messages.
func about(r *store.Reader, user ids.UserID) (
	who person, contacts []contact, devices []device, err error,
) {
	u, err := r.User(user)
	if err != nil {
		return who, nil, nil, err
	}
	if u.Flags.Has(store.UserTerminated) {
		return who, nil, nil, ErrEnded
	}
	if u.Flags.Has(store.UserMeasured) {
		a, err := restrict.Of(r, user)
		if err != nil {
			return who, nil, nil, err
		}
		v, err := restrict.OfPeer(r, a, user.Peer())
		if err != nil {
			return who, nil, nil, err
		}
		if v.Hidden() {
			u.About = ""
		}
	}
	who = person{
		user, u.FirstName, u.LastName, "+" + u.Phone, u.Username, u.About, stamp(u.Created),
	}
	book, err := r.Contacts(user)
	if err != nil {
		return who, nil, nil, err
	}
	contacts, devices = []contact{}, []device{}
	for _, c := range book {
		ended, err := endedUser(r, c.Contact)
		if err != nil {
			return who, nil, nil, err
		}
		if !ended {
			contacts = append(contacts, contact{c.Contact, c.FirstName, c.LastName, c.Phone})
		}
	}
	list, err := r.Authorizations(user)
	for _, a := range list {
		devices = append(devices, device{
			a.Device, a.System, a.App, a.IP, stamp(a.Created), stamp(a.Active),
		})
	}
	return who, contacts, devices, err
}

// endedUser tells whether the service has ended somebody's account.
func endedUser(r *store.Reader, user ids.UserID) (bool, error) {
	u, err := r.User(user)
	if store.IsNotFound(err) {
		return false, nil
	}
	return u.Flags.Has(store.UserTerminated), err
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05") }

// chat writes a chat with its messages, the oldest first.
func (s *Service) chat(ctx context.Context, w *writer, user ids.UserID, d store.Dialog) error {
	name, kind := "", "personal_chat"
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		name, err = nameOf(r, d.Peer)
		return err
	})
	if err != nil {
		return err
	}
	switch d.Peer.Kind() {
	case ids.Chat:
		kind = "private_group"
	case ids.Channel:
		kind = "private_supergroup"
	}
	w.raw(`{"name":`)
	w.value(name)
	w.raw(`,"type":"` + kind + `","id":` + strconv.FormatInt(int64(d.Peer), 10) + `,"messages":[`)
	first := true
	err = s.each(ctx, user, d, 0, func(list []found) (bool, error) {
		for _, x := range list {
			if !first {
				w.raw(",")
			}
			first = false
			if err := s.settle(ctx, &x); err != nil {
				return false, err
			}
			w.value(x.item)
		}
		return w.err == nil, w.err
	})
	w.raw("]}")
	return cmp.Or(err, w.err)
}

// settle says of a file whose bytes are gone that they are.
func (s *Service) settle(ctx context.Context, x *found) error {
	if x.file == nil {
		return nil
	}
	there, err := s.there(ctx, x.file)
	switch {
	case err != nil || there:
	case x.Photo != "":
		x.Photo = isGone
	default:
		x.File = isGone
	}
	return err
}

// each gives the messages of a chat from a number on to fn, a page at a time and the oldest first,
// until fn wants no more.
func (s *Service) each(
	ctx context.Context, user ids.UserID, d store.Dialog, from int64,
	fn func([]found) (more bool, err error),
) error {
	names := map[ids.Peer]string{}
	for more := true; more; {
		var list []found
		n := 0
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, n, from, err = messages(r, user, d, from, names)
			return err
		})
		if err != nil {
			return err
		}
		if more, err = fn(list); err != nil {
			return err
		}
		more = more && n == page
	}
	return nil
}

// messages reads a page of a chat from a number on, and returns how many rows it looked at and from
// where the next page begins.
func messages(
	r *store.Reader, user ids.UserID, d store.Dialog, from int64, names map[ids.Peer]string,
) (out []found, n int, next int64, err error) {
	next = max(from, d.MinID+1)
	shut, err := closed(r, d.Peer)
	if err != nil || shut {
		return nil, 0, next, err
	}
	a, err := restrict.Of(r, user)
	if err != nil {
		return nil, 0, next, err
	}
	var rows []store.Message
	if d.Peer.Kind() == ids.Channel {
		own, err := r.NewerOf(d.Peer, user.Peer(), from, page)
		for i := 0; err == nil && i < len(own); i++ {
			var m store.Message
			m, err = r.Message(d.Peer, own[i])
			rows = append(rows, m)
		}
		if err != nil {
			return nil, 0, next, err
		}
	} else if rows, err = r.Newer(user.Peer(), d.Peer, next, afterAll, page); err != nil {
		return nil, 0, next, err
	}
	for _, m := range rows {
		next = m.ID + 1
		x, err := one(r, a, m, names)
		if err != nil {
			return nil, 0, next, err
		}
		out = append(out, x)
	}
	return out, len(rows), next, nil
}

// closed tells whether the service has ended a chat: nothing in it is served then.
func closed(r *store.Reader, p ids.Peer) (bool, error) {
	if p.Kind() == ids.User {
		return false, nil
	}
	c, err := r.Chat(p)
	if store.IsNotFound(err) {
		return false, nil
	}
	return c.Flags.Has(store.ChatTerminated), err
}

// one is a message as its owner may see it.
func one(
	r *store.Reader, a restrict.Audience, m store.Message, names map[ids.Peer]string,
) (x found, err error) {
	if _, known := names[m.From]; !known {
		if names[m.From], err = nameOf(r, m.From); err != nil {
			return x, err
		}
	}
	x.item = item{
		ID: m.ID, Type: "message", Date: stamp(m.Date), Unix: strconv.FormatInt(m.Date, 10),
		From: names[m.From], FromID: fromID(m.From), Reply: m.ReplyTo,
	}
	if m.Edited != 0 {
		x.Edited = strconv.FormatInt(m.Edited, 10)
	}
	if m.Flags.Has(store.Service) {
		x.Type = "service"
	}
	v, err := message.Verdict(r, a, m)
	if err != nil {
		return x, err
	}
	if v.Hidden() {
		x.Withheld, x.Text = v.Withheld[0].Word, v.Withheld[0].Text
		return x, nil
	}
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		return x, err
	}
	x.Text = c.Text
	if len(c.Entities) > 0 {
		x.Entities = pieces(c.Text, c.Entities)
	}
	if c.Forward != nil {
		x.Forwarded = c.Forward.Name
		if x.Forwarded == "" && c.Forward.From != 0 {
			if x.Forwarded, err = nameOf(r, c.Forward.From); err != nil {
				return x, err
			}
		}
	}
	if c.Media != nil {
		x.medium, x.file, err = attach(r, m, c.Media)
	}
	return x, err
}

// fromID is how an export calls who wrote something.
func fromID(p ids.Peer) string {
	if p.Kind() == ids.User {
		return "user" + strconv.FormatInt(int64(p), 10)
	}
	return "channel" + strconv.FormatInt(int64(p), 10)
}

// nameOf is what somebody or a chat is called; empty for what is gone, and for whose account the
// service has ended.
func nameOf(r *store.Reader, p ids.Peer) (name string, err error) {
	if p.Kind() == ids.User {
		var u store.User
		u, err = r.User(p.User())
		if !u.Flags.Has(store.UserTerminated) {
			name = strings.TrimSpace(u.FirstName + " " + u.LastName)
		}
	} else {
		var c store.Chat
		c, err = r.Chat(p)
		name = c.Title
	}
	if store.IsNotFound(err) {
		err = nil
	}
	return name, err
}
