package message

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// Outgoing is a message that somebody sends.
type Outgoing struct {
	From ids.UserID
	To   ids.Peer
	// Random makes the send exactly-once. Not 0.
	Random  int64
	Content Content
	// ReplyTo is the id of the message answered, in the sender's numbering of ReplyPeer (or To).
	ReplyTo   int64
	ReplyPeer ids.Peer
	Silent    bool
	Protected bool
	// Grouped joins the media of an album.
	Grouped int64
	// AsChat sends in the name of the chat itself: an anonymous admin.
	AsChat bool
	// Date is when the message was written, 0 for now; imports set it.
	Date int64
	// stored is when it is written here.
	stored int64
	// Mentions are people whom the message calls by their username.
	Mentions []ids.UserID
	// Visible tells whether the answer to a message of another chat may lead to who wrote it; nil
	// hides him.
	Visible Visible
	// ClearDraft removes the dialog's draft with the send.
	ClearDraft bool
	// Trusted skips the rights of the chat: service messages, imports.
	Trusted bool
	// forwards is the row of the message that this one forwards.
	forwards Ref
}

// Sent is a message that was stored.
type Sent struct {
	Message store.Message
	Event   store.Event
	// Again says that this (sender, random_id) had been sent before; the message is that one.
	Again bool
}

// deliver is the body of a TellDeliver row: the message for one other box.
type deliver struct {
	Peer      ids.Peer           `cbor:"1,keyasint"`
	From      ids.Peer           `cbor:"2,keyasint"`
	Date      int64              `cbor:"3,keyasint"`
	Flags     store.MessageFlags `cbor:"4,keyasint,omitempty"`
	Ref       Ref                `cbor:"5,keyasint"`
	Grouped   int64              `cbor:"6,keyasint,omitempty"`
	Reply     Ref                `cbor:"7,keyasint,omitempty"`
	Media     int64              `cbor:"8,keyasint,omitempty"`
	Body      []byte             `cbor:"9,keyasint"`
	Mentioned bool               `cbor:"10,keyasint,omitempty"`
}

// Send stores a message in the sender's view of the peer and sees to its delivery.
func (s *Service) Send(ctx context.Context, o Outgoing) (Sent, error) {
	o.stored = s.Clock.Now().Unix()
	if o.Date == 0 {
		o.Date = o.stored
	}
	if s.Screen != nil && !o.Trusted {
		if err := s.Screen(ctx, o.From, o.To, o.Content); err != nil {
			return Sent{}, err
		}
	}
	plan, err := s.plan(ctx, o)
	var refusal chat.Refusal
	if errors.As(err, &refusal) {
		// What was sent once is answered once more, though it might be refused by now.
		if again, ferr := s.SentBefore(ctx, o.From, o.To, o.Random); ferr == nil {
			return again, nil
		}
	}
	if err != nil {
		return Sent{}, err
	}
	var sent Sent
	err = s.Store.Update(ctx, plan.row.Box, func(tx *store.Tx) error {
		sent = Sent{Message: plan.row}
		if err := s.still(tx, o); err != nil {
			return err
		}
		return s.commit(tx, o, plan, &sent)
	})
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnknown) {
		again, ferr := s.sentBefore(ctx, plan.row)
		if ferr == nil || errors.Is(ferr, errDuplicate) {
			return again, ferr
		}
	}
	return sent, err
}

// still tells whether the service lets a message be sent at the time when it is written, which may
// be after a measure that came since it was planned.
func (s *Service) still(tx *store.Tx, o Outgoing) error {
	if !o.Trusted {
		if err := s.MayWrite(&tx.Reader, o.From, o.To); err != nil {
			return err
		}
	}
	if o.forwards == (Ref{}) {
		return nil
	}
	m, err := tx.Message(o.forwards.Box, o.forwards.ID)
	if errors.Is(err, store.ErrNotFound) {
		return chat.ErrMessageIDInvalid
	}
	if err != nil {
		return err
	}
	return forwardable(&tx.Reader, o.From, m)
}

// plan is what Send found out before its transaction.
type plan struct {
	row     store.Message
	targets []ids.UserID
	called  []ids.UserID
	reply   Ref
}

// plan checks that the sender may send this, and to whom it goes.
func (s *Service) plan(ctx context.Context, o Outgoing) (p plan, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		access, err := See(r, o.From, o.To, s.Clock.Now().Unix())
		if err != nil {
			return err
		}
		if !o.Trusted {
			if err := s.MayWrite(r, o.From, o.To); err != nil {
				return err
			}
			if err := s.mayPost(r, o, access); err != nil {
				return err
			}
		}
		if err := s.resolveReply(r, &o, &p); err != nil {
			return err
		}
		if p.targets, err = reached(r, o.From, o.To); err != nil {
			return err
		}
		if o.Content.Author == "" {
			if o.Content.Author, err = signature(r, o, access); err != nil {
				return err
			}
		}
		p.called = mentioned(o)
		o.Content.Mentioned = nil
		if o.To.Kind() != ids.User {
			o.Content.Mentioned = p.called
		}
		p.row, err = row(o, access)
		return err
	})
	return p, err
}

