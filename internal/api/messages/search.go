package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// search finds messages in one chat by words, sender, time and kind of medium.
//
// https://core.telegram.org/method/messages.search
func (h *Handlers) search(
	c *api.Call, req *tg.MessagesSearchRequest,
) (out tg.MessagesMessagesClass, err error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	var from ids.Peer
	if req.FromID != nil {
		if from, err = h.Peer(c, req.FromID); err != nil {
			return nil, err
		}
	}
	want, err := h.wanted(c, req, from)
	if err != nil {
		return nil, err
	}
	most := min(max(req.Limit, 1), limit.HistoryPage)
	skip := max(req.AddOffset, 0)
	rows, more, err := h.matching(c, peer, req, want, skip+most)
	if err != nil {
		return nil, err
	}
	total := len(rows)
	if more {
		total++
	}
	rows = rows[min(skip, len(rows)):]
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		b, err := r.Box(message.BoxOf(c.Self, peer))
		out = found(v, peer, rows, total, b.Pts)
		return err
	})
	return out, err
}

// wanted is what a message must be besides containing the words.
func (h *Handlers) wanted(
	c *api.Call, req *tg.MessagesSearchRequest, from ids.Peer,
) (func(store.Message) bool, error) {
	medium, err := filter(req.Filter)
	if err != nil {
		return nil, err
	}
	return func(m store.Message) bool {
		switch {
		case from != 0 && m.From != from:
		case req.MinDate > 0 && m.Date <= int64(req.MinDate):
		case req.MaxDate > 0 && m.Date >= int64(req.MaxDate):
		case req.MinID > 0 && m.ID <= int64(req.MinID):
		case req.MaxID > 0 && m.ID >= int64(req.MaxID):
		default:
			return medium(m)
		}
		return false
	}, nil
}

// filter tells messages by their medium.
//
// https://core.telegram.org/type/MessagesFilter
func filter(f tg.MessagesFilterClass) (func(store.Message) bool, error) {
	media := func(
		kind message.MediaKind, classes ...message.DocumentClass,
	) func(store.Message) bool {
		return func(m store.Message) bool {
			if message.MediaKind(m.Media>>8) != kind {
				return false
			}
			for _, class := range classes {
				if message.DocumentClass(m.Media&0xff) == class {
					return true
				}
			}
			return len(classes) == 0
		}
	}
	either := func(a, b func(store.Message) bool) func(store.Message) bool {
		return func(m store.Message) bool { return a(m) || b(m) }
	}
	switch f.(type) {
	case nil, *tg.InputMessagesFilterEmpty:
		return func(store.Message) bool { return true }, nil
	case *tg.InputMessagesFilterPhotos:
		return media(message.Photo), nil
	case *tg.InputMessagesFilterVideo:
		return media(message.Document, message.Video), nil
	case *tg.InputMessagesFilterPhotoVideo:
		return either(media(message.Photo), media(message.Document, message.Video)), nil
	case *tg.InputMessagesFilterDocument:
		return media(message.Document, message.File), nil
	case *tg.InputMessagesFilterMusic:
		return media(message.Document, message.Audio), nil
	case *tg.InputMessagesFilterVoice:
		return media(message.Document, message.Voice), nil
	case *tg.InputMessagesFilterRoundVideo:
		return media(message.Document, message.RoundVideo), nil
	case *tg.InputMessagesFilterRoundVoice:
		return media(message.Document, message.Voice, message.RoundVideo), nil
	case *tg.InputMessagesFilterGif:
		return media(message.Document, message.GIF), nil
	case *tg.InputMessagesFilterGeo:
		return media(message.Geo), nil
	case *tg.InputMessagesFilterContacts:
		return media(message.ContactCard), nil
	case *tg.InputMessagesFilterPinned:
		return func(m store.Message) bool { return m.Flags.Has(store.Pinned) }, nil
	case *tg.InputMessagesFilterMyMentions:
		return func(m store.Message) bool { return m.Flags.Has(store.Mentioned) }, nil
	case *tg.InputMessagesFilterURL:
		return links, nil
	default:
		return nil, chat.Invalid("FILTER_NOT_SUPPORTED")
	}
}

// links tells whether a message has a link in it.
func links(m store.Message) bool {
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		return false
	}
	for _, e := range c.Entities {
		if e.Kind == message.URL || e.Kind == message.TextURL {
			return true
		}
	}
	return false
}

const (
	// searchStep is how many messages are looked at in one read.
	searchStep = 500
	// searchMost is how many messages one search without words looks at.
	searchMost = 20_000
)

// matching returns up to most messages that match, newest first, and whether there are more.
func (h *Handlers) matching(
	c *api.Call, peer ids.Peer, req *tg.MessagesSearchRequest,
	want func(store.Message) bool, most int,
) (out []store.Message, more bool, err error) {
	below := int64(1<<31 - 1)
	if req.OffsetID > 0 {
		below = int64(req.OffsetID)
	}
	var above int64
	err = h.View(c, func(r *store.Reader, _ *view.View) (err error) {
		if _, err = message.See(r, c.Self, peer, c.Unix()); err == nil {
			above, err = message.Horizon(r, c.Self, peer)
		}
		return err
	})
	for looked := 0; err == nil && looked < searchMost && below > above+1; looked += searchStep {
		var rows []store.Message
		if rows, below, err = h.step(c, peer, req.Q, below, above); err != nil {
			return nil, false, err
		}
		if rows, err = h.findable(c, rows); err != nil {
			return nil, false, err
		}
		for _, m := range rows {
			if m.Flags.Has(store.Service) || !want(m) {
				continue
			}
			if len(out) == most {
				return out, true, nil
			}
			out = append(out, m)
		}
	}
	return out, false, err
}

// findable leaves out what the service keeps out of searches or withholds from the caller: that it
// was found would tell what it says.
func (h *Handlers) findable(c *api.Call, rows []store.Message) (out []store.Message, err error) {
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = out[:0]
		for _, m := range rows {
			if v.Findable(m) {
				out = append(out, m)
			}
		}
		return nil
	})
	return out, err
}

// step returns the next stretch of messages to look at, all or those with the words, and the id
// below which the rest lies, 0 when there is none.
func (h *Handlers) step(
	c *api.Call, peer ids.Peer, query string, below, above int64,
) (out []store.Message, next int64, err error) {
	in := message.BoxOf(c.Self, peer)
	if query == "" {
		err = h.View(c, func(r *store.Reader, _ *view.View) (err error) {
			out, err = r.Older(in, peer, below, above, searchStep, 0)
			return err
		})
		if len(out) == searchStep {
			next = out[len(out)-1].ID
		}
		return out, next, err
	}
	list, err := h.Search.Find(c.Context, c.Self, peer, query, below, searchStep)
	if err != nil {
		return nil, 0, err
	}
	if len(list) == searchStep {
		next = list[len(list)-1]
	}
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		for _, id := range list {
			m, err := r.Message(in, id)
			if store.IsNotFound(err) || err == nil && id <= above {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, m)
		}
		return nil
	})
	return out, next, err
}
