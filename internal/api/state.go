package api

import (
	"sync/atomic"

	"parley/internal/mtproto/session"
)

// State is what the dispatcher keeps of a live session.
type State struct {
	Live   Live
	layer  atomic.Int64
	user   atomic.Int64
	closed atomic.Bool
}

// NewState returns the state of a new session.
func NewState(l Live) *State { return &State{Live: l} }

// ID is the session's id under its key.
func (st *State) ID() int64 { return st.Live.ID() }

// KeyID is the session's permanent key.
func (st *State) KeyID() int64 { return st.Live.KeyID() }

// Layer is the layer that answers and updates are sent in.
func (st *State) Layer() int { return int(st.layer.Load()) }

// Push queues an update for the session.
func (st *State) Push(b session.Body) { st.Live.Push(b) }
