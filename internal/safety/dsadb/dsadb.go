// Package dsadb brings the statements of reasons to the EU's DSA Transparency Database (DSA Art.
// 24(5)): it writes them in the database's schema, version 2, holds them against its published
// rules, and sends what is owed, or, in a dry run, writes down what it would send.
//
// That a statement is owed is a row of the decision's own transaction (safety/decide). What the
// statement says follows from the decision each time, so nothing is kept twice. It is known to the
// database by the name of the decision's line in the public log: whoever reads both can tell that
// no decision is missing.
//
// Invariants: nothing is sent that breaks a published rule or looks like personal data; a row is
// delivered only when the database says that it has the statement, and one that it refuses is kept
// with its reasons until somebody acts; sending twice makes one statement; the token reaches the
// database's own address and nothing else.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
package dsadb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/ledger"
	"parley/internal/safety/owed"
	"parley/internal/store"
)

// State is how far a statement is. Values are stored.
type State int64

// The states. Owed is written by safety/decide.
const (
	Owed State = decide.StatementOwed
	// Delivered is in the database.
	Delivered State = 2
	// Rejected was refused by the database, or breaks one of its rules.
	Rejected State = 3
	// Held looks as if it had personal data in it; somebody has to look.
	Held State = 4
	// Exempt needs no statement: it restricts nothing in the Union.
	Exempt State = 5
)

// States are all states.
func States() []State { return []State{Owed, Delivered, Rejected, Held, Exempt} }

// String is the state's name in commands, pages and metrics.
func (s State) String() string {
	names := [...]string{
		Owed: "owed", Delivered: "delivered", Rejected: "rejected", Held: "held",
		Exempt: "exempt",
	}
	if s < Owed || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// redacted is the flag of rows whose texts are sent without what looks like personal data.
const redacted = 1

// Row is how far the statement about a decision is.
type Row struct {
	Subject  ids.Peer
	Decision int64
	State    State
	// Redacted is set when texts are sent without what looks like personal data.
	Redacted          bool
	Created, Due      time.Time
	Tries             int64
	Receipt, Problem  string
	Shown             bool
	store             store.DSAStatement
	StatementOfReason Statement
}

// Send hands statements to the database: see Client.Send.
type Send func(context.Context, []Statement) ([]Result, error)

// Options are what a Service is made of.
type Options struct {
	Store *store.Store
	Clock clock.Clock
	Log   *slog.Logger
	// Terms is the https address of the terms of use, empty for none.
	Terms string
	// Send hands statements over; nil in a dry run.
	Send Send
	// Show writes statements down that a dry run would send; nil when Send is set.
	Show func(context.Context, []Statement) error
	// Settled hears how a statement ended; nil hears nothing.
	Settled func(State)
}

// Service sends what is owed. Only one may work on a store at a time.
type Service struct {
	Options
	worker owed.Worker
	rest   owed.Rest
}

// New returns a service.
func New(o Options) *Service {
	if o.Settled == nil {
		o.Settled = func(State) {}
	}
	return &Service{Options: o, rest: owed.Rest{Backoff: backoff()}}
}

// ErrDecision says that there is no statement about a decision.
var ErrDecision = errors.New("dsadb: no statement is owed about this decision")

// Compose returns the statement about a decision as it would be sent now, and what is known of it.
func (s *Service) Compose(
	ctx context.Context, subject ids.Peer, decision int64,
) (row Row, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		x, err := r.DSAStatement(subject, decision)
		if store.IsNotFound(err) {
			return ErrDecision
		}
		if err == nil {
			row, err = s.compose(r, x)
		}
		return err
	})
	return row, err
}

// compose writes the statement of a row.
func (s *Service) compose(r *store.Reader, x store.DSAStatement) (Row, error) {
	row := rowOf(x)
	d, err := decide.Of(r, x.Subject, x.Decision)
	if err != nil {
		return row, fmt.Errorf("dsadb: %w", err)
	}
	line, err := r.LedgerRow(x.Subject, x.Decision, int64(ledger.Decision))
	if err != nil {
		return row, fmt.Errorf("dsadb: line of decision %d: %w", x.Decision, err)
	}
	e, err := ledger.Read(line)
	if err != nil {
		return row, fmt.Errorf("dsadb: line of decision %d: %w", x.Decision, err)
	}
	row.StatementOfReason = Of(d, e.ID, s.Terms)
	if row.Redacted {
		row.StatementOfReason.redact()
	}
	return row, nil
}

func rowOf(x store.DSAStatement) Row {
	return Row{
		Subject: x.Subject, Decision: x.Decision, State: State(x.State),
		Redacted: x.Flags&redacted != 0, Created: time.Unix(x.Created, 0),
		Due: time.Unix(x.Due, 0), Tries: x.Tries, Receipt: x.Receipt, Problem: x.Problem,
		Shown: x.Shown != 0, store: x,
	}
}

// Status counts the statements about decisions that were made from one time to before another.
func Status(r *store.Reader, from, to time.Time) (map[State]store.DSACount, error) {
	list, err := r.CountDSAStatements(safety.FirstID(from), safety.FirstID(to))
	out := make(map[State]store.DSACount, len(list))
	for _, c := range list {
		out[State(c.State)] = c
	}
	return out, err
}

// In returns up to limit statements in a state about decisions with ids above one, the oldest
// first. They say what is known, and not what the statements are.
func In(r *store.Reader, state State, after int64, limit int) ([]Row, error) {
	list, err := r.DSAStatementsIn(int64(state), after, limit)
	out := make([]Row, len(list))
	for i, x := range list {
		out[i] = rowOf(x)
	}
	return out, err
}

// Retry has a statement sent again that was rejected or held. With redact, what looks like personal
// data is left out of its texts. decide.ErrState is for a statement in another state.
func Retry(
	ctx context.Context, s *store.Store, c clock.Clock, subject ids.Peer, decision int64,
	redact bool,
) error {
	return s.Update(ctx, subject, func(tx *store.Tx) error {
		x, err := tx.DSAStatement(subject, decision)
		if store.IsNotFound(err) {
			return ErrDecision
		}
		if err != nil {
			return err
		}
		if s := State(x.State); s != Rejected && s != Held {
			return decide.ErrState
		}
		if redact {
			x.Flags |= redacted
		}
		x.State, x.Due, x.Tries, x.Shown, x.Settled = int64(Owed), c.Now().Unix(), 0, 0, 0
		return tx.ChangeDSAStatement(x)
	})
}

// anyTime is a time of showing that no row is after.
const anyTime = math.MaxInt64
