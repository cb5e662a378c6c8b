package notice

import (
	"errors"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// Hidden tells whether a chat, or its message unless item is 0, is withheld from strangers, and by
// which class of reason: "terms", "legal" or "sensitive".
type Hidden func(r *store.Reader, chat ids.Peer, item int64) (reason string, err error)

// place is a public channel or one of its posts, as strangers see it.
type place struct {
	Name, Title, About string
	Members            int64
	// Post is 0 for the channel itself.
	Post int64
	Text string
	Date int64
	// Medium is set when the post carries more than its text.
	Medium bool
	// Hidden is why it is not shown, empty when it is.
	Hidden string
}

// Location is what a notice about the place names.
func (p place) Location() string {
	if p.Post == 0 {
		return "@" + p.Name
	}
	return "@" + p.Name + "/" + strconv.FormatInt(p.Post, 10)
}

// Open is the link by which a client opens the place.
//
// https://core.telegram.org/api/links#public-username-links
func (p place) Open() template.URL {
	link := "tg://resolve?domain=" + p.Name
	if p.Post != 0 {
		link += "&post=" + strconv.FormatInt(p.Post, 10)
	}
	// The name is made of letters, digits and underscores, as every public name is.
	return template.URL(link)
}

// username is what a public name looks like.
var username = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,31}$`)

func (p *Pages) chat(w http.ResponseWriter, r *http.Request) error { return p.place(w, r, 0) }

func (p *Pages) post(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 32)
	if err != nil || id <= 0 {
		return p.Site.Miss(r)
	}
	return p.place(w, r, id)
}

// place shows a public channel or post. Whatever is not public is not there.
func (p *Pages) place(w http.ResponseWriter, r *http.Request, id int64) error {
	name := r.PathValue("name")
	if !username.MatchString(name) {
		return p.Site.Miss(r)
	}
	var out place
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		out, err = p.read(rd, name, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return p.Site.Miss(r)
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if out.Hidden == "legal" {
		status = http.StatusUnavailableForLegalReasons
	}
	return p.set.Render(w, r, status, "place", out)
}

// read reads a place; store.ErrNotFound when strangers cannot see it.
func (p *Pages) read(r *store.Reader, name string, id int64) (place, error) {
	peer, err := r.PeerByUsername(strings.ToLower(name))
	if err != nil {
		return place{}, err
	}
	if peer.Kind() != ids.Channel {
		return place{}, store.ErrNotFound
	}
	c, err := r.Chat(peer)
	if err != nil {
		return place{}, err
	}
	if c.Flags.Has(store.ChatTerminated) {
		return place{}, store.ErrNotFound
	}
	out := place{Name: c.Username, Post: id}
	if out.Hidden, err = p.Hidden(r, peer, 0); err != nil || out.Hidden != "" {
		return out, err
	}
	out.Title, out.About, out.Members = c.Title, c.About, c.Members
	if id == 0 {
		return out, nil
	}
	return out, p.readPost(r, peer, &out)
}

// readPost adds a post to its channel.
func (p *Pages) readPost(r *store.Reader, peer ids.Peer, out *place) error {
	m, err := r.Message(peer, out.Post)
	if err != nil {
		return err
	}
	if out.Hidden, err = p.Hidden(r, peer, out.Post); err != nil || out.Hidden != "" {
		return err
	}
	content, err := message.DecodeContent(m.Body)
	if err != nil {
		return err
	}
	if content.Action != nil {
		return store.ErrNotFound
	}
	out.Text, out.Date, out.Medium = content.Text, m.Date, content.Media != nil
	return nil
}