// signature is the name under a post, where the channel wants its posts signed.
func signature(r *store.Reader, o Outgoing, a Access) (string, error) {
	if !a.Chat.Flags.Has(store.Broadcast) || o.Trusted ||
		!a.Chat.Flags.Has(store.Signatures) && !a.Chat.Flags.Has(store.SignatureProfiles) {
		return "", nil
	}
	u, err := r.User(o.From)
	return strings.TrimSpace(u.FirstName + " " + u.LastName), err
}

// row makes the row of the sender's copy, or of the channel.
func row(o Outgoing, a Access) (store.Message, error) {
	m := store.Message{
		Box: BoxOf(o.From, o.To), Peer: o.To, From: o.From.Peer(), Date: o.Date,
		Origin: o.From.Peer(), Nonce: o.Random, Grouped: o.Grouped, ReplyTo: o.ReplyTo,
		Stored: o.stored,
	}
	if m.Box.Kind() != ids.Channel {
		m.Flags |= store.Out
	}
	if o.AsChat {
		m.From = o.To
	}
	if a.Chat.Flags.Has(store.Broadcast) {
		m.Flags |= store.Post
		if !a.Chat.Flags.Has(store.SignatureProfiles) || o.Trusted {
			m.From = o.To
		}
	}
	if o.Silent {
		m.Flags |= store.Silent
	}
	if o.Protected || a.Chat.Flags.Has(store.ChatNoForwards) {
		m.Flags |= store.NoForwards
	}
	if o.Content.Action != nil {
		m.Flags |= store.Service
	}
	if heardOnce(o.Content.Media) && o.To != o.From.Peer() {
		m.Flags |= store.MediaUnread
	}
	if o.Content.Media != nil {
		m.Media = int64(o.Content.Media.Kind)<<8 | int64(o.Content.Media.Class)
	}
	var err error
	m.Body, err = o.Content.Encode()
	return m, err
}

// commit writes the message, its event and what others must learn of it.
func (s *Service) commit(tx *store.Tx, o Outgoing, p plan, sent *Sent) error {
	var err error
	tells := len(p.targets)
	if o.To.Kind() == ids.Channel {
		tells = 1 + len(p.called)
	}
	if sent.Event, err = addMessage(tx, &sent.Message, tells); err != nil {
		return err
	}
	m := sent.Message
	if o.To.Kind() == ids.Channel {
		return s.tellChannel(tx, o, p, m)
	}
	if err := tx.BumpDialog(o.From, o.To, m.ID, m.Date, 0, 0); err != nil {
		return err
	}
	if err := s.settle(tx, o, m); err != nil {
		return err
	}
	for _, target := range p.targets {
		body := deliver{
			Peer: mirror(o.From, o.To), From: m.From, Date: m.Date, Flags: m.Flags &^ store.Out,
			Ref: Ref{Box: m.Box, ID: m.ID}, Grouped: m.Grouped, Reply: p.reply, Media: m.Media,
			Body: m.Body, Mentioned: slices.Contains(p.called, target),
		}
		if err := tell(tx, m.Box, target.Peer(), TellDeliver, body); err != nil {
			return err
		}
	}
	return nil
}

// settle does what a send means for the sender's own dialog: what was above is read, the draft is
// done with.
func (s *Service) settle(tx *store.Tx, o Outgoing, m store.Message) error {
	own := o.To == o.From.Peer()
	if !own && !o.ClearDraft {
		return nil
	}
	d, err := tx.Dialog(o.From, o.To)
	if err != nil {
		return err
	}
	if own {
		d.ReadIn, d.ReadOut = m.ID, m.ID
		d.Unread = 0
	} else if len(d.Draft) == 0 {
		return nil
	}
	if o.ClearDraft && len(d.Draft) > 0 {
		d.Draft = nil
		if _, err := box.Note(tx, m.Box, box.Draft, m.Date, box.Entry{Peer: o.To}); err != nil {
			return err
		}
	}
	return tx.PutDialog(d)
}

// addMessage stores a message with the event that names its id; the transaction will tell as many
// others.
func addMessage(tx *store.Tx, m *store.Message, tells int) (store.Event, error) {
	tx.WillTell(tells)
	return tx.AddMessage(m, int64(box.NewMessage), func(id int64) []byte {
		return box.Entry{ID: id}.Encode()
	})
}

