package node

import (
	"context"
	"errors"
	"io"

	"parley/internal/chat/account"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/chat/takeout"
	"parley/internal/ids"
	"parley/internal/safety/disclose"
	"parley/internal/safety/market"
	"parley/internal/safety/owed"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// openMarkets builds what knows where the service is offered.
func (n *Node) openMarkets() error {
	n.Markets = &market.Service{
		Store: n.Store, Clock: n.clock, Decisions: n.Decisions,
		Tell: func(ctx context.Context, to market.Told) error {
			return n.Statements.Announce(ctx, to.User, "market."+string(to.State),
				string(to.Country), to.Random)
		},
	}
	n.Account.Admit = n.Markets.Admit
	return nil
}

// tellMarkets tells people of countries that are being left, and lifts what was withheld in those
// that are open again.
func (n *Node) tellMarkets() {
	n.start(func() {
		failed := func(err error) { n.log.Error("telling of markets", "error", err) }
		new(owed.Worker).Run(n.ctx, proxiesEvery, failed, func(ctx context.Context) error {
			_, told := n.Markets.TellAll(ctx)
			_, lifted := n.Markets.LiftAll(ctx)
			return errors.Join(told, lifted)
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

// export makes a copy of an account's data, which only who it belongs to is sent.
func (n *Node) export(ctx context.Context, user ids.UserID) (*message.Media, error) {
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(takeout.Write(ctx, n.Store, user, pw)) }()
	f, err := n.Media.AddDocument(ctx, account.ServiceUser, pr, "application/json",
		[]media.Attribute{{Kind: media.Filename, Text: "result.json"}})
	_ = pr.CloseWithError(io.ErrClosedPipe) // ends the writer when storing failed
	if err != nil {
		return nil, err
	}
	return &message.Media{Kind: message.Document, ID: f.ID}, nil
}
