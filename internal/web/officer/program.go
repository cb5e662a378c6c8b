package officer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/internal/limit"
	"parley/internal/safety/agency"
	"parley/internal/web/page"
)

// Fault is an error as a program of an agency is told.
type Fault struct {
	// Status is that of HTTP, Code a word of the format that does not change, Text what it means in
	// English.
	Status int    `json:"-"`
	Code   string `json:"code"`
	Text   string `json:"text"`
	// Problems are the fields that are wrong, each with the provision that wants it.
	Problems []FieldFault `json:"problems,omitempty"`
}

// FieldFault is a field that is wrong.
type FieldFault struct {
	Law   string `json:"law,omitempty"`
	Field string `json:"field"`
	What  string `json:"what"`
	// Said is the same in the agency's language, where a whole order is told of.
	Said string `json:"said,omitempty"`
}

// Error is what it means.
func (f Fault) Error() string { return "officer: " + f.Code + ": " + f.Text }

// ProgramHandler answers a request of an agency's program, or says with a Fault why it cannot.
type ProgramHandler func(w http.ResponseWriter, r *http.Request, of agency.Agency) error

// callTime is how long a call may take.
const callTime = 30 * time.Second

// Program lets programs of agencies through that bring a key of theirs in the header Authorization,
// as "Bearer KEY", with a body of at most so many bytes. All errors are answered as JSON.
//
// https://www.rfc-editor.org/rfc/rfc6750#section-2.1
func (d *Door) Program(most int64, h ProgramHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), callTime)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, most)
		defer func() {
			if what := recover(); what != nil {
				d.fault(w, r, fmt.Errorf("officer: panic of type %T", what))
			}
		}()
		of, err := d.program(w, r)
		if err == nil {
			err = h(w, r, of)
		}
		if err != nil {
			d.fault(w, r, err)
		}
	})
}

// program is whose program calls.
func (d *Door) program(w http.ResponseWriter, r *http.Request) (of agency.Agency, err error) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if ok {
		of, err = d.Agencies.ByKey(r.Context(), strings.TrimSpace(key))
	}
	if !ok || errors.Is(err, agency.ErrProof) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="agencies"`)
		if d.tooOften(r) {
			return of, tooMany()
		}
		d.note(r.Context(), 0, agency.Event{Kind: agency.Refused, Text: "program without a key"})
		return of, Fault{Status: http.StatusUnauthorized, Code: "key",
			Text: "The header Authorization has no key of an agency that is good now."}
	}
	if err != nil {
		return of, err
	}
	if wait, ok := d.calls.Allow(of.ID); !ok {
		w.Header().Set("Retry-After", fmt.Sprint(limit.FloodSeconds(wait)))
		return of, tooMany()
	}
	return of, nil
}

// tooMany is told to who calls too often.
func tooMany() error {
	return Fault{Status: http.StatusTooManyRequests, Code: "often",
		Text: "Too many requests. Wait a while."}
}

// fault answers with an error.
func (d *Door) fault(w http.ResponseWriter, r *http.Request, err error) {
	var f Fault
	most := new(http.MaxBytesError)
	switch {
	case errors.As(err, &f):
	case errors.As(err, &most):
		f = Fault{Status: http.StatusRequestEntityTooLarge, Code: "large",
			Text: fmt.Sprintf("The body has more than %d bytes.", most.Limit)}
	case errors.Is(err, page.ErrNotFound):
		f = Fault{Status: http.StatusNotFound, Code: "not-found",
			Text: "There is no such thing, or it is not this agency's."}
	case r.Context().Err() != nil:
		f = Fault{Status: http.StatusServiceUnavailable, Code: "late",
			Text: "It took too long. Ask again: what is asked twice is done once."}
	default:
		d.Log.Error("officer", "route", r.Pattern, "error", err)
		f = Fault{Status: http.StatusInternalServerError, Code: "broken",
			Text: "Something failed here. Ask again: what is asked twice is done once."}
	}
	body, err := json.Marshal(struct {
		Error Fault `json:"error"`
	}{f})
	if err != nil {
		d.Log.Error("officer", "route", r.Pattern, "error", err)
	}
	d.Site.JSON(w, r, f.Status, append(body, '\n'))
}
