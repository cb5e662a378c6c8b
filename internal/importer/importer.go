// Package importer brings the history of a channel, group or chat into a server from a JSON export of
// Telegram Desktop: text with its markup, replies, media, dates. It uses the messenger's own rooms,
// so that what it brings behaves like everything else.
//
// It may be interrupted and run again: each entry becomes one message, however often it is met.
// Damaged entries are listed with their place and reason and the rest is imported. It reads only
// below the export's folder.
//
// https://core.telegram.org/import-export
package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"path"
	"strings"

	"parley/internal/chat/media"
	"parley/internal/chat/media/imaging"
	"parley/internal/chat/message"
	"parley/internal/chat/username"
	"parley/internal/ids"
	"parley/internal/store"
)

// Place is what kind of chat an export becomes.
type Place struct {
	// Broadcast is a channel, otherwise it is a supergroup.
	Broadcast bool
	Title     string
	// Username is the public name, empty for a private chat.
	Username string
}

// Importer brings exports into a server.
type Importer struct {
	Store   *store.Store
	Message *message.Service
	Media   *media.Service
	// Create makes the chat that an export goes into, owned by Owner.
	Create func(ctx context.Context, owner ids.UserID, p Place) (ids.Peer, error)
	Owner  ids.UserID
	// Chat is which chat of the export of a whole account is brought in, 0 for an export of one.
	Chat int64
	// Settled waits until what a box had to tell others is done.
	Settled func(ctx context.Context, box ids.Peer) error
	// Progress hears after every entry how many were met so far; nil hears nothing.
	Progress func(met int)
}

// Fault is an entry that was not imported as it was meant.
type Fault struct {
	// Index is the entry's place in the list of messages, from 1; Offset its place in the file.
	Index  int
	Offset int64
	// ID is the entry's id in the export, 0 when it could not be read.
	ID     int64
	Reason string
}

// Report is what an import did.
type Report struct {
	Peer     ids.Peer
	Title    string
	Username string
	// Imported are new messages, Known were there already, Service are entries that tell of changes
	// to the chat, which are left out.
	Imported, Known, Service int
	// Damaged are entries that were left out, Lacking those that came without a part of theirs.
	Damaged, Lacking []Fault
}

// ErrExport says that a folder holds no export that can be read.
var ErrExport = errors.New("importer: not an export")

// Import brings in the export of a chat in a folder or a ZIP archive. name is the username that the
// chat gets if it is public, empty for one made of its title. ErrExport, ErrChat.
func (im *Importer) Import(ctx context.Context, at, name string) (*Report, error) {
	root, end, err := openExport(at)
	if err != nil {
		return nil, err
	}
	defer func() { _ = end.Close() }()
	f, err := root.Open("result.json")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrExport, err)
	}
	defer func() { _ = f.Close() }()
	s, h, err := find(f, im.Chat)
	if err != nil {
		return nil, err
	}
	run := &run{
		Importer: im, root: root, source: fmt.Sprintf("%s:%d", h.Type, h.ID),
		report: &Report{Title: h.Name},
	}
	if err := run.place(ctx, h, name); err != nil {
		return run.report, err
	}
	return run.report, run.messages(ctx, s)
}

// run is one import under way.
type run struct {
	*Importer
	root      fs.FS
	source    string
	broadcast bool
	report    *Report
}

// place finds the chat that an earlier import of the same export made, or makes it.
func (r *run) place(ctx context.Context, h head, name string) error {
	r.broadcast = h.Type == "public_channel" || h.Type == "private_channel"
	public := strings.HasPrefix(h.Type, "public_")
	known := "import:" + r.source
	err := r.Store.View(ctx, func(v *store.Reader) error {
		peer, err := v.Meta(known)
		if err != nil {
			return err
		}
		r.report.Peer = ids.Peer(peer)
		row, err := v.Chat(r.report.Peer)
		r.report.Username = row.Username
		return err
	})
	if err == nil || !store.IsNotFound(err) {
		return err
	}
	p := Place{Broadcast: r.broadcast, Title: h.Name}
	if p.Title == "" {
		p.Title = "Imported chat"
	}
	if public || name != "" {
		p.Username = name
		if p.Username == "" {
			p.Username = usernameOf(h)
		}
	}
	r.report.Username = p.Username
	if r.report.Peer, err = r.Create(ctx, r.Owner, p); err != nil {
		return err
	}
	return r.Store.Update(ctx, 0, func(tx *store.Tx) error {
		return tx.SetMeta(known, int64(r.report.Peer))
	})
}

