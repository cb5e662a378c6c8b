// Package api is the door of the Telegram API: one table of methods that says for each who may call
// it and how often, and one dispatcher that decodes a request, holds it against the table, runs its
// handler and encodes the answer for the client's layer. Handlers live in one package per TL
// namespace and assume that the table held. Rules are not made here: they are in chat and below.
//
// Invariants: a method that is not in the table answers with an error, never with a success; every
// error a client sees has a name of the API; no request ends the process.
//
// https://core.telegram.org/api
package api

import (
	"context"
	"reflect"
	"time"

	"github.com/gotd/td/bin"

	"parley/internal/chat"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
)

// Access says who may call a method.
type Access int

// The classes of access.
const (
	// Anyone may call it, also before logging in.
	Anyone Access = iota
	// Password may be called with a right code and a cloud password owed.
	Password
	// User needs a logged-in account.
	User
)

// Class says how a method is limited and ordered.
type Class int

// The classes of methods.
const (
	// Read answers from what is there.
	Read Class = iota
	// Write changes something; the writes of one session run in its order.
	Write
	// Send writes a message that others get.
	Send
	// File moves bytes of files; it does not make a session one that wants updates.
	File
	// Login is a step of getting in; the counting is done by chat/account, durably.
	Login
	// Join makes or enters a group or channel.
	Join
	// Costly asks for much: searches, imports of contacts, resolving names.
	Costly
)

// Method is a row of the table.
type Method struct {
	ID     uint32
	Name   string
	Access Access
	Class  Class
	// Frozen says that a suspended account may call it: what reads or is about getting in and out,
	// unless the row says otherwise.
	Frozen bool
	// Answer is the type of its answer.
	Answer reflect.Type
	call   func(c *Call, b *bin.Buffer) (bin.Encoder, error)
}

// request is what every generated request type of gotd/td has.
type request[T any] interface {
	*T
	bin.Decoder
	TypeID() uint32
	TypeName() string
}

// On makes the row of a method from its handler; the request's type tells which method it is.
func On[T any, P request[T], R bin.Encoder](
	access Access, class Class, handle func(c *Call, req P) (R, error),
) Method {
	var zero T
	p := P(&zero)
	return Method{
		ID:     p.TypeID(),
		Name:   p.TypeName(),
		Access: access,
		Class:  class,
		Frozen: access == Anyone || class == Read || class == Login,
		Answer: reflect.TypeFor[R](),
		call: func(c *Call, b *bin.Buffer) (bin.Encoder, error) {
			var req T
			if err := P(&req).Decode(b); err != nil {
				return nil, ErrDecode
			}
			if b.Len() != 0 {
				return nil, ErrTrailing
			}
			if !legible(reflect.ValueOf(&req)) {
				return nil, ErrDecode
			}
			return handle(c, &req)
		},
	}
}

// WhenFrozen returns the row with another answer to whether a suspended account may call it.
func (m Method) WhenFrozen(may bool) Method {
	m.Frozen = may
	return m
}

// Errors of the dispatcher.
var (
	// ErrDecode is a body that is not what its constructor says, or has a text that is not UTF-8.
	ErrDecode = chat.Invalid("INPUT_FETCH_FAIL")
	// ErrTrailing is a body that goes on after the request.
	ErrTrailing = chat.Invalid("INPUT_REQUEST_TOO_LONG")
	// ErrMethod is a method that this server does not have.
	ErrMethod = chat.Invalid("METHOD_INVALID")
	// ErrConstructor is a body that nests too deeply, holds what no layer knows or what the current
	// one cannot express, or is too short to be a method.
	ErrConstructor = chat.Invalid("INPUT_CONSTRUCTOR_INVALID")
	// ErrUnregistered is a key without an account.
	ErrUnregistered = chat.Refusal{Code: 401, Reason: "AUTH_KEY_UNREGISTERED"}
	// ErrPasswordNeeded is a key whose account waits for the cloud password.
	ErrPasswordNeeded = chat.Refusal{Code: 401, Reason: "SESSION_PASSWORD_NEEDED"}
	// ErrTerminated is an account that the service ended.
	ErrTerminated = chat.Refusal{Code: 401, Reason: "USER_DEACTIVATED_BAN"}
	// ErrNoJoining is an account that may not make or enter chats.
	ErrNoJoining = chat.Forbidden("USER_RESTRICTED")
)

// Call is one request under way: who calls, from where, when.
type Call struct {
	// Context ends with the connection or the request's time.
	Context context.Context
	// Self is the account, 0 before logging in.
	Self ids.UserID
	// Key is the permanent auth key with what its client said of itself. It is a copy.
	Key store.AuthKey
	// Standing is what the service lets the account do.
	Standing restrict.Standing
	// Now is the time of the request.
	Now time.Time
	// IP is the address that the client connects from.
	IP string
	// DC is the data centre that the client believes to talk to, 1 to 5.
	DC int
	// Session is the live session, for what concerns it alone.
	Session Session
	// TempKeyID is the temporary key in use, 0 without forward secrecy.
	TempKeyID int64
	// MsgID is the id of the client's message that carries the request.
	MsgID int64
}

// Session is the live session of a call.
type Session interface {
	// ID is the session's id under its key.
	ID() int64
	// KeyID is the permanent key.
	KeyID() int64
}

// Unix returns the time of the request in Unix seconds.
func (c *Call) Unix() int64 { return c.Now.Unix() }

// Lang returns the client's language code, "en" when it named none.
func (c *Call) Lang() string {
	if c.Key.Lang == "" {
		return "en"
	}
	return c.Key.Lang
}
