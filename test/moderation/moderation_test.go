// Package moderation plays conversations about moderation: who reports, who decides, who complains,
// and what each client sees of it. The people use the client of github.com/gotd/td; the staff are
// the rooms of the server that the console stands on.
//
// A conversation is a file. Its lines say who does or sees what: "author posts one: text" and so
// on; what a line can say stands in verbs.
package moderation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"parley/internal/ids"
	"parley/internal/node/nodetest"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("conversations/*.txt")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d conversations: %v", len(files), err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { play(t, name) })
	}
}

// scene is a conversation that is being played.
type scene struct {
	*testing.T
	server *nodetest.Server
	people map[string]*person
	posts  map[string]int
	peer   ids.Peer
	// decided is what the conversation is about.
	decided decide.Decision
	// office is the authority, nil as long as none asked for anything.
	office *office
	// signers is how many people signed.
	signers int
	random  int64
}

// play plays the lines of a file until one is not true.
func play(t *testing.T, name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{
		T: t, server: nodetest.Start(t, nil), people: make(map[string]*person),
		posts: make(map[string]int),
	}
	for n, line := range strings.Split(string(b), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if s.line(line); t.Failed() {
			t.Fatalf("%s:%d: %s", name, n+1, line)
		}
	}
}

// line plays one line.
func (s *scene) line(line string) {
	head, text, _ := strings.Cut(line, ": ")
	words := strings.Fields(strings.TrimSuffix(head, ":"))
	switch words[0] {
	case "people":
		for i, word := range strings.Fields(line)[1:] {
			name, lang, _ := strings.Cut(word, ":")
			s.people[name] = enter(s.T, s.server, i+1, lang)
		}
	case "channel":
		s.found(s.people[words[1]], strings.Fields(text))
	case "authority":
		if words[1] == "orders" {
			s.orders(words[2], text)
		} else {
			s.told(text)
		}
	case "staff":
		id, err := strconv.ParseInt(words[1], 10, 64)
		s.check(err)
		s.staff(id, words[2], words[3:], text)
	default:
		p := s.people[words[0]]
		verb := verbs[words[1]]
		if p == nil || verb == nil {
			s.Fatalf("nobody knows what %q means", line)
		}
		verb(s, p, strings.Join(words[2:], " "), text)
	}
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
	// gets waits until a post that was gone is pushed to him again.
	"gets": func(s *scene, p *person, what, text string) {
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
	case "confirms":
		s.confirms(id)
	case "annuls":
		_, err := n.Orders.Annul(ctx, id, s.office.agency.ID, s.office.given.ID, text)
		s.check(err)
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

// complaint is the one complaint about what was decided.
func (s *scene) complaint() (a appeal.Appeal) {
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
