package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"parley/internal/store"
	"parley/internal/store/storetest"
)

// partitions is into how many parts each table is cut.
const partitions = 4

// acrossShards are the statements that may touch all shards, with the reason.
var acrossShards = map[string]string{
	"agency.all":               "a page for the staff",
	"agency.lapsing":           "a sweep in the background",
	"agency_call.due":          "a worker in the background",
	"alert.all":                "a page of the console",
	"alert.due":                "a sweep in the background",
	"alert_call.due":           "what a worker delivers",
	"arrived.count":            "a page of the console",
	"arrived.last":             "a page of the console",
	"arrived.last.of":          "a page of the console",
	"arrived.look":             "a sweep in the background",
	"arrived.names":            "a sweep in the background",
	"arrived.owed":             "what a worker delivers",
	"appeal.open":              "a queue of staff",
	"appeal.person":            "the complaints of one person, rarely read",
	"appeal.since":             "statistics",
	"authorization.forget_ip":  "a sweep in the background",
	"authorization.idle":       "a sweep in the background",
	"batch.open":               "what start-up carries on with",
	"case.author":              "a page about a person",
	"case.count":               "a page of the console",
	"case.lapsed":              "a sweep in the background",
	"case.overdue":             "a sweep in the background",
	"case.queue":               "the queue of the console",
	"case.staff":               "a page of the console",
	"case_event.staff":         "a page of the console",
	"counter.expire":           "a sweep in the background",
	"decision.about":           "a person's own record",
	"decision.batch":           "a mass measure",
	"decision.due":             "a sweep in the background",
	"decision.hits":            "statistics",
	"decision.proposed":        "a queue of staff",
	"decision.sampled":         "a queue of staff",
	"decision.since":           "statistics",
	"decision.tally":           "a mass measure",
	"disclosure.ending":        "a sweep in the background",
	"dsa.count":                "statistics",
	"dsa.in":                   "a page of the console",
	"dsa.owed":                 "what a worker delivers",
	"phone.range":              "who is told that a country is left",
	"duty.count":               "statistics",
	"duty.due":                 "what a worker delivers",
	"duty.in":                  "a page of the console",
	"early.expire":             "a sweep in the background",
	"erased.expire":            "a sweep in the background",
	"evidence.over":            "a sweep in the background",
	"finding.count":            "a page of the console",
	"finding.list":             "a page of the console",
	"hotline_item.received":    "what a worker takes up",
	"hotline_item.next_untold": "what a worker tells",
	"hotline_item.held":        "a queue of staff",
	"hotline_measure.open":     "a queue of staff",
	"hotline_measure.owed":     "what a worker tells",
	"inquiry_line.bodies":      "a sweep in the background",
	"inquiry.overdue":          "a sweep in the background",
	"inquiry.waiting":          "a queue of staff",
	"inquiry_asker.owed":       "a worker in the background",
	"inquiry_asker.ring":       "a worker in the background",
	"username.after":           "a sweep of public places in the background",
	"invitation.all":           "a page for the administrator",
	"ledger.pending":           "what the log is made of",
	"ledger.last":              "where its writer goes on",
	"letter.owed":              "what a worker delivers",
	"mail.owed":                "what a worker delivers",
	"login_code.expire":        "a sweep in the background",
	"login_token.expire":       "a sweep in the background",
	"message.copies":           "a measure on a message that its author has deleted",
	"name_term.prefix":         "a search by the beginning of a word",
	"order.count":              "a queue of staff",
	"order.next":               "a sweep in the background",
	"order.queue":              "a queue of staff",
	"order_document.digests":   "a sweep in the background",
	"order_item.decision":      "what a lifted decision is told to",
	"notice.since":             "statistics",
	"order_refusal.list":       "a search by staff",
	"order_refusal_term.count": "a search by staff",
	"order_refusal_term.list":  "a search by staff",
	"order_refusal.count":      "statistics",
	"order_review.list":        "what staff is waited for",
	"order_publication.due":    "what staff or the next step is waited for",
	"outbox.all":               "what start-up carries on with",
	"report.notices":           "statistics",
	"removed.copies":           "a measure on a message that its author has deleted",
	"report.uncounted":         "a sweep in the background",
	"report.untold":            "a sweep in the background",
	"reporter_standing.count":  "statistics",
	"reporter_standing.untold": "a sweep in the background",
	"restriction.accounts":     "what start-up reads into memory",
	"restriction.due":          "a sweep in the background",
	"restriction.next":         "a sweep in the background",
	"secret.forget":            "a sweep in the background",
	"secret.old":               "a sweep in the background",
	"secret_file.old":          "a sweep in the background",
	"secret_queue.old":         "a sweep in the background",
	"secret_sent.forget":       "a sweep in the background",
	"settlement.since":         "statistics",
	"telling.due":              "what a worker delivers",
	"staff.all":                "a page for the staff's administrators",
	"staff_audit.acts":         "a page for auditors",
	"staff_audit.all":          "a page for auditors",
	"staff_role_change.open":   "a page for the staff's administrators",
	"officer_session.expire":   "a sweep in the background",
	"staff_session.expire":     "a sweep in the background",
	"update.trim_all":          "a sweep in the background",
	"user.deleted":             "a sweep in the background",
	"user.idle":                "a sweep in the background",
	"username.prefix":          "a search by the beginning of a name",
}

