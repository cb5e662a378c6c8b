package chats

import (
	"errors"
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/group"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// hash takes the secret out of an invite link, in any of the forms that such links have.
func hash(link string) string {
	link = strings.TrimRight(link, "/")
	if i := strings.LastIndexAny(link, "/=+"); i >= 0 {
		link = link[i+1:]
	}
	return link
}

// invite renders a link as an answer.
func (h *Handlers) invite(
	c *api.Call, i store.Invite,
) (out tg.ExportedChatInviteClass, err error) {
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.Invite(i)
		return nil
	})
	return out, err
}

// exportChatInvite makes an invite link.
//
// https://core.telegram.org/method/messages.exportChatInvite
func (h *Handlers) exportChatInvite(
	c *api.Call, req *tg.MessagesExportChatInviteRequest,
) (tg.ExportedChatInviteClass, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if _, paid := req.GetSubscriptionPricing(); paid {
		return nil, chat.Invalid("PRICING_CHAT_INVALID")
	}
	i, err := h.Group.Export(c.Context, c.Self, peer, group.Terms{
		Expires: int64(req.ExpireDate), Uses: int64(req.UsageLimit), Request: req.RequestNeeded,
		Title: req.Title,
	}, req.LegacyRevokePermanent)
	if err != nil {
		return nil, err
	}
	return h.invite(c, i)
}

// checkChatInvite says what a link leads to.
//
// https://core.telegram.org/method/messages.checkChatInvite
func (h *Handlers) checkChatInvite(
	c *api.Call, req *tg.MessagesCheckChatInviteRequest,
) (out tg.ChatInviteClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		to, err := group.Check(r, c.Self, hash(req.Hash), c.Unix())
		if err != nil {
			return err
		}
		out = v.Invited(to)
		return nil
	})
	return out, err
}

// importChatInvite makes the caller a member by a link.
//
// https://core.telegram.org/method/messages.importChatInvite
func (h *Handlers) importChatInvite(
	c *api.Call, req *tg.MessagesImportChatInviteRequest,
) (tg.MessagesChatInviteJoinResultClass, error) {
	peer, sent, err := h.Group.Import(c.Context, c.Self, hash(req.Hash))
	if err != nil {
		return nil, err
	}
	if peer.Kind() == ids.Chat {
		if err := h.Settle(c, c.Self.Peer(), peer); err != nil {
			return nil, err
		}
		return Joined(h.Roster(c, peer, nil, sent))
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return Joined(h.Answer(c, peer, nil, sent))
}

// getExportedChatInvites returns the links of an admin, a page after another link.
//
// https://core.telegram.org/method/messages.getExportedChatInvites
func (h *Handlers) getExportedChatInvites(
	c *api.Call, req *tg.MessagesGetExportedChatInvitesRequest,
) (*tg.MessagesExportedChatInvites, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	admin, err := h.User(c, req.AdminID)
	if err != nil {
		return nil, err
	}
	out := &tg.MessagesExportedChatInvites{}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		*out = tg.MessagesExportedChatInvites{Invites: []tg.ExportedChatInviteClass{}}
		all, err := group.Invites(r, c.Self, peer, admin, c.Unix())
		if err != nil {
			return err
		}
		after, begun := hash(req.OffsetLink), req.OffsetLink == ""
		for _, i := range all {
			if i.Flags.Has(store.InviteRevoked) != req.Revoked {
				continue
			}
			out.Count++
			if begun && len(out.Invites) < min(max(req.Limit, 1), limit.HistoryPage) {
				out.Invites = append(out.Invites, v.Invite(i))
			}
			begun = begun || i.Hash == after
		}
		out.Users = v.Users()
		return nil
	})
	return out, err
}

// getExportedChatInvite returns one link.
//
// https://core.telegram.org/method/messages.getExportedChatInvite
func (h *Handlers) getExportedChatInvite(
	c *api.Call, req *tg.MessagesGetExportedChatInviteRequest,
) (out tg.MessagesExportedChatInviteClass, err error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		i, err := group.InviteOf(r, c.Self, peer, hash(req.Link), c.Unix())
		if err != nil {
			return err
		}
		x := &tg.MessagesExportedChatInvite{Invite: v.Invite(i)}
		x.Users = v.Users()
		out = x
		return nil
	})
	return out, err
}

// editExportedChatInvite changes or revokes a link.
//
// https://core.telegram.org/method/messages.editExportedChatInvite
func (h *Handlers) editExportedChatInvite(
	c *api.Call, req *tg.MessagesEditExportedChatInviteRequest,
) (out tg.MessagesExportedChatInviteClass, err error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	change, err := h.terms(c, peer, req)
	if err != nil {
		return nil, err
	}
	i, next, err := h.Group.EditInvite(c.Context, c.Self, peer, hash(req.Link), req.Revoked, change)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		if next != nil {
			x := &tg.MessagesExportedChatInviteReplaced{
				Invite: v.Invite(i), NewInvite: v.Invite(*next),
			}
			x.Users = v.Users()
			out = x
			return nil
		}
		x := &tg.MessagesExportedChatInvite{Invite: v.Invite(i)}
		x.Users = v.Users()
		out = x
		return nil
	})
	return out, err
}

