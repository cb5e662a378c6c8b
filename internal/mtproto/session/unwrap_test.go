package session

import (
	"bytes"
	stdgzip "compress/gzip"
	stdzlib "compress/zlib"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/limit"
)

func pack(t testing.TB, body []byte, open func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	w := open(&out)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return appendBytes(appendWord(nil, idGzip), out.Bytes())
}

func asGzip(w io.Writer) io.WriteCloser { return stdgzip.NewWriter(w) }
func asZlib(w io.Writer) io.WriteCloser { return stdzlib.NewWriter(w) }

// wrap puts a wrapper's own words around a query.
func wrap(query []byte, words ...uint32) []byte {
	return append(call32(words[0], words[1:]...), query...)
}

func initConnection(id, flags uint32, query []byte) []byte {
	b := appendWord(nil, id)
	if id == idInit || id == idInitProxy {
		b = appendWord(b, flags)
	}
	b = appendWord(b, 6)
	fields := []string{"device", "system", "app", "en-US", "pack", "de"}
	if id == idInitShort {
		fields = slices.Delete(fields, 3, 5)
	}
	for _, f := range fields {
		b = appendBytes(b, f)
	}
	if flags&1 != 0 {
		b = appendWord(appendBytes(appendWord(b, idClientProxy), "host"), 443)
	}
	if flags&2 != 0 {
		b = append(b, someJSON()...)
	}
	return append(b, query...)
}

func someJSON() []byte {
	b := appendWord(appendWord(appendWord(nil, idJSONObject), idVector), 3)
	b = appendWord(appendBytes(appendWord(b, idJSONMember), "tz_offset"), idJSONNumber)
	b = appendLong(b, 1)
	b = appendWord(appendBytes(appendWord(b, idJSONMember), "list"), idJSONArray)
	b = appendWord(appendWord(appendWord(b, idVector), 3), idJSONNull)
	b = appendWord(appendWord(b, idJSONBool), 1)
	b = appendWord(appendWord(appendWord(b, idJSONArray), idVector), 0)
	b = appendWord(appendBytes(appendWord(b, idJSONMember), "s"), idJSONString)
	return appendBytes(b, strings.Repeat("long ", 100))
}

func TestUnwrap(t *testing.T) {
	query := call32(method, 1, 2, 3)
	long := &Init{6, "device", "system", "app", "en-US", "pack", "de"}
	short := &Init{6, "device", "system", "app", "", "", "de"}
	whole := wrap(initConnection(idInit, 3, pack(t, query, asZlib)), idWithLayer, 227)
	after := appendLong(appendWord(nil, idAfterMsg), 44)
	tests := map[string]struct {
		body []byte
		want Query
	}{
		"bare":            {query, Query{}},
		"layer":           {wrap(query, idWithLayer, 144), Query{Layer: 144}},
		"without updates": {wrap(query, idWithoutUpdates), Query{NoUpdates: true}},
		"without updates, twice": {
			wrap(initConnection(idInit, 0, wrap(query, idWithoutUpdates)), idWithoutUpdates),
			Query{NoUpdates: true, Init: long},
		},
		"after": {append(after, query...), Query{After: []int64{44}}},
		"after several": {
			wrap(query, idAfterMsgs, idVector, 2, 4, 0, 8, 0), Query{After: []int64{4, 8}},
		},
		"init":          {initConnection(idInit, 0, query), Query{Init: long}},
		"init proxy":    {initConnection(idInit, 1, query), Query{Init: long}},
		"init params":   {initConnection(idInit, 2, query), Query{Init: long}},
		"init both":     {initConnection(idInit, 3, query), Query{Init: long}},
		"init older":    {initConnection(idInitProxy, 1, query), Query{Init: long}},
		"init old":      {initConnection(idInitLangPack, 0, query), Query{Init: long}},
		"init ancient":  {initConnection(idInitShort, 0, query), Query{Init: short}},
		"gzip":          {pack(t, query, asGzip), Query{}},
		"zlib":          {pack(t, query, asZlib), Query{}},
		"gzip inside":   {whole, Query{Layer: 227, Init: long}},
		"gzip outside":  {pack(t, wrap(query, idWithLayer, 7), asGzip), Query{Layer: 7}},
		"unknown inner": {wrap(wrap(nil, 1), idWithLayer, 7), Query{Layer: 7, Body: call32(1)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			id := p.msgID()
			got, err := p.receive(id, 1, test.body)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			test.want.MsgID = id
			if test.want.Body == nil {
				test.want.Body = query
			}
			if !reflect.DeepEqual(got[0], test.want) {
				t.Errorf("got %+v, want %+v", got[0], test.want)
			}
		})
	}
}

