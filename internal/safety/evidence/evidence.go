// Package evidence keeps what was seen: a report's subject as it looked when somebody reported it,
// before anything can be removed. It decides nothing, shows nothing to users, and never holds who
// reported.
//
// Invariants: a capture is written in the transaction that opens or joins its case; evidence of an
// open case is never forgotten, nor any while a hold lasts; nobody reads evidence without being
// written down first.
package evidence

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/personal"
	"parley/internal/store"
)

// Capture is what was seen. Fields are numbered and never reused, so that old rows stay readable.
type Capture struct {
	Subject safety.Subject `cbor:"1,keyasint"`
	// Taken is when, in Unix seconds.
	Taken int64 `cbor:"2,keyasint"`
	// Item is the message itself; nil when it is none or was gone already.
	Item *Message `cbor:"3,keyasint,omitempty"`
	// Author is whom a decision would concern, Place where the subject is.
	Author *Person `cbor:"4,keyasint,omitempty"`
	Place  *Place  `cbor:"5,keyasint,omitempty"`
	// Photo is the photo that the subject is, Reactions what the reaction is.
	Photo     *File    `cbor:"6,keyasint,omitempty"`
	Reactions []string `cbor:"7,keyasint,omitempty"`
	// Context are a few messages around the item, the oldest first.
	Context []Message `cbor:"8,keyasint,omitempty"`
	// Secret is the secret chat that somebody reported the author from; nil when he did not.
	Secret *SecretChat `cbor:"9,keyasint,omitempty"`
	// Data is what an order wants kept of an account, by the classes of data that it names.
	Data []personal.Record `cbor:"10,keyasint,omitempty"`
}

// SecretChat is all that can be kept of a secret chat. It is end-to-end encrypted: the server has
// none of its messages and no key to them, so there is nothing of them here and never can be.
type SecretChat struct {
	// ByAuthor tells whether the author of the subject asked for it.
	ByAuthor bool `cbor:"1,keyasint,omitempty"`
	// Accepted tells whether the other took it and had not ended it when he reported.
	Accepted bool `cbor:"2,keyasint,omitempty"`
}

// Message is a message as it was seen.
type Message struct {
	ID     int64 `cbor:"1,keyasint"`
	Date   int64 `cbor:"2,keyasint"`
	Edited int64 `cbor:"3,keyasint,omitempty"`
	// ByAuthor tells whether the author of the subject wrote it. In a private chat the other one
	// is not named: he may be who reported.
	ByAuthor bool `cbor:"4,keyasint,omitempty"`
	// From is who wrote it, 0 for the other one of a private chat.
	From    ids.Peer        `cbor:"5,keyasint,omitempty"`
	Content message.Content `cbor:"6,keyasint"`
	Files   []File          `cbor:"7,keyasint,omitempty"`
}

// File is a photo or document, whose bytes are in the blob store under the digest.
type File struct {
	ID     int64  `cbor:"1,keyasint"`
	Kind   int64  `cbor:"2,keyasint"`
	Digest []byte `cbor:"3,keyasint"`
	Mime   string `cbor:"4,keyasint"`
	Size   int64  `cbor:"5,keyasint"`
	// Body is what clients are told of it, as chat/media wrote it.
	Body []byte `cbor:"6,keyasint"`
}

// Person is an account as it looked. Its phone number is not part of that.
type Person struct {
	ID       ids.UserID `cbor:"1,keyasint"`
	First    string     `cbor:"2,keyasint"`
	Last     string     `cbor:"3,keyasint,omitempty"`
	Username string     `cbor:"4,keyasint,omitempty"`
	About    string     `cbor:"5,keyasint,omitempty"`
	Created  int64      `cbor:"6,keyasint"`
	Photo    *File      `cbor:"7,keyasint,omitempty"`
}

// Place is a chat as it looked.
type Place struct {
	Peer     ids.Peer `cbor:"1,keyasint"`
	Title    string   `cbor:"2,keyasint"`
	About    string   `cbor:"3,keyasint,omitempty"`
	Username string   `cbor:"4,keyasint,omitempty"`
	Members  int64    `cbor:"5,keyasint"`
	Photo    *File    `cbor:"6,keyasint,omitempty"`
}

// around is how many messages on either side of a reported one are kept with it.
const around = 3

// Look captures a subject as viewer sees it; viewer 0 looks where the subject lies. A private
// message is captured from the viewer's own copy, with a few messages of that same conversation.
// What is gone is left out.
func Look(r *store.Reader, s safety.Subject, viewer ids.UserID, now int64) (Capture, error) {
	c := Capture{Subject: s, Taken: now}
	var err error
	if c.Author, err = person(r, s.Author); err != nil {
		return c, err
	}
	switch s.Kind {
	case safety.Message, safety.Reaction:
		err = c.lookAtMessage(r, viewer)
	case safety.Photo:
		c.Photo, err = file(r, s.Item)
	}
	if err == nil && s.Kind == safety.Reaction {
		c.Reactions, err = r.ReactionsOf(s.Peer, s.Item, s.Author)
	}
	if err == nil && (s.Peer.Kind() == ids.Channel || s.Peer.Kind() == ids.Chat) {
		c.Place, err = place(r, s.Peer)
	}
	return c, err
}

// lookAtMessage captures the message that the subject is or is on, and what is around it.
func (c *Capture) lookAtMessage(r *store.Reader, viewer ids.UserID) error {
	m, err := copyOf(r, c.Subject, viewer)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	item, err := c.keep(r, m)
	if err != nil {
		return err
	}
	c.Item = &item
	if viewer == 0 && c.Subject.Peer.Kind() != ids.Channel {
		return nil // nobody's conversation is opened without somebody of it asking
	}
	older, err := r.Older(m.Box, m.Peer, m.ID, 0, around, 0)
	if err != nil {
		return err
	}
	newer, err := r.Newer(m.Box, m.Peer, m.ID+1, 1<<31-1, around)
	if err != nil {
		return err
	}
	slices.Reverse(older)
	for _, x := range slices.Concat(older, newer) {
		kept, err := c.keep(r, x)
		if err != nil {
			return err
		}
		c.Context = append(c.Context, kept)
	}
	return nil
}

