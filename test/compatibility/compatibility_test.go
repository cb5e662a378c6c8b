// Package compatibility writes docs/compatibility.md and proves that it is fresh. Nothing in that
// page is claimed by hand: the clients are those that package fleet lists and the tests beside it
// run, and what a layer loses is measured, by putting values through the rewriting and looking at
// what a change of each field changes in what comes out.
package compatibility

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"parley/internal/mtproto/layer"
	"parley/test/clients/fleet"
)

//go:generate go test . -update

var update = flag.Bool("update", false, "write docs/compatibility.md")

// page is where what is written here stands.
const page = "../../docs/compatibility.md"

// intro begins the page.
const intro = `# Layers, methods, clients

Written by "go generate ./test/compatibility", never by hand, and checked with every change.
[COMPATIBILITY.md](../COMPATIBILITY.md) says what clients do that these tables cannot say.

A client speaks the layer of the API that it was compiled for. Inside, Parley speaks layer %d; at
the edge it rewrites. What follows is what is lost on the way.
`

const aboutConversation = `
## Clients that hold the conversation

With every change, over each transport, in both parts, each with a client of another age:

| layer | client | version | over |
|---|---|---|---|
`

const aboutSteps = `
Its steps; the test ends at the first that fails, and names it:

| step | what happens |
|---|---|
`

const aboutReaders = `
## Clients that read values

With every change they read random values of everything that the server can say, rewritten to
their layer:

| layer | client | version |
|---|---|---|
`

const aboutLayers = `
## Layers

Known, each by its own schema: %s.

A client of another layer is served the nearest lower one, an older client the oldest, and a newer
one the newest.

Claimed, because a client above proves them: %s.
`

const aboutMethods = `
## Methods

Of the methods that Parley answers (real or empty in [spec/methods.tsv](../spec/methods.tsv)), those
that some layer does not have, has by another name, or answers by another type, and parameters of
requests that are not used.

| method | layers | what is other |
|---|---|---|
`

const aboutObjects = `
## Objects

Of the objects that Parley says, those of which the clients of some layer do not get everything.
Only elements of lists, optional fields and whole updates are left out, and no update that moves a
pts.

| object | layers | what they do not get |
|---|---|---|
`

// TestPageIsFresh compares the page with what the code does now.
func TestPageIsFresh(t *testing.T) {
	want := write(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) == want {
		return
	}
	have := strings.Split(string(got), "\n")
	for i, line := range strings.Split(want, "\n") {
		if i >= len(have) || have[i] != line {
			t.Fatalf("line %d is no longer so; it is %q: go generate ./test/compatibility", i+1,
				line)
		}
	}
	t.Fatal("the page goes on where it should end")
}

func write(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, intro, layer.Current)
	list, err := fleet.Clients()
	if err != nil {
		t.Fatal(err)
	}
	m := newMeter(t)
	writeClients(t, &b, list)
	writeLayers(&b, list, m.set.Known())
	b.WriteString(aboutMethods)
	m.methods().write(&b)
	b.WriteString(aboutObjects)
	m.objects().write(&b)
	return b.String()
}

// writeClients lists who holds the conversation, its steps, and who reads values.
func writeClients(t *testing.T, b *strings.Builder, list []fleet.Client) {
	t.Helper()
	b.WriteString(aboutConversation)
	var readers []string
	for _, c := range list {
		if len(c.Converses) > 0 {
			fmt.Fprintf(b, "| %d | %s | %s | %s |\n", c.Layer, c.Name, c.Version,
				strings.Join(c.Converses, ", "))
		}
		if c.Reads {
			readers = append(readers, fmt.Sprintf("| %d | %s | %s |\n", c.Layer, c.Name, c.Version))
		}
	}
	steps, err := fleet.Steps()
	if err != nil {
		t.Fatal(err)
	}
	b.WriteString(aboutSteps)
	for _, s := range steps {
		fmt.Fprintf(b, "| %s | %s |\n", s.Name, s.What)
	}
	b.WriteString(aboutReaders + strings.Join(readers, ""))
}

// writeLayers lists what is known and what is claimed.
func writeLayers(b *strings.Builder, list []fleet.Client, known []int) {
	fmt.Fprintf(b, aboutLayers, all(known), all(fleet.Claimed(list)))
}

func all(layers []int) string {
	var out []string
	for _, l := range layers {
		out = append(out, fmt.Sprint(l))
	}
	return strings.Join(out, ", ")
}

// ranges writes layers as runs of known ones.
func ranges(known, layers []int) string {
	slices.Sort(layers)
	var out []string
	for i := 0; i < len(layers); {
		j := i
		at, _ := slices.BinarySearch(known, layers[i])
		for j+1 < len(layers) && known[at+1] == layers[j+1] {
			j, at = j+1, at+1
		}
		if i == j {
			out = append(out, fmt.Sprint(layers[i]))
		} else {
			out = append(out, fmt.Sprintf("%d to %d", layers[i], layers[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ", ")
}

// row is something that the clients of some layers do not get.
type row struct {
	of, what string
	layers   []int
}

// rows gathers what is lost by layer into lines of a table.
type rows struct {
	known []int
	list  []row
}

func (r *rows) add(of, what string, l int) {
	i := slices.IndexFunc(r.list, func(x row) bool { return x.of == of && x.what == what })
	if i < 0 {
		i = len(r.list)
		r.list = append(r.list, row{of: of, what: what})
	}
	r.list[i].layers = append(r.list[i].layers, l)
}

// write writes one line for each thing and run of layers.
func (r *rows) write(b *strings.Builder) {
	type line struct{ of, layers string }
	what := make(map[line][]string)
	var order []line
	for _, x := range r.list {
		at := line{x.of, ranges(r.known, x.layers)}
		if what[at] == nil {
			order = append(order, at)
		}
		what[at] = append(what[at], x.what)
	}
	slices.SortStableFunc(order, func(a, b line) int { return strings.Compare(a.of, b.of) })
	for _, at := range order {
		fmt.Fprintf(b, "| %s | %s | %s |\n", at.of, at.layers, strings.Join(what[at], ", "))
	}
}
