// Package crime tells authorities of suspicions that a crime has happened, happens or will happen
// that threatens somebody's life or safety (DSA Art. 18): it draws up what is known from a case and
// its evidence, finds which authority is to be told, and carries what two people signed to it.
//
// The authority is that of the Member State concerned. Where that cannot be told with reasonable
// certainty it is that of the state in which the service is established, and Europol as well (Art.
// 18(2)), as far as they are configured. What is suspected wakes somebody.
//
// Invariants: it takes two people, or one who says why nobody can be waited for; what is known of
// people leaves the server encrypted to the authority's key, or to its own program; the paper that
// goes with it names nobody.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package crime

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"parley/internal/hook"
	"parley/internal/ids"
	"parley/internal/safety/answer"
	"parley/internal/safety/casefile"
	"parley/internal/safety/country"
	"parley/internal/safety/duty"
	"parley/internal/safety/evidence"
	"parley/internal/safety/recipient"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// Europol is the code of the authority that is told when no state is known.
const Europol country.Code = "EUROPOL"

// textRunes bounds what people write, in characters, and itemsMost how much a case shows.
const (
	textRunes = 5000
	itemsMost = 100
)

// Authority is where suspicions are sent.
type Authority struct {
	// Code is the Member State's, or Europol.
	Code country.Code
	// Mail is its address and Key that to which it is encrypted; or Hook is its program.
	Mail string
	Key  recipient.Key
	Hook *hook.Poster
}

// Suspicion is what an authority is told. It is stored as JSON, and sent as it was signed.
type Suspicion struct {
	// Authority is whom it is for, Country the state concerned, empty when that is not known, and
	// Ground why it is that one, or why none is known.
	Authority country.Code `json:"authority"`
	// Also is Europol, where it is told beside the authority because the state concerned is not
	// known with certainty; empty for nobody else.
	Also    country.Code `json:"also,omitempty"`
	Country country.Code `json:"country,omitempty"`
	Ground  string       `json:"ground"`
	// Facts are what was found, Threat which crime is suspected and whom it threatens.
	Facts  string `json:"facts"`
	Threat string `json:"threat"`
	// Drawn is when it was drawn up.
	Drawn   time.Time `json:"drawn"`
	Account *Account  `json:"account,omitempty"`
	Place   *Place    `json:"place,omitempty"`
	Items   []Item    `json:"items,omitempty"`
}

// Account is whom it concerns.
type Account struct {
	ID        int64          `json:"id"`
	Name      string         `json:"name,omitempty"`
	Username  string         `json:"username,omitempty"`
	About     string         `json:"about,omitempty"`
	Phone     string         `json:"phone,omitempty"`
	Created   time.Time      `json:"created"`
	Addresses []duty.Address `json:"addresses,omitempty"`
}

// Place is the chat in which it happened.
type Place struct {
	ID       int64  `json:"id"`
	Title    string `json:"title,omitempty"`
	Username string `json:"username,omitempty"`
}

// Item is something that was seen.
type Item struct {
	At   time.Time `json:"at"`
	Text string    `json:"text,omitempty"`
	// Files are the SHA-256 of files, which are kept and handed over on request.
	Files []string `json:"files,omitempty"`
}

// ErrAuthority says that no authority is configured that could be told.
var ErrAuthority = errors.New("crime: no authority is configured")

// Refusal says what a suspicion lacks.
type Refusal struct{ Field, Reason string }

// Error names the field and the reason.
func (r Refusal) Error() string { return "crime: " + r.Field + ": " + r.Reason }

// Service draws suspicions up.
type Service struct {
	*duty.Service
	// Authorities are those that can be told.
	Authorities []Authority
	// Established is the state in which the service, or its representative, is established.
	Established country.Code
	Countries   *country.Table
	// Wake hears of every suspicion that waits for a second person, once it is durable: a life does
	// not wait for office hours. nil wakes nobody.
	Wake func(context.Context, store.Duty) error
}

// Public are the fields of a suspicion's line in the public log. They name no state: so few
// suspicions are sent that it could tell whom it is about.
func Public(store.Duty) entry.Entry {
	return entry.Entry{Instrument: entry.CrimeSuspected, Outcome: "full", Items: entry.Band(1)}
}

// Route returns who is to be told of a suspicion that concerns a state, or none that is known.
// ErrAuthority.
func (s *Service) Route(concerned country.Code) (country.Code, error) {
	for _, code := range []country.Code{concerned, s.Established, Europol} {
		if code != Europol && !s.Countries.Facts(code).In(country.EU) {
			continue
		}
		if slices.ContainsFunc(s.Authorities, func(a Authority) bool { return a.Code == code }) {
			return code, nil
		}
	}
	return "", ErrAuthority
}

