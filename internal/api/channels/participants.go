package channels

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/channel"
	"parley/internal/chat/group"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// participantsPage is the largest number of members in one answer.
	participantsPage = 200
	// participantsMost is how far into a list of members a client may go.
	participantsMost = 10_000
)

// getParticipants returns members of a channel.
//
// https://core.telegram.org/method/channels.getParticipants
func (h *Handlers) getParticipants(
	c *api.Call, req *tg.ChannelsGetParticipantsRequest,
) (out tg.ChannelsChannelParticipantsClass, err error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	q, err := query(req)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		row, self, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		list, total, err := channel.Members(r, row, self, q, c.Unix())
		if err != nil {
			return err
		}
		x := &tg.ChannelsChannelParticipants{Count: int(total)}
		for _, m := range list {
			x.Participants = append(x.Participants, v.Participant(m, self))
		}
		v.Chat(peer)
		x.Users, x.Chats = v.Users(), v.Chats()
		out = x
		return nil
	})
	return out, err
}

// query translates what a client asks of the list of members.
func query(req *tg.ChannelsGetParticipantsRequest) (channel.Query, error) {
	q := channel.Query{
		Limit:  min(max(req.Limit, 0), participantsPage),
		Offset: min(max(req.Offset, 0), participantsMost),
	}
	switch f := req.Filter.(type) {
	case *tg.ChannelParticipantsRecent:
		q.Kind = channel.Recent
	case *tg.ChannelParticipantsAdmins:
		q.Kind = channel.Admins
	case *tg.ChannelParticipantsKicked:
		q.Kind, q.Text = channel.Kicked, f.Q
	case *tg.ChannelParticipantsBanned:
		q.Kind, q.Text = channel.Restricted, f.Q
	case *tg.ChannelParticipantsBots:
		q.Kind = channel.Bots
	case *tg.ChannelParticipantsSearch:
		q.Kind, q.Text = channel.Search, f.Q
	case *tg.ChannelParticipantsContacts:
		q.Kind, q.Text = channel.Contacts, f.Q
	case *tg.ChannelParticipantsMentions:
		q.Kind = channel.Search
		q.Text, _ = f.GetQ()
	default:
		return q, chat.Invalid("INPUT_CONSTRUCTOR_INVALID")
	}
	return q, nil
}

// getParticipant returns one member of a channel.
//
// https://core.telegram.org/method/channels.getParticipant
func (h *Handlers) getParticipant(
	c *api.Call, req *tg.ChannelsGetParticipantRequest,
) (out *tg.ChannelsChannelParticipant, err error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	other, err := h.Peer(c, req.Participant)
	if err != nil {
		return nil, err
	}
	if other.Kind() != ids.User {
		return nil, chat.Invalid("PARTICIPANT_ID_INVALID")
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		row, self, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		if other.User() != c.Self {
			if err := group.MayList(row, self); err != nil {
				return err
			}
		}
		m, err := r.Member(peer, other.User())
		if err != nil {
			return err
		}
		shown := rights.BannedNow(m, c.Unix()) != 0 && rights.IsAdmin(self)
		if !m.Role.In() && !shown {
			return chat.ErrNotParticipant
		}
		out = &tg.ChannelsChannelParticipant{Participant: v.Participant(m, self)}
		v.Chat(peer)
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}

// editAdmin gives somebody admin rights, or takes them.
//
// https://core.telegram.org/method/channels.editAdmin
func (h *Handlers) editAdmin(
	c *api.Call, req *tg.ChannelsEditAdminRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	rank, _ := req.GetRank()
	give := view.AdminBits(req.AdminRights)
	if err := h.Channel.SetAdmin(c.Context, c.Self, peer, user, give, rank); err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil)
}

// editBanned takes rights from somebody, up to being in the channel, or gives them back.
//
// https://core.telegram.org/method/channels.editBanned
func (h *Handlers) editBanned(
	c *api.Call, req *tg.ChannelsEditBannedRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	other, err := h.Peer(c, req.Participant)
	if err != nil {
		return nil, err
	}
	if other.Kind() != ids.User {
		return nil, chat.Invalid("PARTICIPANT_ID_INVALID")
	}
	take := view.BannedBits(req.BannedRights)
	sent, err := h.Channel.Ban(c.Context, c.Self, peer, other.User(), take,
		int64(req.BannedRights.UntilDate))
	if err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil, sent)
}

// logScan is how many entries of the log one request looks at.
const logScan = 1000

// getAdminLog returns what admins of a channel did.
//
// https://core.telegram.org/method/channels.getAdminLog
func (h *Handlers) getAdminLog(
	c *api.Call, req *tg.ChannelsGetAdminLogRequest,
) (out *tg.ChannelsAdminLogResults, err error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	f := logFilter{text: req.Q}
	if set, ok := req.GetEventsFilter(); ok {
		f.events = &set
	}
	if list, ok := req.GetAdmins(); ok {
		if f.admins, err = h.Users(c, list); err != nil {
			return nil, err
		}
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		_, self, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		if !rights.IsAdmin(self) {
			return chat.ErrAdminRequired
		}
		below := req.MaxID
		if below == 0 {
			below = 1<<63 - 1
		}
		rows, err := r.AdminEvents(peer, below, req.MinID, logScan)
		if err != nil {
			return err
		}
		out = &tg.ChannelsAdminLogResults{Events: []tg.ChannelAdminLogEvent{}}
		for _, e := range rows {
			l, err := group.DecodeLog(e)
			if err != nil {
				return err
			}
			if f.wants(r, e, l) && len(out.Events) < min(max(req.Limit, 1), 100) {
				out.Events = append(out.Events, v.AdminEvent(e, l))
			}
		}
		v.Chat(peer)
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}
