package api

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/chat"
	"parley/internal/chat/device"
	"parley/internal/chat/restrict"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/session"
	"parley/internal/store"
)

// requestTime is how long a handler may work on one request.
const requestTime = 60 * time.Second

// Live is a live session as the gateway gives it.
type Live interface {
	Session
	// TempKeyID is the temporary key in use, 0 without forward secrecy.
	TempKeyID() int64
	// IP is the address of the newest connection.
	IP() string
	// DC is the data centre that the client believes to talk to, 0 when it never named one.
	DC() int
	// Push queues an update.
	Push(session.Body)
}

// Limits are how often one account (or, before logging in, one key) may call methods of a class.
// A nil entry is no limit.
type Limits map[Class]*limit.Bucket[int64]

// Options are the parts of a dispatcher.
type Options struct {
	Devices *device.Registry
	Layers  *layer.Set
	Methods []Method
	Limits  Limits
	Clock   clock.Clock
	Log     *slog.Logger
	// DC is the data centre of clients that name none.
	DC int
	// Standing tells what the service lets an account do; nil lets everybody do everything.
	Standing func(ctx context.Context, user ids.UserID) (restrict.Standing, error)
	// Attend makes a session hear of what concerns an account; Leave undoes it.
	Attend func(ctx context.Context, user ids.UserID, s *State) error
	Leave  func(user ids.UserID, s *State)
	// Called hears of every answer, for metrics: the method's name and the error's or "ok".
	Called func(method, outcome string, took time.Duration)
}

// Server dispatches requests. It is safe for concurrent use.
type Server struct {
	Options
	table map[uint32]*Method
	// buffers are where results are encoded, before it is known how long they are.
	buffers sync.Pool
}

// New returns a dispatcher for a table of methods; two rows for one method are an error.
func New(o Options) (*Server, error) {
	s := &Server{Options: o, table: make(map[uint32]*Method, len(o.Methods))}
	for i := range o.Methods {
		m := &o.Methods[i]
		if old, ok := s.table[m.ID]; ok {
			return nil, fmt.Errorf("api: two rows for %s and %s", old.Name, m.Name)
		}
		s.table[m.ID] = m
	}
	return s, nil
}

// Method returns the row of a method in the current layer.
func (s *Server) Method(id uint32) (*Method, bool) {
	m, ok := s.table[id]
	return m, ok
}

// Ordered tells whether a query must run in the order in which its session sent it.
func (s *Server) Ordered(query []byte) bool {
	m := s.find(query)
	return m != nil && (m.Class == Write || m.Class == Send || m.Class == Join ||
		m.Class == Login)
}

// find returns the row of the method that a query of any layer calls, nil when there is none.
func (s *Server) find(query []byte) *Method {
	id, ok := constructor(query)
	if !ok {
		return nil
	}
	if m := s.table[id]; m != nil {
		return m
	}
	// An older layer's constructor of the method has another id.
	if id, ok = s.Layers.Method(id); !ok {
		return nil
	}
	return s.table[id]
}

func constructor(b []byte) (uint32, bool) {
	if len(b) < 4 {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b), true
}

// Serve answers one query of a session: the encoded result in the client's layer, or an error,
// which is a chat.Refusal when the client may see it.
func (s *Server) Serve(ctx context.Context, st *State, q session.Query) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	begin := time.Now()
	name, body, err := s.serve(ctx, st, q)
	if s.Called != nil {
		s.Called(name, outcome(err), time.Since(begin))
	}
	return body, err
}

func outcome(err error) string {
	var refusal chat.Refusal
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refusal):
		return fmt.Sprint(refusal.Code)
	default:
		return "500"
	}
}

