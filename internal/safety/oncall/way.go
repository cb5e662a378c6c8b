package oncall

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/internal/chat/account"
	"parley/internal/chat/markup"
	"parley/internal/chat/message"
	"parley/internal/hook"
	"parley/internal/ids"
	"parley/internal/smtp"
	"parley/internal/store"
)

// files are the texts of calls.
//
//go:embed texts
var files embed.FS

// errGone says that a person is not on call any more, or not on this way.
var errGone = errors.New("nobody is called so any more")

// person returns who is on call under a name.
func (s *Service) person(name string) (Person, bool) {
	for _, level := range s.Levels {
		for _, p := range level {
			if p.Name == name {
				return p, true
			}
		}
	}
	return Person{}, false
}

// name is that of a call: the same for each try, and no other's.
func name(c store.AlertCall) string {
	b := binary.BigEndian.AppendUint64([]byte("call"), uint64(c.Alert))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(c.N)))
	return hex.EncodeToString(sum[:16])
}

// make makes a call. temporary tells of a failure that it may go better soon.
func (s *Service) make(
	ctx context.Context, a Alert, c store.AlertCall,
) (temporary bool, err error) {
	p, ok := s.person(c.Person)
	if !ok {
		return false, errGone
	}
	said := s.say(a, c)
	switch {
	case c.Way == byHook && s.hooks[p.Name] != nil:
		err = s.post(ctx, p, c, said)
	case c.Way == byMail && p.Mail != "" && s.Mail != nil:
		err = s.Mail(ctx, smtp.Letter{
			To: p.Mail, Subject: said.Title, Body: said.mail(s), Lang: s.Lang,
			Time: s.Clock.Now(), ID: name(c),
		})
	case c.Way == byChat && p.Account != "":
		return true, s.write(ctx, p, c, said)
	default:
		return false, errGone
	}
	var posted *hook.DeliveryError
	var mailed *smtp.DeliveryError
	return errors.As(err, &posted) && posted.Temporary ||
		errors.As(err, &mailed) && mailed.Temporary, err
}

// said is what a call says. Its form as JSON is what hooks are posted.
type said struct {
	Alert string `json:"alert"`
	Kind  Kind   `json:"kind"`
	// Status is ringing, unanswered or confirmed.
	Status    string `json:"status"`
	Round     int64  `json:"round"`
	Person    string `json:"person"`
	Reference string `json:"reference,omitempty"`
	Country   string `json:"country,omitempty"`
	Time      string `json:"time"`
	By        string `json:"by,omitempty"`
	Title     string `json:"title"`
	Text      string `json:"text"`
	// Confirm is the page by which somebody says that he deals with it, Open where it lies.
	Confirm string `json:"confirm,omitempty"`
	Open    string `json:"open,omitempty"`

	token string
}

// say writes a call.
func (s *Service) say(a Alert, c store.AlertCall) said {
	t := func(key string, args ...any) string {
		if len(args) == 0 {
			return s.texts[s.Lang][key]
		}
		return fmt.Sprintf(s.texts[s.Lang][key], args...)
	}
	out := said{
		Alert: fmt.Sprintf("%x", a.ID), Kind: a.Kind, Status: "ringing", Round: c.Round,
		Person: c.Person, Reference: a.Reference, Country: a.Country, By: a.By,
		Time:  time.Unix(a.Created, 0).UTC().Format(time.RFC3339),
		Title: t("kind." + string(a.Kind)), token: s.token(a.ID, c.Person),
	}
	minutes := max(int64(s.Wait/time.Minute), 1)
	switch {
	case c.What == tells:
		out.Status, out.Title = "confirmed", t("taken", a.By)
		out.Text = t("kind." + string(a.Kind))
	case c.Round > int64(len(s.Levels)):
		out.Status, out.Title = "unanswered", t("nobody.title")
		out.Text = t("kind."+string(a.Kind)) + "\n" + t("nobody", minutes)
	default:
		out.Text = t("level", c.Round, minutes)
	}
	if a.Reference != "" {
		out.Text += "\n" + a.Reference
		if a.Country != "" {
			out.Text += " (" + a.Country + ")"
		}
	}
	out.Open = s.Open(a)
	if c.What == wakes && s.URL != "" {
		out.Confirm = s.URL + "/oncall/" + out.token
	}
	return out
}

// Open is the address in the console at which lies what an alert is about, empty for none.
func (s *Service) Open(a Alert) string {
	if a.Path == "" || s.Console == "" {
		return ""
	}
	return s.Console + a.Path
}

// mail is a call as the body of a mail.
func (x said) mail(s *Service) string {
	body := x.Title + "\n\n" + x.Text + "\n"
	if x.Confirm != "" {
		body += "\n" + s.texts[s.Lang]["confirm"] + "\n" + x.Confirm + "\n"
	}
	if x.Open != "" {
		body += "\n" + s.texts[s.Lang]["open"] + "\n" + x.Open + "\n"
	}
	return body
}

// post calls a program.
func (s *Service) post(ctx context.Context, p Person, c store.AlertCall, x said) error {
	body, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("oncall: %w", err)
	}
	return s.hooks[p.Name].Post(ctx, s.Clock.Now(), name(c), body)
}

// pressed begins the data of the button by which somebody confirms in a chat.
const pressed = "oncall:"

// write calls an account by a message of the service account.
func (s *Service) write(ctx context.Context, p Person, c store.AlertCall, x said) error {
	var to ids.Peer
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		to, err = p.peer(r)
		return err
	})
	if err != nil {
		return err
	}
	content := message.Content{
		Text:     x.Title + "\n\n" + x.Text,
		Entities: []message.Entity{{Kind: message.Bold, Length: markup.Length(x.Title)}},
	}
	t := s.texts[s.Lang]
	if c.What == wakes {
		content.Buttons = append(content.Buttons, []message.Button{
			{Text: t["button"], Data: []byte(pressed + x.token)},
		})
	}
	if x.Open != "" {
		content.Buttons = append(content.Buttons, []message.Button{
			{Text: t["button.open"], URL: x.Open},
		})
	}
	b, _ := hex.DecodeString(name(c)) // it was encoded just now
	_, err = s.Message.Send(ctx, message.Outgoing{
		From: account.ServiceUser, To: to, Trusted: true, Content: content,
		Random: int64(binary.BigEndian.Uint64(b)>>1) | 1,
	})
	if err != nil {
		return fmt.Errorf("the message: %w", err)
	}
	return nil
}

// peer is the account on which a person is called.
func (p Person) peer(r *store.Reader) (ids.Peer, error) {
	if name, ok := strings.CutPrefix(p.Account, "@"); ok {
		peer, err := r.PeerByUsername(strings.ToLower(name))
		if err == nil && peer.Kind() != ids.User {
			err = errGone
		}
		return peer, err
	}
	user, err := r.UserByPhone(strings.TrimPrefix(p.Account, "+"))
	return user.Peer(), err
}