// usernameOf makes a username of a title; of one without Latin letters, of the chat's id.
func usernameOf(h head) string {
	var b strings.Builder
	for _, c := range strings.ToLower(h.Name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9' && b.Len() > 0:
			b.WriteRune(c)
		case c == ' ' || c == '-' || c == '_':
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "_") {
				b.WriteByte('_')
			}
		}
	}
	name := strings.Trim(b.String(), "_")
	if len(name) > usernameMost {
		name = strings.TrimRight(name[:usernameMost], "_")
	}
	if len(name) < usernameLeast || (username.Rules{}).Check(name) != nil {
		name = fmt.Sprintf("imported_%d", h.ID)
	}
	return name
}

// The lengths of usernames.
const (
	usernameLeast = 5
	usernameMost  = 32
)

// messages imports one message after the other.
func (r *run) messages(ctx context.Context, s *scanner) error {
	for index := 1; ; index++ {
		raw, at, err := s.message()
		if errors.Is(err, errEnd) {
			return r.Settled(ctx, r.report.Peer)
		}
		fault := Fault{Index: index, Offset: at}
		if err == nil {
			err = r.one(ctx, raw, &fault)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, store.ErrStopped) {
			return err
		}
		if err != nil {
			fault.Reason = reason(err)
			r.report.Damaged = append(r.report.Damaged, fault)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return r.Settled(ctx, r.report.Peer)
		}
		if r.Progress != nil {
			r.Progress(index)
		}
	}
}

func reason(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the file ends in the middle of it"
	}
	return err.Error()
}

// one imports one message.
func (r *run) one(ctx context.Context, raw []byte, fault *Fault) error {
	var it item
	if err := json.Unmarshal(raw, &it); err != nil {
		return err
	}
	fault.ID = it.ID
	switch {
	case it.ID == 0:
		return errors.New("it has no id")
	case it.Type == "service":
		r.report.Service++
		return nil
	case it.Type != "message":
		return fmt.Errorf("its type is %q", it.Type)
	}
	known, err := r.imported(ctx, it.ID)
	if err != nil {
		return err
	}
	if known != 0 {
		r.report.Known++
		return nil
	}
	o, err := r.outgoing(ctx, &it, fault)
	if err != nil {
		return err
	}
	sent, err := r.Message.Send(ctx, o)
	if err != nil {
		return err
	}
	if edited, err := unix(it.Edited); err == nil && edited != 0 && !sent.Again {
		if err := r.edited(ctx, sent.Message.ID, edited); err != nil {
			return err
		}
	}
	if sent.Again {
		r.report.Known++
	} else {
		r.report.Imported++
	}
	return r.Store.Update(ctx, r.report.Peer, func(tx *store.Tx) error {
		return tx.MarkImported(r.report.Peer, r.source, it.ID, sent.Message.ID)
	})
}

func (r *run) imported(ctx context.Context, id int64) (known int64, err error) {
	err = r.Store.View(ctx, func(v *store.Reader) (err error) {
		known, err = v.Imported(r.report.Peer, r.source, id)
		return err
	})
	return known, err
}

// edited notes when a message was last edited.
func (r *run) edited(ctx context.Context, id, at int64) error {
	return r.Store.Update(ctx, r.report.Peer, func(tx *store.Tx) error {
		m, err := tx.Message(r.report.Peer, id)
		if err != nil {
			return err
		}
		m.Edited = at
		return tx.SetMessage(&m)
	})
}

