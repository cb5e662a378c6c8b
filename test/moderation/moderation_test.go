// Package moderation plays conversations about moderation: who reports, who orders, who decides,
// who complains, and what each client sees of it. People use the client of github.com/gotd/td.
// Authorities come in where they do in life: their officers by the forms of the portal with a
// security key, their programs by the JSON API with its key, and by SMTP; each paper that they get
// is checked offline by parley-verify, whole and altered. Staff work at the console over HTTP where
// a line names a role; where it names a number they are the rooms that the console stands on.
//
// A conversation is a file of lines, which are played one after the other; each is true or ends the
// test. Lines that begin with # are for readers. Lines that begin with two spaces belong to the one
// above and say more of it, as "name: value".
//
//	people author:de reader:fa             they sign in, each on a device in his language
//	channel author: reader                 author makes a public channel, which reader joins
//	author posts one: text                 a post that later lines call one
//	WHO VERB WHAT: text                    what people do and see: verbs in this file
//	agency office police DE de: Name       two of the staff let it in: kind, country, language
//	office orders A by dsa-9 at the portal an order that later lines call A; or "by its program",
//	                                       "by mail"
//	  items: one, https://...              its fields: document_test.go
//	office vouches for A                   what its program brought, by its officer's key
//	office confirms A                      an emergency, by its supervisor
//	office supplements A                   at the portal, with the fields that are other now
//	office withdraws A: why
//	office sends A again                   and is given the same receipt
//	office is told of A: effect yes        its newest paper: kind, effect given, reason
//	office is told of A on 2: not-here     what that says of the second thing that A names
//	office is told of A missing: redress
//	office is told of A data logins: yes
//	office is mailed: incomplete           what comes by SMTP, or a paper with it
//	office reads of A: text                the newest paper as pages, in its language
//	office proves A: order effect          gets proofs that lines are in the public log
//	office fetches A: text                 the data, which its own key alone opens
//	office cannot find A                   nor fetch, confirm
//	staff legal checks A: how              all that policy wants to be looked at, by console forms
//	staff signs A                          as many people as policy wants, each in his role
//	staff ROLE VERB A: text                works in desk_test.go
//	regulator asks: title, hotline reports NAME, market DE restricted: why    lines_test.go
//	days pass: 8                           what falls due by then is done
package moderation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/node/nodetest"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("conversations/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d conversations: %v", len(files), err)
	}
	program := build(t)
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			play(t, name, program)
		})
	}
}

// scene is a conversation that is being played.
type scene struct {
	*testing.T
	server *nodetest.Server
	hours  *hours
	// web is where browsers reach the service, mailsAt where mails do.
	web, mailsAt string
	people       map[string]*person
	posts        map[string]int
	peer         ids.Peer
	// decided is what the conversation is about.
	decided decide.Decision
	random  int64

	desk    desk
	offices map[string]*office
	orders  map[string]*given
	// batch is what was proposed to be withheld in a country.
	batch int64
	// program is the verifier, papersKey the key it is given, seen what it has found in order.
	program, papersKey string
	seen               map[string]paper.Paper
	box                *box
	mail               []string
}

// begin starts a server with all its doors.
func begin(t *testing.T, program string) *scene {
	s := &scene{
		T: t, hours: newHours(), program: program, mailsAt: free(t),
		people: make(map[string]*person), posts: make(map[string]int),
		offices: make(map[string]*office), orders: make(map[string]*given),
		seen: make(map[string]paper.Paper),
	}
	s.desk.s = s
	console, out := free(t), s.mailbox()
	s.server = nodetest.Timed(t, s.hours, func(c *config.Config) {
		_, port, _ := net.SplitHostPort(c.Web.Listen)
		s.web = "http://localhost:" + port
		c.Web.PublicURL = s.web
		c.Console.Listen = console
		_, port, _ = net.SplitHostPort(console)
		s.desk.at = "http://localhost:" + port
		c.Console.PublicURL = s.desk.at
		c.MailIn.Listen = s.mailsAt
		c.Contact.Authorities = address
		c.SMTP = config.SMTP{Server: out, TLS: config.NoTLS, From: "answers@chat.example.org"}
	})
	return s
}

// free finds an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// play plays the lines of a file until one is not true.
func play(t *testing.T, name, program string) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, program)
	lines := strings.Split(string(b), "\n")
	for n, line := range lines {
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "  ") {
			continue
		}
		var f fields
		for _, more := range lines[n+1:] {
			if !strings.HasPrefix(more, "  ") {
				break
			}
			name, value, _ := strings.Cut(strings.TrimSpace(more), ": ")
			f = append(f, field{strings.TrimSuffix(name, ":"), value})
		}
		if s.line(line, f); t.Failed() {
			t.Fatalf("%s:%d: %s", name, n+1, line)
		}
	}
}

