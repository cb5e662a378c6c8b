package schema

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

const text1 = `// Layer:  1
boolTrue#997275b5 = Bool;
int#a8509bda ? = Int;
peerUser#59511722 user_id:long = Peer;
inputPeerSelf#7da07ec9 = InputPeer;

---functions---

users.getUsers#d91a548 id:Vector<InputUser> = Vector<User>;
invokeWithLayer#da9b0d0d {X:Type} layer:int query:!X = X;
invokeWithLayerPrefix#da9b0d0d layer:int = Error;

---types---
dialogPeer#e56dbf05 peer:Peer = DialogPeer;
draft#00000001 flags:# silent:flags.1?true reply:flags.3?int data:bytes = test.Draft;
configSimple#5a592a6c rules:vector<AccessPointRule> = ConfigSimple;
// LAYER 1
`

func TestParse(t *testing.T) {
	lines, layer, err := Parse([]byte(text1))
	if err != nil || layer != 1 {
		t.Fatalf("layer %d, %v", layer, err)
	}
	var got []string
	for _, l := range lines {
		kind := "ctor"
		if l.Method {
			kind = "method"
		}
		if !l.Valid {
			kind += "?"
		}
		got = append(got, kind+" "+l.Name+" "+strings.Join(l.Params, ",")+" "+l.Result)
	}
	want := []string{
		"ctor boolTrue  Bool", "ctor peerUser user_id:long Peer",
		"ctor inputPeerSelf  InputPeer",
		"method users.getUsers id:Vector<InputUser> Vector<User>",
		"method invokeWithLayer layer:int,query:!X X", "ctor dialogPeer peer:Peer DialogPeer",
		"ctor? draft flags:#,silent:flags.1?true,reply:flags.3?int,data:bytes test.Draft",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestChecksum(t *testing.T) {
	for _, line := range []string{
		"messages.sendReaction#d30d78d4 flags:# big:flags.1?true add_to_recent:flags.2?true" +
			" peer:InputPeer msg_id:int reaction:flags.0?Vector<Reaction> = Updates;",
		"initConnection#c1cd5ea9 {X:Type} flags:# api_id:int device_model:string" +
			" system_version:string app_version:string system_lang_code:string lang_pack:string" +
			" lang_code:string proxy:flags.0?InputClientProxy params:flags.1?JSONValue" +
			" query:!X = X;",
		"userProfilePhoto#82d1f706 flags:# has_video:flags.0?true personal:flags.2?true" +
			" photo_id:long stripped_thumb:flags.1?bytes dc_id:int = UserProfilePhoto;",
	} {
		if l, err := parseLine(line, false); err != nil || !l.Valid {
			t.Errorf("%s: %v, %08x", line, err, checksum(line))
		}
	}
	if l, err := parseLine("peerUser#59511723 user_id:long = Peer;", false); err != nil || l.Valid {
		t.Errorf("a wrong identifier passed: %v", err)
	}
}

func TestRefusedText(t *testing.T) {
	for _, text := range []string{
		"peerUser#59511722 user_id:long", "peerUser user_id:long = Peer;",
		"peerUser#xyz user_id:long = Peer;", "// LAYER x", "a#123456789 = A;",
	} {
		if _, _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	for _, text := range []string{
		"a#1 b = A;", "a#1 b:flags.0?int = A;", "a#1 flags:# b:flags.32?int = A;",
		"a#1 flags:# b:flags?int = A;", "a#1 b:Vector<int = A;", "a#1 b:%A = A;",
	} {
		lines, _, err := Parse([]byte(text))
		if err == nil {
			_, err = Build([32]byte{}, []Revision{{Layer: 1, Lines: lines}})
		}
		if err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func revision(t *testing.T, layer int, text string) Revision {
	t.Helper()
	lines, _, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Revision{Layer: layer, Lines: lines}
}

func TestBuild(t *testing.T) {
	stay, early, late := "a#1 = A;\n", "b#2 x:int = B;\n", "b#3 x:long = B;\n"
	table, err := Build([32]byte{}, []Revision{
		revision(t, 5, stay+early), revision(t, 7, stay+late),
		revision(t, 7, stay+early), revision(t, 9, stay),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, layer := range table.Layers() {
		for _, d := range table.At(layer) {
			got = append(got, d.String())
		}
		got = append(got, "-")
	}
	want := []string{"a#1 = A", "b#2 x:int = B", "-", "a#1 = A", "b#2 x:int = B", "-",
		"a#1 = A", "-"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, d := range table.Defs {
		if d.ID == 2 && !reflect.DeepEqual(d.Spans, []Span{{0, 0}, {2, 2}}) {
			t.Errorf("%s: %v", d, d.Spans)
		}
	}
	if table.At(6) != nil {
		t.Error("layer 6 came from nowhere")
	}
	if _, err := Build([32]byte{}, []Revision{{Layer: 2}, {Layer: 1}}); err == nil {
		t.Error("layers out of order were accepted")
	}
	twice := Revision{Layer: 1, Lines: append(revision(t, 1, stay).Lines,
		revision(t, 1, "a#4 = A;").Lines...)}
	if _, err := Build([32]byte{}, []Revision{twice}); err == nil {
		t.Error("a name that was defined twice was accepted")
	}
}

func TestPackIsFaithful(t *testing.T) {
	table, err := Build([32]byte{1, 2, 3}, []Revision{revision(t, 1, text1),
		revision(t, 3, text1+"\nz#5 flags:# q:flags.0?Vector<Vector<long>> = test.Z;\n")})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := table.Pack()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest != table.Digest || !reflect.DeepEqual(again.Sources, table.Sources) ||
		len(again.Defs) != len(table.Defs) {
		t.Fatalf("%v, %d definitions", again.Sources, len(again.Defs))
	}
	for i, d := range table.Defs {
		if e := again.Defs[i]; e.String() != d.String() || e.Method != d.Method ||
			!reflect.DeepEqual(e.Spans, d.Spans) {
			t.Errorf("%s became %s", d, e)
		}
	}
	twice, err := again.Pack()
	if err != nil || !bytes.Equal(packed, twice) {
		t.Errorf("packing again gave other bytes: %v", err)
	}
}

// TestRealTable: the laws on which package layer rests hold for the real history.
func TestRealTable(t *testing.T) {
	packed, err := os.ReadFile("../table.bin")
	if err != nil {
		t.Fatal(err)
	}
	table, err := Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	byID, resultOf := make(map[uint32]*Def), make(map[string]*Type)
	for _, d := range table.Defs {
		if words := len(d.Fields) - len(without(d, Flags)); words > 3 {
			t.Errorf("%s has %d flags words", d.Name, words)
		}
		// An identifier has one meaning, apart from flags without a value.
		if e := byID[d.ID]; e == nil {
			byID[d.ID] = d
		} else if e.Name != d.Name || e.Result != d.Result ||
			!reflect.DeepEqual(without(e, Flag), without(d, Flag)) {
			t.Errorf("%s and %s", e, d)
		}
		// A constructor never moves to another type.
		if e := resultOf[d.Name]; !d.Method && e != nil && e != d.Result {
			t.Errorf("%s was %s", d, e)
		} else if !d.Method {
			resultOf[d.Name] = d.Result
		}
	}
}

func without(d *Def, kind Kind) []string {
	var out []string
	for _, f := range d.Fields {
		if f.Type.Kind != kind {
			word := ""
			if f.Optional() {
				word = d.Fields[f.Word].Name
			}
			out = append(out, f.Name+":"+word+string('A'+rune(f.Bit))+f.Type.String())
		}
	}
	return out
}

func TestUnpackRefuses(t *testing.T) {
	table, err := Build([32]byte{}, []Revision{revision(t, 1, text1)})
	if err != nil {
		t.Fatal(err)
	}
	plain := table.appendPlain(nil)
	for n := range plain {
		r := &reader{rest: plain[len(form)+32 : max(n, len(form)+32)]}
		if err := r.table(new(Table)); err == nil && !r.bad && n > 0 {
			t.Errorf("a table cut off at byte %d of %d was accepted", n, len(plain))
		}
	}
	for _, packed := range [][]byte{nil, {1, 2, 3}, []byte("PTL1")} {
		if _, err := Unpack(packed); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%x: %v", packed, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text1))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines, layer, err := Parse(text)
		if err != nil {
			return
		}
		table, err := Build([32]byte{}, []Revision{{Layer: layer, Lines: lines}})
		if err != nil || layer < 0 {
			return
		}
		// Without the compression, which would take nearly all of the time.
		again, r := &Table{}, &reader{rest: table.appendPlain(nil)[len(form)+32:]}
		if err := r.table(again); err == nil && !r.bad && len(again.Defs) != len(table.Defs) {
			t.Fatal("definitions were lost")
		}
	})
}

func FuzzUnpack(f *testing.F) {
	table := &Table{}
	f.Add(table.appendPlain(nil))
	f.Fuzz(func(t *testing.T, plain []byte) {
		r := &reader{rest: plain}
		table := &Table{}
		if err := r.table(table); err == nil && !r.bad {
			table.appendPlain(nil)
		}
	})
}
