package order

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// Namespaces of certificates: those of the forms of the European Commission begin with the first,
// those of requests by ETSI TS 103 120, into which its forms are translated, with the second. Form
// 2 has one of its own.
const (
	commission = "http://data.europa.eu/edm/1/ns/"
	etsi       = "http://uri.etsi.org/03120/"
	formTwo    = commission + "forms/EPOC-PR-FORM-2#"
)

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
// in XML into the fields of an order: of the forms of the European Commission, and of requests by
// ETSI TS 103 120. It is taken to be one of the given instrument where it does not say of which it
// is. What the file does not say in words that are known stays empty, and is named as missing when
// the order is received; unread are the names of elements that were passed over, for a person to
// look at.
//
// https://eur-lex.europa.eu/eli/reg/2023/1543/oj
func FromXML(r io.Reader, of instrument.ID) (d Document, unread []string, err error) {
	c := certificate{d: Document{Instrument: of}}
	in := &io.LimitedReader{R: r, N: certificateBytes + 1}
	x := xml.NewDecoder(in)
	x.Entity = map[string]string{} // none but the five of XML itself
	var text strings.Builder
	elements, known := 0, false
	for {
		token, terr := x.Token()
		if errors.Is(terr, io.EOF) {
			break
		}
		if terr != nil || in.N == 0 {
			return c.d, nil, fmt.Errorf("%w: %w", ErrXML, errors.Join(terr, tooLong(in.N)))
		}
		switch t := token.(type) {
		case xml.Directive:
			return c.d, nil, fmt.Errorf("%w: it has a document type", ErrXML)
		case xml.StartElement:
			elements++
			known = known || strings.HasPrefix(t.Name.Space, commission) ||
				strings.HasPrefix(t.Name.Space, etsi)
			if c.path = append(c.path, t.Name.Local); len(c.path) > certificateDepth ||
				elements > certificateElements {
				return c.d, nil, fmt.Errorf("%w: too much in it", ErrXML)
			}
			c.begun(t.Name)
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			s := strings.TrimSpace(text.String())
			if s != "" && !c.says(t.Name.Local, s) {
				c.passed(t.Name.Local)
			}
			c.over(t.Name.Local)
			text.Reset()
			c.path = c.path[:len(c.path)-1]
		}
	}
	if !known {
		return c.d, nil, fmt.Errorf("%w: not in a namespace of certificates", ErrXML)
	}
	c.whole()
	return c.d, c.unread, nil
}

func tooLong(left int64) error {
	if left == 0 {
		return errors.New("too long")
	}
	return nil
}

// certificate is what was read of one.
type certificate struct {
	d      Document
	unread []string
	// path are the names of the elements that are open, the outermost first.
	path []string
	// pieces are what it asks for of each identifier, now the one that is being read.
	pieces []piece
	now    piece
	// approval is whose approval is being read, in ETSI's words.
	approval string
}

// piece is what a certificate asks for of one identifier.
type piece struct {
	kind, value string
	data        []policy.Data
	from, to    int64
}

// in tells whether an element that is open has one of these names.
func (c *certificate) in(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return slices.Contains(c.path[:len(c.path)-1], n)
	})
}

// parent is the element in which the one that is being read lies.
func (c *certificate) parent() string {
	if len(c.path) < 2 {
		return ""
	}
	return c.path[len(c.path)-2]
}

// passed notes that an element was passed over.
func (c *certificate) passed(name string) {
	if !slices.Contains(c.unread, name) {
		c.unread = append(c.unread, name)
	}
}

// begun takes in what an element says by being there.
func (c *certificate) begun(name xml.Name) {
	if name.Space == formTwo {
		c.d.Instrument = instrument.Preservation
	}
	switch c.parent() {
	case "DataCategories":
		c.now.wants(map[string][]policy.Data{
			"Subscriber": subscriber(), "UserIdentification": identifying(), "Traffic": traffic(),
			"Content": content(),
		}[name.Local])
	case "DelayConditions":
		c.delayed()
	case "SectionK":
		c.d.Notified = c.d.Notified || name.Local == "EnforcingAuthority"
	}
}

