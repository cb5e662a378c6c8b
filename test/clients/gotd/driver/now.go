//go:build !layer158

package main

import (
	"context"
	"fmt"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
)

// choose sets how to connect.
func choose(o *telegram.Options, transport string) error {
	switch transport {
	case "intermediate":
	case "pfs":
		o.EnablePFS = true
	default:
		return fmt.Errorf("no transport %q", transport)
	}
	return nil
}

func (p *person) resolve(ctx context.Context, name string) (*tg.ContactsResolvedPeer, error) {
	return p.ContactsResolveUsername(ctx, &tg.ContactsResolveUsernameRequest{Username: name})
}

func (p *person) enter(ctx context.Context, channel *tg.InputChannel) (tg.UpdatesClass, error) {
	got, err := p.ChannelsJoinChannel(ctx, channel)
	if err != nil {
		return nil, err
	}
	joined, ok := got.(*tg.MessagesChatInviteJoinResultOk)
	if !ok {
		return nil, fmt.Errorf("joining is answered by %T", got)
	}
	return joined.Updates, nil
}

func (p *person) report(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	got, err := p.MessagesReport(ctx, &tg.MessagesReportRequest{
		Peer: k.peer, ID: a.IDs, Option: a.Option, Message: a.Comment,
	})
	if err != nil {
		return nil, err
	}
	switch got := got.(type) {
	case *tg.ReportResultReported:
		return map[string]any{"reported": true}, nil
	case *tg.ReportResultAddComment:
		return map[string]any{"comment": got.Option}, nil
	case *tg.ReportResultChooseOption:
		options := [][]byte{}
		for _, o := range got.Options {
			options = append(options, o.Option)
		}
		return map[string]any{"options": options}, nil
	default:
		return nil, fmt.Errorf("reporting is answered by %T", got)
	}
}
