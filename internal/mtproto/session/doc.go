// Package session is the state of one MTProto session: which messages came, which answers and
// pushes are on their way, and what the envelopes in both directions say. A Session is a pure state
// machine. The caller opens and seals envelopes, moves bytes, reads the clock, runs the queries and
// serialises all calls.
//
// It refuses to know users, methods or layers: what is no service message is a Query, taken out of
// its wrappers and otherwise untouched. Sessions are told apart by the caller, always by auth key
// and session id together, never by the session id alone.
//
// Invariants: a message is handed out at most once, however often and over however many
// connections it arrives; a container is taken whole or not at all; msg_ids to the client strictly
// increase, even if the clock does not; what must be acknowledged is kept until it is, within
// bounds, and is never sent again outside a container; new_session_created precedes every answer
// and push; the bytes of a push are shared and never written to.
//
// https://core.telegram.org/mtproto/description
// https://core.telegram.org/mtproto/service_messages
package session
