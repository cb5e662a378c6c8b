package gateway

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/mtproto/session"
)

// metrics count what the gateway does. No label tells anything of a user.
type metrics struct {
	connections *prometheus.GaugeVec
	refused     *prometheus.CounterVec
	handshakes  *prometheus.CounterVec
	queries     *prometheus.CounterVec
	answered    prometheus.Counter // of queries, the ones without error
	badMsgs     *prometheus.CounterVec
	sessions    prometheus.Gauge
	overflows   prometheus.Counter
	slow        prometheus.Counter
	cut         prometheus.Counter
	panics      prometheus.Counter
	copied      prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "gateway", Name: name, Help: help,
		})
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "parley", Subsystem: "gateway", Name: name, Help: help,
		}, []string{label})
	}
	m := &metrics{
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "connections",
			Help: "Open connections by transport.",
		}, []string{"transport"}),
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "parley", Subsystem: "gateway", Name: "sessions",
			Help: "Sessions in memory, with or without a connection.",
		}),
		refused:    vector("refused_total", "Connections refused or ended, by reason.", "reason"),
		handshakes: vector("handshakes_total", "Key exchanges by outcome.", "outcome"),
		queries:    vector("queries_total", "Queries by the code of their answer.", "code"),
		badMsgs:    vector("bad_messages_total", "Envelopes refused, by code.", "code"),
		overflows:  counter("overflows_total", "Times that a session's pushes were dropped."),
		slow:       counter("slow_total", "Times that a peer did not take what was written."),
		cut:        counter("cut_total", "Connections ended because the peer did not read."),
		panics:     counter("panics_total", "Panics caught."),
		copied: counter("copied_keys_total",
			"Auth keys that were found in use from two places at once."),
	}
	m.answered = m.queries.WithLabelValues("ok")
	if r != nil {
		r.MustRegister(m.connections, m.sessions, m.refused, m.handshakes, m.queries, m.badMsgs,
			m.overflows, m.slow, m.cut, m.panics, m.copied)
	}
	return m
}

// query counts an answer.
func (m *metrics) query(err *RPCError) {
	if err == nil {
		m.answered.Inc()
		return
	}
	m.queries.WithLabelValues(strconv.Itoa(err.Code)).Inc()
}

// received counts what a session made of an envelope, nothing if it took it.
func (m *metrics) received(err error) {
	if err == nil {
		return
	}
	var bad *session.BadMsgError
	switch {
	case errors.As(err, &bad):
		m.badMsgs.WithLabelValues(strconv.Itoa(int(bad.Fault))).Inc()
	default:
		m.refused.WithLabelValues("flood").Inc()
	}
}
