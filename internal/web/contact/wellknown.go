package contact

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/safety/words"
)

// formatVersion is the version of authority-contact.json. Readers skip keys that they do not know;
// a higher version means that a key which was there has changed its meaning.
const formatVersion = 1

// lifetime is how long the files say that they are good for.
const lifetime = 30 * 24 * time.Hour

// document is /.well-known/authority-contact.json; docs/authority-contact.md describes it.
type document struct {
	Version        int             `json:"version"`
	Service        string          `json:"service"`
	URL            string          `json:"url"`
	Provider       string          `json:"provider,omitempty"`
	Established    string          `json:"established,omitempty"`
	Expires        time.Time       `json:"expires"`
	Languages      []string        `json:"languages,omitempty"`
	Hours          string          `json:"hours,omitempty"`
	Doors          []doorDocument  `json:"doors"`
	Representative *representative `json:"representative,omitempty"`
	Keys           []key           `json:"keys,omitempty"`
	Papers         *papersSaid     `json:"papers,omitempty"`
	Guide          guideDocument   `json:"guide"`
	// Write is where those write who have no key.
	Write        string           `json:"write"`
	Instruments  []instrumentSaid `json:"instruments"`
	Refused      []policy.Action  `json:"refused"`
	Transparency string           `json:"transparency"`
	Terms        string           `json:"terms,omitempty"`
	Disputes     []string         `json:"disputes,omitempty"`
}

// doorDocument is a door in the document.
type doorDocument struct {
	Door instrument.Door `json:"door"`
	// Email or URL is where it is; Duty the article that wants it.
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
	Duty  string `json:"duty,omitempty"`
	// Portal is where officers with a key come in, API where their programs do.
	Portal string `json:"portal,omitempty"`
	API    string `json:"api,omitempty"`
	// Dialogue is where the officers of regulators ask.
	Dialogue string `json:"dialogue,omitempty"`
}

// papersSaid is how the service's signed papers are checked.
type papersSaid struct {
	// Key is a verifier key of a signed note, Page says how it is used.
	Key  string `json:"key"`
	Page string `json:"page"`
	// Languages are those in which authorities are answered.
	Languages []string `json:"languages"`
}

// representative is the legal representative in the document.
type representative struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Email   string `json:"email"`
	Phone   string `json:"phone"`
	Duty    string `json:"duty"`
}

// key is a key for encrypting to the service.
type key struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// guideDocument says how the guide is asked.
type guideDocument struct {
	Page       string                 `json:"page"`
	Template   string                 `json:"template"`
	Requesters []instrument.Requester `json:"requesters"`
	Purposes   []instrument.Purpose   `json:"purposes"`
}

// instrumentSaid is an instrument for machines.
type instrumentSaid struct {
	ID      instrument.ID      `json:"id"`
	Name    string             `json:"name"`
	Law     string             `json:"law"`
	Source  string             `json:"source,omitempty"`
	Issuers []country.Group    `json:"issuers"`
	Door    instrument.Door    `json:"door"`
	Wants   []instrument.Field `json:"wants"`
	Periods []periodSaid       `json:"periods"`
}

// periodSaid is a period for machines.
type periodSaid struct {
	ID   string `json:"id"`
	Duty string `json:"duty"`
	// Length is the law's, Promise the service's own where the law names none.
	Length  instrument.Length    `json:"length,omitzero"`
	Promise instrument.Length    `json:"promise,omitzero"`
	Starts  instrument.Event     `json:"starts"`
	Ends    instrument.Event     `json:"ends,omitempty"`
	Urgency []instrument.Urgency `json:"urgency,omitempty"`
	Owner   instrument.Owner     `json:"owner,omitempty"`
	Article string               `json:"article"`
}

// sayInstrument writes an instrument for machines.
func sayInstrument(in instrument.Instrument) instrumentSaid {
	out := instrumentSaid{
		ID: in.ID, Name: in.Name, Law: in.Law, Source: in.Source, Issuers: in.Issuers,
		Door: in.Door, Wants: in.Wants,
	}
	for _, p := range in.Periods {
		out.Periods = append(out.Periods, sayPeriod(p))
	}
	return out
}

// sayPeriod writes a period for machines.
func sayPeriod(p instrument.Period) periodSaid {
	return periodSaid{
		ID: p.ID, Duty: p.Duty, Length: p.Length, Promise: p.Target, Starts: p.Starts,
		Ends: p.Ends, Urgency: p.Urgency, Owner: p.Owner, Article: p.Article,
	}
}

