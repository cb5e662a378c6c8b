package cybertip

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"
)

// IncidentType is what happened, in the words of the CyberTipline.
//
// https://report.cybertip.org/ispws/documentation/index.html#incident-summary
type IncidentType string

// The types of incidents.
const (
	Material       IncidentType = "Child Pornography (possession, manufacture, and distribution)"
	Trafficking    IncidentType = "Child Sex Trafficking"
	Tourism        IncidentType = "Child Sex Tourism"
	Molestation    IncidentType = "Child Sexual Molestation"
	MisleadingName IncidentType = "Misleading Domain Name"
	Misleading     IncidentType = "Misleading Words or Digital Images on the Internet"
	Enticement     IncidentType = "Online Enticement of Children for Sexual Acts"
	Unsolicited    IncidentType = "Unsolicited Obscene Material Sent to a Child"
)

// IncidentTypes are all types.
func IncidentTypes() []IncidentType {
	return []IncidentType{
		Material, Trafficking, Tourism, Molestation, MisleadingName, Misleading, Enticement,
		Unsolicited,
	}
}

// Annotations are what may be said of a whole report: names of empty elements.
func Annotations() []string {
	return []string{
		"sextortion", "csamSolicitation", "minorToMinorInteraction", "spam",
		"sadisticOnlineExploitation", "informational",
	}
}

// FileAnnotations are what may be said of a file.
func FileAnnotations() []string {
	return []string{
		"animeDrawingVirtualHentai", "potentialMeme", "viral", "possibleSelfProduction",
		"physicalHarm", "violenceGore", "bestiality", "liveStreaming", "infant", "generativeAi",
	}
}

// Classes are the industry's classes of files: A of young children, B of older ones; 1 of a sexual
// act, 2 of lascivious exhibition.
func Classes() []string { return []string{"A1", "A2", "B1", "B2"} }

// Bounds of fields, in characters.
const (
	shortRunes = 255
	urlRunes   = 2083
	longRunes  = 3000
)

// Report is what is reported about one case. It is stored as JSON, so that what was approved is
// what is sent, whatever becomes of the account meanwhile.
type Report struct {
	Type IncidentType `json:"type"`
	// Priority says why it is urgent; empty when it is not.
	Priority    string   `json:"priority,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
	// At is when it happened, At is of what in Described.
	At        time.Time `json:"at"`
	Described string    `json:"described,omitempty"`
	// Room is the chat in which it happened, Content the text, URLs where it can be seen.
	Room    string   `json:"room,omitempty"`
	Content string   `json:"content,omitempty"`
	URLs    []string `json:"urls,omitempty"`
	Person  Person   `json:"person"`
	Files   []File   `json:"files,omitempty"`
	// Note is what the reviewer adds.
	Note string `json:"note,omitempty"`
	// Reporter is the service, as it is configured when the report is drawn up.
	Reporter Reporter `json:"reporter"`
}

// Reporter is who reports.
type Reporter struct {
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
	Email string `json:"email"`
	// Service is what the service calls itself, Terms and Legal where its terms and the way for
	// legal process are.
	Service string `json:"service"`
	Terms   string `json:"terms,omitempty"`
	Legal   string `json:"legal,omitempty"`
}

// Person is the account that is reported.
type Person struct {
	ID      string   `json:"id"`
	Phone   string   `json:"phone,omitempty"`
	Screen  string   `json:"screen,omitempty"`
	Display string   `json:"display,omitempty"`
	Profile string   `json:"profile,omitempty"`
	Bio     string   `json:"bio,omitempty"`
	Events  []Event  `json:"events,omitempty"`
	Devices []string `json:"devices,omitempty"`
	// Prior are earlier reports about the same account.
	Prior []string `json:"prior,omitempty"`
	Group string   `json:"group,omitempty"`
}

// Event is an address from which the account acted.
type Event struct {
	Address string    `json:"address"`
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
}

// File is something that was seen and is handed over.
type File struct {
	// Digest names its bytes in the blob store, in hexadecimal.
	Digest string `json:"digest"`
	Name   string `json:"name"`
	Mime   string `json:"mime,omitempty"`
	// Viewed tells that a person of the service looked at the whole file, Public that anybody could
	// see it.
	Viewed      bool     `json:"viewed"`
	Public      bool     `json:"public"`
	Class       string   `json:"class,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
}

// The documents as the schema has them: the order of the fields is that of its sequences, which the
// receiver insists on.

type reportXML struct {
	XMLName  xml.Name    `xml:"report"`
	Summary  summaryXML  `xml:"incidentSummary"`
	Internet []netXML    `xml:"internetDetails"`
	Reporter reporterXML `xml:"reporter"`
	Person   personXML   `xml:"personOrUserReported"`
	Note     string      `xml:"additionalInfo,omitempty"`
}

type summaryXML struct {
	Type      IncidentType `xml:"incidentType"`
	Platform  string       `xml:"platform,omitempty"`
	Priority  string       `xml:"escalateToHighPriority,omitempty"`
	Marks     *marksXML    `xml:"reportAnnotations"`
	At        string       `xml:"incidentDateTime"`
	Described string       `xml:"incidentDateTimeDescription,omitempty"`
}

