package policy

import (
	"os"

	"parley/internal/safety/country"
)

// Options say from where a policy is read.
type Options struct {
	// Rules is a folder with files of rules; empty means those that the program comes with.
	Rules string
	// Indices is the file of imported indices; it may be missing.
	Indices string
	// Home is the country in which the service is established; empty if that was not said.
	Home country.Code
}

// Open reads a policy as an operator has set it up. What is wrong with its rules comes as Problems.
func Open(o Options) (*Policy, error) {
	countries, err := country.Builtin()
	if err != nil {
		return nil, err
	}
	if o.Indices != "" {
		series, err := country.LoadSeries(o.Indices)
		if err != nil {
			return nil, err
		}
		for _, s := range series {
			countries = countries.Measured(s)
		}
	}
	folder := Rules()
	if o.Rules != "" {
		folder = os.DirFS(o.Rules)
	}
	return Load(folder, countries.At(o.Home))
}