// TestUnwrapAsGotd: the fields are where an independent encoder puts them.
func TestUnwrapAsGotd(t *testing.T) {
	request := &tg.InvokeWithLayerRequest{Layer: 229, Query: &tg.InitConnectionRequest{
		APIID: 10, DeviceModel: "a", SystemVersion: "b", AppVersion: "c",
		SystemLangCode: "d", LangPack: "e", LangCode: "f",
		Proxy: tg.InputClientProxy{Address: "g", Port: 1},
		Params: &tg.JSONObject{Value: []tg.JSONObjectValue{
			{Key: "tz", Value: &tg.JSONNumber{Value: 3600}},
			{Key: "x", Value: &tg.JSONArray{Value: []tg.JSONValueClass{
				&tg.JSONBool{Value: true}, &tg.JSONObject{}, &tg.JSONNull{},
			}}},
		}},
		Query: &tg.HelpGetConfigRequest{},
	}}
	p := newPeer(t)
	got, err := p.receive(p.msgID(), 1, encode(t, request))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	want := Query{
		MsgID: got[0].MsgID, Layer: 229, Init: &Init{10, "a", "b", "c", "d", "e", "f"},
		Body: encode(t, &tg.HelpGetConfigRequest{}),
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
}

// TestUnwrapRefused: the client gets an error, and nothing is handed out.
func TestUnwrapRefused(t *testing.T) {
	query := call32(method)
	packed := pack(t, bytes.Repeat(query, 100), asGzip)
	damaged := slices.Clone(packed)
	damaged[len(damaged)-8] ^= 1
	twice := wrap(wrap(query, idWithLayer, 1), idWithLayer, 2)
	initTwice := initConnection(idInitShort, 0, query)
	endless := call32(idJSONArray, idVector, 1<<30)
	deep := call32(idJSONNull)
	for range limit.Depth + 1 {
		deep = wrap(deep, idJSONArray, idVector, 1)
	}
	head := initConnection(idInit, 0, nil)
	head[4] = 2
	wide := make([]uint32, 3+2*(limit.AfterIDs+1))
	wide[0], wide[1], wide[2] = idAfterMsgs, idVector, limit.AfterIDs+1
	tests := map[string]struct {
		body []byte
		want *RPCError
	}{
		"twice":             {twice, errWrappers},
		"gzip in gzip":      {pack(t, packed, asGzip), errWrappers},
		"init twice":        {initConnection(idInit, 0, initTwice), errWrappers},
		"cut":               {call32(idWithLayer), errFetch},
		"cut init":          {initConnection(idInit, 3, nil)[:40], errFetch},
		"damaged":           {damaged, errFetch},
		"gzip cut":          {packed[:len(packed)-12], errFetch},
		"gzip of nothing":   {appendBytes(appendWord(nil, idGzip), ""), errFetch},
		"gzip and more":     {append(slices.Clone(packed), query...), errFetch},
		"bomb":              {pack(t, make([]byte, limit.UnpackedPart+1), asGzip), errFetch},
		"zlib bomb":         {pack(t, make([]byte, 10<<20), asZlib), errFetch},
		"deep params":       {append(slices.Clone(head), deep...), errFetch},
		"endless params":    {append(slices.Clone(head), endless...), errFetch},
		"wrong params":      {append(slices.Clone(head), call32(1)...), errFetch},
		"after too many":    {call32(wide[0], wide[1:]...), errFetch},
		"after no vector":   {call32(idAfterMsgs, 1, 0), errFetch},
		"apns secret":       {wrap(query, idApnsSecret, 0, 0), errRefused},
		"google play":       {wrap(query, idPlayIntegrity, 0, 0), errRefused},
		"captcha":           {wrap(query, idReCaptcha, 0), errRefused},
		"captcha in layer":  {wrap(wrap(query, idReCaptcha, 0), idWithLayer, 1), errRefused},
		"string past end":   {append(call32(idInitShort, 6), 0xfe, 0xff, 0xff, 0xff), errFetch},
		"string marked 255": {append(call32(idInitShort, 6), 0xff, 0, 0, 0), errFetch},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			id := p.msgID()
			got, err := p.receive(id, 1, test.body)
			if err != nil || len(got) != 0 {
				t.Fatalf("got %d queries, %v", len(got), err)
			}
			answer := p.expect(idNewSession, idRPCResult)[1]
			if !bytes.Equal(answer.body[resultHead:], test.want.Encode()) {
				t.Errorf("answered %q, want %q", answer.body[resultHead:], test.want.Encode())
			}
		})
	}
}

// TestUnpackBudget: many small bombs are one large one.
func TestUnpackBudget(t *testing.T) {
	p := newPeer(t)
	bomb := pack(t, make([]byte, limit.UnpackedPart), asGzip)
	var ids []int64
	var bodies [][]byte
	for range 100 {
		ids, bodies = append(ids, p.msgID()), append(bodies, bomb)
	}
	got, err := p.receive(p.msgID(), 2, container(ids, bodies...))
	if err != nil || len(got) != limit.Unpacked/limit.UnpackedPart {
		t.Errorf("unpacked %d, %v", len(got), err)
	}
}

func TestPack(t *testing.T) {
	var g Gzip
	text := bytes.Repeat(call32(method, 7, 8, 9), 200)
	noise := make([]byte, 4<<10)
	x := uint32(1)
	for i := range noise {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	for name, result := range map[string][]byte{
		"short": text[:limit.PackFrom-4], "noise": noise,
		"file": append(call32(idUploadFile), text...),
	} {
		if got := g.Pack(result); &got[0] != &result[0] {
			t.Errorf("%s was packed", name)
		}
	}
	never := Gzip{PackFrom: 1 << 30}
	if got := never.Pack(text); &got[0] != &text[0] {
		t.Error("packed although it is below the bound")
	}
	for range 3 {
		packed := g.Pack(text)
		if len(packed) >= len(text)/2 || len(packed)%wordBytes != 0 {
			t.Fatalf("packed into %d bytes", len(packed))
		}
		spare := limit.Unpacked
		q, fault := g.unwrap(packed, &spare)
		if fault != nil || !bytes.Equal(q.Body, text) || spare != limit.Unpacked-len(text) {
			t.Errorf("unpacked %d bytes, %v", len(q.Body), fault)
		}
	}
}

func TestRPCError(t *testing.T) {
	e := &RPCError{420, "FLOOD_WAIT_3"}
	if e.Error() != "420 FLOOD_WAIT_3" {
		t.Error(e)
	}
	r := reader{b: e.Encode()}
	if r.word() != idRPCError || r.int() != 420 || r.string() != "FLOOD_WAIT_3" || len(r.b) != 0 {
		t.Errorf("encoded as %x", e.Encode())
	}
}