// duty is the article of Regulation (EU) 2022/2065 that wants a door, if one does.
func duty(d instrument.Door) string {
	switch d {
	case instrument.AuthorityDoor:
		return "Regulation (EU) 2022/2065, Art. 11"
	case instrument.PeopleDoor:
		return "Regulation (EU) 2022/2065, Art. 12"
	case instrument.NoticeDoor:
		return "Regulation (EU) 2022/2065, Art. 16"
	case instrument.ReferenceDoor:
		return "Regulation (EU) 2022/2065, Art. 20"
	case instrument.HotlineDoor:
		return "Regulation (EU) 2022/2065, Art. 22"
	case instrument.SecurityDoor:
		return "RFC 9116"
	default:
		return ""
	}
}

// authorityContact answers with the document.
func (p *Pages) authorityContact(w http.ResponseWriter, r *http.Request) error {
	c, site := p.r.Contact, p.r.Site
	out := document{
		Version: formatVersion, Service: site.Name(), URL: site.URL(""), Provider: c.Provider,
		Established: c.Established, Expires: p.until(), Languages: c.Languages, Hours: c.Hours,
		Guide: guideDocument{
			Page:       site.URL("/contact/where"),
			Template:   site.URL("/contact/where.json{?country,requester,purpose}"),
			Requesters: instrument.Requesters(), Purposes: instrument.Purposes(),
		},
		Write: site.URL(writePath), Refused: policy.Refusing(),
		Transparency: site.URL("/transparency/"), Terms: c.Terms,
		Disputes: c.Disputes,
	}
	for _, d := range instrument.Doors() {
		at := p.address(d)
		one := doorDocument{Door: d, Duty: duty(d)}
		portal := ""
		switch {
		case ofAuthorities(d):
			portal = p.r.Portal
		case d == instrument.HotlineDoor:
			portal = p.r.Hotline
		}
		if portal != "" {
			one.Portal, one.API = site.URL(portal), site.URL(portal+"/api/v1/")
		}
		if d == instrument.RegulatorDoor && p.r.Dialogue != "" {
			one.Dialogue = site.URL(p.r.Dialogue)
		}
		switch {
		case strings.HasPrefix(string(at.Link), "mailto:"):
			one.Email = at.Text
		default:
			one.URL = at.Text
		}
		out.Doors = append(out.Doors, one)
	}
	if rep := p.r.Representative; p.said.Represented {
		out.Representative = &representative{rep.Name, rep.Address, rep.Mail, rep.Phone,
			"Regulation (EU) 2022/2065, Art. 13"}
	}
	if p.r.Papers != "" {
		out.Papers = &papersSaid{
			p.r.Papers, site.URL(p.r.Portal + "/verify"), words.Authorities(),
		}
	}
	if c.Key != "" {
		out.Keys = []key{{"openpgp", c.Key}}
	}
	for _, in := range p.r.Instruments.All() {
		out.Instruments = append(out.Instruments, sayInstrument(in))
	}
	return p.answer(w, r, http.StatusOK, out)
}

// ofAuthorities tells whether a door is one of the portal's.
func ofAuthorities(d instrument.Door) bool {
	return d == instrument.AuthorityDoor || d == instrument.EmergencyDoor ||
		d == instrument.RegulatorDoor
}

// until is when what is said today has to be asked again.
func (p *Pages) until() time.Time {
	return p.r.Clock.Now().UTC().Truncate(24 * time.Hour).Add(lifetime)
}

// securityText is security.txt as it was made for a time.
type securityText struct {
	until time.Time
	text  []byte
}

// securityTXT answers with security.txt; there is none for a site without TLS whose operator gave
// no address, because an address of a page has to begin with https.
//
// https://www.rfc-editor.org/rfc/rfc9116
func (p *Pages) securityTXT(w http.ResponseWriter, r *http.Request) error {
	if p.securityContact() == "" {
		http.NotFound(w, r)
		return nil
	}
	text, err := p.signedText()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodHead {
		_, _ = w.Write(text)
	}
	return nil
}

// securityContact is whom security.txt names; empty for nobody.
func (p *Pages) securityContact() template.URL {
	if address := open(p.r.Contact, instrument.SecurityDoor); address != "" {
		return reach(address).Link
	}
	at := question{Purpose: instrument.Security}.letter()
	if !strings.HasPrefix(p.r.Site.URL(at), "https://") {
		return ""
	}
	return template.URL(p.r.Site.URL(at))
}

