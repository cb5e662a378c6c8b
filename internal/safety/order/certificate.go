package order

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// certificates is the namespace of European certificates in XML.
const certificates = "http://data.europa.eu/edm/1/ns/epoc"

// Bounds of a certificate in XML.
const (
	// certificateBytes bounds the file, certificateDepth how deep its elements lie in each other,
	// certificateElements how many there are.
	certificateBytes    = 1 << 20
	certificateDepth    = 32
	certificateElements = 10_000
)

// ErrXML says that something is not a certificate in XML, or one that nobody would write: with a
// document type, entities, or more than a certificate has.
var ErrXML = errors.New("order: not a certificate in XML")

// FromXML reads what is publicly known of a European Production or Preservation Order Certificate
// in the XML of the European Commission into the fields of an order. What the file does not say in
// words that are known stays empty, and is named as missing when the order is received; unread are
// the names of elements that were passed over, for a person to look at.
//
// https://eur-lex.europa.eu/eli/reg/2023/1543/oj
func FromXML(r io.Reader, of instrument.ID) (d Document, unread []string, err error) {
	d = Document{Instrument: of, Action: policy.Disclose}
	if of == instrument.Preservation {
		d.Action = policy.Preserve
	}
	in := &io.LimitedReader{R: r, N: certificateBytes + 1}
	x := xml.NewDecoder(in)
	x.Entity = map[string]string{} // none but the five of XML itself
	var path []string
	var text strings.Builder
	elements, known := 0, false
	for {
		token, terr := x.Token()
		if errors.Is(terr, io.EOF) {
			break
		}
		if terr != nil || in.N == 0 {
			return d, nil, fmt.Errorf("%w: %w", ErrXML, errors.Join(terr, tooLong(in.N)))
		}
		switch t := token.(type) {
		case xml.Directive:
			return d, nil, fmt.Errorf("%w: it has a document type", ErrXML)
		case xml.StartElement:
			elements++
			known = known || t.Name.Space == certificates
			if path = append(path, t.Name.Local); len(path) > certificateDepth ||
				elements > certificateElements {
				return d, nil, fmt.Errorf("%w: too much in it", ErrXML)
			}
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if s := strings.TrimSpace(text.String()); s != "" &&
				!d.element(path[len(path)-1], s) && !slices.Contains(unread, t.Name.Local) {
				unread = append(unread, t.Name.Local)
			}
			text.Reset()
			path = path[:len(path)-1]
		}
	}
	if !known {
		return d, nil, fmt.Errorf("%w: not in the namespace of certificates", ErrXML)
	}
	return d, unread, nil
}

func tooLong(left int64) error {
	if left == 0 {
		return errors.New("too long")
	}
	return nil
}

// element takes the text of an element in; false for one whose name is not known.
func (d *Document) element(name, text string) bool {
	switch name {
	case "RequestType":
		d.Data = requested(text)
	case "IsEmergency":
		if text == "true" {
			d.Urgency = instrument.Life
		}
	case "Deadline":
		d.Notified = d.Notified || text == "TenDaysSubjectToEA"
		if text == "EightHours" {
			d.Urgency = instrument.Life
		}
	case "DelayInformingUser":
		if text == "true" && d.Bar == nil {
			d.Bar = &Bar{Basis: "Regulation (EU) 2023/1543, Art. 13"}
		}
	case "EnforcingAuthorityNotified":
		d.Notified = d.Notified || text == "true"
	case "AuthorityRole":
		// By whom it was issued and validated is said in words elsewhere.
	default:
		kind, ok := map[string]string{
			"InternationalE164": "phone", "ServiceAccessIdentifier": "username",
			"IPv4Address": "ipv4", "IPv6Address": "ipv6", "IMEI": "imei", "MACAddress": "mac",
			"InternationalizedEmailAddress": "email",
		}[name]
		if !ok {
			return false
		}
		if kind == "username" && strings.Trim(text, "0123456789") == "" {
			kind = "id"
		}
		d.Accounts = append(d.Accounts, Identifier{Type: kind, Value: text})
	}
	return true
}

// requested are the classes of data of a request type.
func requested(kind string) []policy.Data {
	subscriber := []policy.Data{policy.Subscriber}
	identifying := []policy.Data{policy.LastLogin}
	traffic := []policy.Data{policy.Logins, policy.Contacts}
	content := []policy.Data{policy.Messages, policy.Files}
	return map[string][]policy.Data{
		"SubscriberData":                       subscriber,
		"UserIdentifyingData":                  identifying,
		"SubscriberDataAndUserIdentifyingData": append(subscriber, identifying...),
		"TrafficData":                          traffic,
		"StoredContentData":                    content,
		"TrafficDataAndStoredContentData":      append(traffic, content...),
	}[kind]
}
