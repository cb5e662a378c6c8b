package cybertip_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/clock"
)

// tipline stands in for the CyberTipline's receiving interface: it holds documents against the
// order and the words of the published schema, written without a look at package cybertip.
//
// https://report.cybertip.org/ispws/documentation
type tipline struct {
	*httptest.Server
	clock clock.Clock

	mu      sync.Mutex
	last    int
	reports map[string]*filed
	calls   []string
	// next has, by path, answers that come before the rules are asked.
	next map[string][]func(w http.ResponseWriter, take func())
}

// filed is a report there.
type filed struct {
	document      string
	files         map[string][]byte
	details       map[string]string
	opened, moved time.Time
	finished      bool
}

const user, password = "esp", "a-password"

func newTipline(t *testing.T, c clock.Clock) *tipline {
	t.Helper()
	x := &tipline{
		clock: c, last: 4_564_654, reports: map[string]*filed{},
		next: map[string][]func(http.ResponseWriter, func()){},
	}
	x.Server = httptest.NewServer(http.HandlerFunc(x.serve))
	t.Cleanup(x.Close)
	return x
}

// answers queues an answer to the next call of a path.
func (x *tipline) answers(path string, fn func(w http.ResponseWriter, take func())) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.next[path] = append(x.next[path], fn)
}