func (s *Server) serve(ctx context.Context, st *State, q session.Query) (string, []byte, error) {
	dev, err := s.introduce(ctx, st, q)
	if err != nil {
		return "unknown", nil, err
	}
	body, err := s.Layers.Up(q.Body)
	if err != nil {
		return "unknown", nil, s.illegible(q.Body, err)
	}
	if session.Guard(body) != nil {
		return "unknown", nil, ErrConstructor
	}
	id, ok := constructor(body)
	if !ok {
		return "unknown", nil, ErrConstructor
	}
	m := s.table[id]
	if m == nil {
		return "unknown", nil, ErrMethod
	}
	if err := s.admit(m, dev); err != nil {
		return m.Name, nil, err
	}
	standing, err := s.standing(ctx, st, dev, m)
	if err != nil {
		return m.Name, nil, err
	}
	if !standing.Terminated {
		if err := s.attend(ctx, st, dev, m, q); err != nil {
			return m.Name, nil, err
		}
	}
	c := &Call{
		Context: store.WithSource(ctx, st), Key: dev.AuthKey, Now: s.Clock.Now(), IP: st.Live.IP(),
		DC: cmp.Or(st.Live.DC(), s.DC), Session: st, TempKeyID: st.Live.TempKeyID(), MsgID: q.MsgID,
		Standing: standing,
	}
	if dev.State == store.KeyAuthorized {
		c.Self = dev.User
	}
	result, err := m.call(c, &bin.Buffer{Buf: body})
	if err != nil {
		return m.Name, nil, err
	}
	encoded, err := s.encode(st, id, result)
	return m.Name, encoded, err
}

// illegible is the error for a body that is no request of any layer, or that the current layer
// cannot express.
//
// https://core.telegram.org/api/errors
func (s *Server) illegible(body []byte, err error) error {
	id, ok := constructor(body)
	if !ok {
		return ErrConstructor
	}
	_, known := s.Layers.Method(id)
	unknown := new(layer.UnknownError)
	switch {
	case errors.Is(err, layer.ErrRemoved):
		return ErrMethod
	case !known:
		return chat.Invalid(fmt.Sprintf("INPUT_METHOD_INVALID_%d_%d", id, len(body)))
	case errors.As(err, &unknown), errors.Is(err, layer.ErrDrop), errors.Is(err, layer.ErrLimit):
		return ErrConstructor
	default:
		return ErrDecode
	}
}

// introduce notes what a query says of its client, and returns the device.
func (s *Server) introduce(ctx context.Context, st *State, q session.Query) (device.Device, error) {
	if q.Layer < 0 || q.Layer > maxLayer {
		return device.Device{}, chat.Invalid("CONNECTION_LAYER_INVALID")
	}
	if st.Live.KeyID() == 0 {
		return s.unbound(st, q), nil
	}
	dev, err := s.Devices.Find(ctx, st.Live.KeyID())
	if errors.Is(err, device.ErrUnknown) {
		return dev, ErrUnregistered
	}
	if err != nil {
		return dev, err
	}
	next := dev.AuthKey
	if q.Layer != 0 {
		next.Layer = int64(q.Layer)
	}
	if i := q.Init; i != nil {
		next.APIID = int64(i.APIID)
		next.Device, next.System = label(i.DeviceModel), label(i.SystemVersion)
		next.App, next.LangPack = label(i.AppVersion), label(i.LangPack)
		next.Lang, next.SystemLang = label(i.LangCode), label(i.SystemLangCode)
	}
	if !sameClient(next, dev.AuthKey) {
		dev, err = s.Devices.Change(ctx, dev.ID, func(k *store.AuthKey) error {
			k.Layer, k.APIID, k.Device = next.Layer, next.APIID, next.Device
			k.System, k.App, k.LangPack = next.System, next.App, next.LangPack
			k.Lang, k.SystemLang = next.Lang, next.SystemLang
			return nil
		})
		if err != nil {
			return dev, err
		}
	}
	if dev.Layer == 0 {
		return dev, chat.Invalid("CONNECTION_NOT_INITED")
	}
	if known := s.Layers.Nearest(int(dev.Layer)); int64(known) != dev.Layer && st.Layer() != known {
		s.Log.Info("client of a layer that is not known", "layer", dev.Layer, "served", known)
	}
	st.layer.Store(int64(s.Layers.Nearest(int(dev.Layer))))
	return dev, nil
}

// unbound is the device of a temporary key that stands for no permanent one yet. The gateway lets
// it ask for nothing but the configuration, which is all that it is good for.
//
// https://core.telegram.org/api/pfs
func (s *Server) unbound(st *State, q session.Query) device.Device {
	known := layer.Current
	if q.Layer != 0 {
		known = s.Layers.Nearest(q.Layer)
	}
	st.layer.Store(int64(known))
	return device.Device{AuthKey: store.AuthKey{Layer: int64(known)}}
}

