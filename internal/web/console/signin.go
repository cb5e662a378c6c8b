package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"parley/internal/web/signin"
	"parley/internal/web/staff"
)

// signInView is what the page for signing in shows.
type signInView struct {
	// Next is where to go afterwards, Wrong the key of what went wrong.
	Next, Wrong string
}

// nextPage is where a visitor wants to go after signing in: a path of this site.
func (v *visit) nextPage() string { return signin.Next(v.r, "/") }

func (c *Console) signInPage(v *visit) error {
	return v.show(http.StatusOK, "signin", signInView{Next: v.nextPage()})
}

// signIn takes name, password and one-time code.
func (c *Console) signIn(v *visit) error {
	m, err := c.Staff.SignIn(v.r.Context(), c.Site.Network(v.r).String(), v.field("name"),
		v.r.PostFormValue("password"), v.field("code"))
	if errors.Is(err, staff.ErrProof) || errors.Is(err, staff.ErrTooOften) {
		v.refused(v.r, m.ID, "sign in", "password")
		wrong := signInView{Next: v.nextPage(), Wrong: "signin.wrong"}
		if errors.Is(err, staff.ErrTooOften) {
			wrong.Wrong = "problem.tries.text"
		}
		return v.show(http.StatusForbidden, "signin", wrong)
	}
	if err != nil {
		return err
	}
	if err := v.letIn(m); err != nil {
		return err
	}
	return v.leave(v.nextPage(), "")
}

// letIn gives a visitor who has proved who he is a session.
func (v *visit) letIn(m staff.Member) error {
	err := v.Staff.Record(v.r.Context(), staff.Act{Staff: m.ID, Action: "sign in"})
	if err != nil {
		return err
	}
	cookie, err := v.Staff.Open(v.r.Context(), m.ID, v.r.UserAgent())
	if err != nil {
		return err
	}
	v.cookie.Set(v.w, cookie, staff.MaxTime)
	return nil
}

func (c *Console) signOut(v *visit) error {
	if err := c.Staff.Close(v.r.Context(), v.session); err != nil {
		return err
	}
	c.cookie.Clear(v.w)
	return v.leave("/signin", "signedout")
}

// home is the first page of a role.
func (c *Console) home(v *visit) error {
	f := frame{v: v}
	if tabs := f.Tabs(); len(tabs) > 0 {
		return v.leave(tabs[0].Path, "")
	}
	return problem{http.StatusOK, "norole"}.show(v)
}

// Signing in with a security key: a script of the console asks for a challenge and brings the
// answer of the key.

// sendJSON answers a script of the console.
func (v *visit) sendJSON(status int, body any) error {
	h := v.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	v.w.WriteHeader(status)
	return json.NewEncoder(v.w).Encode(body)
}

// fault is an error as a script is told.
func (v *visit) fault(key string) signin.Problem {
	return signin.Problem{Problem: v.set.Text(v.r, key)}
}

// noKey tells a script what went wrong with a key.
func (v *visit) noKey(err error) error {
	key := signin.Wrong(err)
	if errors.Is(err, staff.ErrLink) {
		key = "enrol.link"
	}
	if key == "" {
		return err
	}
	return v.sendJSON(http.StatusForbidden, v.fault(key))
}

// readAnswer reads what a script brings. A script sends JSON in a form's field, so that the same
// checks hold for it as for a form.
func (v *visit) readAnswer() (signin.Answer, error) {
	return signin.ReadAnswer(v.r.PostFormValue("answer"))
}

func (c *Console) beginKey(v *visit) error {
	options, name, err := c.Staff.BeginKey(c.Site.Network(v.r).String())
	if err != nil {
		return v.noKey(err)
	}
	return v.sendJSON(http.StatusOK, signin.Challenge{Options: options, Name: name})
}

func (c *Console) finishKey(v *visit) error {
	a, err := v.readAnswer()
	if err != nil {
		return v.noKey(err)
	}
	m, err := c.Staff.FinishKey(v.r.Context(), a.Name, a.Answer)
	if errors.Is(err, staff.ErrProof) {
		v.refused(v.r, m.ID, "sign in", "key")
	}
	if err != nil {
		return v.noKey(err)
	}
	if err := v.letIn(m); err != nil {
		return err
	}
	return v.sendJSON(http.StatusOK, signin.Leave{Next: v.Site.Path(v.nextPage())})
}

// proveView is a form that waits for a fresh proof, with all that was typed.
type proveView struct {
	Form   Form
	Fields []hidden
	Wrong  bool
}

// hidden is a field that is sent once more.
type hidden struct{ Name, Value string }

// Fields by which a form brings a fresh proof.
const (
	provePassword = "prove_password"
	proveCode     = "prove_code"
	proveKey      = "prove_key"
)