// over ends what an element was about.
func (c *certificate) over(name string) {
	switch name {
	case "Evidence", "RequestDetails":
		c.pieces, c.now = append(c.pieces, c.now), piece{}
	case "AuthorisationApprovalDetails":
		c.approval = ""
	}
}

// says takes the text of an element in; false for one that is not known, or a word that is not.
func (c *certificate) says(name, text string) bool {
	switch {
	case c.in("IssuingAuthority"):
		return c.issued(name, text)
	case c.in("AuthorisationApprovalDetails"):
		return c.approved(name, text)
	case c.in("Identifier"), c.in("RequestDetails"):
		return c.now.says(c.parent(), name, text)
	case c.in("DelayConditions"):
		return false // a person reads why
	case c.in("DataProductionInRelationToDeadline", "AuthorisationPriority"):
		return dictionary(name) || c.deadline(text)
	case c.in("AuthorisationFlag"):
		return dictionary(name) || c.flag(text)
	case c.in("AuthorisationLegalType"):
		if text == "EPOCPR" {
			c.d.Instrument = instrument.Preservation
		}
		return dictionary(name) || text == "EPOC" || text == "EPOCPR"
	case name == "EmergencyCase":
		return !isTrue(text) || c.flag("IsEmergency")
	case name == "NameOfAuthority" && c.parent() == "Details" && c.in("SectionJ", "SectionG"):
		c.d.Validated = text
	case name == "Date" && c.parent() == "SignatureOfAuthority":
		c.d.Issued = stamped(text)
		return c.d.Issued != 0
	case name == "Type" && c.in("SectionF", "SectionG", "SectionI", "SectionJ"):
		return role(text)
	default:
		return false
	}
	return true
}

// dictionary tells whether an element only says from which dictionary a word comes.
//
// https://www.etsi.org/deliver/etsi_ts/103100_103199/103120/
func dictionary(name string) bool { return name == "Owner" || name == "Name" }

func isTrue(text string) bool { return text == "1" || strings.EqualFold(text, "true") }

// role tells whether a word says what an authority is. By which agency an order comes is known by
// its key, and what it is by how it was let in.
func role(text string) bool {
	return slices.Contains([]string{
		"PUBLIC_PROSECUTOR", "JUDGE_COURT_OR_INVESTIGATING_JUDGE", "JUDGE",
		"OTHER_COMPETENT_AUTHORITY", "PublicProsecutor", "JudgeCourtOrInvestigatingJudge",
		"OtherCompetentAuthority",
	}, text)
}

// issued takes in what a form says of the issuing authority.
func (c *certificate) issued(name, text string) bool {
	switch name {
	case "NameOfAuthority":
		c.d.Authority = text
	case "FileReference":
		c.d.Number = text
	case "NameOfRepresentative":
		c.d.Signed = text
	case "Country":
		if !upper(text) {
			return false
		}
		c.d.Country = text
	default:
		return false
	}
	return true
}

// approved takes in what a request says of who issued or validated it.
func (c *certificate) approved(name, text string) bool {
	issuing := c.approval == "IssuingAuthority"
	switch {
	case name == "ApprovalType":
		c.approval = text
	case name == "ApprovalReference" && issuing:
		c.d.Number = text
	case name == "ApproverName" && issuing:
		c.d.Authority = text
	case name == "ApproverName" && c.approval == "ValidatingAuthority":
		c.d.Validated = text
	case name == "ApproverRole":
		return role(text)
	case name == "ApprovalTimestamp" && issuing:
		c.d.Issued = stamped(text)
		return c.d.Issued != 0
	default:
		return false
	}
	return true
}

// deadline takes in by when the data is wanted.
func (c *certificate) deadline(text string) bool {
	switch text {
	case "AS_SOON_AS_POSSIBLE", "TenDaysASAP":
	case "AT_THE_END_OF_TEN_DAYS", "TenDaysSubjectToEA":
		c.d.Notified = true
	case "IMMINENT_THREAT_TO_LIFE", "IMMINENT_THREAT_TO_CRITICAL_INFRASTRUCTURE", "EightHours":
		c.d.Urgency = instrument.Life
	default:
		return false
	}
	return true
}

