package session

import (
	"parley/internal/limit"
)

// Query is one call of an API method, taken out of its wrappers.
type Query struct {
	MsgID int64
	// Layer is what the query announced by invokeWithLayer, 0 if nothing.
	Layer int
	// Init is what the query announced by initConnection, nil if nothing.
	Init *Init
	// NoUpdates is set by invokeWithoutUpdates: the connection wants no pushes on its account.
	NoUpdates bool
	// After are the msg_ids of queries that must have succeeded before this one runs.
	After []int64
	// Body is the method call, in the client's layer. It aliases the envelope's body, or was
	// unpacked.
	Body []byte
}

// Init is what a client says of itself.
//
// https://core.telegram.org/method/initConnection
type Init struct {
	APIID          int
	DeviceModel    string
	SystemVersion  string
	AppVersion     string
	SystemLangCode string
	LangPack       string
	LangCode       string
}

// Wrappers of queries. initConnection is known in every form that layers since 45 had.
//
// https://core.telegram.org/api/invoking
const (
	idAfterMsg       = 0xcb9f372d
	idAfterMsgs      = 0x3dc4b4f0
	idWithLayer      = 0xda9b0d0d
	idWithoutUpdates = 0xbf9459b7
	idPlayIntegrity  = 0x1df92984
	idApnsSecret     = 0x0dae54f8
	idReCaptcha      = 0xadbb0f94
	idInit           = 0xc1cd5ea9 // with proxy and params
	idInitProxy      = 0x785188b8 // without params
	idInitLangPack   = 0xc7481da6 // without flags
	idInitShort      = 0x69796de9 // without language pack
	idClientProxy    = 0x75588b3f
	idJSONNull       = 0x3f6d7b68
	idJSONBool       = 0xc7345e6a
	idJSONNumber     = 0x2be0dfa4
	idJSONString     = 0xb71e767a
	idJSONArray      = 0xf7444763
	idJSONObject     = 0x99c1d49d
	idJSONMember     = 0xc0de1bd9
)

// What a query is answered whose wrappers cannot be taken off.
var (
	errFetch    = &RPCError{400, "INPUT_FETCH_FAIL"}
	errWrappers = &RPCError{400, "INPUT_METHOD_INVALID"}
	errRefused  = &RPCError{400, "METHOD_INVALID"}
)

// unwrap takes the wrappers off body. Each kind may occur once and no more than limit.Wrappers in
// all; gzip_packed counts as one and may stand at any place among them. Only invokeWithoutUpdates
// may occur again, which says the same twice: gotd's clients without a handler of updates wrap
// their first query in it inside and outside of initConnection. spare is how many bytes may
// still be unpacked, and is reduced by what was.
func (g *Gzip) unwrap(body []byte, spare *int) (Query, *RPCError) {
	var q Query
	var seen [limit.Wrappers]uint32
	for depth := 0; ; depth++ {
		kind := wrapperKind(Constructor(body))
		if kind == 0 {
			q.Body = body
			return q, nil
		}
		if depth == limit.Wrappers {
			return q, errWrappers
		}
		for _, k := range seen[:depth] {
			if k == kind && kind != idWithoutUpdates {
				return q, errWrappers
			}
		}
		seen[depth] = kind
		var fault *RPCError
		if body, fault = g.takeOff(&q, body, spare); fault != nil {
			return q, fault
		}
	}
}

// wrapperKind returns 0 for what is no wrapper, and one constructor for all forms of the same one.
func wrapperKind(id uint32) uint32 {
	switch id {
	case idInit, idInitProxy, idInitLangPack, idInitShort:
		return idInit
	case idAfterMsg, idAfterMsgs, idWithLayer, idWithoutUpdates, idGzip,
		idPlayIntegrity, idApnsSecret, idReCaptcha:
		return id
	}
	return 0
}

// takeOff notes in q what the outermost wrapper of body says, and returns what it wraps.
func (g *Gzip) takeOff(q *Query, body []byte, spare *int) ([]byte, *RPCError) {
	r := reader{b: body}
	switch id := r.word(); id {
	case idWithLayer:
		q.Layer = int(r.int())
	case idWithoutUpdates:
		q.NoUpdates = true
	case idAfterMsg:
		q.After = append(q.After, r.long())
	case idAfterMsgs:
		after := r.longs(limit.AfterIDs)
		for i := range after.len() {
			q.After = append(q.After, after.at(i))
		}
	case idGzip:
		packed := r.bytes()
		if r.bad || len(r.b) != 0 {
			return nil, errFetch
		}
		out, err := g.unpack(packed, min(*spare, limit.UnpackedPart))
		if err != nil {
			return nil, errFetch
		}
		*spare -= len(out)
		return out, nil
	case idInit, idInitProxy, idInitLangPack, idInitShort:
		q.Init = r.init(id)
	default:
		return nil, errRefused
	}
	if r.bad {
		return nil, errFetch
	}
	return r.b, nil
}

func (r *reader) init(id uint32) *Init {
	var flags uint32
	if id == idInit || id == idInitProxy {
		flags = r.word()
	}
	in := &Init{
		APIID:         int(r.int()),
		DeviceModel:   r.string(),
		SystemVersion: r.string(),
		AppVersion:    r.string(),
	}
	if id != idInitShort {
		in.SystemLangCode = r.string()
		in.LangPack = r.string()
	}
	in.LangCode = r.string()
	if flags&1 != 0 {
		if r.word() != idClientProxy {
			r.bad = true
		}
		r.bytes()
		r.int()
	}
	if flags&2 != 0 && id == idInit {
		r.skipJSON()
	}
	return in
}

// skipJSON skips one JSONValue without recursion.
func (r *reader) skipJSON() {
	type level struct {
		left   int
		object bool
	}
	var open [limit.Depth]level
	depth := 0
	for {
		switch id := r.word(); id {
		case idJSONNull:
		case idJSONBool:
			r.word()
		case idJSONNumber:
			r.long()
		case idJSONString:
			r.bytes()
		case idJSONArray, idJSONObject:
			if r.word() != idVector || depth == limit.Depth {
				r.bad = true
				return
			}
			open[depth] = level{r.count(wordBytes, len(r.b)), id == idJSONObject}
			depth++
		default:
			r.bad = true
		}
		for depth > 0 && open[depth-1].left == 0 {
			depth--
		}
		if depth == 0 || r.bad {
			return
		}
		l := &open[depth-1]
		l.left--
		if l.object {
			if r.word() != idJSONMember {
				r.bad = true
			}
			r.bytes()
		}
	}
}