// signedText is security.txt, made anew each day.
func (p *Pages) signedText() ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.until()
	if p.security.until.Equal(until) {
		return p.security.text, nil
	}
	text := p.securityLines(until)
	if p.r.Key != nil {
		var b bytes.Buffer
		w, err := clearsign.Encode(&b, p.r.Key.PrivateKey, nil)
		if err != nil {
			return nil, fmt.Errorf("contact: sign security.txt: %w", err)
		}
		if _, err := w.Write(text); err != nil {
			return nil, fmt.Errorf("contact: sign security.txt: %w", err)
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("contact: sign security.txt: %w", err)
		}
		text = append(b.Bytes(), '\n')
	}
	p.security = securityText{until, text}
	return text, nil
}

// securityLines are the fields of security.txt.
func (p *Pages) securityLines(until time.Time) []byte {
	c := p.r.Contact
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			_, _ = fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	field("Contact", string(p.securityContact()))
	field("Expires", until.Format(time.RFC3339))
	field("Encryption", c.Key)
	field("Preferred-Languages", strings.Join(c.Languages, ", "))
	field("Canonical", p.r.Site.URL("/.well-known/security.txt"))
	return b.Bytes()
}

// ReadKey reads the armored OpenPGP key with which security.txt is signed. It must have its private
// part, without a password: whoever can read the file is who may sign.
//
// https://www.rfc-editor.org/rfc/rfc9580
func ReadKey(file string) (*openpgp.Entity, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("contact: signing key: %w", err)
	}
	defer func() { _ = f.Close() }()
	all, err := openpgp.ReadArmoredKeyRing(f)
	if err != nil {
		return nil, fmt.Errorf("contact: signing key: %w", err)
	}
	if len(all) != 1 || all[0].PrivateKey == nil || all[0].PrivateKey.Encrypted {
		return nil, fmt.Errorf("contact: %s is not one private key without a password", file)
	}
	return all[0], nil
}

// organisation is the page's description for search engines.
//
// https://schema.org/ContactPoint
type organisation struct {
	Context string         `json:"@context"`
	Type    string         `json:"@type"`
	Name    string         `json:"name"`
	URL     string         `json:"url"`
	Points  []contactPoint `json:"contactPoint"`
}

// contactPoint is one contact of it.
type contactPoint struct {
	Type      string   `json:"@type"`
	Kind      string   `json:"contactType"`
	Email     string   `json:"email,omitempty"`
	URL       string   `json:"url,omitempty"`
	Languages []string `json:"availableLanguage,omitempty"`
}

// describe writes the contacts for search engines.
func describe(r Rooms) organisation {
	out := organisation{
		Context: "https://schema.org", Type: "Organization", URL: r.Site.URL(""),
		Name: cmp.Or(firstLine(r.Contact.Provider), r.Site.Name()), Points: []contactPoint{},
	}
	kinds := map[instrument.Door]string{
		instrument.AuthorityDoor: "law enforcement and public authorities",
		instrument.EmergencyDoor: "emergency", instrument.RegulatorDoor: "regulators",
		instrument.HotlineDoor: "trusted flaggers", instrument.PeopleDoor: "customer support",
		instrument.SecurityDoor: "security",
	}
	pages := map[instrument.Door]string{
		instrument.AuthorityDoor: r.Portal, instrument.EmergencyDoor: r.Portal,
		instrument.RegulatorDoor: r.Dialogue, instrument.HotlineDoor: r.Hotline,
		instrument.PeopleDoor: writePath, instrument.SecurityDoor: writePath,
	}
	for _, d := range instrument.Doors() {
		if kinds[d] == "" {
			continue
		}
		point := contactPoint{
			Type: "ContactPoint", Kind: kinds[d], Languages: r.Contact.Languages,
			URL: r.Site.URL(pages[d]),
		}
		switch address := written(r.Contact, d); {
		case strings.HasPrefix(address, "https://"):
			point.URL = address
		default:
			point.Email = address
		}
		out.Points = append(out.Points, point)
	}
	return out
}

// firstLine is a text up to its first comma or line: a name before an address.
func firstLine(text string) string {
	if i := strings.IndexAny(text, ",\n"); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}
