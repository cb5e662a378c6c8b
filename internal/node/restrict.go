package node

import (
	"context"
	"time"

	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/enforce"
	"parley/internal/store"
)

// openRestrict builds what carries measures out and what remembers whom they are against. It comes
// before the first commit is told of.
func (n *Node) openRestrict() {
	n.Enforce = &enforce.Service{Store: n.Store, Clock: n.clock}
	n.accounts = restrict.NewAccounts(n.Store)
	n.accounts.Changed = n.standingChanged
}

// standingChanged lets everybody know that the service has decided something of an account: one
// that it ended is cut off, and who knows it sees it as it is now.
func (n *Node) standingChanged(user ids.UserID, s restrict.Standing) {
	if s.Terminated {
		n.hub.Expel(user)
		if err := n.cutAll(n.ctx, user); err != nil && n.ctx.Err() == nil {
			n.log.Error("cutting off an account", "error", err)
		}
	}
	_ = n.personChanged(n.ctx, user)
}

// cutAll ends all live sessions of an account. Its devices stay logged in, for the case that the
// decision does not hold.
func (n *Node) cutAll(ctx context.Context, user ids.UserID) error {
	var list []store.Authorization
	err := n.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.Authorizations(user)
		return err
	})
	for _, a := range list {
		n.cut(a.KeyID)
	}
	return err
}

// personPage is the address of the page where somebody sees all that was decided about him.
func (n *Node) personPage(user ids.UserID) string {
	ref := n.safetyReferences().Make(safety.PersonRef, user.Peer(), 0)
	return n.Config.Web.PublicURL + "/p/" + ref
}

// expiryRetry is how long the node waits before it ends restrictions again when that failed.
const expiryRetry = 10 * time.Second

// expire ends restrictions as they run out.
func (n *Node) expire() {
	for n.ctx.Err() == nil {
		err := n.Enforce.Run(n.ctx)
		if n.ctx.Err() != nil {
			return
		}
		n.log.Error("ending restrictions that ran out", "error", err)
		select {
		case <-n.ctx.Done():
		case <-time.After(expiryRetry):
		}
	}
}

// Withheld tells whether a chat, or its message unless item is 0, is withheld from strangers on the
// web, of whom it is not known where they are, and by which word of restriction reasons.
func Withheld(r *store.Reader, chat ids.Peer, item int64) (reason string, err error) {
	stranger := restrict.Audience{Stranger: true}
	verdict, err := restrict.OfPeer(r, stranger, chat)
	if err == nil && item != 0 {
		var own restrict.Verdict
		own, err = restrict.OfMessage(r, stranger, chat, item)
		verdict = own.And(verdict)
	}
	if err != nil || !verdict.Hidden() {
		return "", err
	}
	return verdict.Withheld[0].Word, nil
}
