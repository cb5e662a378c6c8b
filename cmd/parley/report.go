package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"parley/internal/node"
	"parley/internal/safety/euform"
)

// reportCmd writes reports that laws prescribe.
type reportCmd struct {
	EU euReportCmd `cmd:"" name:"eu" help:"The report of Regulation (EU) 2024/2835: CSV and XLSX."`

	TCO      tcoReportCmd      `cmd:"" name:"tco" help:"Regulation (EU) 2021/784, Art. 7."`
	Evidence evidenceReportCmd `cmd:"" help:"Regulation (EU) 2023/1543, Art. 28."`
	Orders   ordersReportCmd   `cmd:"" help:"Orders of authorities, redacted."`
}

// periodFlags are a period of whole days.
type periodFlags struct {
	From time.Time `help:"The first day." format:"2006-01-02" required:"" placeholder:"DAY"`
	To   time.Time `help:"The last day." format:"2006-01-02" required:"" placeholder:"DAY"`
}

// period is the period, or why it is none.
func (f periodFlags) period() (euform.Period, error) {
	if f.To.Before(f.From) {
		return euform.Period{}, errors.New("the last day is before the first")
	}
	return euform.Period{From: f.From.UTC(), To: f.To.UTC()}, nil
}

// euReportCmd writes the transparency report of Regulation (EU) 2024/2835.
type euReportCmd struct {
	periodFlags
	Data     string `help:"The server's data directory." placeholder:"DIR"`
	Operator string `help:"What no server knows (TOML)." type:"path" placeholder:"FILE"`
	Out      string `help:"Where the files go; FILE.zip for one." required:"" placeholder:"DIR"`
	Draft    bool   `help:"Write the files even if something is missing or wrong."`
}

// errReport says that the report cannot be published as it is.
var errReport = errors.New("nothing was written; --draft writes it nonetheless")

// Run writes the parts of the report and the workbook, and says what they lack.
func (c *euReportCmd) Run(p *process) error {
	period, err := c.period()
	if err != nil {
		return err
	}
	var operator euform.Operator
	if c.Operator != "" {
		b, err := os.ReadFile(c.Operator)
		if err != nil {
			return err
		}
		if operator, err = euform.ParseOperator(b); err != nil {
			return err
		}
	}
	return p.tool(c.Data, func(n *node.Node) error {
		counted, waiting, err := n.Counted(p.ctx, period)
		if err != nil {
			return err
		}
		report, err := euform.Fill(period, operator, counted)
		if err != nil {
			return err
		}
		var lacks []string
		if waiting {
			lacks = append(lacks, "some lines are not in the public log yet")
		}
		lacks = append(lacks, operator.Missing()...)
		for _, x := range euform.Check(report) {
			lacks = append(lacks, x.String())
		}
		for _, x := range lacks {
			_, _ = fmt.Fprintln(p.err, x)
		}
		if len(lacks) > 0 && !c.Draft {
			return errReport
		}
		if filepath.Ext(c.Out) == ".zip" {
			return writeFile(c.Out, report.WriteZIP)
		}
		return writeReport(c.Out, report)
	})
}

// writeReport writes the files of a report to a directory.
func writeReport(dir string, r euform.Report) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, part := range r.Parts {
		if err := writeFile(filepath.Join(dir, part.Name), part.WriteCSV); err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(dir, euform.Workbook), r.WriteXLSX)
}

// writeFile writes a file with what fn writes.
func writeFile(at string, fn func(io.Writer) error) error {
	f, err := os.Create(at)
	if err != nil {
		return err
	}
	err = fn(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