var createTable = regexp.MustCompile(`(?s)(-- shard: (\w+)\n)?create table (\w+) \((.*?)\n\);`)

// partitioned is the schema with every table cut by its shard key: what a cluster that spreads the
// tables over machines does with them.
func partitioned(t testing.TB) fs.FS {
	t.Helper()
	out := make(fstest.MapFS)
	names, err := fs.Glob(store.Schema(), "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(store.Schema(), name)
		if err != nil {
			t.Fatal(err)
		}
		cut, err := partition(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = &fstest.MapFile{Data: []byte(cut)}
	}
	return out
}

// partition cuts the tables that a step of the schema makes.
func partition(text string) (string, error) {
	var err error
	out := createTable.ReplaceAllStringFunc(text, func(table string) string {
		m := createTable.FindStringSubmatch(table)
		key, name := m[2], m[3]
		if key == "" {
			err = errors.Join(err, fmt.Errorf("no shard comment above table %s", name))
		}
		parts := strings.TrimSuffix(table, ";") + " partition by hash (" + key + ");\n"
		for n := range partitions {
			parts += fmt.Sprintf("create table %s_p%d partition of %s\n"+
				"    for values with (modulus %d, remainder %d);\n", name, n, name, partitions, n)
		}
		return parts
	})
	return out, err
}

// openPartitioned opens a store in an empty PostgreSQL database with partitioned tables.
func openPartitioned(t testing.TB) (s *store.Store, at string) {
	t.Helper()
	at = storetest.PostgresDatabase(t)
	o := store.Options{URL: at}.With(store.Seams{Migrations: partitioned(t)})
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, at
}

// TestStatementsAreRouted has PostgreSQL plan every statement over partitioned tables: one with a
// shard key must touch one partition, one without must be known here.
func TestStatementsAreRouted(t *testing.T) {
	_, at := openPartitioned(t)
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	// The made-up values may contradict each other; a plan that notices it shows nothing.
	if _, err := conn.Exec(t.Context(), "set constraint_exclusion = off"); err != nil {
		t.Fatal(err)
	}
	allowed := make(map[string]bool)
	for _, st := range store.Statements() {
		if st.Key != store.AcrossShards {
			if err := routed(t, conn, st); err != nil {
				t.Errorf("%s: %v\n%s", st.Name, err, st.Text)
			}
			continue
		}
		allowed[st.Name] = true
		if acrossShards[st.Name] == "" {
			t.Errorf("%s: touches all shards, and is not on the list of those that may", st.Name)
		}
	}
	for name := range acrossShards {
		if !allowed[name] {
			t.Errorf("%s: on the list, but no such statement touches all shards", name)
		}
	}
	t.Run("control", func(t *testing.T) { unroutedIsCaught(t, conn) })
}

// unroutedIsCaught is the positive control of the test above.
func unroutedIsCaught(t *testing.T, conn *pgx.Conn) {
	for name, text := range map[string]string{
		"no key":         `select body from messages where id = $1`,
		"key in a range": `select body from messages where box_id >= $1 and box_id <= $2`,
		"key in an or":   `select body from messages where box_id = $1 or id = $2`,
		"other key":      `update messages set flags = 1 where peer_id = $1`,
		"deletes all":    `delete from messages where date < $1`,
		"subselect": `select id from messages where box_id = $1
			and id in (select id from reactions)`,
		"insert elsewhere": `insert into messages (box_id, id) values (7, $1)`,
		"two keys": `select pts from boxes where box_id = $1
			union all select pts from boxes where box_id = $2`,
	} {
		st := store.Statement{Name: name, Table: "messages", Key: "box_id", Text: text}
		if err := routed(t, conn, st); err == nil {
			t.Errorf("%s: taken for routed", name)
		}
	}
}

// routed tells why a statement does not stay in one shard.
func routed(t *testing.T, conn *pgx.Conn, st store.Statement) error {
	t.Helper()
	if strings.HasPrefix(st.Text, "insert into ") {
		if err := keyInserted(st); err != nil {
			return err
		}
	}
	text, err := withValues(t, conn, st.Text)
	if err != nil {
		return err
	}
	var plan []byte
	query := "explain (format json, costs off) " + text
	if err := conn.QueryRow(t.Context(), query).Scan(&plan); err != nil {
		return err
	}
	var parts []string
	if err := scanned(plan, &parts); err != nil {
		return err
	}
	shards := make(map[string]bool)
	for _, p := range parts {
		shards[partOf.FindString(p)] = true
	}
	switch {
	case len(shards) > 1 || len(shards) == 1 && shards[""]:
		return fmt.Errorf("touches %v", parts)
	case len(shards) == 0 && !strings.HasPrefix(st.Text, "insert into "):
		return errors.New("touches nothing")
	}
	return nil
}

var (
	partOf    = regexp.MustCompile(`_p\d+$`)
	parameter = regexp.MustCompile(`\$(\d+)`)
	insertion = regexp.MustCompile(`^insert into (\w+) \(([^)]*)\) values \((.*)$`)
	oneValue  = regexp.MustCompile(`^\$\d+$`)
)

// keyInserted checks that the value of the shard key of a new row is a parameter.
func keyInserted(st store.Statement) error {
	m := insertion.FindStringSubmatch(st.Text)
	if m == nil {
		return errors.New("is not insert into ... values")
	}
	columns := strings.Split(m[2], ", ")
	at := slices.Index(columns, st.Key)
	if m[1] != st.Table || at < 0 {
		return fmt.Errorf("gives no %s to %s", st.Key, st.Table)
	}
	if values := splitValues(m[3]); at >= len(values) || !oneValue.MatchString(values[at]) {
		return fmt.Errorf("%s is not a parameter", st.Key)
	}
	return nil
}

// splitValues cuts what follows "values (" at the commas up to its closing parenthesis.
func splitValues(text string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range text {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth == 0:
			return append(out, strings.TrimSpace(text[from:i]))
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out, from = append(out, strings.TrimSpace(text[from:i])), i+1
		}
	}
	return out
}