// line plays one line.
func (s *scene) line(line string, f fields) {
	head, text, _ := strings.Cut(line, ": ")
	words := strings.Fields(strings.TrimSuffix(head, ":"))
	text = s.filled(text)
	switch words[0] {
	case "people":
		for i, word := range strings.Fields(line)[1:] {
			name, lang, _ := strings.Cut(word, ":")
			s.people[name] = enter(s, i+1, lang)
		}
	case "channel":
		s.found(s.people[words[1]], strings.Fields(text))
	case "agency":
		s.open(words, text)
	case "market":
		s.market(words[1:], text, f)
	case "days", "hours":
		n, err := strconv.Atoi(text)
		s.check(err)
		each := map[string]time.Duration{"days": 24 * time.Hour, "hours": time.Hour}[words[0]]
		s.pass(time.Duration(n) * each)
	case "staff":
		if id, err := strconv.ParseInt(words[1], 10, 64); err == nil {
			s.staff(id, words[2], words[3:], text)
		} else {
			s.staffAt(words[1:], text)
		}
	default:
		s.acts(line, words, text, f)
	}
}

// acts plays a line of somebody who has a name in the conversation.
func (s *scene) acts(line string, words []string, text string, f fields) {
	if o := s.offices[words[0]]; o != nil && len(words) > 1 && acts[words[1]] != nil {
		acts[words[1]](s, o, words[2:], text, f)
		return
	}
	p := s.people[words[0]]
	if p == nil || len(words) < 2 || verbs[words[1]] == nil {
		s.Fatalf("nobody knows what %q means", line)
	}
	verbs[words[1]](s, p, strings.Join(words[2:], " "), text)
}

// filled puts our reference of an order in the place of its name in braces: {A}.
func (s *scene) filled(text string) string {
	for name, g := range s.orders {
		text = strings.ReplaceAll(text, "{"+name+"}", g.reference)
	}
	for name, p := range s.people {
		text = strings.ReplaceAll(text, "{"+name+"}", strconv.FormatInt(p.self.ID, 10))
	}
	return text
}

func (s *scene) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// found makes the channel, which the others join.
func (s *scene) found(creator *person, others []string) {
	u, err := creator.ChannelsCreateChannel(creator.ctx, &tg.ChannelsCreateChannelRequest{
		Title: "News", Broadcast: true,
	})
	s.check(err)
	made := u.(*tg.Updates).Chats[0].(*tg.Channel)
	creator.channel = made.AsInput()
	s.peer = ids.ChannelID(made.ID).Peer()
	_, err = creator.ChannelsUpdateUsername(creator.ctx, &tg.ChannelsUpdateUsernameRequest{
		Channel: made.AsInput(), Username: "the_news",
	})
	s.check(err)
	for _, name := range others {
		p := s.people[name]
		r, err := p.ContactsResolveUsername(p.ctx, &tg.ContactsResolveUsernameRequest{
			Username: "the_news",
		})
		s.check(err)
		p.channel = r.Chats[0].(*tg.Channel).AsInput()
		_, err = p.ChannelsJoinChannel(p.ctx, p.channel)
		s.check(err)
	}
}

