package officer

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/safety/agency"
	"parley/internal/web/page"
	"parley/internal/web/signin"
)

// Access says who reaches a page, and what its forms bring.
type Access struct {
	// May tells whether a page is for an agency; nil is for all. What is not for it does not exist.
	May func(agency.Agency) bool
	// Strong asks its visitor to prove himself anew for a form, unless he has just done so.
	Strong bool
	// Draft tells of a form by which nothing is done yet, so that Strong does not ask; nil of none.
	Draft func(*http.Request) bool
	// Bytes is the largest form; 0 is what any page takes.
	Bytes int64
	// File takes in a file of a form and returns what stands for it from then on: the name and the
	// value of a field, which is carried along like what was typed. It gets no file of anybody who
	// is not signed in or whose form is not his own. nil takes no files.
	File func(v *Visit, f File) (field, value string, err error)
	// Tabs are the menu.
	Tabs []Tab
}

// File is a file of a form.
type File struct {
	// Field is the form's, Name and Type are what the browser says of the file. They prove nothing.
	Field, Name, Type string
	Body              io.Reader
}

// Tab is a line of the menu: a path and the key of its text.
type Tab struct {
	Path, Text string
	// Of tells which agencies see it; nil shows it to all.
	Of func(agency.Agency) bool
}

// Visit is a request of an officer who is signed in.
type Visit struct {
	Session
	door   *Door
	access Access
	w      http.ResponseWriter
	r      *http.Request
	// dropped is set when a file could not be taken in.
	dropped bool
}

// Context is that of the request.
func (v *Visit) Context() context.Context { return v.r.Context() }

// Handler answers a request of an officer, or says with an error of package page why it cannot.
type Handler func(w http.ResponseWriter, r *http.Request, v *Visit) error

// Fields by which a form carries its token, and a fresh proof.
const (
	tokenField  = "token"
	proveField  = "prove_key"
	provePrefix = "prove_"
)

// Handle lets officers through to a page. Whoever is not signed in is sent to where he does that; a
// form comes through only with the session's token for its path, and with a fresh proof where the
// access asks for one. Until then what was typed is kept in the page.
func (d *Door) Handle(a Access, h Handler) http.Handler {
	serve := func(w http.ResponseWriter, r *http.Request) error {
		v := &Visit{door: d, access: a, w: w, r: r}
		var err error
		v.Session, err = d.session(r)
		if err != nil && !errors.Is(err, ErrNoSession) {
			return err
		}
		known := err == nil
		if known && a.May != nil && !a.May(v.Agency()) {
			return page.ErrNotFound
		}
		if r.Method == http.MethodPost {
			if through, err := v.form(known); !through || err != nil {
				return err
			}
		} else if !known {
			to := url.Values{"next": {r.URL.RequestURI()}}
			http.Redirect(w, r, d.link(r, signInPath+"?"+to.Encode()), http.StatusSeeOther)
			return nil
		}
		return h(w, r, v)
	}
	if a.Bytes > 0 {
		return d.Site.HandleLarge(a.Bytes, serve)
	}
	return d.Site.Handle(serve)
}

// form checks a form that was sent, and tells whether it came through. known is set when its sender
// is signed in.
func (v *Visit) form(known bool) (through bool, err error) {
	if err := v.parts(known); err != nil {
		return false, err
	}
	fresh, err := v.freshProof(&known)
	if err != nil {
		return false, err
	}
	mine := known && v.tokenIs()
	switch {
	case fresh != "":
		return false, v.again(http.StatusForbidden, "wrong", fresh)
	case !known:
		return false, v.again(http.StatusUnauthorized, "ended", "")
	case !mine:
		return false, v.again(http.StatusForbidden, "again", "")
	case v.access.Strong && !v.Fresh && !v.draft():
		return false, v.again(http.StatusForbidden, "strong", "")
	}
	return true, nil
}

// draft tells whether nothing is done by the form yet.
func (v *Visit) draft() bool { return v.access.Draft != nil && v.access.Draft(v.r) }

// freshProof takes in a proof that came with the form. Who was not signed in is so then. wrong is
// the key of what is wrong with it.
func (v *Visit) freshProof(known *bool) (wrong string, err error) {
	answer := v.r.PostFormValue(proveField)
	if answer == "" {
		return "", nil
	}
	a, err := signin.ReadAnswer(answer)
	var st agency.Standing
	if err == nil {
		st, err = v.door.prove(v.r.Context(), a)
	}
	if err == nil && *known && st.Officer != v.Officer() {
		err = signin.ErrProof // a key of somebody else
	}
	switch {
	case errors.Is(err, ErrStanding):
		return "officer.problem." + string(st.Problem), nil
	case signin.Wrong(err) != "":
		return signin.Wrong(err), nil
	case err != nil:
		return "", err
	case *known:
		return "", v.door.proved(v.r.Context(), &v.Session)
	}
	*known = v.access.May == nil || v.access.May(st.Agency)
	v.Session, err = v.door.open(v.w, v.r, st.Officer)
	return "", err
}

// tokenIs tells whether the form is one of this session for this path.
func (v *Visit) tokenIs() bool {
	return signin.TokenIs(v.door.Key, v.hash, v.r.URL.Path, v.r.PostFormValue(tokenField))
}

// mostText bounds what the fields of one form hold that also brings files, in bytes, mostParts how
// many fields and files it has: a file costs more to keep than its bytes.
const (
	mostText  = 8 << 20
	mostParts = 1000
)

