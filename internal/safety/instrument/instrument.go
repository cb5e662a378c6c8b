// Package instrument holds by which instruments of law somebody can ask something of the service,
// as data that a lawyer can read and correct (instruments.toml): who may use each, what it must
// contain, through which door it comes, and which periods it starts. And it computes these periods:
// when they start, pause, resume, warn and are over.
//
// It judges no request: safety/policy does. It reads no clock: the present is given to it.
package instrument

import (
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/country"
)

// ID names an instrument. IDs are stored and published.
type ID string

// The instruments that the code itself speaks of; Set.All has all.
const (
	// Act and Inform are orders of DSA Art. 9 and 10.
	Act    ID = "dsa-9"
	Inform ID = "dsa-10"
	// Removal is a removal order of Regulation (EU) 2021/784, Art. 3.
	Removal ID = "tco-3"
	// Production and Preservation are certificates of Regulation (EU) 2023/1543.
	Production   ID = "epoc"
	Preservation ID = "epoc-pr"
	// Warrant is any process for stored data of 18 U.S.C. § 2703.
	Warrant ID = "us-2703"
	// List is a regulator's list of items, Order any other order of a public authority, Keep a
	// request to keep data until an order comes, Emergency one to save a life.
	List      ID = "regulator-list"
	Order     ID = "order"
	Keep      ID = "keep"
	Emergency ID = "emergency"
	// Notice is a notice of DSA Art. 16, Flag one of a trusted flagger.
	Notice ID = "dsa-16"
	Flag   ID = "dsa-22"
)

// Requester is a kind of who asks.
type Requester string

// The kinds of requesters.
const (
	Court           Requester = "court"
	Prosecutor      Requester = "prosecutor"
	Police          Requester = "police"
	SecurityService Requester = "security-service"
	Regulator       Requester = "regulator"
	DataProtection  Requester = "data-protection"
	// Authority is any other public authority.
	Authority Requester = "authority"
	// Flagger is a trusted flagger, Hotline an organisation that takes in reports of abuse.
	Flagger    Requester = "flagger"
	Hotline    Requester = "hotline"
	Lawyer     Requester = "lawyer"
	Researcher Requester = "researcher"
	Person     Requester = "person"
)

// Officials are the kinds that act for a state.
func Officials() []Requester {
	return []Requester{
		Court, Prosecutor, Police, SecurityService, Regulator, DataProtection, Authority,
	}
}

// Requesters are all kinds, officials first.
func Requesters() []Requester {
	return append(Officials(), Flagger, Hotline, Lawyer, Researcher, Person)
}

// Purpose is what somebody wants, as he would say it before he knows any law.
type Purpose string

// The purposes.
const (
	// Illegal content is to go; Terrorist and ChildAbuse have lanes of their own.
	Illegal    Purpose = "illegal"
	Terrorist  Purpose = "terrorist"
	ChildAbuse Purpose = "child-abuse"
	// UserData of somebody else is wanted, or is to be kept until it may be.
	UserData Purpose = "user-data"
	KeepData Purpose = "keep-data"
	// Danger to somebody's life.
	Danger Purpose = "danger"
	// Intercept is a wish for keys, back doors, or continuous or bulk access.
	Intercept Purpose = "intercept"
	// Supervise asks how the service does its duties.
	Supervise Purpose = "supervise"
	// OwnData is about oneself, Complaint against a decision of the service.
	OwnData   Purpose = "own-data"
	Complaint Purpose = "complaint"
	// Security is a weakness of the service.
	Security Purpose = "security"
	Question Purpose = "question"
)

// Purposes are all purposes.
func Purposes() []Purpose {
	return []Purpose{
		Illegal, Terrorist, ChildAbuse, UserData, KeepData, Danger, Intercept, Supervise, OwnData,
		Complaint, Security, Question,
	}
}

// Door is where requests come in.
type Door string

// The doors.
const (
	// AuthorityDoor is the contact of DSA Art. 11, EmergencyDoor the line that wakes somebody.
	AuthorityDoor Door = "authorities"
	EmergencyDoor Door = "emergency"
	// RegulatorDoor is for supervision, HotlineDoor for trusted flaggers and hotlines.
	RegulatorDoor Door = "regulators"
	HotlineDoor   Door = "flaggers"
	// NoticeDoor is the form of DSA Art. 16, ReferenceDoor the page that a reference opens.
	NoticeDoor    Door = "notice"
	ReferenceDoor Door = "reference"
	// PeopleDoor is the contact of DSA Art. 12, SecurityDoor that of RFC 9116.
	PeopleDoor   Door = "people"
	SecurityDoor Door = "security"
)

