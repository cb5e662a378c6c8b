package dsadb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety/owed"
)

// Batch is how many statements the database takes at once.
const Batch = 100

const (
	// answerBytes bounds what is read of an answer: a hundred statements come back whole.
	answerBytes = 8 << 20
	// problemBytes bounds what is kept of a refusal.
	problemBytes = 2000
)

// Result is what became of a statement that was sent.
type Result struct {
	// State is Delivered, Rejected, or Owed when it is not known and has to be sent again.
	State State
	// Receipt is the database's name for it, Problem why it was refused.
	Receipt, Problem string
}

// PauseError says that the database cannot be used now. What was not answered is still owed.
type PauseError struct {
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// After is how long it asked to be left alone, 0 when it did not say.
	After time.Duration
	Err   error
}

// Error says what the database said.
func (e *PauseError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("dsadb: no answer: %v", e.Err)
	}
	return fmt.Sprintf("dsadb: answered %d: %v", e.Status, e.Err)
}

// Unwrap is the error of the connection.
func (e *PauseError) Unwrap() error { return e.Err }

// Client speaks to the database.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
type Client struct {
	url   string
	token string
	http  *http.Client
	now   func() time.Time
}

// NewClient returns a client for the address of the API, such as
// https://transparency.dsa.ec.europa.eu/api/v1, with a platform's token. An answer is waited for no
// longer than timeout.
func NewClient(address, token string, timeout time.Duration, now func() time.Time) *Client {
	return &Client{
		url: strings.TrimSuffix(address, "/"), token: token, now: now,
		http: &http.Client{
			Timeout: timeout,
			// An answer that points elsewhere gets neither the token nor the statements.
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
}

// Send hands up to Batch statements over and says what became of each, in their order. The database
// takes a call as a whole or not at all; what it refuses is taken out, and the others are sent
// again. A PauseError comes with the results that are known.
func (c *Client) Send(ctx context.Context, list []Statement) ([]Result, error) {
	out := make([]Result, len(list))
	left := make([]int, len(list))
	for i := range list {
		out[i].State, left[i] = Owed, i
	}
	return out, c.send(ctx, list, left, out)
}

// send hands over the statements of some places, until each has an answer or there is none to get.
func (c *Client) send(ctx context.Context, list []Statement, left []int, out []Result) error {
	for len(left) > 0 {
		body := struct {
			Statements []Statement `json:"statements"`
		}{}
		for _, i := range left {
			body.Statements = append(body.Statements, list[i])
		}
		status, answer, err := c.call(ctx, http.MethodPost, "/statements", body)
		if err != nil {
			return err
		}
		switch status {
		case http.StatusCreated:
			return created(answer, list, left, out)
		case http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge,
			http.StatusBadRequest:
		default:
			return &PauseError{Status: status, Err: errors.New(excerpt(answer))}
		}
		rest, err := c.refused(ctx, answer, list, left, out)
		if err != nil {
			return err
		}
		if len(rest) < len(left) {
			left = rest
			continue
		}
		// The refusal names no statement: find it by halves.
		if len(left) == 1 {
			out[left[0]] = Result{State: Rejected, Problem: excerpt(answer)}
			return nil
		}
		half := len(left) / 2
		if err := c.send(ctx, list, left[:half], out); err != nil {
			return err
		}
		left = left[half:]
	}
	return nil
}

// created notes the statements that an answer says were made. One that it does not name stays owed:
// sent again, it is found to exist.
func created(answer []byte, list []Statement, left []int, out []Result) error {
	var made struct {
		Statements []struct {
			PUID string `json:"puid"`
			UUID string `json:"uuid"`
		} `json:"statements"`
	}
	if err := json.Unmarshal(answer, &made); err != nil {
		return &PauseError{Status: http.StatusCreated, Err: err}
	}
	for _, m := range made.Statements {
		for _, i := range left {
			if list[i].PUID == m.PUID {
				out[i] = Result{State: Delivered, Receipt: m.UUID}
			}
		}
	}
	return nil
}

// refused notes what a refusal names and returns the places that it does not.
func (c *Client) refused(
	ctx context.Context, answer []byte, list []Statement, left []int, out []Result,
) (rest []int, err error) {
	var no struct {
		Errors   map[string]json.RawMessage `json:"errors"`
		Existing struct {
			PUID string `json:"puid"`
		} `json:"existing"`
	}
	if json.Unmarshal(answer, &no) != nil {
		return left, nil
	}
	var known []string
	if err := json.Unmarshal(no.Errors["existing_puids"], &known); err != nil {
		known = nil // not of this kind
	}
	if no.Existing.PUID != "" {
		known = append(known, no.Existing.PUID)
	}
	for n, i := range left {
		switch problem, named := no.Errors["statement_"+strconv.Itoa(n)]; {
		case named:
			out[i] = Result{State: Rejected, Problem: excerpt(problem)}
		case slices.Contains(known, list[i].PUID):
			// A call that is still under way holds the name as well: ask whether it is there.
			there, err := c.Exists(ctx, list[i].PUID)
			if err != nil {
				return nil, err
			}
			if there {
				out[i] = Result{State: Delivered}
			}
		default:
			rest = append(rest, i)
		}
	}
	return rest, nil
}

// Exists tells whether the database has a statement of that name. A PauseError says that it cannot
// be asked.
func (c *Client) Exists(ctx context.Context, puid string) (bool, error) {
	at := "/statement/existing-puid/" + url.PathEscape(puid)
	status, answer, err := c.call(ctx, http.MethodGet, at, nil)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusFound, status == http.StatusOK:
		return true, nil
	case status == http.StatusNotFound:
		return false, nil
	default:
		return false, &PauseError{Status: status, Err: errors.New(excerpt(answer))}
	}
}

// call makes one request. An answer that asks for a pause is a PauseError.
func (c *Client) call(
	ctx context.Context, method, at string, body any,
) (status int, answer []byte, err error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, fmt.Errorf("dsadb: encode: %w", err)
		}
		payload = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+at, payload)
	if err != nil {
		return 0, nil, fmt.Errorf("dsadb: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := c.http.Do(r)
	if err != nil {
		return 0, nil, &PauseError{Err: err}
	}
	defer func() { _ = got.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(got.Body, answerBytes))
	if err != nil {
		return 0, nil, &PauseError{Status: got.StatusCode, Err: err}
	}
	switch got.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return 0, nil, &PauseError{
			Status: got.StatusCode, After: owed.RetryAfter(got.Header, c.now()),
			Err: errors.New(excerpt(answer)),
		}
	}
	return got.StatusCode, answer, nil
}

// excerpt is what is kept of an answer that refuses.
func excerpt(answer []byte) string {
	text := strings.ToValidUTF8(strings.TrimSpace(string(answer)), "")
	if len(text) > problemBytes {
		text = strings.ToValidUTF8(text[:problemBytes], "")
	}
	return text
}
