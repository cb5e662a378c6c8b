// Package reports answers the methods by which users report something, in all namespaces: it finds
// what they mean, walks them through the menu, and hands the report to safety/intake. It answers
// success only for what is stored.
//
// https://core.telegram.org/api/report
package reports

import (
	"context"
	"errors"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/evidence"
	"parley/internal/safety/intake"
	"parley/internal/store"
)

// Handlers answer the methods that report.
type Handlers struct {
	desk.Desk
	Intake *intake.Service
	// Press answers the button of a message that the service account sent to a user.
	Press func(ctx context.Context, user ids.UserID, id int64, data []byte) (string, error)
}

// most is how many messages one request may report.
const most = 100

// commentBytes bounds a comment.
const commentBytes = 4096

// The options of the menu that methods without one mean.
const (
	spam  = "spam"
	other = "inputReportReasonOther"
)

// Methods are the rows.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Write, h.report).WhenFrozen(true),
		api.On(api.User, api.Write, h.reportSpam).WhenFrozen(true),
		api.On(api.User, api.Write, h.reportReaction).WhenFrozen(true),
		api.On(api.User, api.Write, h.reportPeer).WhenFrozen(true),
		api.On(api.User, api.Write, h.reportProfilePhoto).WhenFrozen(true),
		api.On(api.User, api.Write, h.reportParticipant).WhenFrozen(true),
		api.On(api.User, api.Write, h.reportEncryptedSpam).WhenFrozen(true),
		api.On(api.User, api.Read, h.reportFalsePositive),
		api.On(api.User, api.Write, h.callback).WhenFrozen(true),
	}
}

