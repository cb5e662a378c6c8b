package powercut

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	_ "modernc.org/sqlite"
)

func register(t testing.TB) *VFS {
	t.Helper()
	v, err := Register()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func openDB(t testing.TB, v *VFS, pragmas string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:/x.db?vfs="+v.Name()+"&_pragma=busy_timeout(60000)"+pragmas)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func exec(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func number(t testing.TB, db *sql.DB, text string) (n int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), text).Scan(&n); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func check(t testing.TB, db *sql.DB) {
	t.Helper()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "pragma integrity_check").Scan(&verdict); err != nil {
		t.Fatal(err)
	}
	if verdict != "ok" {
		t.Fatalf("integrity check: %s", verdict)
	}
}

// TestDatabaseWorks runs an ordinary database on the file layer, in both kinds of journal, with
// several connections that write and read at once.
func TestDatabaseWorks(t *testing.T) {
	for _, journal := range []string{"wal", "delete"} {
		t.Run(journal, func(t *testing.T) {
			v := register(t)
			disk := New()
			v.Mount(disk)
			db := openDB(t, v, "&_pragma=journal_mode("+journal+")&_txlock=immediate")
			exec(t, db, "create table t (id integer primary key, body blob)")
			const writers, each = 4, 50
			var group sync.WaitGroup
			for w := range writers {
				group.Go(func() {
					for i := range each {
						_, err := db.Exec("insert into t values (?, randomblob(3000))", w*each+i)
						if err != nil {
							t.Error(err)
						}
						if _, err := db.Exec("select max(id) from t"); err != nil {
							t.Error(err)
						}
					}
				})
			}
			group.Wait()
			check(t, db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = openDB(t, v, "")
			if n := number(t, db, "select count(*) from t"); n != writers*each {
				t.Errorf("%d rows, want %d", n, writers*each)
			}
			check(t, db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if there, err := disk.exists("/x.db-wal"); there || err != nil {
				t.Errorf("the log stays after the last connection has gone: %v, %v", there, err)
			}
			if n := len(known.values); n != 1 {
				t.Errorf("%d values are still known", n-1)
			}
		})
	}
}

// TestSortsThroughTemporaryFiles makes SQLite use files without a name.
func TestSortsThroughTemporaryFiles(t *testing.T) {
	v := register(t)
	v.Mount(New())
	db := openDB(t, v, "&_pragma=temp_store(1)&_pragma=cache_size(-64)")
	defer func() { _ = db.Close() }()
	exec(t, db, "create table t (body blob)")
	exec(t, db, `with recursive n (i) as (select 1 union all select i + 1 from n where i < 3000)
		insert into t select randomblob(500) from n`)
	exec(t, db, "create index i on t (body)")
	check(t, db)
}

// TestPowerCutAtEveryChange cuts the power of a small database during each of its changes in turn,
// with a few outcomes each: what was committed is there, and nothing is broken.
func TestPowerCutAtEveryChange(t *testing.T) {
	const rows = 6
	run := func(v *VFS, d *Disk) (committed int64) {
		v.Mount(d)
		db := openDB(t, v, "&_pragma=journal_mode(wal)&_pragma=synchronous(full)")
		db.SetMaxOpenConns(1)
		defer func() { _ = db.Close() }()
		_, err := db.Exec("create table if not exists t (id integer primary key, b blob)")
		if err != nil {
			return 0
		}
		for i := range rows {
			if _, err := db.Exec("insert into t values (?, randomblob(900))", i+1); err != nil {
				return int64(i)
			}
			if i == rows/2 {
				_, _ = db.Exec("pragma wal_checkpoint")
			}
		}
		return rows
	}
	v := register(t)
	d := New()
	run(v, d)
	all := d.Changes()
	for at := 1; at <= all; at++ {
		for seed := range uint64(8) {
			d := New()
			d.Plan(Plan{CutAt: at})
			committed := run(v, d)
			if !d.Off() {
				t.Fatalf("change %d: the power stayed", at)
			}
			v.Mount(d.Survivor(random(seed, uint64(at))))
			db := openDB(t, v, "")
			check(t, db)
			if n := number(t, db, "select count(*) from sqlite_master"); n > 0 || committed > 0 {
				got := number(t, db, "select coalesce(max(id), 0) from t")
				if count := number(t, db, "select count(*) from t"); got < committed || count != got {
					t.Errorf("change %d, seed %d: %d committed, found %d up to %d",
						at, seed, committed, count, got)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(fmt.Errorf("change %d, seed %d: %w", at, seed, err))
			}
		}
	}
	t.Logf("%d cuts at %d changes", 8*all, all)
}