// terms are what a link is to be like: what it is, but for what the request names.
func (h *Handlers) terms(
	c *api.Call, peer ids.Peer, req *tg.MessagesEditExportedChatInviteRequest,
) (*group.Terms, error) {
	if req.Revoked {
		return nil, nil
	}
	var t group.Terms
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		i, err := group.InviteOf(r, c.Self, peer, hash(req.Link), c.Unix())
		t = group.Terms{
			Expires: i.Expires, Uses: i.Uses, Request: i.Flags.Has(store.InviteRequest),
			Title: i.Title,
		}
		return err
	})
	if n, ok := req.GetExpireDate(); ok {
		t.Expires = int64(n)
	}
	if n, ok := req.GetUsageLimit(); ok {
		t.Uses = int64(n)
	}
	if on, ok := req.GetRequestNeeded(); ok {
		t.Request = on
	}
	if s, ok := req.GetTitle(); ok {
		t.Title = s
	}
	return &t, err
}

// deleteExportedChatInvite forgets a revoked link.
//
// https://core.telegram.org/method/messages.deleteExportedChatInvite
func (h *Handlers) deleteExportedChatInvite(
	c *api.Call, req *tg.MessagesDeleteExportedChatInviteRequest,
) (*tg.BoolBox, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	return view.True, h.Group.DeleteInvite(c.Context, c.Self, peer, hash(req.Link))
}

// deleteRevokedExportedChatInvites forgets all revoked links of an admin.
//
// https://core.telegram.org/method/messages.deleteRevokedExportedChatInvites
func (h *Handlers) deleteRevokedExportedChatInvites(
	c *api.Call, req *tg.MessagesDeleteRevokedExportedChatInvitesRequest,
) (*tg.BoolBox, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	admin, err := h.User(c, req.AdminID)
	if err != nil {
		return nil, err
	}
	return view.True, h.Group.DeleteRevoked(c.Context, c.Self, peer, admin)
}

// getAdminsWithInvites says how many links each admin has made.
//
// https://core.telegram.org/method/messages.getAdminsWithInvites
func (h *Handlers) getAdminsWithInvites(
	c *api.Call, req *tg.MessagesGetAdminsWithInvitesRequest,
) (*tg.MessagesChatAdminsWithInvites, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	out := &tg.MessagesChatAdminsWithInvites{}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		*out = tg.MessagesChatAdminsWithInvites{}
		all, err := group.Invites(r, c.Self, peer, 0, c.Unix())
		if err != nil {
			return err
		}
		at := make(map[ids.UserID]int)
		for _, i := range all {
			n, known := at[i.Creator]
			if !known {
				n = len(out.Admins)
				at[i.Creator] = n
				v.User(i.Creator)
				out.Admins = append(out.Admins, tg.ChatAdminWithInvites{AdminID: int64(i.Creator)})
			}
			if i.Flags.Has(store.InviteRevoked) {
				out.Admins[n].RevokedInvitesCount++
			} else {
				out.Admins[n].InvitesCount++
			}
		}
		out.Users = v.Users()
		return nil
	})
	return out, err
}

// getChatInviteImporters returns who came by a link, or who asks to come.
//
// https://core.telegram.org/method/messages.getChatInviteImporters
func (h *Handlers) getChatInviteImporters(
	c *api.Call, req *tg.MessagesGetChatInviteImportersRequest,
) (*tg.MessagesChatInviteImporters, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	most := min(max(req.Limit, 1), limit.HistoryPage)
	var after ids.UserID
	if _, empty := req.OffsetUser.(*tg.InputUserEmpty); !empty && req.OffsetDate != 0 {
		if after, err = h.User(c, req.OffsetUser); err != nil {
			return nil, err
		}
	}
	out := &tg.MessagesChatInviteImporters{}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		list, total, err := group.Importers(r, c.Self, peer, hash(req.Link), req.Requested, group.Page{
			Date: int64(req.OffsetDate), After: after, Limit: most, Query: req.Q,
		}, c.Unix())
		if err != nil {
			return err
		}
		*out = tg.MessagesChatInviteImporters{Count: int(total)}
		for _, a := range list {
			v.User(a.User)
			i := tg.ChatInviteImporter{
				Requested: req.Requested, UserID: int64(a.User), Date: int(a.Date),
			}
			i.SetFlags()
			out.Importers = append(out.Importers, i)
		}
		out.Users = v.Users()
		return nil
	})
	return out, err
}

// hideChatJoinRequest lets somebody in who asked to join, or does not.
//
// https://core.telegram.org/method/messages.hideChatJoinRequest
func (h *Handlers) hideChatJoinRequest(
	c *api.Call, req *tg.MessagesHideChatJoinRequestRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	if _, err := h.Group.Decide(c.Context, c.Self, peer, user, req.Approved); err != nil {
		return nil, err
	}
	return h.decided(c, peer)
}

// hideAllChatJoinRequests decides about everybody who asked to join.
//
// https://core.telegram.org/method/messages.hideAllChatJoinRequests
func (h *Handlers) hideAllChatJoinRequests(
	c *api.Call, req *tg.MessagesHideAllChatJoinRequestsRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	link, _ := req.GetLink()
	err = h.Group.DecideAll(c.Context, c.Self, peer, hash(link), req.Approved)
	if err != nil && !errors.Is(err, chat.Invalid("HIDE_REQUESTER_MISSING")) {
		return nil, err
	}
	return h.decided(c, peer)
}

// decided says how many requests still wait.
func (h *Handlers) decided(c *api.Call, peer ids.Peer) (out *tg.Updates, err error) {
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		recent, total, err := r.JoinAsks(peer, 3)
		u := &tg.UpdatePendingJoinRequests{Peer: v.Peer(peer), RequestsPending: int(total)}
		for _, a := range recent {
			v.User(a.User)
			u.RecentRequesters = append(u.RecentRequesters, int64(a.User))
		}
		out = v.Updates([]tg.UpdateClass{u})
		return err
	})
	return out, err
}
