package policy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Difference is what another policy would have said of a request.
type Difference struct {
	// Line is the request's line in a file of them, from 1 on.
	Line      int    `json:"line,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Changed names the parts of the verdict that differ, as their JSON is called.
	Changed []string `json:"changed"`
	Before  Verdict  `json:"before"`
	After   Verdict  `json:"after"`
}

// maxLine bounds a request in a file of requests, in bytes.
const maxLine = 1 << 20

// Simulate judges past requests, one a line as JSON, by this policy and by another, and calls say
// with each that they do not agree about. It returns how many there are. An error names the line.
func (p *Policy) Simulate(
	other *Policy, requests io.Reader, say func(Difference) error,
) (n int, err error) {
	lines := bufio.NewScanner(requests)
	lines.Buffer(nil, maxLine)
	for line := 1; lines.Scan(); line++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		n++
		var d Difference
		r, err := ReadRequest(lines.Bytes())
		if err == nil {
			d, err = p.Compare(other, r)
		}
		if err != nil {
			return n, fmt.Errorf("line %d: %w", line, err)
		}
		if d.Line = line; len(d.Changed) > 0 {
			if err := say(d); err != nil {
				return n, err
			}
		}
	}
	return n, lines.Err()
}

// Compare judges a past request by this policy and by another.
func (p *Policy) Compare(other *Policy, r Request) (d Difference, err error) {
	d.Reference = r.Reference
	if d.Before, err = p.Judge(r); err != nil {
		return d, err
	}
	d.After, err = other.Judge(r)
	d.Changed = changed(d.Before, d.After)
	return d, err
}

// changed names the parts in which two verdicts differ. Which rules spoke, and by which words they
// said so, is no difference.
func changed(a, b Verdict) (out []string) {
	for _, v := range []*Verdict{&a, &b} {
		v.Policy, v.Fired = "", nil
		plain := make([]Refusal, len(v.Refusals))
		for i, r := range v.Refusals {
			plain[i] = Refusal{Code: r.Code, Data: r.Data, Part: r.Part}
		}
		v.Refusals = plain
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			name, _, _ := strings.Cut(x.Type().Field(i).Tag.Get("json"), ",")
			out = append(out, name)
		}
	}
	return out
}
