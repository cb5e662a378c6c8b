// Package fleet lists the clients that other people wrote and that prove, with every change, that
// a layer is served: which of them read random values, and which hold the common conversation. A
// layer that no client of the list proves is not claimed.
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

// Client is one release of a client library.
type Client struct {
	Layer   int
	Name    string
	Version string
	// Module is what installs it: a name in package.json, a Go module file, a Debian package.
	Module string
	// Reads says that it decodes random values of every type in its layer.
	Reads bool
	// Converses is the transports over which it takes part in the common conversation.
	Converses []string
}

// columns are the names of the fields, in their order.
const columns = "layer\tclient\tversion\tmodule\treads\tconverses"

// Clients returns the list, by ascending layer.
func Clients() ([]Client, error) { return parse(clients) }

func parse(text string) ([]Client, error) {
	var out []Client
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
		c := Client{Name: f[1], Version: f[2], Module: f[3], Reads: f[4] == "yes"}
		if _, err := fmt.Sscan(f[0], &c.Layer); err != nil {
			return nil, fmt.Errorf("fleet: line %q: %w", line, err)
		}
		if f[5] != "-" {
			c.Converses = strings.Fields(f[5])
		}
		if len(out) > 0 && out[len(out)-1].Layer > c.Layer {
			return nil, fmt.Errorf("fleet: line %q is not in order", line)
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
