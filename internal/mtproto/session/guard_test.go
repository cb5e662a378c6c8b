package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/limit"
)

var update = flag.Bool("update", false, "write recursive.tl anew")

// TestRecursiveSchema derives recursive.tl from the schema of the module that the server decodes
// with.
func TestRecursiveSchema(t *testing.T) {
	want := deriveRecursive(t)
	if *update {
		if err := os.WriteFile("recursive.tl", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := []byte(recursiveSchema); !bytes.Equal(got, want) {
		t.Error("recursive.tl is not what the schema says; run this test with -update")
	}
}

func deriveRecursive(t *testing.T) []byte {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gotd/td").Output()
	if err != nil {
		t.Skip("the module's schema is out of reach: ", err)
	}
	path := filepath.Join(strings.TrimSpace(string(dir)), "_schema", "telegram.tl")
	schema, err := os.ReadFile(path)
	if err != nil {
		t.Skip("the module's schema is out of reach: ", err)
	}
	definition := regexp.MustCompile(`^[\w.]+#[0-9a-f]+ .*= ([\w.]+);$`)
	contains, lines := make(map[string][]string), make(map[string][]string)
	requests, methods := make(map[string]bool), false
	for line := range strings.Lines(string(schema)) {
		line = strings.TrimSpace(line)
		methods = methods && line != "---types---" || line == "---functions---"
		part := definition.FindStringSubmatch(line)
		if part == nil {
			continue
		}
		if !methods {
			lines[part[1]] = append(lines[part[1]], line)
		}
		_, c := parseConstructor(strings.TrimSuffix(line, ";"))
		for _, f := range c.fields {
			switch {
			case f.wire == value && methods:
				requests[f.boxed] = true
			case f.wire == value:
				contains[c.boxed] = append(contains[c.boxed], f.boxed)
			}
		}
	}
	kept := make(map[string]bool)
	for from := range requests {
		for typ := range lines {
			if !reaches(contains, from, typ) {
				continue
			}
			recursive := slices.ContainsFunc(contains[typ], func(inner string) bool {
				return reaches(contains, inner, typ)
			})
			if recursive {
				kept[typ] = true
			}
		}
	}
	var out []string
	for typ := range lines {
		for root := range kept {
			if reaches(contains, root, typ) {
				out = append(out, lines[typ]...)
				break
			}
		}
	}
	slices.Sort(out)
	head := fmt.Sprintf("// Layer %d, as TestRecursiveSchema derives it. Not to be edited.", tg.Layer)
	return []byte(head + "\n" + strings.Join(out, "\n") + "\n")
}

func encode(t testing.TB, v bin.Encoder) []byte {
	t.Helper()
	var b bin.Buffer
	if err := v.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Raw()
}

// nests returns a value of each recursive kind, nested depth times.
func nests(t testing.TB, depth int) map[string][]byte {
	var peer tg.InputPeerClass = &tg.InputPeerSelf{}
	var text tg.RichTextClass = &tg.TextPlain{Text: "x"}
	var concat tg.RichTextClass = &tg.TextPlain{Text: "x"}
	var array tg.JSONValueClass = &tg.JSONNull{}
	var object tg.JSONValueClass = &tg.JSONNull{}
	var block tg.PageBlockClass = &tg.PageBlockDivider{}
	var media tg.InputMediaClass = &tg.InputMediaEmpty{}
	for range depth {
		peer = &tg.InputPeerUserFromMessage{Peer: peer, MsgID: 1, UserID: 2}
		text = &tg.TextBold{Text: text}
		concat = &tg.TextConcat{Texts: []tg.RichTextClass{&tg.TextEmpty{}, concat}}
		array = &tg.JSONArray{Value: []tg.JSONValueClass{&tg.JSONBool{}, array}}
		block = &tg.PageBlockCover{Cover: block}
		media = &tg.InputMediaPaidMedia{ExtendedMedia: []tg.InputMediaClass{media}}
	}
	for range depth / 2 {
		object = &tg.JSONObject{Value: []tg.JSONObjectValue{{Key: "key", Value: object}}}
	}
	all := map[string]bin.Encoder{
		"peer": peer, "text": text, "concat": concat, "array": array, "object": object,
		"block": block, "media": media,
	}
	out := make(map[string][]byte)
	for name, v := range all {
		out[name] = encode(t, v)
	}
	return out
}

func TestGuardDepth(t *testing.T) {
	for name, query := range nests(t, limit.Depth) {
		if err := Guard(query); err != nil {
			t.Errorf("%s nested %d deep: %v", name, limit.Depth, err)
		}
	}
	for _, depth := range []int{limit.Depth + 2, 100, 2000} {
		for name, query := range nests(t, depth) {
			if err := Guard(query); !errors.Is(err, ErrDepth) {
				t.Errorf("%s nested %d deep: %v", name, depth, err)
			}
			if err := Guard(query[:len(query)/2]); depth > 100 && !errors.Is(err, ErrDepth) {
				t.Errorf("%s nested %d deep and cut: %v", name, depth, err)
			}
		}
	}
}

// TestGuardHidden looks for ways to keep a nest from being seen, by what stands before it.
func TestGuardHidden(t *testing.T) {
	nest := nests(t, 40)["peer"]
	decoys := map[string][]byte{
		"string over it": {0xfe, 0xff, 0xff, 0x7f},
		"wide array":     encode(t, &tg.JSONArray{}),
		"broken object":  appendWord(appendWord(nil, idJSONObject), 7),
		"long vector":    appendWord(appendWord(appendWord(nil, idJSONArray), idVector), 1<<30),
	}
	for name, decoy := range decoys {
		if err := Guard(append(decoy, nest...)); !errors.Is(err, ErrDepth) {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

func TestGuardWide(t *testing.T) {
	users := &tg.UsersGetUsersRequest{}
	page := &tg.InputRichMessage{}
	object := &tg.JSONObject{}
	for i := range 1000 {
		peer := &tg.InputPeerUserFromMessage{Peer: &tg.InputPeerSelf{}, MsgID: i}
		users.ID = append(users.ID, &tg.InputUserFromMessage{Peer: peer, MsgID: i})
		page.Blocks = append(page.Blocks, &tg.PageBlockParagraph{Text: &tg.TextConcat{
			Texts: []tg.RichTextClass{
				&tg.TextPlain{Text: "one"}, &tg.TextBold{Text: &tg.TextPlain{Text: "two"}},
			},
		}})
		object.Value = append(object.Value, tg.JSONObjectValue{
			Key: "k", Value: &tg.JSONString{Value: "v"},
		})
	}
	for _, v := range []bin.Encoder{users, page, object} {
		if err := Guard(encode(t, v)); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestGuardCost feeds what makes every beginning of a value claim all that follows: arrays whose
// first element is a string that covers the other arrays, and whose further elements they share.
func TestGuardCost(t *testing.T) {
	const arrays, nulls = 8000, 200_000
	var query []byte
	for i := range arrays {
		query = appendWord(appendWord(appendWord(query, idJSONArray), idVector), nulls)
		covered := uint32((arrays - 1 - i) * 20)
		query = appendWord(appendWord(query, idJSONString), covered<<8|longString)
	}
	query = append(query, bytes.Repeat(appendWord(nil, idJSONNull), nulls)...)
	start := time.Now()
	if err := Guard(query); !errors.Is(err, ErrDepth) {
		t.Error(err)
	}
	if took := time.Since(start); took > time.Duration(len(query))*5*time.Microsecond {
		t.Errorf("%d bytes took %v", len(query), took)
	}
}

func TestGuardSkipsFileParts(t *testing.T) {
	part := &tg.UploadSaveFilePartRequest{Bytes: nests(t, 100)["peer"]}
	if err := Guard(encode(t, part)); err != nil {
		t.Error(err)
	}
}

// FuzzGuard holds Guard against the decoders that it protects: what it lets pass, they decode in
// a stack of bounded depth.
func FuzzGuard(f *testing.F) {
	for _, query := range nests(f, 5) {
		f.Add(query)
	}
	for _, query := range nests(f, 20) {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query []byte) {
		if Guard(query) != nil {
			return
		}
		b := bin.Buffer{Buf: query}
		if v, err := tg.DecodeJSONValue(&b); err == nil && jsonDepth(v) > limit.Depth {
			t.Errorf("JSON nested %d deep passed", jsonDepth(v))
		}
		b = bin.Buffer{Buf: query}
		if v, err := tg.DecodeRichText(&b); err == nil && textDepth(v) > limit.Depth {
			t.Errorf("text nested %d deep passed", textDepth(v))
		}
	})
}

func jsonDepth(v tg.JSONValueClass) int {
	depth := 0
	switch v := v.(type) {
	case *tg.JSONArray:
		depth = 1
		for _, e := range v.Value {
			depth = max(depth, 1+jsonDepth(e))
		}
	case *tg.JSONObject:
		depth = 1
		for _, e := range v.Value {
			depth = max(depth, 2+jsonDepth(e.Value))
		}
	}
	return depth
}

func textDepth(v tg.RichTextClass) int {
	switch v := v.(type) {
	case *tg.TextBold:
		return 1 + textDepth(v.Text)
	case *tg.TextURL:
		return 1 + textDepth(v.Text)
	case *tg.TextConcat:
		depth := 1
		for _, e := range v.Texts {
			depth = max(depth, 1+textDepth(e))
		}
		return depth
	}
	return 0
}

func BenchmarkGuard(b *testing.B) {
	small := encode(b, &tg.MessagesSendMessageRequest{
		Peer: &tg.InputPeerUser{UserID: 1, AccessHash: 2}, Message: strings.Repeat("text ", 40),
	})
	random := make([]byte, 256<<10)
	for i := range random {
		random[i] = byte(i * i >> 3)
	}
	binary.LittleEndian.PutUint32(random, 1)
	object := &tg.JSONObject{}
	for range 1000 {
		object.Value = append(object.Value, tg.JSONObjectValue{Key: "k", Value: &tg.JSONNull{}})
	}
	for name, query := range map[string][]byte{
		"small": small, "large": random, "measured": encode(b, object),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(query)))
			for b.Loop() {
				if err := Guard(query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
