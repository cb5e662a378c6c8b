// Package location finds what a link leads to: an account, a chat, or one message of a chat, as
// Telegram's links and this server's own name them. It fetches nothing, shows nothing, and does not
// tell whoever sent the link whether anything is there.
//
// https://core.telegram.org/api/links
package location

import (
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// Resolver finds what links lead to.
type Resolver struct {
	// Hosts are the names under which this server's own links are known, besides Telegram's.
	Hosts []string
}

// maxLink is the longest link that is looked at, in bytes.
const maxLink = 2048

// link is a link taken apart: by a name, by a channel's number, or by an invitation.
type link struct {
	name    string
	channel int64
	invite  string
	message int64
}

// telegram are the hosts of Telegram's links.
func telegram(host string) bool {
	return host == "t.me" || host == "telegram.me" || host == "telegram.dog"
}

// parse takes a link apart; false for one that is none of ours.
func (x Resolver) parse(text string) (link, bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxLink {
		return link{}, false
	}
	if rest, ok := strings.CutPrefix(text, "@"); ok {
		path := segments(rest) // @NAME or @NAME/ID, as our own pages write places
		if len(path) == 0 || !username(path[0]) {
			return link{}, false
		}
		return fromPath(path, nil)
	}
	if !strings.Contains(text, ":") || !strings.Contains(text, "//") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return link{}, false
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	switch strings.ToLower(u.Scheme) {
	case "tg":
		return fromQuery(host, u.Query())
	case "http", "https":
	default:
		return link{}, false
	}
	if name, ok := strings.CutSuffix(host, ".t.me"); ok && username(name) {
		return fromPath(append([]string{name}, segments(u.Path)...), u.Query())
	}
	if !telegram(host) && !x.own(u) {
		return link{}, false
	}
	return fromPath(segments(u.Path), u.Query())
}

// own tells whether a link is of this server.
func (x Resolver) own(u *url.URL) bool {
	for _, h := range x.Hosts {
		if strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname()) {
			return true
		}
	}
	return false
}

func segments(path string) []string {
	var out []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// fromPath reads NAME, NAME/ID, NAME/THREAD/ID, c/CHANNEL/ID, c/CHANNEL/THREAD/ID, +HASH and
// joinchat/HASH, each also behind s/, the preview's.
func fromPath(path []string, query url.Values) (link, bool) {
	if len(path) > 1 && path[0] == "s" {
		path = path[1:]
	}
	if len(path) == 0 {
		return link{}, false
	}
	var out link
	rest := path[1:]
	switch {
	case strings.HasPrefix(path[0], "+"):
		out.invite = path[0][1:]
		return out, out.invite != "" && len(rest) == 0
	case path[0] == "joinchat" && len(path) == 2:
		out.invite = path[1]
		return out, true
	case path[0] == "c" && len(path) >= 2:
		id, ok := number(path[1])
		if !ok || id > maxChannel {
			return link{}, false
		}
		out.channel, rest = id, path[2:]
	case username(path[0]):
		out.name = path[0]
	default:
		return link{}, false
	}
	if len(rest) > 2 {
		return link{}, false
	}
	if len(rest) > 0 {
		id, ok := number(rest[len(rest)-1])
		if !ok {
			return link{}, false
		}
		out.message = id
	}
	if text := query.Get("comment"); text != "" {
		return link{}, false // a comment lies in another chat than the post
	}
	return out, true
}

// fromQuery reads tg://resolve?domain=NAME&post=ID, tg://privatepost?channel=N&post=ID and
// tg://join?invite=HASH.
func fromQuery(host string, q url.Values) (link, bool) {
	var out link
	switch host {
	case "resolve":
		out.name = q.Get("domain")
		if !username(out.name) {
			return out, false
		}
	case "privatepost":
		id, ok := number(q.Get("channel"))
		if !ok || id > maxChannel {
			return out, false
		}
		out.channel = id
	case "join":
		out.invite = q.Get("invite")
		return out, out.invite != ""
	default:
		return out, false
	}
	if post := q.Get("post"); post != "" {
		id, ok := number(post)
		out.message = id
		return out, ok
	}
	return out, true
}

// maxChannel is beyond the number of any channel.
const maxChannel = 1 << 40

func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}

func username(s string) bool {
	if len(s) < 3 || len(s) > 32 {
		return false
	}
	for _, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '_' {
			return false
		}
	}
	return true
}

// Find returns what a link leads to, whether a message is still there or not. A link that leads
// nowhere becomes a subject without a peer, the same for the same link.
func (x Resolver) Find(r *store.Reader, text string) (safety.Subject, error) {
	l, ok := x.parse(text)
	if !ok {
		return Nowhere(text), nil
	}
	peer, err := l.peer(r)
	if err != nil {
		return safety.Subject{}, err
	}
	switch peer.Kind() {
	case ids.User:
		return safety.Subject{Peer: peer, Kind: safety.Account, Author: peer.User()}, nil
	case ids.Chat, ids.Channel:
		return inChat(r, peer, l.message)
	default:
		return Nowhere(text), nil
	}
}

// Nowhere is the subject of a link that leads nowhere.
func Nowhere(text string) safety.Subject {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.TrimSpace(text)))
	return safety.Subject{Item: int64(h.Sum64()>>1) | 1}
}

// peer finds whom or which chat a link names, 0 for none.
func (l link) peer(r *store.Reader) (ids.Peer, error) {
	var peer ids.Peer
	var err error
	switch {
	case l.name != "":
		peer, err = r.PeerByUsername(strings.ToLower(l.name))
	case l.invite != "":
		peer, err = r.ChatByInvite(l.invite)
	default:
		peer = ids.PeerChannel(ids.ChannelID(l.channel))
		_, err = r.Chat(peer)
	}
	if store.IsNotFound(err) {
		return 0, nil
	}
	return peer, err
}

// inChat is the subject of a message of a chat, or of the chat itself for message 0.
func inChat(r *store.Reader, peer ids.Peer, id int64) (safety.Subject, error) {
	c, err := r.Chat(peer)
	if err != nil && !store.IsNotFound(err) {
		return safety.Subject{}, err
	}
	s := safety.Subject{Peer: peer, Kind: safety.Chat, Author: c.Creator}
	if id == 0 || peer.Kind() != ids.Channel {
		return s, nil
	}
	s.Kind, s.Item = safety.Message, id
	m, err := r.Message(peer, id)
	if store.IsNotFound(err) {
		return s, nil
	}
	if m.From.Kind() == ids.User {
		s.Author = m.From.User()
	}
	return s, err
}