// marksXML are empty elements.
type marksXML struct{ Marks []markXML }

type markXML struct {
	XMLName xml.Name
}

func marks(names, all []string) *marksXML {
	var out marksXML
	for _, name := range all {
		for _, x := range names {
			if x == name {
				out.Marks = append(out.Marks, markXML{xml.Name{Local: name}})
			}
		}
	}
	if len(out.Marks) == 0 {
		return nil
	}
	return &out
}

type netXML struct {
	Web  *webXML  `xml:"webPageIncident"`
	Chat *chatXML `xml:"chatImIncident"`
}

type webXML struct {
	URLs []string `xml:"url"`
}

type chatXML struct {
	Client  string `xml:"chatClient,omitempty"`
	Room    string `xml:"chatRoomName,omitempty"`
	Content string `xml:"content,omitempty"`
}

type reporterXML struct {
	Person struct {
		First string `xml:"firstName,omitempty"`
		Last  string `xml:"lastName,omitempty"`
		Email string `xml:"email"`
	} `xml:"reportingPerson"`
	Terms string `xml:"termsOfService,omitempty"`
	Legal string `xml:"legalURL,omitempty"`
}

type personXML struct {
	Person *struct {
		Phone string `xml:"phone,omitempty"`
	} `xml:"personOrUserReportedPerson"`
	ID      string     `xml:"espIdentifier,omitempty"`
	Service string     `xml:"espService,omitempty"`
	Screen  string     `xml:"screenName,omitempty"`
	Display []string   `xml:"displayName"`
	Profile []string   `xml:"profileUrl"`
	Bio     string     `xml:"profileBio,omitempty"`
	Events  []eventXML `xml:"ipCaptureEvent"`
	Devices []struct {
		Type  string `xml:"idType"`
		Value string `xml:"idValue"`
	} `xml:"deviceId"`
	Prior []string `xml:"priorCTReports"`
	Group string   `xml:"groupIdentifier,omitempty"`
}

type eventXML struct {
	Address string `xml:"ipAddress"`
	Name    string `xml:"eventName"`
	At      string `xml:"dateTime"`
}

type fileXML struct {
	XMLName   xml.Name  `xml:"fileDetails"`
	Report    string    `xml:"reportId"`
	File      string    `xml:"fileId"`
	Name      string    `xml:"originalFileName,omitempty"`
	Viewed    bool      `xml:"fileViewedByEsp"`
	Public    bool      `xml:"publiclyAvailable"`
	Relevance string    `xml:"fileRelevance"`
	Marks     *marksXML `xml:"fileAnnotations"`
	Class     string    `xml:"industryClassification,omitempty"`
}

// stamp is a time as the schema has it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// XML is the document that opens a report.
func (r Report) XML() ([]byte, error) {
	x := reportXML{
		Summary: summaryXML{
			Type: r.Type, Platform: r.Reporter.Service, Priority: r.Priority,
			Marks: marks(r.Annotations, Annotations()), At: stamp(r.At), Described: r.Described,
		},
		Note: r.Note,
	}
	if len(r.URLs) > 0 {
		x.Internet = append(x.Internet, netXML{Web: &webXML{URLs: r.URLs}})
	}
	x.Internet = append(x.Internet, netXML{Chat: &chatXML{
		Client: r.Reporter.Service, Room: r.Room, Content: r.Content,
	}})
	x.Reporter.Person.First, x.Reporter.Person.Last = r.Reporter.First, r.Reporter.Last
	x.Reporter.Person.Email = r.Reporter.Email
	x.Reporter.Terms, x.Reporter.Legal = r.Reporter.Terms, r.Reporter.Legal
	x.Person = r.Person.xml(r.Reporter.Service)
	return document(x)
}

func (p Person) xml(service string) personXML {
	x := personXML{
		ID: p.ID, Service: service, Screen: p.Screen, Bio: p.Bio, Prior: p.Prior, Group: p.Group,
	}
	if p.Phone != "" {
		x.Person = &struct {
			Phone string `xml:"phone,omitempty"`
		}{p.Phone}
	}
	if p.Display != "" {
		x.Display = []string{p.Display}
	}
	if p.Profile != "" {
		x.Profile = []string{p.Profile}
	}
	for _, e := range p.Events {
		x.Events = append(x.Events, eventXML{e.Address, e.Name, stamp(e.At)})
	}
	return x
}

// xml is the document about a file that was handed over.
func (f File) xml(report, id string) ([]byte, error) {
	return document(fileXML{
		Report: report, File: id, Name: f.Name, Viewed: f.Viewed, Public: f.Public,
		Relevance: "Reported", Marks: marks(f.Annotations, FileAnnotations()), Class: f.Class,
	})
}

func document(x any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	if err := e.Encode(x); err != nil {
		return nil, fmt.Errorf("cybertip: encode: %w", err)
	}
	return b.Bytes(), nil
}