// outgoing makes the message to send of an entry.
func (r *run) outgoing(ctx context.Context, it *item, fault *Fault) (message.Outgoing, error) {
	o := message.Outgoing{
		From: r.Owner, To: r.report.Peer, Random: r.nonce(it.ID), Silent: true, Trusted: true,
	}
	var err error
	if o.Date, err = unix(it.Date); err != nil {
		return o, err
	}
	if o.Date == 0 {
		return o, errors.New("it has no date")
	}
	if o.Content.Text, o.Content.Entities, err = it.text(); err != nil {
		return o, err
	}
	o.Content.Author = it.Author
	if o.Content.Media, err = r.media(ctx, it); err != nil {
		if ctx.Err() != nil {
			return o, err
		}
		lacks := *fault
		lacks.Reason = err.Error()
		r.report.Lacking = append(r.report.Lacking, lacks)
		o.Content.Media = nil
	}
	if o.Content.Text == "" && o.Content.Media == nil {
		return o, errors.New("it has neither text nor a medium that can be had")
	}
	r.origin(it, &o)
	if it.ReplyTo != 0 {
		if o.ReplyTo, err = r.imported(ctx, it.ReplyTo); err != nil {
			return o, err
		}
	}
	return o, nil
}

// origin says who wrote an entry: a channel's posts are the channel's, everything else carries the
// name that its author had.
func (r *run) origin(it *item, o *message.Outgoing) {
	switch {
	case it.ForwardFrom != "":
		o.Content.Forward = &message.Forward{Name: it.ForwardFrom, Date: o.Date}
	case !r.broadcast:
		name := it.From
		if name == "" {
			name = "Deleted Account"
		}
		o.Content.Forward = &message.Forward{Name: name, Date: o.Date, Imported: true}
	}
}

// nonce makes the random_id of an entry, the same at every import.
func (r *run) nonce(id int64) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "import %s %d", r.source, id))
	return int64(binary.LittleEndian.Uint64(sum[:8])>>1) | 1
}

// media brings in what hangs on an entry; nil when nothing does.
func (r *run) media(ctx context.Context, it *item) (*message.Media, error) {
	switch {
	case it.Photo != "":
		f, err := r.open(it.Photo)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		photo, err := r.Media.AddPhoto(ctx, r.Owner, f, imaging.Message)
		return &message.Media{Kind: message.Photo, ID: photo.ID}, err
	case it.File != "":
		return r.document(ctx, it)
	case it.Location != nil:
		return &message.Media{
			Kind: message.Geo, Lat: it.Location.Lat, Long: it.Location.Long,
		}, nil
	case it.Contact != nil:
		return &message.Media{
			Kind: message.ContactCard, Phone: it.Contact.Phone, First: it.Contact.First,
			Last: it.Contact.Last,
		}, nil
	}
	return nil, nil
}

// open opens a file of the export. An export says in words why a file is not there.
func (r *run) open(name string) (fs.File, error) {
	if strings.HasPrefix(name, "(") {
		return nil, fmt.Errorf("the export lacks the file: %s", strings.Trim(name, "()"))
	}
	f, err := r.root.Open(path.Clean(name))
	if err != nil {
		return nil, fmt.Errorf("its file: %w", err)
	}
	return f, nil
}

func (r *run) document(ctx context.Context, it *item) (*message.Media, error) {
	f, err := r.open(it.File)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	name := it.FileName
	if name == "" {
		name = path.Base(it.File)
	}
	kind := it.Mime
	if kind == "" {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	list := []media.Attribute{{Kind: media.Filename, Text: name}}
	class := message.File
	switch it.MediaType {
	case "video_file", "video_message", "animation":
		list = append(list, media.Attribute{
			Kind: media.Video, Width: it.Width, Height: it.Height, Duration: it.Duration,
			Round: it.MediaType == "video_message", Streaming: true,
		})
		class = message.Video
		if it.MediaType == "video_message" {
			class = message.RoundVideo
		}
		if it.MediaType == "animation" {
			list = append(list, media.Attribute{Kind: media.Animated})
			class = message.GIF
		}
	case "voice_message", "audio_file":
		class = message.Audio
		if it.MediaType == "voice_message" {
			class = message.Voice
		}
		list = append(list, media.Attribute{
			Kind: media.Audio, Duration: it.Duration, Voice: class == message.Voice,
			Text: it.Title, Performer: it.Performer,
		})
	case "sticker":
		list = append(list, media.Attribute{Kind: media.Sticker, Text: it.Emoji})
		class = message.Sticker
	}
	doc, err := r.Media.AddDocument(ctx, r.Owner, f, kind, list)
	return &message.Media{Kind: message.Document, ID: doc.ID, Class: class}, err
}
