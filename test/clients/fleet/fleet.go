// Package fleet lists the clients that other people wrote and that prove, with every change, that
// a layer is served: which of them read random values, and which hold the common conversation,
// whose steps it lists too. A layer that no client of the list proves is not claimed.
//
// It lists and runs nothing.
package fleet

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed clients.tsv
var clients string

//go:embed steps.tsv
var steps string

// Client is one release of a client library.
type Client struct {
	Layer   int
	Name    string
	Version string
	// Module is what installs it: a name in package.json, the module file of a Go build, seen from
	// test/clients or from the top, a Debian package.
	Module string
	// Reads says that it decodes random values of every type in its layer.
	Reads bool
	// Converses is the transports over which it takes part in the common conversation.
	Converses []string
}

// Step is a step of the common conversation.
type Step struct {
	// Name is short, What says what has to happen.
	Name, What string
}

// The names of the fields, in their order.
const (
	clientColumns = "layer\tclient\tversion\tmodule\treads\tconverses"
	stepColumns   = "step\twhat happens"
)

// Clients returns the list, by ascending layer.
func Clients() ([]Client, error) { return parse(clients) }

// Steps returns the steps of the common conversation, in their order.
func Steps() ([]Step, error) {
	rows, err := table(steps, stepColumns)
	if err != nil {
		return nil, err
	}
	var out []Step
	for _, f := range rows {
		out = append(out, Step{Name: f[0], What: f[1]})
	}
	return out, nil
}

// table reads lines of fields under a line with their names.
func table(text, columns string) ([][]string, error) {
	var out [][]string
	head := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case !head && line != columns:
			return nil, fmt.Errorf("fleet: the columns are %q", line)
		case !head:
			head = true
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != strings.Count(columns, "\t")+1 {
			return nil, fmt.Errorf("fleet: line %q", line)
		}
		out = append(out, f)
	}
	return out, nil
}

func parse(text string) ([]Client, error) {
	rows, err := table(text, clientColumns)
	if err != nil {
		return nil, err
	}
	var out []Client
	for _, f := range rows {
		c := Client{Name: f[1], Version: f[2], Module: f[3], Reads: f[4] == "yes"}
		if _, err := fmt.Sscan(f[0], &c.Layer); err != nil {
			return nil, fmt.Errorf("fleet: line %q: %w", f, err)
		}
		if f[5] != "-" {
			c.Converses = strings.Fields(f[5])
		}
		if len(out) > 0 && out[len(out)-1].Layer > c.Layer {
			return nil, fmt.Errorf("fleet: line %q is not in order", f)
		}
		out = append(out, c)
	}
	return out, nil
}

// Claimed returns the layers that a client of the list proves, ascending.
func Claimed(list []Client) []int {
	var out []int
	for _, c := range list {
		proves := c.Reads || len(c.Converses) > 0
		if proves && (len(out) == 0 || out[len(out)-1] != c.Layer) {
			out = append(out, c.Layer)
		}
	}
	return out
}