// Doors are all doors.
func Doors() []Door {
	return []Door{
		AuthorityDoor, EmergencyDoor, RegulatorDoor, HotlineDoor, NoticeDoor, ReferenceDoor,
		PeopleDoor, SecurityDoor,
	}
}

// Field is something that a request must contain.
type Field string

// The fields.
const (
	Reference   Field = "reference"   // the authority's own
	Identity    Field = "identity"    // who asks, so that it can be verified
	LegalBasis  Field = "legal-basis" // the provision
	Reasons     Field = "reasons"
	Location    Field = "location"    // exact addresses of the content
	Accounts    Field = "accounts"    // identifiers of the persons concerned
	Data        Field = "data"        // which data
	Time        Field = "time"        // of which time the data is
	Necessity   Field = "necessity"   // and proportionality
	Redress     Field = "redress"     // of the service and of the person
	Territory   Field = "territory"   // where it is to hold
	Issued      Field = "issued"      // date and time of issue
	Signature   Field = "signature"   // of who issued it
	Validation  Field = "validation"  // by a court or a judge
	Offence     Field = "offence"     // by the provision that makes it one
	Penalty     Field = "penalty"     // the greatest term of imprisonment for it
	Supervisor  Field = "supervisor"  // who answers for an emergency
	Language    Field = "language"    // one that the contact page names
	GoodFaith   Field = "good-faith"  // DSA Art. 16(2)(d)
	Certificate Field = "certificate" // that it may flag, or of its key
	Correction  Field = "correction"  // of a manifest error
	BarEnd      Field = "bar-end"     // until when the person must not be told
)

// Fields are all fields.
func Fields() []Field {
	return []Field{
		Reference, Identity, LegalBasis, Reasons, Location, Accounts, Data, Time, Necessity,
		Redress, Territory, Issued, Signature, Validation, Offence, Penalty, Supervisor, Language,
		GoodFaith, Certificate, Correction, BarEnd,
	}
}

// Instrument is one way of law to ask something.
type Instrument struct {
	ID ID `toml:"id"`
	// Log is its word in the public log, LogLife that for requests to save a life where it differs.
	Log     string `toml:"log"`
	LogLife string `toml:"log_life"`
	// Name is what lawyers call it, Law its citation, Source where that can be read.
	Name   string `toml:"name"`
	Law    string `toml:"law"`
	Source string `toml:"source"`
	// Issuers are the groups of countries whose requesters may use it.
	Issuers []country.Group `toml:"issuers"`
	// Serves is whom the guide sends here for what, where the country is an issuer.
	Serves []Service `toml:"serves"`
	// May is who may use it, where that is more than whom the guide sends.
	May []Requester `toml:"may"`
	// Door is where it comes in.
	Door Door `toml:"door"`
	// Wants is what it must contain.
	Wants []Field `toml:"wants"`
	// Waives is what it need not contain where the content is of a category, or from whom.
	Waives []Waiver `toml:"waives"`
	// Bar is how long the person may be left untold at most, each time that it is ordered.
	Bar Length `toml:"bar"`
	// Periods are what it starts.
	Periods []Period `toml:"period"`
}

// Service is a part of who is served: each of these requesters for each of these purposes.
type Service struct {
	By  []Requester `toml:"by"`
	For []Purpose   `toml:"for"`
}

// Waiver is what an instrument need not contain about a category of content, where that is set, and
// from some requesters, where these are.
type Waiver struct {
	Category safety.Category `toml:"category"`
	By       []Requester     `toml:"by"`
	Fields   []Field         `toml:"fields"`
}

func (w Waiver) holds(by Requester, about safety.Category) bool {
	return (w.Category == "" || w.Category == about) &&
		(len(w.By) == 0 || slices.Contains(w.By, by))
}

// Lacks are the fields that the instrument wants of a requester about content of a category, and
// that a request with these does not have.
func (in Instrument) Lacks(has []Field, by Requester, about safety.Category) (out []Field) {
	for _, f := range in.Wants {
		waived := slices.ContainsFunc(in.Waives, func(w Waiver) bool {
			return w.holds(by, about) && slices.Contains(w.Fields, f)
		})
		if !waived && !slices.Contains(has, f) {
			out = append(out, f)
		}
	}
	return out
}
