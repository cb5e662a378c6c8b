package diag

import (
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Build says which program runs: the module's version, the commit it was built from, whether the
// tree had uncommitted changes, and the Go release. Version and Revision are "unknown" when the
// program was built without them.
type Build struct {
	Version  string
	Revision string
	Modified bool
	Go       string
}

// unknown stands for what the linker did not record.
const unknown = "unknown"

// ReadBuild returns what the linker recorded of this program.
func ReadBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Build{Version: unknown, Revision: unknown, Go: runtime.Version()}
	}
	return buildFrom(info)
}

func buildFrom(info *debug.BuildInfo) Build {
	build := Build{Version: info.Main.Version, Revision: unknown, Go: info.GoVersion}
	if build.Version == "" {
		build.Version = unknown
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			build.Revision = setting.Value
		case "vcs.modified":
			build.Modified = setting.Value == "true"
		}
	}
	return build
}

// String returns the build in one line, as a person wants it.
func (b Build) String() string {
	text := b.Version + " (" + b.Revision
	if b.Modified {
		text += ", modified"
	}
	return text + ", " + b.Go + ")"
}

// NewRegistry returns a registry that already holds the Go runtime's metrics, the process's and
// parley_build_info. Others register theirs with names that begin with parley_; labels must have
// few values and never name a person, a chat or an address.
//
// https://prometheus.io/docs/practices/naming/
func NewRegistry(build Build) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parley_build_info",
		Help: "Which build runs; the value is always 1.",
		ConstLabels: prometheus.Labels{
			"version": build.Version, "revision": build.Revision, "go": build.Go,
		},
	})
	info.Set(1)
	registry.MustRegister(
		info,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return registry
}