// tellChannel lets the sender's own dialog and those who are called know of a post.
func (s *Service) tellChannel(tx *store.Tx, o Outgoing, p plan, m store.Message) error {
	own := channelOwn{Channel: o.To, ID: m.ID, ClearDraft: o.ClearDraft}
	if err := tell(tx, m.Box, o.From.Peer(), TellChannelOwn, own); err != nil {
		return err
	}
	for _, user := range p.called {
		body := mention{Channel: o.To, ID: m.ID}
		if err := tell(tx, m.Box, user.Peer(), TellMention, body); err != nil {
			return err
		}
	}
	return nil
}

// errDuplicate says that a random_id was used for another chat.
var errDuplicate = chat.Invalid("RANDOM_ID_DUPLICATE")

// SentBefore finds the message that a user has sent to a peer with a random_id; store.ErrNotFound
// when there is none.
func (s *Service) SentBefore(
	ctx context.Context, from ids.UserID, to ids.Peer, random int64,
) (Sent, error) {
	return s.sentBefore(ctx, store.Message{
		Box: BoxOf(from, to), Peer: to, Origin: from.Peer(), Nonce: random,
	})
}

// sentBefore finds the message that a repeated send means.
func (s *Service) sentBefore(ctx context.Context, row store.Message) (sent Sent, err error) {
	sent.Again = true
	err = s.Store.View(ctx, func(r *store.Reader) error {
		var err error
		if sent.Message, err = r.MessageByOrigin(row.Box, row.Origin, row.Nonce); err != nil {
			return err
		}
		if sent.Message.Peer != row.Peer {
			return errDuplicate
		}
		b, err := r.Box(row.Box)
		sent.Event = store.Event{
			Box: row.Box, Pts: b.Pts, Date: sent.Message.Date, Kind: int64(box.NewMessage),
			Body: box.Entry{ID: sent.Message.ID}.Encode(),
		}
		return err
	})
	return sent, err
}

// mayPost applies the rights of the chat to a message of an ordinary sender.
func (s *Service) mayPost(r *store.Reader, o Outgoing, a Access) error {
	if o.Random == 0 {
		return chat.Invalid("RANDOM_ID_EMPTY")
	}
	now := s.Clock.Now().Unix()
	switch o.To.Kind() {
	case ids.User:
		blocked, err := r.Blocked(o.From, o.To)
		if err != nil {
			return err
		}
		if blocked {
			return chat.Invalid("YOU_BLOCKED_USER")
		}
		if a.User.Flags.Has(store.UserDeleted) || a.User.Flags.Has(store.UserTerminated) {
			return chat.Invalid("INPUT_USER_DEACTIVATED")
		}
		return mayBeHeard(r, o)
	case ids.Chat:
		if a.Chat.Flags.Has(store.Deactivated) {
			return chat.Invalid("CHAT_ID_INVALID")
		}
		if !a.Member.Role.In() {
			return chat.ErrWriteForbidden
		}
	}
	if !rights.CanPost(a.Chat, a.Member, now) {
		if a.Chat.Flags.Has(store.Broadcast) {
			return chat.ErrAdminRequired
		}
		return chat.ErrWriteForbidden
	}
	if o.AsChat && !rights.Has(a.Member, rights.Anonymous) {
		return chat.Invalid("SEND_AS_PEER_INVALID")
	}
	if err := mayShow(o.Content, a, now); err != nil {
		return err
	}
	return s.slowMode(r, o, a, now)
}

// mayBeHeard refuses a voice message to somebody who takes none from the sender.
//
// https://core.telegram.org/constructor/inputPrivacyKeyVoiceMessages
func mayBeHeard(r *store.Reader, o Outgoing) error {
	if !heardOnce(o.Content.Media) {
		return nil
	}
	takes, err := contact.Permits(r, o.From, o.To.User(), contact.Voice)
	if err == nil && !takes {
		err = chat.Invalid("VOICE_MESSAGES_FORBIDDEN")
	}
	return err
}

// mayShow applies the restrictions on kinds of content.
func mayShow(c Content, a Access, now int64) error {
	lacks := func(what rights.Banned) bool { return rights.Lacks(a.Chat, a.Member, what, now) }
	if c.Media == nil {
		if lacks(rights.NoPlain) {
			return chat.Forbidden("CHAT_SEND_PLAIN_FORBIDDEN")
		}
		return nil
	}
	if lacks(rights.NoMedia) {
		return chat.Forbidden("CHAT_SEND_MEDIA_FORBIDDEN")
	}
	forbidden := map[DocumentClass]struct {
		bit    rights.Banned
		reason string
	}{
		File:       {rights.NoDocs, "CHAT_SEND_DOCS_FORBIDDEN"},
		Video:      {rights.NoVideos, "CHAT_SEND_VIDEOS_FORBIDDEN"},
		RoundVideo: {rights.NoRoundVideos, "CHAT_SEND_ROUNDVIDEOS_FORBIDDEN"},
		Voice:      {rights.NoVoices, "CHAT_SEND_VOICES_FORBIDDEN"},
		Audio:      {rights.NoAudios, "CHAT_SEND_AUDIOS_FORBIDDEN"},
		GIF:        {rights.NoGIFs, "CHAT_SEND_GIFS_FORBIDDEN"},
		Sticker:    {rights.NoStickers, "CHAT_SEND_STICKERS_FORBIDDEN"},
	}
	switch c.Media.Kind {
	case Photo:
		if lacks(rights.NoPhotos) {
			return chat.Forbidden("CHAT_SEND_PHOTOS_FORBIDDEN")
		}
	case Document:
		if f := forbidden[c.Media.Class]; lacks(f.bit) {
			return chat.Forbidden(f.reason)
		}
	}
	return nil
}

