package store

import "context"

// read runs fn on remembered rows and, from when it reads others, on one snapshot.
func (e *sqliteEngine) read(ctx context.Context, fn func(querier) error) error {
	if e.halted() {
		return ErrStopped
	}
	s := &snapshot{engine: e, at: e.rows.now()}
	err := attempt(fn, s)
	if end := s.end(); err == nil {
		err = end
	}
	return err
}

// snapshot is what a View reads from: rows that are remembered as of its beginning, and a
// transaction of a reader that begins when another row is asked for.
type snapshot struct {
	engine *sqliteEngine
	// at is the number of the commit that the View began at, 0 when nothing is taken from memory.
	at uint64
	// conn is nil until it is needed.
	conn    *sqliteConn
	failure error
}

// begin takes a reader and begins its transaction.
func (s *snapshot) begin(ctx context.Context) error {
	if s.conn != nil || s.failure != nil {
		return s.failure
	}
	select {
	case s.conn = <-s.engine.readers:
		s.failure = s.conn.run("begin")
	case <-s.engine.stop:
		s.failure = ErrStopped
	case <-ctx.Done():
		s.failure = ctx.Err()
	}
	return s.failure
}

// end gives the reader back.
func (s *snapshot) end() error {
	if s.conn == nil {
		return nil
	}
	defer func() { s.engine.readers <- s.conn }()
	s.conn.failure = nil
	err := s.conn.run("rollback")
	if s.conn.broken != nil {
		s.engine.fail(s.conn.broken)
	}
	return err
}

func (s *snapshot) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	if err := s.begin(ctx); err != nil {
		return 0, err
	}
	return s.conn.exec(ctx, st, args...)
}

func (s *snapshot) query(ctx context.Context, st *statement, args ...any) (rows, error) {
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	return s.conn.query(ctx, st, args...)
}

func (s *snapshot) row(ctx context.Context, st *statement, args []any, dest ...any) error {
	if s.failed() != nil || s.conn != nil && s.conn.open != nil {
		return one(ctx, s, st, args, dest...)
	}
	return s.engine.rows.one(ctx, s.at, s, st, args, dest)
}

func (s *snapshot) failed() error {
	if s.failure == nil && s.conn != nil {
		return s.conn.failure
	}
	return s.failure
}

// writing is the writer in a transaction that began at a commit.
type writing struct {
	*sqliteConn
	rows *rowCache
	at   uint64
}

func (w writing) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	w.rows.write(st, args)
	return w.sqliteConn.exec(ctx, st, args...)
}

func (w writing) query(ctx context.Context, st *statement, args ...any) (rows, error) {
	w.rows.write(st, args)
	return w.sqliteConn.query(ctx, st, args...)
}

func (w writing) row(ctx context.Context, st *statement, args []any, dest ...any) error {
	if w.failure != nil || w.open != nil {
		return one(ctx, w, st, args, dest...)
	}
	return w.rows.one(ctx, w.at, w, st, args, dest)
}