// verbs are what people do and see. what is a post's name, text what stands after the colon.
var verbs = map[string]func(s *scene, p *person, what, text string){
	// posts publishes something that later lines name.
	"posts": func(s *scene, p *person, what, text string) {
		u, err := s.send(p, text)
		s.check(err)
		for _, x := range u.(*tg.Updates).Updates {
			if id, ok := x.(*tg.UpdateMessageID); ok {
				s.posts[what] = id.ID
			}
		}
	},
	// sees waits until a post is pushed to him.
	"sees": (*scene).pushed,
	// loses waits until he is told that a post is gone.
	"loses": func(s *scene, p *person, what, _ string) {
		p.expect("the end of "+what, func(u tg.UpdateClass) bool {
			x, ok := u.(*tg.UpdateDeleteChannelMessages)
			return ok && len(x.Messages) == 1 && x.Messages[0] == s.posts[what]
		})
	},
	// gets waits until a post that was gone is pushed to him again; gets his data: waits for the
	// file with it, in which something stands.
	"gets": func(s *scene, p *person, what, text string) {
		if what == "his data" {
			s.export(p, text)
			return
		}
		s.pushed(p, strings.TrimPrefix(what, "back "), text)
	},
	// has looks for a post in the channel.
	"has": func(s *scene, p *person, what, _ string) {
		name, not := strings.CutPrefix(what, "not ")
		if p.history(s.posts[name]) == not {
			s.Errorf("has it: %v", !not)
		}
	},
	// reports reports a post by an option of the menu.
	"reports": func(s *scene, p *person, what, text string) {
		got, err := p.MessagesReport(p.ctx, &tg.MessagesReportRequest{
			Peer: &tg.InputPeerChannel{
				ChannelID: p.channel.ChannelID, AccessHash: p.channel.AccessHash,
			},
			ID: []int{s.posts[what]}, Option: []byte(text),
		})
		s.check(err)
		if _, ok := got.(*tg.ReportResultReported); !ok {
			s.Errorf("answered by %T", got)
		}
	},
	// reads waits for a letter; nothing makes sure that there is none.
	"reads": func(s *scene, p *person, what, text string) {
		if what != "nothing" {
			p.awaits(text)
			return
		}
		for _, m := range p.letters() {
			s.Errorf("was written %q", m.Message)
		}
	},
	// presses presses the button under a letter.
	"presses": func(s *scene, p *person, _, text string) {
		if got, ok := p.press(); !ok || !strings.Contains(got, text) {
			s.Errorf("pressed %v, answered %q", ok, got)
		}
	},
	// cannot press finds no button; cannot post is refused.
	"cannot": func(s *scene, p *person, what, _ string) {
		if what == "press" {
			if got, ok := p.press(); ok {
				s.Errorf("pressed a button: %q", got)
			}
			return
		}
		if _, err := s.send(p, "no"); !tgerr.Is(err, "FROZEN_METHOD_INVALID") {
			s.Errorf("posted: %v", err)
		}
	},
	// lives gives him a number of a country.
	"lives": func(s *scene, p *person, _, text string) { s.lives(p, text) },
	// finds looks a post up, and whether it is withheld from him.
	"finds": func(s *scene, p *person, what, _ string) {
		name, want := strings.CutPrefix(what, "withheld ")
		if got := s.withheld(p, name); got != want {
			s.Errorf("withheld: %v", got)
		}
	},
	// writes writes to the service account.
	"writes": func(s *scene, p *person, _, text string) {
		s.random++
		_, err := p.MessagesSendMessage(p.ctx, &tg.MessagesSendMessageRequest{
			Peer: p.service(), Message: text, RandomID: s.random,
		})
		s.check(err)
		s.check(s.server.Node.Courier.Settled(p.ctx, ids.UserID(p.self.ID).Peer()))
	},
}

func (s *scene) pushed(p *person, what, _ string) {
	p.expect(what, func(u tg.UpdateClass) bool {
		x, ok := u.(*tg.UpdateNewChannelMessage)
		return ok && x.Message.GetID() == s.posts[what]
	})
}

func (s *scene) send(p *person, text string) (tg.UpdatesClass, error) {
	s.random++
	return p.MessagesSendMessage(p.ctx, &tg.MessagesSendMessageRequest{
		Peer: &tg.InputPeerChannel{
			ChannelID: p.channel.ChannelID, AccessHash: p.channel.AccessHash,
		},
		Message: text, RandomID: s.random,
	})
}

func (s *scene) view(fn func(*store.Reader) error) {
	s.Helper()
	s.check(s.server.Node.Store.View(context.Background(), fn))
}

// staff does what a member of staff does in the console.
func (s *scene) staff(id int64, verb string, about []string, text string) {
	ctx, n := context.Background(), s.server.Node
	by := safety.Actor{Staff: id}
	switch verb {
	case "removes":
		s.decide(s.draft(s.post(about[0]), by, safety.Remove, text))
	case "suspends":
		user := ids.UserID(s.people[about[0]].self.ID)
		subject := safety.Subject{Peer: user.Peer(), Kind: safety.Account, Author: user}
		s.decide(s.draft(subject, by, safety.Suspend, text))
	case "dismisses":
		d, err := n.Decisions.Dismiss(ctx, s.peer, s.caseOf(s.post(about[0])), by,
			casefile.Refuted, text)
		s.check(err)
		s.decided = d
	case "hears":
		s.hears(text)
	case "asks":
		a := s.complaint()
		s.check(n.Appeals.Say(ctx, a.Subject, a.ID, id, 0, text))
	case "reverses", "upholds", "may":
		a := s.complaint()
		r := appeal.Ruling{Staff: id, Outcome: appeal.Reversed, Reason: text}
		if verb == "upholds" {
			r.Outcome = appeal.Upheld
		}
		if verb == "may" {
			r.Reason = "his own decision"
		}
		_, err := n.Appeals.Decide(ctx, a.Subject, a.ID, r)
		if verb == "may" {
			if !errors.Is(err, decide.ErrSamePerson) {
				s.Errorf("ruled on what he decided: %v", err)
			}
			return
		}
		s.check(err)
	default:
		s.Fatalf("staff do not %s", verb)
	}
}

