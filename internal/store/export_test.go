package store

import (
	"context"
	"fmt"
	"io/fs"

	"parley/internal/ids"
)

// Seams are what only tests change; see seams.
type Seams struct {
	VFS         string
	Synchronous string
	Checkpoint  int64
	Migrations  fs.FS
}

// With returns the options with seams.
func (o Options) With(s Seams) Options {
	o.seams = seams{vfs: s.VFS, synchronous: s.Synchronous, checkpoint: s.Checkpoint,
		migrations: s.Migrations}
	return o
}

// Schema is the schema of the package.
func Schema() fs.FS { return migrations }

// GroupLimit is how many transactions may share one commit.
const GroupLimit = groupLimit

// Statement is a registered statement.
type Statement struct{ Name, Table, Key, Text string }

// AcrossShards is the key of a statement that may touch all shards.
const AcrossShards = acrossShards

// Statements are all registered statements.
func Statements() []Statement {
	out := make([]Statement, 0, len(statements))
	for _, st := range statements {
		out = append(out, Statement{st.name, st.table, st.key, st.text})
	}
	return out
}

// Prepare has a statement's text checked by the engine.
func (s *Store) Prepare(ctx context.Context, name string) error {
	for _, st := range statements {
		if st.name != name {
			continue
		}
		switch e := s.engine.(type) {
		case *sqliteEngine:
			c := <-e.readers
			defer func() { e.readers <- c }()
			p, err := c.prepareFor(st)
			c.failure = nil
			if err == nil {
				p.finalize()
			}
			return err
		case *postgresEngine:
			c, err := e.pool.Acquire(ctx)
			if err != nil {
				return err
			}
			defer c.Release()
			_, err = c.Conn().Prepare(ctx, "", st.text)
			return err
		}
	}
	return fmt.Errorf("no statement %s", name)
}

// Watch has fn called with the name of every statement that runs from now on. It is to be called
// before the store is used.
func (s *Store) Watch(fn func(name string)) { s.engine = watchedEngine{s.engine, fn} }

type watchedEngine struct {
	engine
	fn func(string)
}

func (e watchedEngine) read(ctx context.Context, fn func(querier) error) error {
	return e.engine.read(ctx, func(q querier) error { return fn(watched{q, e.fn}) })
}

func (e watchedEngine) write(
	ctx context.Context, key ids.Peer, fn func(querier) error, done func(),
) error {
	return e.engine.write(ctx, key, func(q querier) error { return fn(watched{q, e.fn}) }, done)
}

type watched struct {
	querier
	fn func(string)
}

func (w watched) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	w.fn(st.name)
	return w.querier.exec(ctx, st, args...)
}

func (w watched) query(ctx context.Context, st *statement, args ...any) (rows, error) {
	w.fn(st.name)
	return w.querier.query(ctx, st, args...)
}

func (w watched) row(ctx context.Context, st *statement, args []any, dest ...any) error {
	w.fn(st.name)
	return w.querier.row(ctx, st, args, dest...)
}

// Nested runs a statement inside a loop over the rows of another.
func (r *Reader) Nested(box, peer ids.Peer) error {
	return r.each(messageOlder, []any{box, peer, 1 << 40, 0, 9, 0}, func(rows) error {
		_, err := r.Box(box)
		return err
	})
}

// Queued is how many transactions wait for the SQLite writer.
func (s *Store) Queued() int { return len(s.engine.(*sqliteEngine).ops) }
