package statement

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/store"
)

// errData refuses data that no button of the message has.
var errData = chat.Invalid("DATA_INVALID")

// Press answers the button of a message of the service account: an account, the message's id in its
// box, the button's data. It returns what the client shows.
//
// https://core.telegram.org/method/messages.getBotCallbackAnswer
func (s *Service) Press(
	ctx context.Context, user ids.UserID, id int64, data []byte,
) (string, error) {
	var lang, ref string
	var subject ids.Peer
	var decision int64
	var who appeal.Person
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		ref, err = pressed(r, user, id, data)
		return err
	})
	if err != nil {
		return "", err
	}
	if s.Pressed != nil {
		if answer, ours, err := s.Pressed(ctx, user, ref); ours || err != nil {
			return answer, err
		}
	}
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if lang, err = s.Language(r, user); err != nil {
			return err
		}
		subject, decision, who, err = s.Appeals.About(r, ref)
		return err
	})
	if err == nil {
		// The data is what this account was sent; who holds a statement must also be whom it is to.
		if who.Report == 0 {
			who.User = user
		}
		var filed appeal.Appeal
		filed, err = s.Appeals.FileAgainst(ctx, subject, decision, who, lang, "")
		if err == nil || errors.Is(err, appeal.ErrTwice) {
			// What he writes from now on is about this complaint.
			err = errors.Join(err, s.turnTo(ctx, user, filed))
		}
	}
	key := "pressed.filed"
	switch {
	case err == nil:
	case errors.Is(err, appeal.ErrTwice):
		key = "pressed.twice"
	case errors.Is(err, appeal.ErrLate):
		key = "pressed.late"
	case errors.Is(err, appeal.ErrNothing), store.IsNotFound(err):
		key = "pressed.nothing"
	case errors.Is(err, appeal.ErrNotYours):
		key = "pressed.other"
	case errors.Is(err, safety.ErrReference):
		return "", errData
	default:
		return "", err
	}
	return s.texts.get(lang, key), nil
}

// turnedSetting is the setting of an account that names the complaint which its messages to the
// service account are about. A complaint does not name the account of a notifier.
const turnedSetting = "safety:complaint"

// turnTo makes what an account writes to the service account belong to a complaint.
func (s *Service) turnTo(ctx context.Context, user ids.UserID, a appeal.Appeal) error {
	b := binary.BigEndian.AppendUint64(nil, uint64(a.Subject))
	b = binary.BigEndian.AppendUint64(b, uint64(a.ID))
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		return tx.PutSetting(user, turnedSetting, b)
	})
}

// openComplaint is the open complaint that an account's messages are about, nil for none: the one
// whose button it pressed last, else its newest.
func openComplaint(r *store.Reader, user ids.UserID) (*appeal.Appeal, error) {
	b, err := r.Setting(user, turnedSetting)
	if err != nil {
		return nil, err
	}
	if len(b) == 16 {
		peer, id := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
		a, err := appeal.Get(r, ids.Peer(peer), int64(id))
		if err == nil && a.State == appeal.Open {
			return &a, nil
		}
		if err != nil && !store.IsNotFound(err) {
			return nil, err
		}
	}
	list, err := appeal.By(r, user, math.MaxInt64, complaintsPage)
	for _, a := range list {
		if a.State == appeal.Open {
			return &a, err
		}
	}
	return nil, err
}

// pressed is the data of a button, if the message is one of the service account's and has it.
func pressed(r *store.Reader, user ids.UserID, id int64, data []byte) (string, error) {
	m, err := r.Message(user.Peer(), id)
	if store.IsNotFound(err) || err == nil && m.Peer != account.ServiceUser.Peer() {
		return "", chat.ErrMessageIDInvalid
	}
	if err != nil {
		return "", err
	}
	if m.From != account.ServiceUser.Peer() {
		return "", chat.ErrMessageIDInvalid
	}
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		return "", err
	}
	for _, row := range c.Buttons {
		for _, b := range row {
			if len(b.Data) > 0 && bytes.Equal(b.Data, data) {
				return string(data), nil
			}
		}
	}
	return "", errData
}

const (
	// listenedSetting is the setting of the service account that says up to where its box was
	// looked through.
	listenedSetting = "safety:listened"
	// listenPage is how many entries of its box are looked at in one go.
	listenPage = 200
	// complaintsPage is among how many of somebody's newest complaints an open one is looked for.
	complaintsPage = 20
)