// flag takes in a mark of a request.
func (c *certificate) flag(text string) bool {
	switch text {
	case "IsEmergency":
		c.d.Urgency = instrument.Life
	case "DelayInformingUser":
		c.delayed()
	case "EnforcingAuthorityNotified":
		c.d.Notified = true
	default:
		return false
	}
	return true
}

// delayed notes that the person must not be told yet.
func (c *certificate) delayed() {
	if c.d.Bar == nil {
		c.d.Bar = &Bar{Basis: "Regulation (EU) 2023/1543, Art. 13"}
	}
}

// says takes in what a certificate says of an identifier.
func (p *piece) says(parent, name, text string) bool {
	switch {
	case name == "Type" && parent == "Identifier", name == "FormatName":
		p.kind = text
	case name == "Value" && (parent == "Identifier" || parent == "RequestValue"):
		p.value = text
	case name == "Id" && parent == "Identifier", name == "FormatOwner":
	case name == "Start" && parent == "DateTimeRange", name == "StartTime":
		p.from = stamped(text)
		return p.from != 0
	case name == "End" && parent == "DateTimeRange", name == "EndTime":
		p.to = stamped(text)
		return p.to != 0
	case parent == "Type":
		return dictionary(name) || p.wants(requested(text))
	default:
		return false
	}
	return true
}

// wants adds classes of data; false for none.
func (p *piece) wants(list []policy.Data) bool {
	for _, x := range list {
		if !slices.Contains(p.data, x) {
			p.data = append(p.data, x)
		}
	}
	return len(list) > 0
}

// identifier is what a piece names, by the type that orders know it by. One that they do not know
// keeps its own word, so that it is named as inexact and not passed over.
func (p piece) identifier() Identifier {
	kind, known := map[string]string{
		"PHONE_NUMBER": "phone", "InternationalE164": "phone",
		"USER_ID": "username", "ServiceAccessIdentifier": "username",
	}[p.kind]
	switch {
	case !known:
		kind = strings.ToLower(p.kind)
	case kind == "username" && strings.Trim(p.value, "0123456789") == "":
		kind = "id"
	}
	return Identifier{Type: kind, Value: p.value}
}

// whole puts together what is asked for of all identifiers. An order asks for the same of each, so
// what is not the same is left to a person: nobody's data is asked for because of another's.
func (c *certificate) whole() {
	c.d.Action = policy.Disclose
	if c.d.Instrument == instrument.Preservation {
		c.d.Action = policy.Preserve
	}
	sameData, sameTime := true, true
	for i, p := range c.pieces {
		if p.kind != "" || p.value != "" {
			c.d.Accounts = append(c.d.Accounts, p.identifier())
		}
		sameData = sameData && slices.Equal(p.data, c.pieces[0].data)
		sameTime = sameTime && p.from == c.pieces[0].from && p.to == c.pieces[0].to
		if i > 0 {
			continue
		}
		c.d.Data, c.d.From, c.d.To = p.data, p.from, p.to
	}
	if !sameData {
		c.d.Data = nil
		c.passed("DataCategories")
	}
	if !sameTime {
		c.d.From, c.d.To = 0, 0
		c.passed("DateTimeRange")
	}
}

// stamped is a time or a day of a certificate in Unix seconds; 0 for what is none.
func stamped(text string) int64 {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02Z07:00", time.DateOnly,
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Unix()
		}
	}
	return 0
}

// The classes of data by the words of Regulation (EU) 2023/1543, Art. 3.

func subscriber() []policy.Data  { return []policy.Data{policy.Subscriber} }
func identifying() []policy.Data { return []policy.Data{policy.LastLogin} }
func traffic() []policy.Data     { return []policy.Data{policy.Logins, policy.Contacts} }
func content() []policy.Data     { return []policy.Data{policy.Messages, policy.Files} }

// requested are the classes of data of a request type; none for a word that is not known.
func requested(kind string) []policy.Data {
	return map[string][]policy.Data{
		"SubscriberData":                       subscriber(),
		"UserIdentifyingData":                  identifying(),
		"SubscriberDataAndUserIdentifyingData": slices.Concat(subscriber(), identifying()),
		"TrafficData":                          traffic(),
		"StoredContentData":                    content(),
		"TrafficDataAndStoredContentData":      slices.Concat(traffic(), content()),
	}[kind]
}
