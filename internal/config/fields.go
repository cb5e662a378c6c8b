package config

import (
	"encoding"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// envPrefix begins the name of every environment variable that is a setting.
const envPrefix = "PARLEY_"

// field is one setting: where it stands in the struct and what it is called outside.
type field struct {
	key   string // section.name as in the file, or name at the top
	owner string // Go type that declares it
	name  string // Go name
	flag  string // flag without dashes, or empty
	value reflect.Value
}

// env returns the name of the environment variable for the field.
func (f field) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_"))
}

// fieldsOf lists the settings of c in the order of declaration. Setting a listed value sets c.
func fieldsOf(c *Config) []field { return appendFields(nil, reflect.ValueOf(c).Elem(), "") }

func appendFields(fields []field, holder reflect.Value, section string) []field {
	typ := holder.Type()
	for i := range typ.NumField() {
		declared, value := typ.Field(i), holder.Field(i)
		key := declared.Tag.Get("toml")
		if isSection(value) {
			fields = appendFields(fields, value, key+".")
			continue
		}
		fields = append(fields, field{
			key:   section + key,
			owner: typ.Name(),
			name:  declared.Name,
			flag:  declared.Tag.Get("flag"),
			value: value,
		})
	}
	return fields
}

func isSection(value reflect.Value) bool {
	_, isText := value.Addr().Interface().(encoding.TextUnmarshaler)
	return value.Kind() == reflect.Struct && !isText
}

// Reasons why a text does not fit a field.
var (
	errNotBool = errors.New("must be true or false")
	errNotInt  = errors.New("must be a whole number")
	errOneOnly = errors.New("must be a single value, not a list")
)

// setText sets the field from the one text that an environment variable or flag has. Elements of a
// list are separated by commas.
func (f field) setText(text string) error {
	if f.value.Kind() != reflect.Slice {
		return f.setList([]string{text})
	}
	var list []string
	for element := range strings.SplitSeq(text, ",") {
		if element = strings.TrimSpace(element); element != "" {
			list = append(list, element)
		}
	}
	return f.setList(list)
}

// setList sets the field from texts: exactly one unless the field is a list. The field is unchanged
// when it returns an error.
func (f field) setList(texts []string) error {
	if f.value.Kind() != reflect.Slice {
		if len(texts) != 1 {
			return errOneOnly
		}
		return setOne(f.value, texts[0])
	}
	list := reflect.MakeSlice(f.value.Type(), len(texts), len(texts))
	for i, text := range texts {
		if err := setOne(list.Index(i), text); err != nil {
			return err
		}
	}
	f.value.Set(list)
	return nil
}

func setOne(value reflect.Value, text string) error {
	if target, ok := value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return target.UnmarshalText([]byte(text))
	}
	switch value.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errNotBool
		}
		value.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(strings.ReplaceAll(text, "_", ""))
		if err != nil {
			return errNotInt
		}
		value.SetInt(int64(n))
	default:
		value.SetString(text)
	}
	return nil
}

// bare reports whether the field's values are written without quotes in a file.
func (f field) bare() bool {
	kind := f.value.Kind()
	_, isText := f.value.Addr().Interface().(encoding.TextUnmarshaler)
	return !isText && (kind == reflect.Bool || kind == reflect.Int)
}

// format returns the field's value as it is written in a file.
func (f field) format() string {
	if f.value.Kind() != reflect.Slice {
		return formatOne(f.value, f.bare())
	}
	elements := make([]string, f.value.Len())
	for i := range elements {
		elements[i] = formatOne(f.value.Index(i), false)
	}
	return "[" + strings.Join(elements, ", ") + "]"
}

func formatOne(value reflect.Value, bare bool) string {
	var text string
	switch v := value.Interface().(type) {
	case Secret:
		text = v.Reveal()
	case bool:
		text = strconv.FormatBool(v)
	case int:
		text = strconv.Itoa(v)
	case interface{ String() string }:
		text = v.String()
	default:
		text = value.String()
	}
	if bare {
		return text
	}
	return strconv.Quote(text)
}
