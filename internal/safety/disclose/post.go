package disclose

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"parley/internal/chat/account"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/tlog/report"
)

// postDays is for how many days a report is still posted: the channels are news, and the pages the
// archive.
const postDays = 7

// Topic is what a channel of daily reports is about.
type Topic int

// The topics.
const (
	All Topic = iota
	ChildSafety
	Terrorism
)

// Channel is a public channel of the network in which the service posts.
type Channel struct {
	Topic    Topic
	Username string
}

// Title is the channel's title.
func (t Topic) Title() string {
	return [...]string{"Daily report", "Stop child abuse", "Stop terror"}[t]
}

// About says what the channel is.
func (t Topic) About() string {
	return [...]string{
		"What was decided here, day by day. Computed from a public log: check it yourself.",
		"Daily reports about banned groups and channels that abused children.",
		"Daily reports about banned terrorist groups and channels.",
	}[t]
}

// Poster posts reports in channels of the network itself, each once.
type Poster struct {
	Store    *store.Store
	Message  *message.Service
	Channels []Channel
	// Create makes a public channel of the service account.
	Create func(ctx context.Context, title, about, username string) (ids.Peer, error)
	// Picture is a plot of a topic's days up to one, as a PNG; nil for posts without pictures.
	Picture func(t Topic, day string) ([]byte, error)
	// Photo keeps a PNG as a photo of the service account and returns its number.
	Photo func(ctx context.Context, image []byte) (int64, error)
	// URL is the address of the page of a day's report.
	URL func(day string) string
	// Now is the time.
	Now func() time.Time
}

// Post posts a report, unless it is of long ago.
func (p *Poster) Post(ctx context.Context, r report.Report) error {
	day, err := time.Parse(time.DateOnly, r.Day)
	if err != nil {
		return fmt.Errorf("disclose: day of a report: %w", err)
	}
	if p.Now().Sub(day) > postDays*24*time.Hour {
		return nil
	}
	for _, c := range p.Channels {
		peer, err := p.channel(ctx, c)
		if err != nil {
			return fmt.Errorf("disclose: channel %s: %w", c.Username, err)
		}
		if err := p.post(ctx, c.Topic, peer, r); err != nil {
			return fmt.Errorf("disclose: post in %s: %w", c.Username, err)
		}
	}
	return nil
}

// post posts a report in a channel, unless it is there.
func (p *Poster) post(ctx context.Context, t Topic, to ids.Peer, r report.Report) error {
	o := message.Outgoing{
		From: account.ServiceUser, To: to, Random: randomID(t, r.Day), Trusted: true,
		Content: message.Content{Text: Text(t, r, p.URL(r.Day))},
	}
	_, err := p.Message.SentBefore(ctx, o.From, o.To, o.Random)
	if !store.IsNotFound(err) {
		return err
	}
	if p.Picture != nil {
		image, err := p.Picture(t, r.Day)
		if err != nil {
			return err
		}
		photo, err := p.Photo(ctx, image)
		if err != nil {
			return err
		}
		o.Content.Media = &message.Media{Kind: message.Photo, ID: photo}
	}
	_, err = p.Message.Send(ctx, o)
	return err
}

// channel returns the channel of a topic, and makes it at first.
func (p *Poster) channel(ctx context.Context, c Channel) (peer ids.Peer, err error) {
	err = p.Store.View(ctx, func(r *store.Reader) error {
		peer, err = r.PeerByUsername(strings.ToLower(c.Username))
		if err != nil {
			return err
		}
		chat, err := r.Chat(peer)
		if err == nil && chat.Creator != account.ServiceUser {
			return fmt.Errorf("the name belongs to somebody else: %w", store.ErrConflict)
		}
		return err
	})
	if store.IsNotFound(err) {
		return p.Create(ctx, c.Topic.Title(), c.Topic.About(), c.Username)
	}
	return peer, err
}

// randomID is by what a post is sent once.
func randomID(t Topic, day string) int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "daily report\x00%d\x00%s", t, day))
	return int64(binary.BigEndian.Uint64(sum[:])>>1 | 1)
}

// Text is what is posted of a report.
func Text(t Topic, r report.Report, url string) string {
	var line string
	switch t {
	case ChildSafety:
		line = fmt.Sprintf("%d groups and channels related to child abuse banned on %s.\n"+
			"Total this month: %d.",
			r.Today.Banned.ChildSafety, r.Day, r.Month.Banned.ChildSafety)
	case Terrorism:
		line = fmt.Sprintf("%d groups and channels related to terrorism banned on %s.\n"+
			"Total this month: %d.",
			r.Today.Banned.Terrorism, r.Day, r.Month.Banned.Terrorism)
	default:
		a := r.Today.Appeals
		line = fmt.Sprintf("%s: %d decisions, %d of them by machines alone; %d groups and "+
			"channels banned; %d complaints decided, %d of them in favour of who complained.\n"+
			"Total this month: %d decisions.",
			r.Day, r.Today.Decisions, r.Today.Automated, r.Today.Banned.All,
			a.Upheld+a.Partly+a.Reversed, a.Partly+a.Reversed, r.Month.Decisions)
	}
	return line + "\n\n" + url
}