// Draw draws up what is known of a case. A person adds facts, threat and country.
func (s *Service) Draw(
	ctx context.Context, subject ids.Peer, of int64,
) (out Suspicion, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = Suspicion{Drawn: s.Clock.Now().UTC().Truncate(time.Second)}
		c, err := r.Case(subject, of)
		if err != nil {
			return err
		}
		about := casefile.Subject(c)
		seen, err := evidence.Of(r, subject, of)
		if err == nil && len(seen) == 0 {
			var one evidence.Capture
			one, err = evidence.Look(r, about, 0, s.Clock.Now().Unix())
			seen = []evidence.Capture{one}
		}
		if err != nil {
			return err
		}
		for _, x := range seen {
			out.add(x)
		}
		if about.Author == 0 {
			return nil
		}
		known, err := duty.Know(r, about.Author)
		if out.Account == nil {
			out.Account = &Account{}
		}
		out.Account.ID = int64(about.Author)
		out.Account.Phone, out.Account.Created = known.Phone, known.Created
		out.Account.Addresses = known.Addresses
		return err
	})
	return out, err
}

// add adds what was seen.
func (x *Suspicion) add(c evidence.Capture) {
	if p := c.Place; p != nil {
		x.Place = &Place{int64(p.Peer), p.Title, p.Username}
	}
	if a := c.Author; a != nil {
		x.Account = &Account{
			Name: strings.TrimSpace(a.First + " " + a.Last), Username: a.Username, About: a.About,
		}
	}
	list := c.Context
	if c.Item != nil {
		list = append(slices.Clone(list), *c.Item)
	}
	for _, m := range list {
		item := Item{At: time.Unix(m.Date, 0).UTC(), Text: m.Content.Text}
		for _, f := range m.Files {
			item.Files = append(item.Files, hex.EncodeToString(f.Digest))
		}
		if len(x.Items) < itemsMost {
			x.Items = append(x.Items, item)
		}
	}
}

// Propose writes a suspicion down, for a second person to approve, and has somebody woken. A
// Refusal says what it lacks. That nobody could be woken is no failure of what was written down: it
// rings again when it has waited for an hour.
func (s *Service) Propose(
	ctx context.Context, subject ids.Peer, of, staff int64, x Suspicion,
) (store.Duty, error) {
	for _, f := range []struct{ name, text string }{
		{"facts", x.Facts}, {"threat", x.Threat}, {"ground", x.Ground},
	} {
		if strings.TrimSpace(f.text) == "" {
			return store.Duty{}, Refusal{f.name, "missing"}
		}
		if utf8.RuneCountInString(f.text) > textRunes {
			return store.Duty{}, Refusal{f.name, "long"}
		}
	}
	if x.Country != "" && !x.Country.Valid() {
		return store.Duty{}, Refusal{"country", "unknown"}
	}
	var err error
	if x.Authority, err = s.Route(x.Country); err != nil {
		return store.Duty{}, err
	}
	x.Also = s.also(x)
	body, err := json.Marshal(x)
	if err != nil {
		return store.Duty{}, fmt.Errorf("crime: %w", err)
	}
	d, err := s.Record(ctx, subject, of, staff, body, true)
	if err != nil || s.Wake == nil {
		return d, err
	}
	if err := s.Wake(context.WithoutCancel(ctx), d); err != nil {
		s.Log.Error("nobody was woken for a suspicion", "report", d.ID, "error", err)
	}
	return d, nil
}

// also is who is told beside the authority: Europol, where the state concerned is not known to be
// the authority's.
func (s *Service) also(x Suspicion) country.Code {
	if x.Authority == Europol || x.Authority == x.Country ||
		!slices.ContainsFunc(s.Authorities, func(a Authority) bool { return a.Code == Europol }) {
		return ""
	}
	return Europol
}

// Read is the suspicion of a duty.
func Read(d store.Duty) (x Suspicion, err error) {
	if err := json.Unmarshal(d.Body, &x); err != nil {
		return x, fmt.Errorf("crime: suspicion %d: %w", d.ID, err)
	}
	return x, nil
}

// Reference is what a suspicion is called towards its authority.
func Reference(d store.Duty) string {
	return "C" + strings.ToUpper(strconv.FormatInt(d.ID, 36))
}

// Carrier carries suspicions to authorities.
type Carrier struct {
	Authorities []Authority
	Sign        *answer.Signer
	// Mail hands a mail to the mail server; nil where there is none.
	Mail func(context.Context, smtp.Letter) error
	Now  func() time.Time
}

