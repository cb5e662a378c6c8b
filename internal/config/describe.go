package config

import (
	"bytes"
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"strings"
)

// sources are the files whose comments document the settings: config.go, and a file for each
// section that has one of its own.
//
//go:embed config.go duties.go hotline.go mailin.go oncall.go
var sources embed.FS

// Setting describes one setting to an operator.
type Setting struct {
	// Key is its name in a file, such as web.listen.
	Key string
	// Env is the environment variable that sets it.
	Env string
	// Flag is the flag that sets it, with dashes, or empty.
	Flag string
	// Default is its default as it is written in a file.
	Default string
	// Doc says what it is for, in one paragraph of unbroken lines.
	Doc string
}

// Describe lists all settings in the order of WriteDefault.
func Describe() ([]Setting, error) {
	docs, err := readDocs()
	if err != nil {
		return nil, err
	}
	defaults := Default()
	var settings []Setting
	for _, f := range fieldsOf(&defaults) {
		setting := Setting{Key: f.key, Env: f.env(), Default: f.format()}
		if f.flag != "" {
			setting.Flag = "--" + f.flag
		}
		_, name := cutSection(f.key)
		setting.Doc = renamed(docs[f.owner+"."+f.name], f.name, name)
		settings = append(settings, setting)
	}
	return settings, nil
}

// WriteDefault writes the default configuration as an annotated TOML file, which Load accepts.
func WriteDefault(w io.Writer) error {
	settings, err := Describe()
	if err != nil {
		return err
	}
	docs, err := readDocs()
	if err != nil {
		return err
	}
	sectionDocs := make(map[string]string)
	for name, doc := range docs {
		if goName, ok := strings.CutPrefix(name, "Config."); ok {
			sectionDocs[strings.ToLower(goName)] = renamed(doc, goName, strings.ToLower(goName))
		}
	}
	var out bytes.Buffer
	out.WriteString("# Parley's configuration with every setting at its default.\n")
	current := ""
	for _, setting := range settings {
		section, name := cutSection(setting.Key)
		if section != current {
			fmt.Fprintf(&out, "\n%s[%s]\n", comment(sectionDocs[section]), section)
			current = section
		}
		fmt.Fprintf(&out, "\n%s", comment(setting.Doc))
		fmt.Fprintf(&out, "# Environment: %s", setting.Env)
		if setting.Flag != "" {
			fmt.Fprintf(&out, ". Flag: %s", setting.Flag)
		}
		fmt.Fprintf(&out, ".\n%s = %s\n", name, setting.Default)
	}
	_, err = w.Write(out.Bytes())
	return err
}

func cutSection(key string) (section, name string) {
	section, name, ok := strings.Cut(key, ".")
	if !ok {
		return "", key
	}
	return section, name
}

// readDocs returns the comment of each field in the sources, by "Type.Field", as one long line.
func readDocs() (map[string]string, error) {
	files, err := sources.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("reading the settings' comments: %w", err)
	}
	docs := make(map[string]string)
	for _, f := range files {
		text, err := sources.ReadFile(f.Name())
		if err == nil {
			err = readComments(docs, f.Name(), text)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the settings' comments: %w", err)
		}
	}
	return docs, nil
}

// readComments adds the comments of the fields in a file.
func readComments(docs map[string]string, name string, text []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		types, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range types.Specs {
			declared, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			structure, ok := declared.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range structure.Fields.List {
				doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
				docs[declared.Name.Name+"."+f.Names[0].Name] = doc
			}
		}
	}
	return nil
}

// renamed returns a Go comment with the Go name that begins it replaced by the setting's name.
func renamed(doc, goName, name string) string {
	if rest, ok := strings.CutPrefix(doc, goName+" "); ok {
		return name + " " + rest
	}
	return doc
}

// commentWidth is the longest line of a comment in the file, in characters.
const commentWidth = 96

// comment breaks text into lines that begin with a number sign.
func comment(text string) string {
	var out strings.Builder
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > commentWidth {
			out.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return out.String() + line + "\n"
}