// lost takes what was sent and never answers.
func lost(w http.ResponseWriter, take func()) {
	take()
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

// finished are the reports that were filed.
func (x *tipline) finished() (out []*filed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.reports {
		if r.finished {
			out = append(out, r)
		}
	}
	return out
}

func say(w http.ResponseWriter, root string, code int, what, more string) {
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<%s><responseCode>%d</responseCode><responseDescription>%s</responseDescription>%s</%s>`,
		root, code, what, more, root)
}

func no(w http.ResponseWriter, code int, what string) { say(w, "reportResponse", code, what, "") }

func (x *tipline) serve(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	path := r.URL.Path
	x.calls = append(x.calls, path)
	if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	x.expire()
	if list := x.next[path]; len(list) > 0 {
		x.next[path] = list[1:]
		list[0](w, func() { x.route(httptest.NewRecorder(), r, body) })
		return
	}
	x.route(w, r, body)
}

func (x *tipline) route(w http.ResponseWriter, r *http.Request, body []byte) {
	switch r.URL.Path {
	case "/ispws/submit":
		x.submit(w, body)
	case "/ispws/upload":
		x.upload(w, r)
	case "/ispws/fileinfo":
		x.fileinfo(w, body)
	case "/ispws/finish", "/ispws/retract":
		x.end(w, r)
	default:
		http.NotFound(w, r)
	}
}

// expire erases what nobody finished: a day after it was opened or an hour after it was touched,
// whichever is later.
func (x *tipline) expire() {
	now := x.clock.Now()
	for id, r := range x.reports {
		if !r.finished && now.After(r.opened.Add(24*time.Hour)) &&
			now.After(r.moved.Add(time.Hour)) {
			delete(x.reports, id)
		}
	}
}

func (x *tipline) submit(w http.ResponseWriter, body []byte) {
	if wrong := breaks(body, reportSchema); wrong != "" {
		no(w, 4100, wrong)
		return
	}
	x.last++
	id := fmt.Sprint(x.last)
	now := x.clock.Now()
	x.reports[id] = &filed{
		document: string(body), files: map[string][]byte{}, details: map[string]string{},
		opened: now, moved: now,
	}
	say(w, "reportResponse", 0, "Success", "<reportId>"+id+"</reportId>")
}

// open is the report of a number if it can be changed.
func (x *tipline) open(w http.ResponseWriter, id string) *filed {
	r := x.reports[id]
	switch {
	case r == nil:
		no(w, 5001, "Report does not exist")
		return nil
	case r.finished:
		no(w, 5102, "Report already finished")
		return nil
	}
	r.moved = x.clock.Now()
	return r
}

func (x *tipline) upload(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		no(w, 4000, "not a form")
		return
	}
	report := x.open(w, r.FormValue("id"))
	if report == nil {
		return
	}
	f, _, err := r.FormFile("file")
	if err != nil {
		no(w, 4000, "no file")
		return
	}
	data, _ := io.ReadAll(f)
	id := fmt.Sprintf("file-%d", len(report.files)+1)
	report.files[id] = data
	sum := md5.Sum(data)
	say(w, "reportResponse", 0, "Success", "<reportId>"+r.FormValue("id")+"</reportId><fileId>"+id+
		"</fileId><hash>"+hex.EncodeToString(sum[:])+"</hash>")
}

func (x *tipline) fileinfo(w http.ResponseWriter, body []byte) {
	if wrong := breaks(body, fileSchema); wrong != "" {
		no(w, 4100, wrong)
		return
	}
	var d struct {
		Report string `xml:"reportId"`
		File   string `xml:"fileId"`
	}
	_ = xml.Unmarshal(body, &d)
	report := x.open(w, d.Report)
	if report == nil {
		return
	}
	if report.files[d.File] == nil {
		no(w, 5002, "File does not exist")
		return
	}
	report.details[d.File] = string(body)
	say(w, "reportResponse", 0, "Success", "<reportId>"+d.Report+"</reportId>")
}

func (x *tipline) end(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	report := x.open(w, id)
	if report == nil {
		return
	}
	if r.URL.Path == "/ispws/retract" {
		delete(x.reports, id)
		say(w, "reportResponse", 0, "Success", "<reportId>"+id+"</reportId>")
		return
	}
	report.finished = true
	files := ""
	for f := range report.files {
		files += "<fileId>" + f + "</fileId>"
	}
	say(w, "reportDoneResponse", 0, "Success",
		"<reportId>"+id+"</reportId><files>"+files+"</files>")
}

// element is an element of the schema: its children in their order, of which "!" ones must be there
// and "*" ones may repeat.
type element struct {
	children []string
	of       map[string]element
	words    []string
	long     int
}

var eventSchema = element{children: []string{"!ipAddress", "eventName", "dateTime"},
	of: map[string]element{"eventName": {words: []string{
		"Login", "Registration", "Purchase", "Upload", "Other", "Unknown",
	}}}}

var reportSchema = element{
	children: []string{"!incidentSummary", "*internetDetails", "lawEnforcement", "!reporter",
		"personOrUserReported", "*intendedRecipient", "*victim", "additionalInfo"},
	of: map[string]element{
		"incidentSummary": {
			children: []string{"!incidentType", "platform", "escalateToHighPriority",
				"reportAnnotations", "!incidentDateTime", "incidentDateTimeDescription"},
			of: map[string]element{
				"incidentType": {words: []string{
					"Child Pornography (possession, manufacture, and distribution)",
					"Child Sex Trafficking", "Child Sex Tourism", "Child Sexual Molestation",
					"Misleading Domain Name", "Misleading Words or Digital Images on the Internet",
					"Online Enticement of Children for Sexual Acts",
					"Unsolicited Obscene Material Sent to a Child",
				}},
				"escalateToHighPriority": {long: 3000},
				"reportAnnotations": {children: []string{"sextortion", "csamSolicitation",
					"minorToMinorInteraction", "spam", "sadisticOnlineExploitation",
					"informational"}},
			},
		},
		"internetDetails": {
			children: []string{"webPageIncident", "chatImIncident"},
			of: map[string]element{
				"webPageIncident": {children: []string{"*url", "additionalInfo"}},
				"chatImIncident": {
					children: []string{"chatClient", "chatRoomName", "content", "additionalInfo"},
					of:       map[string]element{"chatRoomName": {long: 255}},
				},
			},
		},
		"reporter": {
			children: []string{"!reportingPerson", "contactPerson", "companyTemplate",
				"termsOfService", "legalURL"},
			of: map[string]element{"reportingPerson": {
				children: []string{"firstName", "lastName", "phone", "!email"},
			}},
		},
		"personOrUserReported": {
			children: []string{"personOrUserReportedPerson", "espIdentifier", "espService",
				"screenName", "*displayName", "*profileUrl", "profileBio", "*ipCaptureEvent",
				"*deviceId", "*priorCTReports", "groupIdentifier", "additionalInfo"},
			of: map[string]element{
				"personOrUserReportedPerson": {children: []string{"*phone", "*email"}},
				"ipCaptureEvent":             eventSchema,
			},
		},
	},
}

var fileSchema = element{
	children: []string{"!reportId", "!fileId", "originalFileName", "locationOfFile",
		"fileViewedByEsp", "exifViewedByEsp", "publiclyAvailable", "fileRelevance",
		"fileAnnotations", "industryClassification", "*originalFileHash"},
	of: map[string]element{
		"fileRelevance":          {words: []string{"Reported", "Supplemental Reported"}},
		"industryClassification": {words: []string{"A1", "A2", "B1", "B2"}},
		"fileAnnotations": {children: []string{"animeDrawingVirtualHentai", "potentialMeme",
			"viral", "possibleSelfProduction", "physicalHarm", "violenceGore", "bestiality",
			"liveStreaming", "infant", "generativeAi"}},
	},
}

// node is an element of a document.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

// breaks says what of a schema a document breaks, empty for nothing.
func breaks(body []byte, s element) string {
	var n node
	if err := xml.Unmarshal(body, &n); err != nil {
		return err.Error()
	}
	return s.breaks(n)
}

func (s element) breaks(n node) string {
	name := n.XMLName.Local
	value := strings.TrimSpace(n.Text)
	switch {
	case s.words != nil && !slices.Contains(s.words, value):
		return name + " is " + value
	case s.long > 0 && len([]rune(value)) > s.long:
		return name + " is too long"
	case len(s.children) == 0 && len(n.Children) > 0:
		return name + " has elements"
	}
	at := 0
	seen := map[string]int{}
	for _, c := range n.Children {
		child := c.XMLName.Local
		i := slices.IndexFunc(s.children, func(x string) bool {
			return strings.TrimLeft(x, "!*") == child
		})
		switch {
		case i < 0:
			return name + " has no " + child
		case i < at:
			return child + " is out of its order"
		case i == at && seen[child] > 0 && !strings.HasPrefix(s.children[i], "*"):
			return child + " is there twice"
		}
		at = i
		seen[child]++
		if wrong := s.of[child].breaks(c); wrong != "" {
			return wrong
		}
	}
	for _, c := range s.children {
		if strings.HasPrefix(c, "!") && seen[c[1:]] == 0 {
			return name + " lacks " + c[1:]
		}
	}
	return ""
}