// maxLayer is above every layer that a client may honestly announce.
const maxLayer = 10_000

// labelBytes bounds what a client says of itself in one word.
const labelBytes = 128

// label is what a client says of itself, made fit to be kept.
func label(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), labelBytes)], "")
}

func sameClient(a, b store.AuthKey) bool {
	return a.Layer == b.Layer && a.APIID == b.APIID && a.Device == b.Device &&
		a.System == b.System && a.App == b.App && a.LangPack == b.LangPack && a.Lang == b.Lang &&
		a.SystemLang == b.SystemLang
}

// admit holds a call against its row: who may call, and how often.
func (s *Server) admit(m *Method, dev device.Device) error {
	switch {
	case m.Access == Anyone, dev.State == store.KeyAuthorized:
	case dev.State == store.KeyPassword && m.Access == Password:
	case dev.State == store.KeyPassword:
		return ErrPasswordNeeded
	default:
		return ErrUnregistered
	}
	bucket := s.Limits[m.Class]
	if bucket == nil {
		return nil
	}
	who := int64(dev.User)
	if who == 0 {
		who = dev.ID
	}
	if wait, ok := bucket.Allow(who); !ok {
		return chat.Wait(limit.FloodSeconds(wait))
	}
	return nil
}

// standing holds a call against what the service lets its account do.
func (s *Server) standing(
	ctx context.Context, st *State, dev device.Device, m *Method,
) (out restrict.Standing, err error) {
	if s.Standing == nil || dev.State != store.KeyAuthorized {
		return out, nil
	}
	out, err = s.Standing(ctx, dev.User)
	switch {
	case err != nil:
	case out.Terminated:
		s.leave(st)
		if m.ID != tg.AuthLogOutRequestTypeID {
			err = ErrTerminated
		}
	case out.Frozen && !m.Frozen:
		err = chat.ErrFrozen
	case out.Stay && m.Class == Join:
		err = ErrNoJoining
	}
	return out, err
}

// attend makes the session hear of what concerns its account, from its first request that is not
// about files.
func (s *Server) attend(
	ctx context.Context, st *State, dev device.Device, m *Method, q session.Query,
) error {
	user := ids.UserID(0)
	if dev.State == store.KeyAuthorized {
		user = dev.User
	}
	was := ids.UserID(st.user.Load())
	if was != 0 && was != user && st.user.CompareAndSwap(int64(was), 0) {
		s.Leave(was, st)
	}
	if user == 0 || m.Class == File || q.NoUpdates || st.closed.Load() {
		return nil
	}
	if !st.user.CompareAndSwap(0, int64(user)) {
		return nil
	}
	if err := s.Attend(ctx, user, st); err != nil {
		return err
	}
	if st.closed.Load() {
		s.Leave(user, st)
	}
	return nil
}

// Closed says that a session is gone.
func (s *Server) Closed(st *State) {
	st.closed.Store(true)
	s.leave(st)
}

// leave makes a session hear of nothing more.
func (s *Server) leave(st *State) {
	if user := st.user.Swap(0); user != 0 {
		s.Leave(ids.UserID(user), st)
	}
}

// bufferKept is how large a buffer of a result may have become to be used again, in bytes.
const bufferKept = 64 << 10

// encode returns a result as the client's layer has it.
func (s *Server) encode(st *State, method uint32, result bin.Encoder) ([]byte, error) {
	b, _ := s.buffers.Get().(*bin.Buffer)
	if b == nil {
		b = &bin.Buffer{}
	}
	b.Reset()
	if err := result.Encode(b); err != nil {
		return nil, fmt.Errorf("api: encode: %w", err)
	}
	if cap(b.Buf) <= bufferKept {
		defer s.buffers.Put(b)
	} else if st.Layer() == layer.Current {
		return b.Buf, nil
	}
	out, err := s.Layers.DownResult(make([]byte, 0, len(b.Buf)), st.Layer(), method, b.Buf)
	if err != nil {
		return nil, fmt.Errorf("api: layer %d: %w", st.Layer(), err)
	}
	return out, nil
}
