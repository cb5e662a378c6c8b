// Command layergen makes the table from which package layer works: it obtains the schema texts
// that sources.txt pins, verifies them, folds them into one history, and writes the packed table
// and the list of the texts' hashes. It prints what each layer changed.
//
// It downloads through the go command only, and only when it is run by hand; building and testing
// the server needs no network.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"parley/internal/mtproto/layer/schema"
)

func main() {
	dir := flag.String("dir", ".", "where to write table.bin and table.sum")
	all := flag.Bool("all", false, "report every layer, not only the newest")
	flag.Parse()
	if err := run(*dir, *all); err != nil {
		fmt.Fprintln(os.Stderr, "layergen:", err)
		os.Exit(1)
	}
}

func run(dir string, all bool) error {
	table, sum, err := generate(false)
	if err != nil {
		return err
	}
	packed, err := table.Pack()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "table.bin"), packed, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "table.sum"), sum, 0o644); err != nil {
		return err
	}
	fmt.Printf("%d definitions of %d layers, %d bytes\n",
		len(table.Defs), len(table.Layers()), len(packed))
	report(os.Stdout, table, all)
	return nil
}

// generate makes the table and the list of hashes.
func generate(offline bool) (*schema.Table, []byte, error) {
	list, err := parseSources(pinned)
	if err != nil {
		return nil, nil, err
	}
	texts := make([][]byte, len(list))
	revisions := make([]schema.Revision, len(list))
	for i, s := range list {
		if texts[i], err = fetch(s, offline); err != nil {
			return nil, nil, err
		}
		if revisions[i], err = parse(s, texts[i]); err != nil {
			return nil, nil, err
		}
	}
	sum := sums(list, texts)
	table, err := schema.Build(sha256.Sum256(sum), revisions)
	return table, sum, err
}
