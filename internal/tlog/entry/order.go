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

// Words of Content of orders for data, by the classes of Regulation (EU) 2023/1543.
const (
	SubscriberData  = "DATA_SUBSCRIBER"
	IdentifyingData = "DATA_IDENTIFYING"
	TrafficData     = "DATA_TRAFFIC"
	ContentData     = "DATA_CONTENT"
)
