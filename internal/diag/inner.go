package diag

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ProbeTimeout is how long all checks of one /readyz request may take together.
const ProbeTimeout = 2 * time.Second

// Check is one thing that must work before clients may be sent here.
type Check struct {
	// Name is the word under which /readyz reports the check.
	Name string
	// Probe returns nil when the thing works. It must return soon after its context ends and be
	// safe for concurrent use.
	Probe func(context.Context) error
	// Aside says that clients may be sent here although it does not work. It is told all the same.
	Aside bool
}

// Handler serves the inner port: /metrics in Prometheus' format, /healthz, which answers 200 as
// long as the process can answer at all, and /readyz, which answers 200 when every check passes
// that matters to clients, and 503 otherwise, with a line for each check. The inner port is for the
// operator's machines alone.
func Handler(registry *prometheus.Registry, checks ...Check) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		status, text := probe(r.Context(), checks)
		answer(w, status, text)
	})
	return mux
}

// probe runs all checks at once and reports on them in their order.
func probe(ctx context.Context, checks []Check) (status int, report string) {
	ctx, cancel := context.WithTimeout(ctx, ProbeTimeout)
	defer cancel()
	results := make([]error, len(checks))
	var wg sync.WaitGroup
	for i, check := range checks {
		wg.Go(func() { results[i] = check.Probe(ctx) })
	}
	wg.Wait()
	status = http.StatusOK
	var text strings.Builder
	for i, check := range checks {
		if results[i] != nil {
			if !check.Aside {
				status = http.StatusServiceUnavailable
			}
			fmt.Fprintf(&text, "%s: %v\n", check.Name, results[i])
			continue
		}
		fmt.Fprintf(&text, "%s: ok\n", check.Name)
	}
	return status, text.String()
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	scrubber{w}.Write([]byte(text))
}
