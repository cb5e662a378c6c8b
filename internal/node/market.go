package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat/account"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/chat/takeout"
	"parley/internal/ids"
	"parley/internal/safety/disclose"
	"parley/internal/safety/market"
	"parley/internal/safety/owed"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// openMarkets builds what knows where the service is offered.
func (n *Node) openMarkets() error {
	n.Markets = &market.Service{
		Store: n.Store, Clock: n.clock, Decisions: n.Decisions,
		Tell: func(ctx context.Context, to market.Told) error {
			return n.Statements.Announce(ctx, to.User, statement.Market{
				State: string(to.State), Country: string(to.Country), Why: to.Why,
			}, to.Random)
		},
	}
	n.Account.Admit = n.Markets.Admit
	return nil
}

// refused says to who cannot get in because of the country of his number why that is: clients show
// an error that they do not know as such, and this in words, before anybody is logged in.
//
// https://core.telegram.org/constructor/updateServiceNotification
func (n *Node) refused(c *api.Call, written string, err error) {
	text, reason := statement.RefusedSignUp, market.ErrSignUp.Reason
	switch {
	case errors.Is(err, market.ErrSignIn):
		text, reason = statement.RefusedSignIn, market.ErrSignIn.Reason
	case !errors.Is(err, market.ErrSignUp):
		return
	}
	phone, err := account.Phone(written)
	if err != nil {
		return
	}
	of, why, err := n.Markets.Why(c.Context, phone)
	if err != nil {
		n.log.Error("the reason of a refusal", "error", err)
		return
	}
	n.tellKey(c.Session.KeyID(), &tg.UpdateServiceNotification{
		Popup: true, Type: reason, Media: &tg.MessageMediaEmpty{},
		Message: n.Statements.RefusalText([]string{c.Key.Lang, c.Key.SystemLang}, text,
			statement.Market{Country: string(of), Why: why}),
		Entities: []tg.MessageEntityClass{},
	}, func(st *api.State) bool { return st.ID() == c.Session.ID() })
}

// tellMarkets goes on with what an earlier process was in the middle of withholding, tells people
// what became of their country, and lifts what was withheld in those that are open again.
func (n *Node) tellMarkets() {
	n.start(func() {
		failed := func(err error) { n.log.Error("telling of markets", "error", err) }
		new(owed.Worker).Run(n.ctx, proxiesEvery, failed, func(ctx context.Context) error {
			_, proposed := n.Markets.Complete(ctx)
			_, told := n.Markets.TellAll(ctx)
			_, lifted := n.Markets.LiftAll(ctx)
			return errors.Join(proposed, told, lifted)
		})
	})
}

// markets are all countries that were ever something else than open.
func (n *Node) markets(ctx context.Context) (all []market.Market, err error) {
	err = n.Store.View(ctx, func(r *store.Reader) (err error) {
		all, err = market.All(r)
		return err
	})
	return all, err
}

// marketDocument is the register of markets as the public log publishes it; none while every
// country has always been open.
func (n *Node) marketDocument(ctx context.Context) (out []disclose.Document, err error) {
	all, err := n.markets(ctx)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	newest := all[0].Changes[0].At
	for _, m := range all {
		for _, c := range m.Changes {
			if c.At.After(newest) {
				newest = c.At
			}
		}
	}
	body, err := market.Public(all)
	return []disclose.Document{{Name: "markets", Day: entry.Day(newest), Body: body}}, err
}

// export makes the next part of a copy of an account's data, which only who it belongs to is sent.
func (n *Node) export(
	ctx context.Context, user ids.UserID, from json.RawMessage,
) (*message.Media, json.RawMessage, error) {
	var at takeout.Cursor
	if from != nil {
		if err := json.Unmarshal(from, &at); err != nil {
			return nil, nil, err
		}
	}
	pr, pw := io.Pipe()
	copies := &takeout.Service{Store: n.Store, Files: n.Media.Blobs}
	var next takeout.Cursor
	made := make(chan struct{})
	go func() {
		defer close(made)
		var err error
		next, err = copies.Part(ctx, user, at, pw)
		pw.CloseWithError(err)
	}()
	f, err := n.Media.AddDocument(ctx, account.ServiceUser, pr, "application/zip",
		[]media.Attribute{{Kind: media.Filename, Text: takeout.Name(at.Part+1, n.clock.Now())}})
	_ = pr.CloseWithError(io.ErrClosedPipe) // ends the writer when storing failed
	<-made
	if err != nil {
		return nil, nil, err
	}
	part := &message.Media{Kind: message.Document, ID: f.ID}
	if next.Done {
		return part, nil, nil
	}
	b, err := json.Marshal(next)
	return part, b, err
}

// sendExports sends copies of their data to who asks for them.
func (n *Node) sendExports() {
	n.start(func() {
		failed := func(err error) { n.log.Error("copies of people's data", "error", err) }
		n.exports.Run(n.ctx, proxiesEvery, failed, func(ctx context.Context) error {
			_, err := n.Statements.SendExports(ctx)
			return err
		})
	})
}
