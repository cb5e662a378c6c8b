package agency

// Signals are what an order's arrival looks like, for scoring. Each is a fact that the door or the
// intake knows; none proves anything.
type Signals struct {
	// Emergency is an order that says it cannot wait for a court.
	Emergency bool
	// NewOfficer binds his key since less than a week, FirstOrder is the agency's first.
	NewOfficer, FirstOrder bool
	// Early is the agency's first removal order within twelve hours of its admission.
	Early bool
	// OwesPaper is an emergency of an agency that never sent the order to an earlier one.
	OwesPaper bool
	// NewPlace is a network or country from which the officer never came.
	NewPlace bool
	// NightThere is the middle of the night at the agency.
	NightThere bool
	// MailOnly came by mail, LookAlike from a domain that resembles the agency's.
	MailOnly, LookAlike bool
	// AlteredTwin has the number of an earlier order and other content.
	AlteredTwin bool
	// Broad names many people, or a time without end.
	Broad bool
	// NoSupervisor names nobody who confirms, OwnCallBack a number to call that is not the one we
	// keep.
	NoSupervisor, OwnCallBack bool
	// ForeignLaw rests on another country's law than the agency's.
	ForeignLaw bool
	// Failed is how often its people were refused at the door lately.
	Failed int
	// Burst is how many orders the officer gave in the last hour.
	Burst int
}

// Marks of a score. From suspicious on, people must look before anything is done.
const (
	// Suspicious is the score from which a call-back is wanted whatever the rules say.
	Suspicious = 40
	// maxScore bounds the sum.
	maxScore = 100
	// burstMost is how many orders an hour an officer gives before it looks odd.
	burstMost = 20
	// failedMost is how many refusals at the door are nothing.
	failedMost = 3
)

// First is the reason of an agency's first order.
const First = "first-order"

// Score weighs signals: 0 is nothing, 100 the most. The reasons are the names of what counted, the
// heaviest first. It decides nothing by itself.
func Score(s Signals) (score int, reasons []string) {
	for _, x := range []struct {
		is     bool
		weight int
		name   string
	}{
		{s.AlteredTwin, 50, "altered-twin"},
		{s.LookAlike, 50, "look-alike-domain"},
		{s.OwnCallBack, 40, "own-call-back-number"},
		{s.Emergency && s.NoSupervisor, 40, "emergency-without-supervisor"},
		{s.Emergency && s.NewOfficer, 30, "emergency-by-new-officer"},
		{s.OwesPaper, 30, "owes-paper"},
		{s.MailOnly, 25, "mail-only"},
		{s.ForeignLaw, 25, "law-of-another-country"},
		{s.Burst > burstMost, 20, "burst"},
		{s.Failed > failedMost, 20, "refused-at-the-door"},
		{s.NewPlace, 15, "new-place"},
		{s.Early, 15, "first-removal-order-early"},
		{s.Broad, 15, "broad"},
		{s.FirstOrder, 10, First},
		{s.NewOfficer, 10, "new-officer"},
		{s.Emergency && s.NightThere, 10, "night"},
	} {
		if x.is {
			score += x.weight
			reasons = append(reasons, x.name)
		}
	}
	return min(score, maxScore), reasons
}
