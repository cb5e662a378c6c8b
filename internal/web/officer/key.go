package officer

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/webauthn"

	"parley/internal/safety/agency"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/signin"
)

// handleSize is the size of a user handle: the numbers of agency and officer.
const handleSize = 16

// handle is the user handle of an officer.
func handle(of, id int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(of))
	return binary.BigEndian.AppendUint64(b, uint64(id))
}

// holder is an officer as a key names him, with his keys.
func holder(r *store.Reader, of, id int64) (h signin.Holder, err error) {
	o, err := agency.OfficerOf(r, of, id)
	if errors.Is(err, store.ErrNotFound) {
		return h, signin.ErrProof
	}
	if err != nil {
		return h, err
	}
	list, err := agency.Credentials(r, of, id)
	if err != nil {
		return h, err
	}
	var bodies [][]byte
	for _, c := range list {
		bodies = append(bodies, c.Body)
	}
	h = signin.Holder{Handle: handle(of, id), Name: o.Name}
	h.Keys, err = signin.ReadKeys(bodies...)
	return h, err
}

// credential is a key as the agency keeps it.
func credential(c *webauthn.Credential) (agency.Credential, error) {
	body, err := signin.MarshalKey(c)
	return agency.Credential{ID: base64.RawURLEncoding.EncodeToString(c.ID), Body: body}, err
}

// prove proves an officer by his key's answer. signin.ErrProof when it proves nobody, ErrStanding
// when he is somebody whose word is worth nothing; the agency's events keep either.
func (d *Door) prove(ctx context.Context, a signin.Answer) (st agency.Standing, err error) {
	var of, id int64
	find := func(b []byte) (h signin.Holder, err error) {
		if len(b) != handleSize {
			return h, signin.ErrProof
		}
		of, id = int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))
		err = d.Store.View(ctx, func(r *store.Reader) (err error) {
			h, err = holder(r, of, id)
			return err
		})
		return h, err
	}
	used, err := d.keys.FinishSignIn(a.Name, a.Answer, find)
	var key agency.Credential
	if err == nil {
		key, err = credential(used)
	}
	if err == nil {
		err = d.Agencies.Used(ctx, of, id, key)
	}
	if errors.Is(err, agency.ErrProof) {
		err = signin.ErrProof
	}
	if errors.Is(err, signin.ErrProof) {
		d.refusedKey(ctx, of, id)
	}
	if err != nil {
		return st, err
	}
	err = d.Store.View(ctx, func(r *store.Reader) (err error) {
		st, err = agency.StandingOf(r, of, id, d.Clock.Now().Unix())
		return err
	})
	if err == nil && st.Problem != "" {
		d.note(ctx, of, agency.Event{
			Officer: id, Kind: agency.Refused, Text: "no standing: " + string(st.Problem),
		})
		err = ErrStanding
	}
	return st, err
}

// refusedKey notes a key that proved nobody, at the agency that it named if there is one. What
// answers no challenge names nobody and is not noted: anybody can send any number of that.
func (d *Door) refusedKey(ctx context.Context, of, id int64) {
	if of == 0 && id == 0 {
		return
	}
	err := d.Store.View(ctx, func(r *store.Reader) error {
		_, err := agency.OfficerOf(r, of, id)
		return err
	})
	if err != nil {
		of, id = 0, 0
	}
	d.note(ctx, of, agency.Event{Officer: id, Kind: agency.Refused, Text: "key"})
}

// signInView is what the page for signing in shows.
type signInView struct {
	Next string
	// Out is set for who has just signed out.
	Out bool
}

func (d *Door) signInPage(w http.ResponseWriter, r *http.Request) error {
	return d.set.Render(w, r, http.StatusOK, "signin", Frame{Body: signInView{
		Next: signin.Next(r, ""), Out: r.FormValue("out") != "",
	}})
}

// sendJSON answers the script of the ceremonies.
func (d *Door) sendJSON(w http.ResponseWriter, r *http.Request, status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	d.Site.JSON(w, r, status, b)
	return nil
}

// noKey tells the script what went wrong with a key.
func (d *Door) noKey(w http.ResponseWriter, r *http.Request, err error, also ...string) error {
	key := signin.Wrong(err)
	switch {
	case errors.Is(err, ErrStanding):
		key = "officer.problem." + strings.Join(also, "")
	case errors.Is(err, agency.ErrProof):
		key = "officer.link"
	}
	if key == "" {
		return err
	}
	status := http.StatusForbidden
	if errors.Is(err, signin.ErrTooOften) {
		status = http.StatusTooManyRequests
	}
	return d.sendJSON(w, r, status, signin.Problem{Problem: d.set.Text(r, key)})
}

