package disclose

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"parley/internal/tlog/verify"
)

// formFile is the name of a form of a period in the directory of its kind: FROM.TO.EXTENSION.
var formFile = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})\.(\d{4}-\d{2}-\d{2})\.(csv|json|xlsx|zip)$`)

// Forms reads the forms that laws prescribe and the operator has filled in for periods:
// NAME/FROM.TO.EXTENSION below a directory. A file that is changed later is published as a
// correction: it is another document of the same name and period. Files whose names begin with a
// dot are being written.
//
// Implementing Regulation (EU) 2024/2835, Annex II: all versions stay public
func Forms(dir string) (out []Document, err error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("disclose: forms: %w", err)
	}
	for _, name := range names {
		if !name.IsDir() || !ruleName.MatchString(name.Name()) {
			return nil, fmt.Errorf("%w: %s is no directory of a form", ErrDocument, name.Name())
		}
		files, err := os.ReadDir(filepath.Join(dir, name.Name()))
		if err != nil {
			return nil, fmt.Errorf("disclose: forms: %w", err)
		}
		for _, f := range files {
			if strings.HasPrefix(f.Name(), ".") { // it is being written
				continue
			}
			d, err := form(dir, name.Name(), f.Name())
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// form reads one form of a period.
func form(dir, name, file string) (d Document, err error) {
	m := formFile.FindStringSubmatch(file)
	if m == nil {
		return d, fmt.Errorf("%w: %s/%s is not named FROM.TO.csv, json, xlsx or zip",
			ErrDocument, name, file)
	}
	var days [2]time.Time
	for i := range days {
		if days[i], err = time.Parse(time.DateOnly, m[1+i]); err != nil {
			return d, fmt.Errorf("%w: %s/%s: there is no such day", ErrDocument, name, file)
		}
	}
	if days[1].Before(days[0]) {
		return d, fmt.Errorf("%w: %s/%s ends before it begins", ErrDocument, name, file)
	}
	d = Document{Name: verify.FormPrefix + name + "-" + m[3], Day: m[1], Ends: m[2]}
	info, err := os.Stat(filepath.Join(dir, name, file))
	if err != nil {
		return d, fmt.Errorf("disclose: forms: %w", err)
	}
	if info.Size() > verify.DocumentMost {
		return d, fmt.Errorf("%w: %s/%s is too large", ErrDocument, name, file)
	}
	if d.Body, err = os.ReadFile(filepath.Join(dir, name, file)); err != nil {
		return d, fmt.Errorf("disclose: forms: %w", err)
	}
	return d, nil
}
