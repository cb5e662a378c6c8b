package gotd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/gotd/td/tg"

	"parley/internal/chat/account"
	"parley/internal/node/nodetest"
)

// TestImportedChannel brings a channel in and uses it as a newcomer would: he finds it by its
// username, joins, reads, reacts, and finds every message again by its words. PARLEY_TEST_EXPORT
// names the folder of another export to do this with.
func TestImportedChannel(t *testing.T) {
	s := nodetest.Start(t, nil)
	dir := os.Getenv("PARLEY_TEST_EXPORT")
	if dir == "" {
		dir = t.TempDir()
		b, err := os.ReadFile("../../../internal/importer/testdata/result.json")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "result.json"), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	report, err := s.Node.Importer(account.ServiceUser).Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	a := login(t, s, 1)
	found, err := a.ContactsResolveUsername(a.ctx, &tg.ContactsResolveUsernameRequest{
		Username: report.Username,
	})
	a.must(err)
	channel := found.Chats[0].(*tg.Channel)
	_, err = a.ChannelsJoinChannel(a.ctx, channel.AsInput())
	a.must(err)
	h, err := a.MessagesGetHistory(a.ctx, &tg.MessagesGetHistoryRequest{
		Peer: channel.AsInputPeer(), Limit: 100,
	})
	a.must(err)
	read := 0
	for _, x := range h.(*tg.MessagesChannelMessages).Messages {
		m, ok := x.(*tg.Message)
		if !ok {
			continue
		}
		read++
		for _, word := range words(m.Message) {
			if !a.finds(channel, word, m.ID) {
				t.Errorf("%q does not find message %d", word, m.ID)
			}
		}
		_, err := a.MessagesSendReaction(a.ctx, &tg.MessagesSendReactionRequest{
			Peer: channel.AsInputPeer(), MsgID: m.ID,
			Reaction: []tg.ReactionClass{&tg.ReactionEmoji{Emoticon: "❤"}},
		})
		a.must(err)
	}
	if read != report.Imported {
		t.Errorf("%d messages are read, %d were imported", read, report.Imported)
	}
	t.Logf("@%s: %d messages read and found again", report.Username, read)
}

// words picks some words of a text to look for: the longest of the beginning, middle and end.
func words(text string) (out []string) {
	all := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && r != '\u200c'
	})
	for i := range 3 {
		part := all[i*len(all)/3 : (i+1)*len(all)/3]
		longest := ""
		for _, w := range part {
			if len([]rune(w)) > len([]rune(longest)) {
				longest = w
			}
		}
		if len([]rune(longest)) > 3 {
			out = append(out, longest)
		}
	}
	return out
}

func (p *person) finds(channel *tg.Channel, query string, id int) bool {
	p.t.Helper()
	r, err := p.MessagesSearch(p.ctx, &tg.MessagesSearchRequest{
		Peer: channel.AsInputPeer(), Q: query, Filter: &tg.InputMessagesFilterEmpty{}, Limit: 50,
	})
	p.must(err)
	for _, x := range r.(*tg.MessagesChannelMessages).Messages {
		if x.GetID() == id {
			return true
		}
	}
	return false
}