// parts reads a form that may bring files. They are read as they come, after the token, so that
// nothing of a stranger's is kept anywhere.
func (v *Visit) parts(known bool) error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil // ParseForm has read it
	}
	body, err := v.r.MultipartReader()
	if err != nil {
		return page.ErrForbidden
	}
	v.r.PostForm = make(url.Values)
	left := int64(mostText)
	for n := 0; ; n++ {
		part, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n >= mostParts {
			err = page.ErrTooLarge
		}
		if err == nil {
			left, err = v.part(known, part, left)
		}
		if err != nil {
			return tooLarge(err)
		}
	}
	for name, values := range v.r.PostForm {
		v.r.Form[name] = append(slices.Clone(values), v.r.Form[name]...)
	}
	return nil
}

// part reads one part of a form, a text of at most left bytes or a file.
func (v *Visit) part(known bool, p *multipart.Part, left int64) (int64, error) {
	if p.FileName() == "" {
		b, err := io.ReadAll(io.LimitReader(p, left+1))
		if err == nil && int64(len(b)) > left {
			err = page.ErrTooLarge
		}
		v.r.PostForm.Add(p.FormName(), page.Typed(string(b)))
		return left - int64(len(b)), err
	}
	if v.access.File == nil || !known || !v.tokenIs() {
		v.dropped = true
		return left, nil
	}
	name := strings.ToValidUTF8(p.FileName(), "\ufffd")
	field, value, err := v.access.File(v, File{
		Field: p.FormName(), Name: name, Type: p.Header.Get("Content-Type"), Body: p,
	})
	if err == nil && field != "" {
		v.r.PostForm.Add(field, value)
	}
	return left, err
}

// tooLarge is a fault of reading a form as the error that has a page.
func tooLarge(err error) error {
	if most := new(http.MaxBytesError); errors.As(err, &most) {
		return page.ErrTooLarge
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, multipart.ErrMessageTooLarge) {
		return page.ErrForbidden
	}
	return err
}

// againView is a form that waits for a proof or for another press, with all that was typed.
type againView struct {
	// Why is wrong, ended, again or strong; Wrong the key of what was wrong with a proof.
	Why, Wrong string
	Form       Form
	Fields     []Hidden
	// Dropped is set when a file has to be chosen again.
	Dropped bool
}

// Hidden is a field that is sent once more.
type Hidden struct{ Name, Value string }

// again asks for the form once more, with everything that was typed.
func (v *Visit) again(status int, why, wrong string) error {
	view := againView{Why: why, Wrong: wrong, Form: v.Form(v.r.URL.Path), Dropped: v.dropped}
	if why == "wrong" && v.hash == "" {
		view.Form.Token = ""
	}
	for name, values := range v.r.PostForm {
		if name == tokenField || name == "lang" || strings.HasPrefix(name, provePrefix) {
			continue
		}
		for _, value := range values {
			if utf8.ValidString(value) {
				view.Fields = append(view.Fields, Hidden{name, value})
			}
		}
	}
	slices.SortStableFunc(view.Fields, func(a, b Hidden) int {
		return strings.Compare(a.Name, b.Name)
	})
	return v.Show(v.door.set, status, "again", view)
}

// Form is what a form of this session for a path carries.
type Form struct{ Action, Token, Lang string }

// Form returns what a form carries that posts to a path of this site.
func (v *Visit) Form(path string) Form {
	f := Form{Action: v.door.Site.Path(path)}
	if v.hash != "" {
		f.Token = signin.Token(v.door.Key, v.hash, path)
	}
	if l, chosen := page.LanguageOf(v.r); chosen {
		f.Lang = l.Code
	}
	return f
}

// Frame is what every page of officers is given.
type Frame struct {
	*Visit
	Body any
}

// Known tells whether somebody is signed in.
func (f Frame) Known() bool { return f.Visit != nil && f.hash != "" }

// Who and Of are the names of who is signed in and of his agency.
func (f Frame) Who() string { return f.Officer().Name }

// Of is the name of his agency.
func (f Frame) Of() string { return f.Agency().Name }

// SignOut is the form with which he signs out.
func (f Frame) SignOut() Form { return f.Form(signOutPath) }

// Tabs are the menu, as the visitor's agency sees it.
func (f Frame) Tabs() (out []Tab) {
	for _, t := range f.access.Tabs {
		if t.Of == nil || t.Of(f.Agency()) {
			out = append(out, t)
		}
	}
	return out
}

// Show answers with a page of a set: its Data is a Frame with body.
func (v *Visit) Show(set *page.Set, status int, name string, body any) error {
	return set.Render(v.w, v.r, status, name, Frame{v, body})
}

// Leave sends the visitor on to a path of this site, in the language that he chose.
func (v *Visit) Leave(path string) error {
	http.Redirect(v.w, v.r, v.door.link(v.r, path), http.StatusSeeOther)
	return nil
}

// Refused notes that the visitor was refused something.
func (v *Visit) Refused(what string) {
	v.door.note(v.r.Context(), v.Agency().ID, agency.Event{
		Officer: v.Officer().ID, Kind: agency.Refused, Text: what,
	})
}

func (d *Door) signOut(w http.ResponseWriter, r *http.Request, v *Visit) error {
	if err := d.close(w, r, v.Session); err != nil {
		return err
	}
	return v.Leave(signInPath + "?out=1")
}
