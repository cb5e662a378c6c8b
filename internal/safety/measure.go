package safety

import "fmt"

// Measure is what may be done to a subject, from the mildest on. Values are stored.
type Measure int64

// The ladder of measures.
const (
	// Label tells readers something about the content.
	Label Measure = 1
	// AgeRestrict shows content only to who has asked for sensitive content.
	AgeRestrict Measure = 2
	// InteractionRestrict forbids forwards and replies.
	InteractionRestrict Measure = 3
	// Demote takes the subject out of search.
	Demote Measure = 4
	// Disable withholds content, in the territory named or everywhere.
	Disable Measure = 5
	// Remove takes content away; it can be put back.
	Remove Measure = 6
	// LimitSending keeps an account from writing to others, LimitJoining from joining chats.
	LimitSending Measure = 7
	LimitJoining Measure = 8
	// Suspend freezes an account: it reads and appeals, and does nothing else.
	Suspend Measure = 9
	// Terminate ends an account or a chat; it can be brought back.
	Terminate Measure = 10
)

// Measures is the ladder, the mildest first.
func Measures() []Measure {
	return []Measure{
		Label, AgeRestrict, InteractionRestrict, Demote, Disable, Remove, LimitSending,
		LimitJoining, Suspend, Terminate,
	}
}

// String is the measure's name in pages and files.
func (m Measure) String() string {
	names := [...]string{
		Label: "label", AgeRestrict: "age-restrict", InteractionRestrict: "interaction-restrict",
		Demote: "demote", Disable: "disable", Remove: "remove", LimitSending: "limit-sending",
		LimitJoining: "limit-joining", Suspend: "suspend", Terminate: "terminate",
	}
	if m < Label || int(m) >= len(names) {
		return "unknown"
	}
	return names[m]
}

// Restriction is a field of a statement of reasons in the DSA Transparency Database, and its value.
type Restriction struct{ Field, Value string }

// Fields of restrictions.
const (
	Visibility   = "decision_visibility"
	Provision    = "decision_provision"
	AccountField = "decision_account"
)

// Restriction is what the database calls the measure when it is taken against the kind of subject.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
func (m Measure) Restriction(of Kind) Restriction {
	visibility := map[Measure]string{
		Label: "LABELLED", AgeRestrict: "AGE_RESTRICTED", Demote: "DEMOTED",
		InteractionRestrict: "INTERACTION_RESTRICTED", Disable: "DISABLED", Remove: "REMOVED",
	}
	switch {
	case visibility[m] != "":
		return Restriction{Visibility, "DECISION_VISIBILITY_CONTENT_" + visibility[m]}
	case m == LimitSending || m == LimitJoining:
		return Restriction{Provision, "DECISION_PROVISION_PARTIAL_SUSPENSION"}
	case m == Suspend:
		return Restriction{AccountField, "DECISION_ACCOUNT_SUSPENDED"}
	case m == Terminate && of == Account:
		return Restriction{AccountField, "DECISION_ACCOUNT_TERMINATED"}
	case m == Terminate:
		return Restriction{Provision, "DECISION_PROVISION_TOTAL_TERMINATION"}
	default:
		return Restriction{}
	}
}

// Fits tells whether the measure can be taken against a kind of subject.
func (m Measure) Fits(kind Kind) bool {
	switch m {
	case Label, AgeRestrict:
		return kind == Account || kind == Chat || kind == Message
	case InteractionRestrict:
		return kind == Chat || kind == Message
	case Demote:
		return kind == Account || kind == Chat || kind == Message
	case Disable:
		return kind == Chat || kind == Message
	case Remove:
		return kind == Message || kind == Photo || kind == Reaction
	case LimitSending, LimitJoining, Suspend:
		return kind == Account
	case Terminate:
		return kind == Account || kind == Chat
	default:
		return false
	}
}

// MeasureSpec is a measure with its scope.
type MeasureSpec struct {
	Measure Measure `cbor:"1,keyasint"`
	// Territory names countries by ISO 3166-1 alpha-2; none means everywhere.
	Territory []string `cbor:"2,keyasint,omitempty"`
	// Ends is when it ends by itself, in Unix seconds; zero lasts until it is lifted.
	Ends int64 `cbor:"3,keyasint,omitempty"`
	// Detail is a label's text, or "scam" or "fake" for an account or a chat.
	Detail string `cbor:"4,keyasint,omitempty"`
}

// MarshalText writes the measure's name.
func (m Measure) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a measure's name.
func (m *Measure) UnmarshalText(text []byte) error {
	for _, known := range Measures() {
		if known.String() == string(text) {
			*m = known
			return nil
		}
	}
	return fmt.Errorf("safety: there is no measure %q", text)
}