// post is a post as a subject.
func (s *scene) post(name string) safety.Subject {
	return safety.Subject{
		Peer: s.peer, Kind: safety.Message, Item: int64(s.posts[name]),
		Author: ids.UserID(s.people["author"].self.ID),
	}
}

// caseOf is the case about a subject, 0 for none.
func (s *scene) caseOf(subject safety.Subject) (id int64) {
	s.view(func(r *store.Reader) error {
		c, err := r.OpenCase(casefile.About(subject, 0))
		id = c.ID
		if store.IsNotFound(err) {
			err = nil
		}
		return err
	})
	return id
}

func (s *scene) draft(
	subject safety.Subject, by safety.Actor, m safety.Measure, reference string,
) decide.Draft {
	return decide.Draft{
		Case: s.caseOf(subject), Subject: subject, By: by, Ground: safety.Incompatible,
		Reference: reference, Explanation: "It breaks that rule.", Facts: "It asks for money.",
		Category: safety.ScamsAndFraud, Source: safety.OtherNotification,
		Means:    safety.Means{Decided: safety.NotAutomated},
		Measures: []safety.MeasureSpec{{Measure: m}},
	}
}

func (s *scene) decide(d decide.Draft) {
	got, err := s.server.Node.Decisions.Decide(context.Background(), d)
	s.check(err)
	if got.State != decide.Effective {
		s.Fatalf("%+v", got)
	}
	s.decided = got
}

// complaint is the one complaint about what was decided, by the staff themselves or because of the
// one order.
func (s *scene) complaint() (a appeal.Appeal) {
	s.Helper()
	if s.decided.ID == 0 {
		s.view(func(r *store.Reader) error {
			list, err := decide.OfSubject(r, s.peer, math.MaxInt64, 1)
			if len(list) == 1 {
				s.decided = list[0]
			}
			return err
		})
	}
	s.view(func(r *store.Reader) error {
		list, err := appeal.Of(r, s.decided.Subject.Peer, s.decided.ID)
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d complaints", len(list))
		}
		if err == nil {
			a = list[0]
		}
		return err
	})
	return a
}

// export waits for the file with somebody's data.
func (s *scene) export(p *person, text string) {
	s.Helper()
	s.check(s.server.Node.Statements.Listen(s.Context()))
	var doc *tg.Document
	p.expect("his data", func(u tg.UpdateClass) bool {
		x, ok := u.(*tg.UpdateNewMessage)
		if !ok {
			return false
		}
		m, _ := x.Message.(*tg.Message)
		if m == nil {
			return false
		}
		media, _ := m.Media.(*tg.MessageMediaDocument)
		if media != nil {
			doc, _ = media.Document.(*tg.Document)
		}
		return doc != nil
	})
	var got bytes.Buffer
	_, err := downloader.NewDownloader().
		Download(p.Client, doc.AsInputDocumentFileLocation("")).Stream(p.ctx, &got)
	s.check(err)
	if data := s.unpack(got.Bytes())["result.json"]; !bytes.Contains(data, []byte(text)) {
		s.Errorf("the data: %s", data)
	}
}

// hears finds what somebody wrote about his complaint, once the server has taken it in.
func (s *scene) hears(text string) {
	a := s.complaint()
	s.check(s.server.Node.Statements.Listen(context.Background()))
	said := 0
	s.view(func(r *store.Reader) error {
		lines, err := appeal.Dialogue(r, a.Subject, a.ID)
		for _, line := range lines {
			if line.Staff == 0 && line.Text == text {
				said++
			}
		}
		return err
	})
	if said != 1 {
		s.Errorf("said %d times", said)
	}
	s.view(func(r *store.Reader) error {
		all, err := decide.OfSubject(r, s.decided.Subject.Peer, math.MaxInt64, 10)
		if len(all) != 1 {
			s.Errorf("%d decisions", len(all))
		}
		return err
	})
}

// withheld looks whether a post says that it is withheld, and why, instead of its text.
func (s *scene) withheld(p *person, post string) bool {
	s.Helper()
	got, err := p.ChannelsGetMessages(p.ctx, &tg.ChannelsGetMessagesRequest{
		Channel: p.channel, ID: []tg.InputMessageClass{&tg.InputMessageID{ID: s.posts[post]}},
	})
	s.check(err)
	m, ok := got.(*tg.MessagesChannelMessages)
	if !ok || len(m.Messages) != 1 {
		s.Fatalf("got %T", got)
	}
	x, ok := m.Messages[0].(*tg.Message)
	return ok && len(x.RestrictionReason) > 0
}