// withValues puts a value of the right type in the place of every parameter, because only a plan
// for known values shows what is pruned. Each parameter gets a value of its own.
func withValues(t *testing.T, conn *pgx.Conn, text string) (string, error) {
	t.Helper()
	d, err := conn.Prepare(t.Context(), "", text)
	if err != nil {
		return "", err
	}
	types := conn.TypeMap()
	return parameter.ReplaceAllStringFunc(text, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		kind, _ := types.TypeForOID(d.ParamOIDs[n-1])
		switch kind.Name {
		case "text":
			return fmt.Sprintf("'value %d'", n)
		case "bytea":
			return fmt.Sprintf(`'\x%02x'::bytea`, n)
		default:
			return fmt.Sprintf("%d::%s", 100+n, kind.Name)
		}
	}), nil
}

// scanned collects the relations that a plan reads or changes, except the parents, to which rows
// are given that PostgreSQL then routes.
func scanned(plan []byte, parts *[]string) error {
	var trees []struct {
		Plan planNode
	}
	if err := json.Unmarshal(plan, &trees); err != nil {
		return err
	}
	for _, tree := range trees {
		tree.Plan.collect(parts)
	}
	return nil
}

type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Plans    []planNode `json:"Plans"`
}

func (n planNode) collect(parts *[]string) {
	if n.Relation != "" && n.Type != "ModifyTable" {
		*parts = append(*parts, n.Relation)
	}
	for _, child := range n.Plans {
		child.collect(parts)
	}
}

// TestPartitionNeedsComments checks that a table without a shard comment is noticed.
func TestPartitionNeedsComments(t *testing.T) {
	if _, err := partition("create table x (\n    a bigint\n);"); err == nil {
		t.Error("a table without a shard key passed")
	}
}

// TestForeignUniqueIndexIsRefused checks that partitioned PostgreSQL refuses what a cluster would:
// a unique index that lacks the shard key.
func TestForeignUniqueIndexIsRefused(t *testing.T) {
	_, at := openPartitioned(t)
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), "create unique index refused on users (username)")
	if err == nil {
		t.Error("a unique index without the shard key was accepted")
	}
}
