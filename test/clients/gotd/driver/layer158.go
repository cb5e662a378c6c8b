//go:build layer158

package main

import (
	"context"
	"fmt"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
)

// choose sets how to connect.
func choose(_ *telegram.Options, transport string) error {
	if transport != "intermediate" {
		return fmt.Errorf("no transport %q", transport)
	}
	return nil
}

func (p *person) resolve(ctx context.Context, name string) (*tg.ContactsResolvedPeer, error) {
	return p.ContactsResolveUsername(ctx, name)
}

func (p *person) enter(ctx context.Context, channel *tg.InputChannel) (tg.UpdatesClass, error) {
	return p.ChannelsJoinChannel(ctx, channel)
}

// report gives a reason: there was no menu.
func (p *person) report(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	ok, err := p.MessagesReport(ctx, &tg.MessagesReportRequest{
		Peer: k.peer, ID: a.IDs, Reason: &tg.InputReportReasonViolence{}, Message: a.Comment,
	})
	return map[string]any{"reported": ok}, err
}
