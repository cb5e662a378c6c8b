package euform

import (
	"archive/zip"
	"fmt"
	"io"
)

// Workbook is the name of the report as one workbook, beside its parts.
const Workbook = "transparency-report.xlsx"

// WriteZIP writes all parts and the workbook as one archive; the same report is the same bytes.
func (r Report) WriteZIP(w io.Writer) error {
	z := zip.NewWriter(w)
	add := func(name string, fn func(io.Writer) error) error {
		f, err := z.Create(name)
		if err != nil {
			return fmt.Errorf("euform: archive: %w", err)
		}
		return fn(f)
	}
	for _, part := range r.Parts {
		if err := add(part.Name, part.WriteCSV); err != nil {
			return err
		}
	}
	if err := add(Workbook, r.WriteXLSX); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("euform: archive: %w", err)
	}
	return nil
}
