package entry

// Words of Instrument that official forms count by. Orders under other laws have a word of their
// own, which begins with the country whose law it is.
const (
	// ActOnContent and GiveInformation are orders under DSA Articles 9 and 10.
	//
	// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
	ActOnContent    = "DSA_ARTICLE_9"
	GiveInformation = "DSA_ARTICLE_10"
	// RemoveTerror is a removal order under Article 3 of Regulation (EU) 2021/784.
	//
	// https://eur-lex.europa.eu/eli/reg/2021/784/oj
	RemoveTerror = "TCO_ARTICLE_3"
	// Production, EmergencyProduction and Preservation are certificates under Regulation (EU)
	// 2023/1543.
	//
	// https://eur-lex.europa.eu/eli/reg/2023/1543/oj
	Production          = "EPOC"
	EmergencyProduction = "EPOC_EMERGENCY"
	Preservation        = "EPOC_PR"
)

// Words of Instrument of what the service tells authorities without being asked.
const (
	// CrimeSuspected is a notification under DSA Article 18.
	CrimeSuspected = "DSA_ARTICLE_18"
	// ChildAbuseReported is a report to the CyberTipline.
	//
	// https://www.law.cornell.edu/uscode/text/18/2258A
	ChildAbuseReported = "US_18_USC_2258A"
)

// Unasked tells whether an entry is about something that no authority asked for.
func (e Entry) Unasked() bool {
	return e.Kind == Disclosure &&
		(e.Instrument == CrimeSuspected || e.Instrument == ChildAbuseReported)
}

// Words of Content of orders for data, by the classes of Regulation (EU) 2023/1543.
const (
	SubscriberData  = "DATA_SUBSCRIBER"
	IdentifyingData = "DATA_IDENTIFYING"
	TrafficData     = "DATA_TRAFFIC"
	ContentData     = "DATA_CONTENT"
)
