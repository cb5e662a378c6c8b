package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"parley/internal/config"
	"parley/internal/node"
	"parley/internal/safety/country"
	"parley/internal/safety/policy"
)

// policyCmd is what one does with the rules for orders of authorities.
type policyCmd struct {
	Explain  policyExplainCmd  `cmd:"" help:"Say what may be done about an order, and why."`
	Test     policyTestCmd     `cmd:"" help:"Check the rules and run their tests."`
	Simulate policySimulateCmd `cmd:"" help:"Judge past orders by other rules as well."`
	Import   policyImportCmd   `cmd:"" help:"Take in a public index of countries."`
}

// policyFlags say which rules and countries are meant.
type policyFlags struct {
	Data  string `help:"The server's data directory." placeholder:"DIR"`
	Rules string `help:"Folder with rules instead of those configured." type:"path"`
}

// settings are the configuration's.
func (f policyFlags) settings(p *process) (config.Config, error) {
	flags := make(map[string]string)
	if f.Data != "" {
		flags["data"] = f.Data
	}
	return p.load(flags)
}

// open reads the policy.
func (f policyFlags) open(p *process) (*policy.Policy, error) {
	cfg, err := f.settings(p)
	if err != nil {
		return nil, err
	}
	o := policy.Options{
		Rules: cfg.Policy.Rules, Indices: cfg.Policy.Indices,
		Home: country.Code(cfg.Contact.Established),
	}
	if f.Rules != "" {
		o.Rules = f.Rules
	}
	return policy.Open(o)
}

// policyExplainCmd explains a verdict.
type policyExplainCmd struct {
	policyFlags
	JSON  bool   `help:"Print the verdict as JSON."`
	Order string `arg:"" help:"File with the order as JSON, or its reference."`
}

// Run prints what may be done about an order, and why.
func (c *policyExplainCmd) Run(p *process) error {
	rules, err := c.open(p)
	if err != nil {
		return err
	}
	r, err := c.request(p)
	if err != nil {
		return err
	}
	v, err := rules.Judge(r)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(p.out)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	_, err = p.out.Write([]byte(v.Explain()))
	return err
}

// request is what policy is asked about the order: as a file says, or as the server has it.
func (c *policyExplainCmd) request(p *process) (r policy.Request, err error) {
	text, err := os.ReadFile(c.Order)
	if err == nil {
		return policy.ReadRequest(text)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	err = p.tool(c.Data, func(n *node.Node) error {
		o, err := byReference(p, n, c.Order)
		if err != nil {
			return fmt.Errorf("%s is neither a file nor a reference: %w", c.Order, err)
		}
		known := false
		r, known, err = n.Orders.RequestOf(p.ctx, o.Agency, o.ID)
		if err == nil && !known {
			err = errors.New("it does not say what is to be done: policy is not asked")
		}
		return err
	})
	return r, err
}

// policyTestCmd tests rules.
type policyTestCmd struct{ policyFlags }

// errTests says that tests of rules failed.
var errTests = errors.New("the rules do not do what their tests want")

// Run checks the rules and runs their tests.
func (c *policyTestCmd) Run(p *process) error {
	rules, err := c.open(p)
	if err != nil {
		return err
	}
	for _, x := range rules.Untranslated() { // its authority is answered in English
		_, _ = fmt.Fprintln(p.err, "warning:", x)
	}
	n, wrong := rules.Test()
	if len(wrong) > 0 {
		_, _ = fmt.Fprintln(p.err, wrong)
		return fmt.Errorf("%w: %d problems in %d tests", errTests, len(wrong), n)
	}
	_, err = fmt.Fprintf(p.out, "%d tests passed; policy %s\n", n, rules.Digest())
	return err
}

// policySimulateCmd compares rules by past orders.
type policySimulateCmd struct {
	policyFlags
	Than   string `help:"Folder with the other rules." required:"" type:"existingdir"`
	Orders string `arg:"" optional:"" help:"File of orders; else those here." type:"existingfile"`
}

// Run prints for which orders the other rules say something else, one a line as JSON.
func (c *policySimulateCmd) Run(p *process) (err error) {
	now, err := c.open(p)
	if err != nil {
		return err
	}
	other := c.policyFlags
	other.Rules = c.Than
	then, err := other.open(p)
	if err != nil {
		return err
	}
	differ, e := 0, json.NewEncoder(p.out)
	say := func(d policy.Difference) error {
		differ++
		return e.Encode(d)
	}
	n := 0
	if c.Orders != "" {
		n, err = c.file(now, then, say)
	} else {
		n, err = c.past(p, now, then, say)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.err, "%d of %d orders differ\n", differ, n)
	return err
}

// file compares by the orders of a file.
func (c *policySimulateCmd) file(
	now, then *policy.Policy, say func(policy.Difference) error,
) (n int, err error) {
	f, err := os.Open(c.Orders)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if n, err = now.Simulate(then, f, say); err != nil {
		err = fmt.Errorf("%s: %w", c.Orders, err)
	}
	return n, err
}

// past compares by the orders that came to this server.
func (c *policySimulateCmd) past(
	p *process, now, then *policy.Policy, say func(policy.Difference) error,
) (n int, err error) {
	err = p.tool(c.Data, func(x *node.Node) error {
		return x.Orders.Requests(p.ctx, func(r policy.Request) error {
			n++
			d, err := now.Compare(then, r)
			if err == nil && len(d.Changed) > 0 {
				err = say(d)
			}
			return err
		})
	})
	return n, err
}

// policyImportCmd takes an index of countries in.
type policyImportCmd struct {
	Data    string  `help:"The server's data directory." placeholder:"DIR"`
	Of      string  `help:"What it measures." enum:"rule-of-law,press-freedom" required:""`
	Name    string  `help:"What its makers call it." required:""`
	Source  string  `help:"Where it can be read." required:""`
	Licence string  `help:"By what licence it may be used." required:""`
	Country string  `help:"Column with codes of ISO 3166-1." default:"country_text_id"`
	Year    string  `help:"Column with years; empty if there is none." default:"year"`
	Fixed   int     `help:"Year of all rows, where no column has it."`
	Value   string  `help:"Column with values." required:""`
	Worst   float64 `help:"The worst value of the scale." default:"0"`
	Best    float64 `help:"The best value of the scale." default:"1"`
	File    string  `arg:"" help:"Table of the index (CSV with headings)." type:"existingfile"`
}

// Run takes the newest value of each country in; what was imported of the same kind is replaced.
func (c *policyImportCmd) Run(p *process) (err error) {
	cfg, err := policyFlags{Data: c.Data}.settings(p)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	values, err := country.ReadCSV(f, country.Columns{
		Country: c.Country, Year: c.Year, Value: c.Value, Worst: c.Worst, Best: c.Best,
		Fixed: c.Fixed,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	all, err := country.LoadSeries(cfg.Policy.Indices)
	if err != nil {
		return err
	}
	of := country.Subject(c.Of)
	all = slices.DeleteFunc(all, func(s country.Series) bool { return s.Of == of })
	all = append(all, country.Series{
		Of: of, Name: c.Name, Source: c.Source, Licence: c.Licence, Values: values,
	})
	text, err := country.WriteSeries(all)
	if err != nil {
		return err
	}
	if err := replace(cfg.Policy.Indices, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "%d countries; %s\n", len(values), cfg.Policy.Indices)
	return err
}

// replace writes a file so that a reader sees the old one or the new one, whole.
func replace(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), strings.TrimSuffix(filepath.Base(name), ".toml"))
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
