// Package chat holds the words that all rooms of the messenger share: how a rule says no. The rules
// themselves live in the packages below this folder, what is kept in store, and what goes over the
// wire in api. Nothing here knows any of the three.
package chat

import "fmt"

// Refusal is a request that a rule of the messenger refuses. Its Reason is the Telegram API's name
// of the error, because that is the field's only shared vocabulary, and Code its class there.
// Refusals are compared by value.
//
// https://core.telegram.org/api/errors
type Refusal struct {
	Code   int
	Reason string
}

// Error returns the reason.
func (r Refusal) Error() string { return r.Reason }

// Invalid is a refusal of a request that can never succeed as it is.
func Invalid(reason string) Refusal { return Refusal{Code: 400, Reason: reason} }

// Forbidden is a refusal of a request that this account may not make.
func Forbidden(reason string) Refusal { return Refusal{Code: 403, Reason: reason} }

// Wait is a refusal for some seconds. It is at least one.
func Wait(seconds int) Refusal {
	return Refusal{Code: 420, Reason: fmt.Sprintf("FLOOD_WAIT_%d", max(seconds, 1))}
}

// SlowMode is a refusal until a chat's slow mode lets the sender write again.
func SlowMode(seconds int) Refusal {
	return Refusal{Code: 420, Reason: fmt.Sprintf("SLOWMODE_WAIT_%d", max(seconds, 1))}
}

// Refusals that several rooms give.
var (
	ErrPeerInvalid      = Invalid("PEER_ID_INVALID")
	ErrUserInvalid      = Invalid("USER_ID_INVALID")
	ErrChatInvalid      = Invalid("CHAT_ID_INVALID")
	ErrChannelInvalid   = Invalid("CHANNEL_INVALID")
	ErrChannelPrivate   = Invalid("CHANNEL_PRIVATE")
	ErrMessageIDInvalid = Invalid("MESSAGE_ID_INVALID")
	ErrAdminRequired    = Invalid("CHAT_ADMIN_REQUIRED")
	ErrWriteForbidden   = Forbidden("CHAT_WRITE_FORBIDDEN")
	ErrNotModified      = Invalid("CHAT_NOT_MODIFIED")
	ErrNotParticipant   = Invalid("USER_NOT_PARTICIPANT")
	ErrUsernameInvalid  = Invalid("USERNAME_INVALID")
	ErrUsernameOccupied = Invalid("USERNAME_OCCUPIED")
	// ErrFrozen is an account that the service has suspended.
	//
	// https://core.telegram.org/api/auth#frozen-accounts
	ErrFrozen = Refusal{Code: 420, Reason: "FROZEN_METHOD_INVALID"}
)
