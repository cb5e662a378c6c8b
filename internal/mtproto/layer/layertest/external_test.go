package layertest

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/layer/schema"
)

// The clients that PARLEY_CLIENTS names read what is sent to their layer. The variable is a folder
// with what "npm install telegram@2.26.22 @mtcute/core@0.30.3" installs there, and, for Telethon
// 1.25.1, a folder "python" with the unpacked packages of Debian's python3-telethon and what it
// depends on, unless Python finds it by itself. Without the variable nothing of this runs.
const clientsVariable = "PARLEY_CLIENTS"

// valuesEach is how many random values of each constructor a client reads.
const valuesEach = 12

func TestClientsRead(t *testing.T) {
	home := os.Getenv(clientsVariable)
	if home == "" {
		t.Skipf("no client has read anything: %s is not set", clientsVariable)
	}
	home, err := filepath.Abs(home)
	if err != nil {
		t.Fatal(err)
	}
	set, table := newSet(t)
	for _, c := range []struct {
		name    string
		layer   int
		command []string
	}{
		{"GramJS", 198, []string{"node", "testdata/gramjs.cjs", home}},
		{"mtcute", 227, []string{"node", "testdata/mtcute.cjs", home}},
		{"Telethon", 144, []string{"python3", "testdata/telethon.py",
			filepath.Join(home, "python")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dump := filepath.Join(t.TempDir(), "values")
			count := writeDump(t, dump, set, table, c.layer)
			cmd := exec.CommandContext(t.Context(), c.command[0], append(c.command[1:], dump)...)
			out, err := cmd.Output()
			if exit := new(exec.ExitError); errors.As(err, &exit) {
				t.Skipf("%s did not run: %v: %.300s", c.name, err, exit.Stderr)
			} else if err != nil {
				t.Skipf("%s did not run: %v", c.name, err)
			}
			var answer struct {
				Layer, Read, Failed, Differ int
				Samples                     []string
			}
			if err := json.Unmarshal(out, &answer); err != nil {
				t.Fatalf("%v: %.300s", err, out)
			}
			t.Logf("%s of layer %d has read %d of %d values", c.name, answer.Layer, answer.Read,
				count)
			if answer.Layer != c.layer {
				t.Errorf("%s is of layer %d, expected %d", c.name, answer.Layer, c.layer)
			}
			if answer.Read != count || answer.Failed > 0 || answer.Differ > 0 {
				t.Errorf("%d failed, %d written in another way: %q", answer.Failed, answer.Differ,
					answer.Samples)
			}
		})
	}
}

// writeDump writes random values of everything that the server can say, as the layer knows it.
func writeDump(t *testing.T, name string, set *layer.Set, table *schema.Table, l int) int {
	t.Helper()
	current := table.At(layer.Current)
	w := &Writer{Book: NewBook(layer.Current, current), Deep: 4,
		Rand: rand.New(rand.NewPCG(9, uint64(l)))}
	var dump []byte
	count := 0
	for _, d := range current {
		// The clients read a Bool or an Error only where they expect one.
		if d.Method || d.Result.Kind == schema.Bool || d.Result.Name == "Error" {
			continue
		}
		for round := range valuesEach {
			w.Full = round == 0
			at := len(dump)
			out, err := set.Down(append(dump, 0, 0, 0, 0), l, w.Object(d))
			if unknown := new(layer.UnknownError); errors.As(err, &unknown) {
				break // only clients say it
			}
			if errors.Is(err, layer.ErrDrop) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			dump = out
			binary.LittleEndian.PutUint32(dump[at:], uint32(len(dump)-at-4))
			count++
		}
	}
	if err := os.WriteFile(name, dump, 0o600); err != nil {
		t.Fatal(err)
	}
	return count
}
