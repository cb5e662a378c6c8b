// Package gateway is where clients connect: listeners, connections, auth keys and sessions, and the
// running of queries. It moves envelopes between sockets and sessions and hands queries to a
// Handler.
//
// It refuses to know methods, except for the three that a temporary key may call unbound, and what
// clients may do with keys themselves. What a push says, and who gets it, is not decided here. It
// waits for nobody: a peer that does not read costs a bounded queue, then its connection.
//
// Invariants: a session belongs to one auth key and is never found by its id alone; queries that
// are ordered run in the order of their msg_ids, one at a time; a quick acknowledgement follows the
// handler's return; temporary keys exist in memory only; no panic ends more than one connection.
//
// Locks are taken in this order: keys, authKey, Session, conn, and none while the handler runs.
//
// https://core.telegram.org/mtproto
package gateway
