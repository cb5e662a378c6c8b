package euform

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// WriteXLSX writes all parts as one workbook, a sheet each. Counts and times are numbers in it.
func (r Report) WriteXLSX(w io.Writer) (err error) {
	book := excelize.NewFile()
	defer func() {
		if cerr := book.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("euform: workbook: %w", cerr)
		}
	}()
	for i, part := range r.Parts {
		if err := sheet(book, SheetName(i+1, part.Name), part.Rows); err != nil {
			return fmt.Errorf("euform: workbook: %w", err)
		}
	}
	if err := book.DeleteSheet("Sheet1"); err != nil {
		return fmt.Errorf("euform: workbook: %w", err)
	}
	if err := book.Write(w); err != nil {
		return fmt.Errorf("euform: workbook: %w", err)
	}
	return nil
}

// sheetMost bounds the name of a sheet in characters.
const sheetMost = 31

// SheetName is the name of a part's sheet: its number and its name.
func SheetName(n int, file string) string {
	_, name, _ := strings.Cut(strings.TrimSuffix(file, ".csv"), "_Part_")
	_, name, _ = strings.Cut(name, "_")
	name = fmt.Sprintf("%d %s", n, strings.ReplaceAll(name, "_", " "))
	return name[:min(len(name), sheetMost)]
}

func sheet(book *excelize.File, name string, rows [][]string) error {
	if _, err := book.NewSheet(name); err != nil {
		return err
	}
	out, err := book.NewStreamWriter(name)
	if err != nil {
		return err
	}
	for i, row := range rows {
		cells := make([]any, len(row))
		for k, cell := range row {
			cells[k] = cell
			// A number that is written as one reads back as it was.
			if x, err := strconv.ParseInt(cell, 10, 64); err == nil {
				cells[k] = x
			} else if x, err := strconv.ParseFloat(cell, 64); err == nil &&
				strings.Trim(cell, "0123456789.") == "" {
				cells[k] = x
			}
		}
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	return out.Flush()
}