// Send hands a suspicion over to everybody whom it is for: the signed paper and, as the authority
// can read it, what was signed. A second try is known to each receiver by the same name, also to
// one that took the first.
func (c *Carrier) Send(
	ctx context.Context, d store.Duty, _ func(place string) error,
) (receipt string, err error) {
	x, err := Read(d)
	if err != nil {
		return "", err
	}
	var receipts []string
	for _, code := range []country.Code{x.Authority, x.Also} {
		if code == "" {
			continue
		}
		got, err := c.send(ctx, d, x, code)
		if err != nil {
			return "", err
		}
		receipts = append(receipts, got)
	}
	return strings.Join(receipts, "; "), nil
}

// send hands a suspicion to one authority.
func (c *Carrier) send(
	ctx context.Context, d store.Duty, x Suspicion, code country.Code,
) (receipt string, err error) {
	at := slices.IndexFunc(c.Authorities, func(a Authority) bool { return a.Code == code })
	if at < 0 {
		return "", &duty.PauseError{Denied: true, Err: fmt.Errorf("%w: %s", ErrAuthority, code)}
	}
	to := c.Authorities[at]
	x.Authority = code // whom this paper is for
	signed, err := c.paper(d, x)
	if err != nil {
		return "", err
	}
	id := Reference(d)
	if to.Hook != nil {
		return c.post(ctx, to, d, id, signed)
	}
	return c.mail(ctx, to, d, id, signed)
}

// paper is the signed paper: it says that there is a suspicion, and what its document's digest is.
func (c *Carrier) paper(d store.Duty, x Suspicion) ([]byte, error) {
	sum := sha256.Sum256(d.Body)
	p := paper.Paper{
		Kind: paper.Suspicion, At: paper.Time(d.Created), Reference: Reference(d),
		Agency: string(x.Authority), Instrument: entry.CrimeSuspected,
		Law: "Regulation (EU) 2022/2065, Art. 18", Document: hex.EncodeToString(sum[:]),
		Received: paper.Time(d.Created), Lang: lang(x.Authority),
	}
	if x.Country != "" {
		p.Country = string(x.Country)
	}
	return c.Sign.Sign(p)
}

// lang is the language of most people of a state.
func lang(code country.Code) string {
	if code == Europol {
		return "en"
	}
	base, _ := language.Make("und-" + string(code)).Base()
	return base.String()
}

// post hands a suspicion to an authority's program.
func (c *Carrier) post(
	ctx context.Context, to Authority, d store.Duty, id string, signed []byte,
) (string, error) {
	body, err := json.Marshal(struct {
		Paper    string          `json:"paper"`
		Document json.RawMessage `json:"document"`
	}{string(signed), d.Body})
	if err != nil {
		return "", fmt.Errorf("crime: %w", err)
	}
	now := c.Now()
	err = to.Hook.Post(ctx, now, id, body)
	var no *hook.DeliveryError
	if errors.As(err, &no) {
		return "", failed(no.Reason, no.Temporary)
	}
	return "program of " + string(to.Code) + " took " + id + " at " + stamp(now), err
}

// mail mails a suspicion, encrypted to the authority's key.
func (c *Carrier) mail(
	ctx context.Context, to Authority, d store.Duty, id string, signed []byte,
) (string, error) {
	if c.Mail == nil {
		return "", &duty.PauseError{Denied: true, Err: errors.New("there is no mail server")}
	}
	now := c.Now()
	var sealed bytes.Buffer
	if err := to.Key.Encrypt(&sealed, d.Body, now); err != nil {
		return "", &duty.PauseError{Denied: true, Err: err}
	}
	l, err := c.Sign.Letter(signed, lang(to.Code))
	if err != nil {
		return "", err
	}
	err = c.Mail(ctx, smtp.Letter{
		To: to.Mail, Subject: l.Title + " " + id, Body: l.String(), Lang: l.Lang, Time: now,
		ID: strings.ToLower(id),
		Files: []smtp.File{
			{Name: id + ".paper.txt", Body: signed},
			{Name: id + ".json" + to.Key.Suffix(), Body: sealed.Bytes()},
		},
	})
	var no *smtp.DeliveryError
	switch {
	case errors.As(err, &no):
		return "", failed(no.Reason, no.Temporary)
	case errors.Is(err, smtp.ErrAddress):
		return "", failed(err.Error(), false)
	}
	return "mail server took " + id + " for " + string(to.Code) + " at " + stamp(now), err
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// failed is what the failure of a delivery means for the suspicion.
func failed(reason string, temporary bool) error {
	if temporary {
		return errors.New(reason) // another authority may be reached all the same
	}
	return &duty.RefusedError{Reason: reason}
}
