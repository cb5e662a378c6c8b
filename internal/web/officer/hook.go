package officer

import (
	"errors"
	"net/http"
	"strings"

	"parley/internal/safety/agency"
	"parley/internal/safety/webhook"
	"parley/internal/store"
)

// HookPath is where a supervisor sets the address at which his agency's programs are told.
const HookPath = "/officer/webhook"

// HookTab is the line of the menu that leads there.
func HookTab() Tab { return Tab{Path: HookPath, Text: "officer.hook"} }

// hookView is what the page of the address shows.
type hookView struct {
	// Address is the one that is set, nil for none.
	Address *webhook.Address
	// Supervisor tells whether the visitor may set it.
	Supervisor bool
	// Secret was just made and is shown once; Wrong says that what was typed is no address.
	Secret, Typed string
	Wrong         bool
	Set, Forget   Form
}

// mountHook adds the page of the address.
func (d *Door) mountHook(mux *http.ServeMux) {
	if d.Webhooks == nil {
		return
	}
	plain := Access{Tabs: []Tab{HookTab()}}
	strong := plain
	strong.Strong = true
	mux.Handle("GET "+HookPath, d.Handle(plain, d.hookPage))
	mux.Handle("POST "+HookPath, d.Handle(strong, d.setHook))
	mux.Handle("POST "+HookPath+"/forget", d.Handle(strong, d.forgetHook))
}

func (d *Door) hookPage(_ http.ResponseWriter, r *http.Request, v *Visit) error {
	return d.showHook(r, v, http.StatusOK, hookView{})
}

func (d *Door) showHook(r *http.Request, v *Visit, status int, body hookView) error {
	err := d.Store.View(r.Context(), func(rd *store.Reader) error {
		a, err := webhook.AddressOf(rd, v.Agency().ID)
		if store.IsNotFound(err) {
			return nil
		}
		body.Address = &a
		return err
	})
	if err != nil {
		return err
	}
	body.Supervisor = v.Officer().Role == agency.Supervisor
	body.Set, body.Forget = v.Form(HookPath), v.Form(HookPath+"/forget")
	if body.Typed == "" && body.Address != nil {
		body.Typed = body.Address.URL
	}
	return v.Show(d.set, status, "webhook", body)
}

func (d *Door) setHook(_ http.ResponseWriter, r *http.Request, v *Visit) error {
	typed := strings.TrimSpace(r.PostFormValue("url"))
	secret, err := d.Webhooks.Set(r.Context(), v.Officer(), typed)
	switch {
	case errors.Is(err, webhook.ErrURL):
		bad := hookView{Typed: typed, Wrong: true}
		return d.showHook(r, v, http.StatusUnprocessableEntity, bad)
	case errors.Is(err, webhook.ErrStanding):
		v.Refused("the address of its programs")
		return d.showHook(r, v, http.StatusForbidden, hookView{})
	case err != nil:
		return err
	}
	return d.showHook(r, v, http.StatusOK, hookView{Secret: secret})
}

func (d *Door) forgetHook(_ http.ResponseWriter, r *http.Request, v *Visit) error {
	err := d.Webhooks.Forget(r.Context(), v.Officer())
	if errors.Is(err, webhook.ErrStanding) {
		v.Refused("the address of its programs")
		return d.showHook(r, v, http.StatusForbidden, hookView{})
	}
	if err != nil {
		return err
	}
	return v.Leave(HookPath)
}
