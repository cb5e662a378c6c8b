package node_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/node/nodetest"
	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/web/officer/officertest"
)

// TestStopAnswersWhoIsIn stops a server while an authority hands in an order: nobody new comes in,
// the order gets its answer all the same, and it is there after the start.
func TestStopAnswersWhoIsIn(t *testing.T) {
	s := nodetest.Start(t, nil)
	office := officertest.NewOffice(t, s.Node.Store, clock.System{})
	a := office.Onboard("Office", "DE", agency.Police)
	key, err := office.IssueKey(t.Context(), 1, a.ID, "system", time.Now().Add(time.Hour).Unix())
	if err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(order.Document{
		Instrument: "no-handler", Number: "1", Country: "DE", Authority: "Office", Action: "keys",
		Lang: "de", Reasons: "We want them.",
	})
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(s.Web, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	fmt.Fprintf(c, "POST /authority/api/v1/orders HTTP/1.1\r\nHost: %s\r\n"+
		"Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
		"Expect: 100-continue\r\n\r\n", host, key, len(document))
	answers := bufio.NewReader(c)
	// The server asks for the rest once it works on the request.
	if line, err := answers.ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q %v", line, err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Stop()
	}()
	defer func() { <-stopped }()
	for { // until nobody is let in any more
		other, err := net.Dial("tcp", host)
		if err != nil {
			break
		}
		_ = other.Close()
	}
	select {
	case <-stopped:
		t.Fatal("stopped while somebody was in")
	default:
	}
	if _, err := c.Write(document); err != nil {
		t.Fatal(err)
	}
	if _, err := answers.ReadString('\n'); err != nil { // ends the answer 100
		t.Fatal(err)
	}
	said := answer(t, answers)
	<-stopped
	s.Restart()
	r, err := http.NewRequest(http.MethodGet, s.Web+"/authority/api/v1/orders/"+said, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	again, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Body.Close() }()
	if again.StatusCode != http.StatusOK {
		t.Errorf("after the start: %s", again.Status)
	}
}

// answer reads the reference of an order that was handed in.
func answer(t *testing.T, from *bufio.Reader) string {
	t.Helper()
	got, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != http.StatusCreated || !got.Close {
		t.Fatalf("%s, closes %t: %s %v", got.Status, got.Close, body, err)
	}
	var said struct{ Reference string }
	if err := json.Unmarshal(body, &said); err != nil || said.Reference == "" {
		t.Fatalf("%s %v", body, err)
	}
	return said.Reference
}