func (d *Door) beginKey(w http.ResponseWriter, r *http.Request) error {
	if d.tooOften(r) {
		return d.noKey(w, r, signin.ErrTooOften)
	}
	options, name, err := d.keys.BeginSignIn()
	if err != nil {
		return d.noKey(w, r, err)
	}
	return d.sendJSON(w, r, http.StatusOK, signin.Challenge{Options: options, Name: name})
}

func (d *Door) finishKey(w http.ResponseWriter, r *http.Request) error {
	a, err := signin.ReadAnswer(r.PostFormValue("answer"))
	if err != nil {
		return d.noKey(w, r, err)
	}
	st, err := d.prove(r.Context(), a)
	if err != nil {
		return d.noKey(w, r, err, string(st.Problem))
	}
	if _, err := d.open(w, r, st.Officer); err != nil {
		return err
	}
	return d.sendJSON(w, r, http.StatusOK, signin.Leave{
		Next: d.link(r, signin.Next(r, d.Home(st.Agency.Kind))),
	})
}

// link is a path of this site in the language that the visitor chose.
func (d *Door) link(r *http.Request, path string) string {
	if l, chosen := page.LanguageOf(r); chosen {
		if u, err := url.Parse(path); err == nil {
			q := u.Query()
			q.Set("lang", l.Code)
			u.RawQuery = q.Encode()
			path = u.String()
		}
	}
	return d.Site.Path(path)
}

// enrolView is what the page for enrolling shows.
type enrolView struct {
	// Token is the link, and its code once that was typed.
	Token, Name, Agency string
	// Wrong is set for a link that is good for nobody.
	Wrong bool
}

func (d *Door) enrolPage(w http.ResponseWriter, r *http.Request) error {
	link := strings.TrimSpace(r.FormValue("token"))
	if at, err := url.Parse(link); err == nil && at.Query().Has("token") { // all of the address
		link = at.Query().Get("token")
	}
	view := enrolView{Token: link}
	if code := r.FormValue("code"); code != "" {
		view.Token = agency.Both(link, code)
	}
	if !strings.Contains(view.Token, ".") { // a link without its code
		return d.set.Render(w, r, http.StatusOK, "enrol", Frame{Body: view})
	}
	if d.tooOften(r) {
		return page.ErrTooMany
	}
	o, err := d.Agencies.Enrolling(r.Context(), view.Token)
	if errors.Is(err, agency.ErrProof) {
		link, _, _ = strings.Cut(link, ".")
		bad := Frame{Body: enrolView{Token: link, Wrong: true}}
		return d.set.Render(w, r, http.StatusForbidden, "enrol", bad)
	}
	if err != nil {
		return err
	}
	view.Name = o.Name
	err = d.Store.View(r.Context(), func(rd *store.Reader) error {
		a, err := agency.Of(rd, o.Agency)
		view.Agency = a.Name
		return err
	})
	if err != nil {
		return err
	}
	return d.set.Render(w, r, http.StatusOK, "enrol", Frame{Body: view})
}

// enrolling is for whom a link's token is, as a key will name him.
func (d *Door) enrolling(ctx context.Context, token string) (signin.Holder, error) {
	o, err := d.Agencies.Enrolling(ctx, token)
	return signin.Holder{Handle: handle(o.Agency, o.ID), Name: o.Name}, err
}

func (d *Door) beginEnrol(w http.ResponseWriter, r *http.Request) error {
	if d.tooOften(r) {
		return d.noKey(w, r, signin.ErrTooOften)
	}
	token := r.PostFormValue("token")
	h, err := d.enrolling(r.Context(), token)
	if err != nil {
		return d.noKey(w, r, err)
	}
	options, name, err := d.keys.BeginEnrol(h, token)
	if err != nil {
		return d.noKey(w, r, err)
	}
	return d.sendJSON(w, r, http.StatusOK, signin.Challenge{Options: options, Name: name})
}

func (d *Door) finishEnrol(w http.ResponseWriter, r *http.Request) error {
	a, err := signin.ReadAnswer(r.PostFormValue("answer"))
	if err != nil {
		return d.noKey(w, r, err)
	}
	ctx := r.Context()
	made, token, err := d.keys.FinishEnrol(a.Name, a.Answer,
		func(token string) (signin.Holder, error) { return d.enrolling(ctx, token) })
	if err != nil {
		return d.noKey(w, r, err)
	}
	key, err := credential(made)
	if err != nil {
		return err
	}
	o, err := d.Agencies.Bind(ctx, token, key)
	if err != nil {
		return d.noKey(w, r, err)
	}
	s, err := d.open(w, r, o)
	if err != nil {
		return err
	}
	return d.sendJSON(w, r, http.StatusOK, signin.Leave{
		Next: d.link(r, d.Home(s.Standing.Agency.Kind)),
	})
}