// subjects returns what a caller means by messages of a peer; by the peer itself for none.
func (h *Handlers) subjects(
	c *api.Call, peer ids.Peer, list []int,
) (out []safety.Subject, err error) {
	if len(list) > most {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	if len(list) == 0 {
		list = []int{0}
	} else {
		for _, id := range list {
			if id <= 0 {
				return nil, chat.ErrMessageIDInvalid
			}
		}
	}
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		out = out[:0]
		for _, id := range list {
			s, err := intake.SubjectOf(r, c.Self, peer, int64(id), c.Unix())
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// store reports subjects, each durably before the answer.
func (h *Handlers) store(
	c *api.Call, subjects []safety.Subject, o intake.Option, comment string,
	secret *evidence.SecretChat,
) error {
	if len(comment) > commentBytes {
		return chat.Invalid("MESSAGE_TOO_LONG")
	}
	for _, s := range subjects {
		_, err := h.Intake.Report(c.Context, intake.Report{
			Subject: s, Source: safety.OtherNotification, Reporter: c.Self, Category: o.Category,
			Keyword: o.Keyword, Lane: o.Lane, Option: o.ID, Text: comment, Lang: c.Lang(),
			GoodFaith: true, IP: c.IP, Device: c.Key.Device + "\n" + c.Key.System,
			Secret: secret,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// report reports messages or a chat by a menu.
//
// https://core.telegram.org/method/messages.report
func (h *Handlers) report(
	c *api.Call, req *tg.MessagesReportRequest,
) (tg.ReportResultClass, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	subjects, err := h.subjects(c, peer, req.ID)
	if err != nil {
		return nil, err
	}
	step, err := h.Intake.Menu.Walk(c.Lang(), req.Option, req.Message)
	if errors.Is(err, intake.ErrOption) {
		return nil, chat.Invalid("OPTION_INVALID")
	}
	switch {
	case err != nil:
		return nil, err
	case step.Ask:
		out := &tg.ReportResultAddComment{Optional: step.Optional, Option: step.Token}
		out.SetFlags()
		return out, nil
	case step.Done != nil:
		err := h.store(c, subjects, *step.Done, req.Message, nil)
		return &tg.ReportResultReported{}, err
	}
	out := &tg.ReportResultChooseOption{Title: step.Title}
	for _, o := range step.Options {
		out.Options = append(out.Options, tg.MessageReportOption{Text: o.Text, Option: o.Token})
	}
	return out, nil
}

// named reports subjects under an option of the menu.
func (h *Handlers) named(
	c *api.Call, subjects []safety.Subject, option, comment string,
) (*tg.BoolBox, error) {
	o, err := h.Intake.Menu.Find(option)
	if err != nil {
		return nil, chat.Invalid("OPTION_INVALID")
	}
	return view.True, h.store(c, subjects, o, comment, nil)
}

// reportSpam reports a chat that its stranger began.
//
// https://core.telegram.org/method/messages.reportSpam
func (h *Handlers) reportSpam(
	c *api.Call, req *tg.MessagesReportSpamRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	subjects, err := h.subjects(c, peer, nil)
	if err != nil {
		return nil, err
	}
	return h.named(c, subjects, spam, "")
}

// reportReaction reports somebody's reaction to a message.
//
// https://core.telegram.org/method/messages.reportReaction
func (h *Handlers) reportReaction(
	c *api.Call, req *tg.MessagesReportReactionRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	who, err := h.Peer(c, req.ReactionPeer)
	if err != nil {
		return nil, err
	}
	var s safety.Subject
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		m, err := message.Get(r, c.Self, peer, int64(req.ID))
		if err != nil {
			return err
		}
		ref := message.RefOf(m)
		s = safety.Subject{Peer: ref.Box, Kind: safety.Reaction, Item: ref.ID, Author: who.User()}
		list, err := r.ReactionsOf(m.Box, m.ID, who.User())
		if err == nil && (len(list) == 0 || who == c.Self.Peer()) {
			err = chat.ErrUserInvalid
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return h.named(c, []safety.Subject{s}, other, "")
}

// reportPeer reports an account or a chat for one of the reasons of the API.
//
// https://core.telegram.org/method/account.reportPeer
func (h *Handlers) reportPeer(
	c *api.Call, req *tg.AccountReportPeerRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	subjects, err := h.subjects(c, peer, nil)
	if err != nil {
		return nil, err
	}
	return h.named(c, subjects, req.Reason.TypeName(), req.Message)
}

// reportProfilePhoto reports a photo of an account or a chat.
//
// https://core.telegram.org/method/account.reportProfilePhoto
func (h *Handlers) reportProfilePhoto(
	c *api.Call, req *tg.AccountReportProfilePhotoRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	subjects, err := h.subjects(c, peer, nil)
	if err != nil {
		return nil, err
	}
	photo, ok := req.PhotoID.(*tg.InputPhoto)
	if !ok {
		return nil, chat.Invalid("PHOTO_ID_INVALID")
	}
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		has, err := r.HasProfilePhoto(peer, photo.ID)
		if err == nil && (!has || photo.AccessHash != h.Env.MediaHash(photo.ID)) {
			err = chat.Invalid("PHOTO_ID_INVALID")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	subjects[0].Kind, subjects[0].Item = safety.Photo, photo.ID
	return h.named(c, subjects, req.Reason.TypeName(), req.Message)
}

// reportParticipant reports messages of a member of a supergroup as spam.
//
// https://core.telegram.org/method/channels.reportSpam
func (h *Handlers) reportParticipant(
	c *api.Call, req *tg.ChannelsReportSpamRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	who, err := h.Peer(c, req.Participant)
	if err != nil {
		return nil, err
	}
	if len(req.ID) == 0 {
		return nil, chat.ErrMessageIDInvalid
	}
	subjects, err := h.subjects(c, peer, req.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range subjects {
		if s.Author.Peer() != who && who != peer {
			return nil, chat.ErrMessageIDInvalid
		}
	}
	return h.named(c, subjects, spam, "")
}

// reportFalsePositive refuses: no message is taken for spam by the server itself yet, so there is
// none of which that could be said.
//
// https://core.telegram.org/method/channels.reportAntiSpamFalsePositive
func (h *Handlers) reportFalsePositive(
	c *api.Call, req *tg.ChannelsReportAntiSpamFalsePositiveRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		access, err := message.See(r, c.Self, peer, c.Unix())
		if err == nil && !rights.Has(access.Member, rights.DeleteMessages) {
			err = chat.ErrAdminRequired
		}
		return err
	})
	if err == nil {
		err = chat.ErrMessageIDInvalid
	}
	return nil, err
}
