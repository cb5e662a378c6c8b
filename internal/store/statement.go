package store

import (
	"slices"
	"strings"
)

// statement is one SQL text, known by name. Every statement says which table it is about and which
// column is its shard key; a statement without a key reads or writes across shards and must be on
// the list of those that may (see the partition test).
//
// The text is portable between SQLite and PostgreSQL: no engine functions, no casts, no arrays.
type statement struct {
	name   string
	table  string
	key    string
	text   string
	number int
	// writes says that it changes rows, cached that single rows of its table are remembered.
	writes, cached bool
}

// acrossShards marks a statement that is allowed to touch all shards: start-up, administration.
const acrossShards = ""

// statements lists every statement of the package in the order of its definition. It is filled
// while the package is initialised and only read afterwards.
var statements []*statement

// define registers a statement. Blank lines and indentation of the text do not matter.
func define(name, table, key, text string) *statement {
	st := &statement{
		name:   name,
		table:  table,
		key:    key,
		text:   strings.Join(strings.Fields(text), " "),
		number: len(statements),
		cached: isCached(table),
	}
	st.writes = !strings.HasPrefix(st.text, "select ")
	statements = append(statements, st)
	return st
}

// countingTables are those of which a shard key names one row, whose numbers are counted up.
var countingTables = []string{"boxes", "meta"}

// sqliteText is the statement with SQLite's numbered parameters, ?1 for $1. SQLite makes a table
// for what a statement returns, each time, which costs more than the statement does: of one that
// counts, then is a query for the same, to run after it.
func (st *statement) sqliteText() (text, then string) {
	text = strings.ReplaceAll(st.text, "$", "?")
	write, columns, ok := strings.Cut(text, " returning ")
	if !ok || !slices.Contains(countingTables, st.table) {
		return text, ""
	}
	return write, "select " + columns + " from " + st.table + " where " + st.key + " = ?1"
}
