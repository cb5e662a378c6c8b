package diag

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func get(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

func TestHandler(t *testing.T) {
	var broken, aside error
	handler := Handler(NewRegistry(Build{Version: "v1.2.3", Revision: "abc", Go: "go1"}),
		Check{Name: "store", Probe: func(context.Context) error { return nil }},
		Check{Name: "blob", Probe: func(context.Context) error { return broken }},
		Check{Name: "log", Probe: func(context.Context) error { return aside }, Aside: true},
	)
	if status, body := get(t, handler, "/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("/healthz: %d %q", status, body)
	}
	aside = errors.New("late")
	if status, body := get(t, handler, "/readyz"); status != 200 ||
		body != "store: ok\nblob: ok\nlog: late\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	broken = errors.New("disk of +15550123456 is full")
	status, body := get(t, handler, "/readyz")
	if status != 503 ||
		body != "store: ok\nblob: disk of [redacted] is full\nlog: late\n" {
		t.Errorf("/readyz with a broken check: %d %q", status, body)
	}
	if status, body := get(t, handler, "/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("/healthz with a broken check: %d %q", status, body)
	}
	status, body = get(t, handler, "/metrics")
	for _, want := range []string{
		`parley_build_info{go="go1",revision="abc",version="v1.2.3"} 1`,
		"go_goroutines ",
		"process_open_fds ",
	} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("/metrics: %d, no %s", status, want)
		}
	}
	if status, _ := get(t, handler, "/debug/pprof/heap"); status != 404 {
		t.Errorf("heap dumps answer %d", status)
	}
}

func TestReadyzEndsSlowChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		handler := Handler(NewRegistry(Build{}), Check{Name: "one", Probe: slow},
			Check{Name: "two", Probe: slow})
		begin := time.Now()
		if status, body := get(t, handler, "/readyz"); status != 503 {
			t.Errorf("got %d %q", status, body)
		}
		if took := time.Since(begin); took != ProbeTimeout {
			t.Errorf("took %v, want %v", took, ProbeTimeout)
		}
	})
}

func TestBuild(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got := buildFrom(info).String(); got != "unknown (abc, modified, go1.26)" {
		t.Errorf("got %s", got)
	}
	info.Main.Version, info.Settings = "v1.0.0", nil
	if got := buildFrom(info).String(); got != "v1.0.0 (unknown, go1.26)" {
		t.Errorf("got %s", got)
	}
	if ReadBuild().Go == "" {
		t.Error("the test binary does not know its Go release")
	}
}