// slowMode holds a member of a supergroup to its pace.
func (s *Service) slowMode(r *store.Reader, o Outgoing, a Access, now int64) error {
	if a.Chat.Slow == 0 || rights.IsAdmin(a.Member) {
		return nil
	}
	last, err := r.MessagesOf(o.To, o.From.Peer(), maxID, 1)
	if err != nil || len(last) == 0 {
		return err
	}
	m, err := r.Message(o.To, last[0])
	if err != nil {
		return err
	}
	if o.Grouped != 0 && o.Grouped == m.Grouped {
		return nil
	}
	if wait := m.Date + a.Chat.Slow - now; wait > 0 {
		return chat.SlowMode(int(wait))
	}
	return nil
}

// maxID is above every message id.
const maxID = 1<<31 - 1

// resolveReply finds the message answered, and how other boxes know it.
func (s *Service) resolveReply(r *store.Reader, o *Outgoing, p *plan) error {
	if o.ReplyTo == 0 {
		o.Content.Reply = nil
		return nil
	}
	peer := o.To
	if o.ReplyPeer != 0 {
		peer = o.ReplyPeer
	}
	if _, err := See(r, o.From, peer, s.Clock.Now().Unix()); err != nil {
		return err
	}
	m, err := Get(r, o.From, peer, o.ReplyTo)
	if err == nil && !o.Trusted {
		err = answerable(r, o.From, m)
	}
	if err != nil {
		return chat.Invalid("REPLY_MESSAGE_ID_INVALID")
	}
	var reply Reply
	if o.Content.Reply != nil {
		reply = *o.Content.Reply
	}
	o.Content.Reply = &reply
	if err := quoted(reply, m); err != nil {
		return err
	}
	if peer == o.To {
		reply.Author = m.From.User()
		p.reply = RefOf(m)
		return nil
	}
	reply.Date = m.Date
	if peer.Kind() == ids.Channel {
		reply.Peer = peer
	} else {
		o.ReplyTo = 0
	}
	reply.From, reply.Name, err = writer(r, o.From, m, o.Visible)
	return err
}

// answerable refuses the answer to a message whose content is withheld from who answers, or that
// the service lets nobody answer.
func answerable(r *store.Reader, user ids.UserID, m store.Message) error {
	v, err := open(r, user, m)
	if err == nil && v.Still {
		err = chat.ErrMessageIDInvalid
	}
	return err
}

// quoted checks that a quote is part of the message answered.
func quoted(reply Reply, m store.Message) error {
	if reply.Quote == "" {
		return nil
	}
	c, err := DecodeContent(m.Body)
	if err == nil && !strings.Contains(c.Text, reply.Quote) {
		err = chat.Invalid("QUOTE_TEXT_INVALID")
	}
	return err
}

// mentioned returns whom a message calls: by name, by username, or by answering.
func mentioned(o Outgoing) []ids.UserID {
	var out []ids.UserID
	add := func(id ids.UserID) {
		if id != 0 && id != o.From && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, e := range o.Content.Entities {
		if e.Kind == MentionName {
			add(ids.UserID(e.ID))
		}
	}
	for _, id := range o.Mentions {
		add(id)
	}
	if r := o.Content.Reply; r != nil && r.Peer == 0 && o.To.Kind() != ids.User {
		add(r.Author)
	}
	return out
}

// Announcement says how a service message is given out.
type Announcement struct {
	ReplyTo int64
	Silent  bool
	Random  int64
}

// Announce sends a service message in the name of a user: what he did to a chat.
func (s *Service) Announce(
	ctx context.Context, user ids.UserID, peer ids.Peer, a Action, how Announcement,
) (Sent, error) {
	if how.Random == 0 {
		how.Random = s.Random()
	}
	return s.Send(ctx, Outgoing{
		From: user, To: peer, Random: how.Random, Content: Content{Action: &a},
		ReplyTo: how.ReplyTo, Silent: how.Silent, Trusted: true,
	})
}