// askAgain asks a visitor to prove again who he is before something strong, unless he has just done
// so or does it with this form. asked says that he was shown the form for it.
func (v *visit) askAgain(strong bool) (asked bool, err error) {
	if !strong || v.session.Strong {
		return false, nil
	}
	m, tried, err := v.proof()
	if err == nil && tried {
		err = v.Staff.Prove(v.r.Context(), v.session, m)
	}
	if err == nil && tried {
		v.session.Strong, v.session.Proven = true, v.Clock.Now()
		return false, nil
	}
	if err != nil && !errors.Is(err, staff.ErrProof) {
		return false, err
	}
	if tried {
		v.refused(v.r, v.me(), v.row.word(), "proof")
	}
	at := v.r.URL.Path
	body := proveView{Form: frame{v: v}.Form(at), Wrong: tried}
	for name, values := range v.r.PostForm {
		if name == "token" || strings.HasPrefix(name, "prove_") {
			continue
		}
		for _, value := range values {
			body.Fields = append(body.Fields, hidden{name, value})
		}
	}
	return true, v.show(http.StatusForbidden, "prove", body)
}

// proof reads a fresh proof from a form.
func (v *visit) proof() (m staff.Member, tried bool, err error) {
	ctx := v.r.Context()
	if answer := v.field(proveKey); answer != "" {
		a, err := signin.ReadAnswer(answer)
		if err != nil {
			return m, true, err
		}
		m, err = v.Staff.FinishKey(ctx, a.Name, a.Answer)
		return m, true, err
	}
	password := v.r.PostFormValue(provePassword)
	if password == "" {
		return m, false, nil
	}
	m, err = v.Staff.SignIn(ctx, v.Site.Network(v.r).String(), v.session.Member.Name, password,
		v.field(proveCode))
	return m, true, err
}

// enrolView is what the page for enrolling shows.
type enrolView struct {
	Token, Name string
	// Secret is that of the one-time codes, Code a picture of it for a generator.
	Secret string
	Code   code
	// Wrong is the key of what went wrong.
	Wrong string
}

// showEnrol shows the page for enrolling with a link's token.
func (v *visit) showEnrol(status int, secret, wrong string) error {
	body := enrolView{
		Token: strings.TrimSpace(v.r.FormValue("token")), Secret: secret, Wrong: wrong,
	}
	if body.Token == "" {
		return v.show(status, "enrol", body)
	}
	m, err := v.Staff.Enrolling(v.r.Context(), body.Token)
	if errors.Is(err, staff.ErrLink) {
		body.Token, body.Wrong = "", "enrol.link"
		return v.show(http.StatusForbidden, "enrol", body)
	}
	if err != nil {
		return err
	}
	body.Name = m.Name
	if body.Secret == "" {
		if body.Secret, err = v.Staff.NewTOTP(); err != nil {
			return err
		}
	}
	if body.Code, err = codeOf(v.Site.Name(), m.Name, body.Secret); err != nil {
		return err
	}
	return v.show(status, "enrol", body)
}

func (c *Console) enrolPage(v *visit) error { return v.showEnrol(http.StatusOK, "", "") }

// enrolPassword takes a password and the first one-time code of whoever holds a link.
func (c *Console) enrolPassword(v *visit) error {
	token, secret := v.field("token"), v.field("secret")
	m, err := c.Staff.Enrolling(v.r.Context(), token)
	if err == nil {
		err = c.Staff.EnrolPassword(v.r.Context(), token, v.r.PostFormValue("password"), secret,
			v.field("code"))
	}
	switch {
	case errors.Is(err, staff.ErrLink):
		return v.showEnrol(http.StatusForbidden, "", "enrol.link")
	case errors.Is(err, staff.ErrWeak):
		return v.showEnrol(http.StatusUnprocessableEntity, secret, "enrol.weak")
	case errors.Is(err, staff.ErrProof):
		return v.showEnrol(http.StatusUnprocessableEntity, secret, "enrol.code")
	case err != nil:
		return err
	}
	if err := c.Staff.Record(v.r.Context(), staff.Act{Staff: m.ID, Action: "enrol"}); err != nil {
		return err
	}
	return v.leave("/signin", "enrolled")
}

func (c *Console) beginEnrolKey(v *visit) error {
	options, name, err := c.Staff.BeginEnrolKey(v.r.Context(), v.field("token"))
	if err != nil {
		return v.noKey(err)
	}
	return v.sendJSON(http.StatusOK, signin.Challenge{Options: options, Name: name})
}

func (c *Console) finishEnrolKey(v *visit) error {
	a, err := v.readAnswer()
	if err != nil {
		return v.noKey(err)
	}
	m, err := c.Staff.FinishEnrolKey(v.r.Context(), a.Name, a.Answer)
	if err != nil {
		return v.noKey(err)
	}
	err = c.Staff.Record(v.r.Context(), staff.Act{Staff: m.ID, Action: "enrol"})
	if err != nil {
		return err
	}
	if err := v.letIn(m); err != nil {
		return err
	}
	return v.sendJSON(http.StatusOK, signin.Leave{Next: v.Site.Path("/")})
}