// copyOf is the row of a message as a viewer has it.
func copyOf(r *store.Reader, s safety.Subject, viewer ids.UserID) (store.Message, error) {
	if viewer == 0 || s.Peer.Kind() == ids.Channel || s.Peer == viewer.Peer() {
		return r.Message(s.Peer, s.Item)
	}
	return r.MessageByOrigin(viewer.Peer(), s.Peer, s.Item)
}

func (c *Capture) keep(r *store.Reader, m store.Message) (Message, error) {
	content, err := message.DecodeContent(m.Body)
	if err != nil {
		return Message{}, err
	}
	out := Message{ID: m.ID, Date: m.Date, Edited: m.Edited, Content: content}
	out.ByAuthor = c.Subject.Author != 0 && m.From == c.Subject.Author.Peer()
	if out.ByAuthor || m.Peer.Kind() != ids.User {
		out.From = m.From
	}
	if media := content.Media; media != nil && media.ID != 0 {
		f, err := file(r, media.ID)
		if err != nil {
			return out, err
		}
		if f != nil {
			out.Files = append(out.Files, *f)
		}
	}
	return out, nil
}

func file(r *store.Reader, id int64) (*File, error) {
	if id == 0 {
		return nil, nil
	}
	m, err := r.Media(id)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &File{ID: m.ID, Kind: m.Kind, Digest: m.Digest, Mime: m.Mime, Size: m.Size,
		Body: m.Body}, nil
}

func person(r *store.Reader, id ids.UserID) (*Person, error) {
	if id == 0 {
		return nil, nil
	}
	u, err := r.User(id)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	photo, err := file(r, u.PhotoID)
	return &Person{ID: u.ID, First: u.FirstName, Last: u.LastName, Username: u.Username,
		About: u.About, Created: u.Created, Photo: photo}, err
}

func place(r *store.Reader, peer ids.Peer) (*Place, error) {
	c, err := r.Chat(peer)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	photo, err := file(r, c.PhotoID)
	return &Place{Peer: peer, Title: c.Title, About: c.About, Username: c.Username,
		Members: c.Members, Photo: photo}, err
}

// Content is the kind of content that a capture is, as the DSA Transparency Database calls it.
func (c Capture) Content() safety.ContentType {
	switch {
	case c.Photo != nil:
		return safety.ImageContent
	case c.Item == nil:
		return safety.OtherContent
	case c.Item.Content.Media == nil:
		return safety.TextContent
	}
	switch m := c.Item.Content.Media; {
	case m.Kind == message.Photo, m.Class == message.Sticker, m.Class == message.GIF:
		return safety.ImageContent
	case m.Class == message.Video, m.Class == message.RoundVideo:
		return safety.VideoContent
	case m.Class == message.Voice, m.Class == message.Audio:
		return safety.AudioContent
	case m.Kind == message.Document:
		return safety.OtherContent
	default:
		return safety.TextContent
	}
}

// digest tells captures apart by what they show, not by when they were taken or what was around.
func (c Capture) digest() ([]byte, error) {
	c.Taken, c.Context = 0, nil
	if c.Item != nil {
		item := *c.Item
		item.ID = 0 // differs from copy to copy
		c.Item = &item
	}
	if c.Place != nil {
		p := *c.Place
		p.Members = 0
		c.Place = &p
	}
	b, err := cbor.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// Keep writes a capture to its case, in the transaction of the subject's peer. What the case has
// already is not written again; an edited message is.
func Keep(tx *store.Tx, in int64, c Capture, id int64) error {
	digest, err := c.digest()
	if err != nil {
		return err
	}
	has, err := tx.HasEvidence(c.Subject.Peer, in, digest)
	if err != nil || has {
		return err
	}
	body, err := cbor.Marshal(c)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return tx.AddEvidence(store.Evidence{
		Subject: c.Subject.Peer, ID: id, Case: in, Kind: int64(c.Subject.Kind), At: c.Taken,
		Digest: digest, Body: body,
	})
}

// Service reads, holds and forgets evidence.
type Service struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader
	// Audit writes down who is about to look at the evidence of a case, durably; its error keeps
	// him from looking.
	Audit func(ctx context.Context, staff int64, subject ids.Peer, of int64) error
}

// most is how many captures of one case are read.
const most = 200

// Read returns the captures of a case, the oldest first, once it is written down who looks.
func (s *Service) Read(
	ctx context.Context, staff int64, subject ids.Peer, of int64,
) (out []Capture, err error) {
	if s.Audit == nil {
		return nil, fmt.Errorf("evidence: nobody writes down who looks")
	}
	if err := s.Audit(ctx, staff, subject, of); err != nil {
		return nil, fmt.Errorf("evidence: audit: %w", err)
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out, err = Of(r, subject, of)
		return err
	})
	return out, err
}

// Of returns the captures of a case to code that shows them to nobody: a decision that states the
// kind of content, a count.
func Of(r *store.Reader, subject ids.Peer, of int64) ([]Capture, error) {
	rows, err := r.Evidence(subject, of, most)
	if err != nil {
		return nil, err
	}
	out := make([]Capture, len(rows))
	for i, e := range rows {
		if err := cbor.Unmarshal(e.Body, &out[i]); err != nil {
			return nil, fmt.Errorf("evidence: %d of %d: %w", e.ID, subject, err)
		}
	}
	return out, nil
}
