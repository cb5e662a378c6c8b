// Package decoders lets client libraries of many ages read what the server says in their layer:
// random values of every type, rewritten down. Their code shares nothing with ours, so a mistake of
// the table, of a plan or of a rule shows here.
package decoders

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
	"parley/test/clients/fleet"
)

// valuesEach is how many random values of each constructor a client reads; the first has every
// optional field.
const valuesEach = 8

// triesEach is how many values of a constructor are made to find one that a layer can express.
const triesEach = 200

// unsayable are the constructors that layers between 144 and 227 have and that no value of today
// becomes, with the reason; testdata/lint.txt of package layer has the fields.
var unsayable = map[string]string{
	"help.premiumPromo":                    "had a price, and has a list of prices",
	"sponsoredMessage":                     "was of a peer, and is of a link",
	"stats.broadcastStats":                 "listed interactions with messages in another form",
	"updateGroupCallMessage":               "had a text, and has an object",
	"messages.chatInviteJoinResultWebView": "named the web view, and names the bot that has it",
	"webPageAttributeStarGiftAuction":      "had colors, and has none",
}

// command is what runs the decoder of a client.
func command(t *testing.T, c fleet.Client) *exec.Cmd {
	t.Helper()
	module := filepath.Join("..", "js", "node_modules", c.Module)
	installed := func(what string) {
		if _, err := os.Stat(module); err != nil {
			t.Fatalf("the npm package %s is not installed: run make packages", what)
		}
	}
	switch c.Name {
	case "GramJS", "teleproto":
		installed(c.Module)
		return exec.CommandContext(t.Context(), "node", "gramjs.cjs", module)
	case "mtcute":
		installed(c.Module)
		return exec.CommandContext(t.Context(), "node", "mtcute.cjs", module)
	case "Telethon":
		return exec.CommandContext(t.Context(), "/usr/bin/python3", "tele.py")
	default:
		t.Fatalf("no decoder of %s", c.Name)
		return nil
	}
}

// TestClientsRead has every client of the fleet that reads values read those of its layer.
func TestClientsRead(t *testing.T) {
	clients, err := fleet.Clients()
	if err != nil {
		t.Fatal(err)
	}
	set, err := layer.New()
	if err != nil {
		t.Fatal(err)
	}
	table := newTable(t)
	for _, c := range clients {
		if !c.Reads {
			continue
		}
		t.Run(fmt.Sprintf("%d %s %s", c.Layer, c.Name, c.Version), func(t *testing.T) {
			t.Parallel()
			read(t, c, dump(t, set, table, c.Layer))
		})
	}
}

func read(t *testing.T, c fleet.Client, values *batch) {
	t.Helper()
	cmd := command(t, c)
	cmd.Stdin = bytes.NewReader(values.bytes)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		t.Fatalf("%v: %.600s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Layer, Read, Failed, Differ int
		Samples                     []string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v: %.300s", err, out)
	}
	t.Logf("read %d of %d values", answer.Read, values.count)
	if answer.Layer != c.Layer {
		t.Errorf("the client is of layer %d", answer.Layer)
	}
	if answer.Read != values.count || answer.Failed > 0 || answer.Differ > 0 {
		t.Errorf("%d failed, %d are written in another way: %q", answer.Failed, answer.Differ,
			answer.Samples)
	}
}

// newTable reads the table that the server carries.
func newTable(t *testing.T) *schema.Table {
	t.Helper()
	packed, err := os.ReadFile("../../../internal/mtproto/layer/table.bin")
	if err != nil {
		t.Fatal(err)
	}
	table, err := schema.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// batch is values of the current layer as a client of an older one gets them, each after its
// length.
type batch struct {
	t     *testing.T
	set   *layer.Set
	layer int
	bytes []byte
	count int
}

// dump makes random values of every constructor that the server can say, and of the result of every
// method.
func dump(t *testing.T, set *layer.Set, table *schema.Table, l int) *batch {
	t.Helper()
	current := table.At(layer.Current)
	w := &layertest.Writer{Book: layertest.NewBook(layer.Current, current), Deep: 4,
		Rand: rand.New(rand.NewPCG(9, uint64(l)))}
	b := &batch{t: t, set: set, layer: l}
	old := layertest.NewBook(l, table.At(l))
	for _, d := range current {
		switch {
		// The clients read a Bool or an Error only where they expect one.
		case d.Result.Kind == schema.Bool || d.Result.Name == "Error":
		// help.configSimple has bare vectors, which nobody asks this server for.
		case d.Result.Name == "help.ConfigSimple":
		case d.Method && d.Result.Kind == schema.Boxed:
			b.add(w.Value(d.Result), func(dst, body []byte) ([]byte, error) {
				return set.DownResult(dst, l, d.ID, body)
			})
		case !d.Method && !onlyClientsSay(set, w.Object(d)):
			said := b.count
			for round := range triesEach {
				if round >= valuesEach && b.count > said {
					break
				}
				w.Full = round == 0
				b.add(w.Object(d), func(dst, body []byte) ([]byte, error) {
					return set.Down(dst, l, body)
				})
			}
			if said == b.count && old.Find(d.Name) != nil && unsayable[d.Name] == "" {
				t.Errorf("no %s could be said, which the layer knows", d.Name)
			}
		}
	}
	return b
}

// add adds a value, unless the layer cannot express it, or it is no object there.
func (b *batch) add(body []byte, down func(dst, body []byte) ([]byte, error)) {
	b.t.Helper()
	at := len(b.bytes)
	out, err := down(append(b.bytes, 0, 0, 0, 0), body)
	if errors.Is(err, layer.ErrDrop) {
		return
	}
	if err != nil {
		b.t.Fatal(err)
	}
	switch binary.LittleEndian.Uint32(out[at+4:]) {
	case vectorID, boolTrueID, boolFalseID:
		return
	}
	b.bytes = out
	binary.LittleEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	b.count++
}

const (
	vectorID    = 0x1cb5c415
	boolTrueID  = 0x997275b5
	boolFalseID = 0xbc799737
)

// onlyClientsSay tells whether an object of the current layer can be part of no answer.
func onlyClientsSay(set *layer.Set, object []byte) bool {
	var unknown *layer.UnknownError
	_, err := set.Down(nil, set.Known()[0], object)
	return errors.As(err, &unknown)
}