// Listen takes in what people wrote to the service account since the last time: it is added to
// their newest open complaint. Who has none is told so. A message is taken in once, though Listen
// may run twice.
func (s *Service) Listen(ctx context.Context) error {
	self := account.ServiceUser.Peer()
	for {
		var from int64
		var events []store.Event
		err := s.Store.View(ctx, func(r *store.Reader) error {
			b, err := r.Setting(account.ServiceUser, listenedSetting)
			if err != nil {
				return err
			}
			if len(b) == 8 {
				from = int64(binary.BigEndian.Uint64(b))
			}
			events, err = r.Events(self, from, 0, listenPage)
			return err
		})
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if err := s.hear(ctx, e); err != nil {
				return err
			}
		}
		last := binary.BigEndian.AppendUint64(nil, uint64(events[len(events)-1].Pts))
		err = s.Store.Update(ctx, self, func(tx *store.Tx) error {
			return tx.PutSetting(account.ServiceUser, listenedSetting, last)
		})
		if err != nil {
			return err
		}
	}
}

// hear takes one entry of the service account's box in.
func (s *Service) hear(ctx context.Context, e store.Event) error {
	if box.Kind(e.Kind) != box.NewMessage {
		return nil
	}
	entry, err := box.Decode(e)
	if err != nil {
		return err
	}
	var m store.Message
	err = s.Store.View(ctx, func(r *store.Reader) error {
		m, err = r.Message(e.Box, entry.ID)
		return err
	})
	if store.IsNotFound(err) {
		return nil // deleted meanwhile
	}
	if err != nil || m.Flags.Has(store.Out) || m.Peer.Kind() != ids.User {
		return err
	}
	c, err := message.DecodeContent(m.Body)
	if err != nil || c.Action != nil {
		return err
	}
	return s.heard(ctx, m, strings.TrimSpace(c.Text))
}

// proxyCommand asks for a way in where the network blocks the service.
const proxyCommand = "/proxy"

// tellProxies answers with the links of proxies, which applications open by themselves.
func (s *Service) tellProxies(ctx context.Context, m store.Message, lang string) error {
	var links []string
	if s.Proxies != nil {
		links = s.Proxies()
	}
	l := letter{title: s.texts.get(lang, "proxy.none")}
	if len(links) > 0 {
		l = letter{
			title: s.texts.get(lang, "proxy.title"), parts: []Part{
				{Text: s.texts.get(lang, "proxy.text")}, {Text: links[0]},
			},
		}
	}
	l.buttons = s.proxyButtons(lang, links)
	user := m.Peer.User()
	_, err := s.send(ctx, recipient{user: user, lang: lang}, l, randomID(m.Peer, m.ID, -1))
	if err != nil {
		return err
	}
	_, err = s.Message.Read(ctx, account.ServiceUser, m.Peer, m.ID)
	return err
}

// proxyButtons are a button for each link of a proxy.
func (s *Service) proxyButtons(lang string, links []string) (out []message.Button) {
	for _, at := range links {
		out = append(out, message.Button{Text: s.texts.get(lang, "button.proxy"), URL: at})
	}
	return out
}

// heard adds a message to its author's newest open complaint, or answers it.
func (s *Service) heard(ctx context.Context, m store.Message, text string) error {
	user := m.Peer.User()
	var lang string
	var open *appeal.Appeal
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		if lang, err = s.Language(r, user); err != nil {
			return err
		}
		open, err = openComplaint(r, user)
		return err
	})
	if err != nil {
		return err
	}
	switch text {
	case proxyCommand:
		return s.tellProxies(ctx, m, lang)
	case exportCommand:
		return s.queueExport(ctx, m)
	}
	answer := ""
	switch {
	case open == nil:
		answer = "chat.none"
	case text == "":
		answer = "chat.words"
	default:
		err = s.Appeals.Say(ctx, open.Subject, open.ID, 0, m.ID, text)
		if errors.Is(err, appeal.ErrDecided) {
			err, answer = nil, "chat.none"
		}
	}
	if err != nil {
		return err
	}
	if answer != "" {
		_, err := s.send(ctx, recipient{user: user, lang: lang},
			letter{title: s.texts.get(lang, answer)}, randomID(m.Peer, m.ID, -1))
		if err != nil {
			return err
		}
	}
	// The author sees that it was read.
	_, err = s.Message.Read(ctx, account.ServiceUser, m.Peer, m.ID)
	return err
}
