package view

import (
	"encoding/binary"
	"hash/fnv"
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// NewShared is New for nobody in particular of an audience: what all its members see alike.
func NewShared(r *store.Reader, env *Env, a restrict.Audience, now int64) *View {
	v := New(r, env, 0, now)
	v.audience = &a
	return v
}

// Varies tells whether a shared view has something that another audience sees otherwise.
func (v *View) Varies() bool { return v.varies }

// Audience is what of the viewer decides what is withheld from him. It is read when it is first
// needed, because hardly anything is restricted.
func (v *View) Audience() restrict.Audience {
	if v.audience == nil {
		a, err := restrict.Of(v.r, v.viewer)
		v.fail(err)
		v.audience = &a
	}
	return *v.audience
}

// judge reads the verdict on a peer whose row says that the service has restricted it.
func (v *View) judge(peer ids.Peer) restrict.Verdict {
	if verdict, ok := v.verdicts[peer]; ok {
		return verdict
	}
	verdict, err := restrict.OfPeer(v.r, v.Audience(), peer)
	v.fail(err)
	v.varies = v.varies || verdict.Varies
	v.verdicts[peer] = verdict
	return verdict
}

// shownUser is what may be shown of an account: nothing of one that the service ended, and of one
// whose profile is withheld only the name, so that one knows of whom.
func (v *View) shownUser(row store.User) (store.User, restrict.Verdict) {
	if row.Flags.Has(store.UserTerminated) {
		row.FirstName, row.LastName, row.Username, row.Phone = "", "", "", ""
		row.About, row.PhotoID = "", 0
		row.Flags |= store.UserDeleted
	}
	if !row.Flags.Has(store.UserMeasured) {
		return row, restrict.Verdict{}
	}
	verdict := v.judge(row.ID.Peer())
	if verdict.Hidden() {
		row.About, row.PhotoID = "", 0
	}
	row.About = labelled(row.About, verdict.Labels)
	return row, verdict
}

// shownChat is what may be shown of a chat; of one that is withheld only what it is called.
func (v *View) shownChat(row store.Chat) store.Chat {
	if !row.Flags.Has(store.ChatMeasured) {
		return row
	}
	verdict := v.judge(row.Peer)
	if verdict.Hidden() {
		row.About, row.PhotoID = "", 0
	}
	if verdict.Still {
		row.Flags |= store.ChatNoForwards
	}
	row.About = labelled(row.About, verdict.Labels)
	return row
}

// ShowsProfile tells whether the service lets the viewer see a peer's photos and description.
func (v *View) ShowsProfile(peer ids.Peer) bool {
	if peer.Kind() == ids.User {
		row, err := v.r.User(peer.User())
		if v.fail(err) || row.Flags.Has(store.UserTerminated) {
			return false
		}
		return !row.Flags.Has(store.UserMeasured) || !v.judge(peer).Hidden()
	}
	row, err := v.ChatRow(peer)
	if v.fail(err) || row.Flags.Has(store.ChatTerminated) {
		return false
	}
	return !row.Flags.Has(store.ChatMeasured) || !v.judge(peer).Hidden()
}

// labelled puts labels in front of a description: people and chats have no other place for them.
func labelled(about string, labels []string) string {
	if len(labels) == 0 {
		return about
	}
	return strings.TrimSpace(strings.Join(labels, "\n") + "\n\n" + about)
}

// reasons are why something is withheld, on all platforms.
//
// https://core.telegram.org/constructor/restrictionReason
func reasons(verdict restrict.Verdict) []tg.RestrictionReason {
	var out []tg.RestrictionReason
	for _, why := range verdict.Withheld {
		out = append(out, tg.RestrictionReason{Platform: "all", Reason: why.Word, Text: why.Text})
	}
	return out
}

// Verdict is what the service has restricted of a message for the viewer.
func (v *View) Verdict(m store.Message) restrict.Verdict {
	var verdict restrict.Verdict
	if m.Flags.Has(store.Measured) {
		own, err := message.OwnVerdict(v.r, v.Audience(), m)
		v.fail(err)
		v.varies = v.varies || own.Varies
		verdict = own
	}
	switch {
	case m.Peer.Kind() != ids.User:
		row, err := v.ChatRow(m.Peer)
		if !v.fail(err) && row.Flags.Has(store.ChatMeasured) {
			verdict = verdict.And(v.judge(m.Peer))
		}
	case m.From == m.Peer && m.Peer != m.Box:
		v.User(m.Peer.User())
		verdict = verdict.And(v.verdicts[m.Peer])
	}
	return verdict
}

// gone tells whether the service has ended the chat that a message is in.
func (v *View) gone(m store.Message) bool {
	if m.Peer.Kind() == ids.User {
		return false
	}
	row, err := v.ChatRow(m.Peer)
	return !v.fail(err) && row.Flags.Has(store.ChatTerminated)
}

// withheld renders a message without what it says: clients that know of restrictions show the
// reason, and those that do not show it as the text.
func (v *View) withheld(m store.Message, verdict restrict.Verdict) tg.MessageClass {
	text := verdict.Withheld[0].Text
	if m.Flags.Has(store.Service) {
		out := &tg.MessageService{
			Out: v.out(m), Post: m.Flags.Has(store.Post), ID: int(m.ID), PeerID: v.Peer(m.Peer),
			Date: int(m.Date), Action: &tg.MessageActionCustomAction{Message: text},
		}
		if m.From != 0 && !(out.Post && m.From == m.Peer) {
			out.SetFromID(v.Peer(m.From))
		}
		out.SetFlags()
		return out
	}
	out := &tg.Message{
		Out: v.out(m), Post: m.Flags.Has(store.Post), Noforwards: true, ID: int(m.ID),
		PeerID: v.Peer(m.Peer), Date: int(m.Date), Message: text, EditHide: true,
	}
	if m.From != 0 && !(out.Post && m.From == m.Peer) {
		out.SetFromID(v.Peer(m.From))
	}
	if m.Edited != 0 {
		out.SetEditDate(int(m.Edited))
	}
	out.SetRestrictionReason(reasons(verdict))
	out.SetFlags()
	return out
}

// FactCheck renders what readers are told of a message; its hash is 0 when that is nothing.
//
// https://core.telegram.org/api/factcheck
func (v *View) FactCheck(m store.Message) tg.FactCheck {
	verdict := v.Verdict(m)
	if verdict.Hidden() {
		return tg.FactCheck{}
	}
	return factCheck(verdict.Labels)
}

func factCheck(labels []string) tg.FactCheck {
	var out tg.FactCheck
	if len(labels) == 0 {
		return out
	}
	text := strings.Join(labels, "\n")
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	out.Hash = int64(binary.LittleEndian.Uint64(h.Sum(nil))>>1 | 1)
	out.SetText(tg.TextWithEntities{Text: text})
	out.SetCountry("")
	out.SetFlags()
	return out
}

// Findable tells whether a search of the viewer may lead to a message.
func (v *View) Findable(m store.Message) bool {
	verdict := v.Verdict(m)
	return !verdict.Hidden() && !verdict.Demoted && !v.gone(m)
}

// FindablePeer tells whether a search among all may lead the viewer to a peer: one that is public,
// and neither ended nor demoted by the service.
func (v *View) FindablePeer(peer ids.Peer) bool {
	var measured bool
	if peer.Kind() == ids.User {
		row, err := v.r.User(peer.User())
		closed := row.Flags.Has(store.UserDeleted) || row.Flags.Has(store.UserTerminated)
		if v.fail(err) || row.Username == "" || closed {
			return false
		}
		measured = row.Flags.Has(store.UserMeasured)
	} else {
		row, err := v.ChatRow(peer)
		if v.fail(err) || row.Username == "" || rights.Closed(row) {
			return false
		}
		measured = row.Flags.Has(store.ChatMeasured)
	}
	return !measured || !v.judge(peer).Demoted
}

// loggedPhoto renders a photo that a peer has had, unless the service has taken it away.
func (v *View) loggedPhoto(peer ids.Peer, id int64, at Origin) tg.PhotoClass {
	if id == 0 {
		return &tg.PhotoEmpty{}
	}
	taken, err := v.r.PhotoRemoved(peer, id)
	if v.fail(err) || taken {
		return &tg.PhotoEmpty{}
	}
	return v.Photo(id, at)
}
