package api

import (
	"reflect"
	"unicode/utf8"
)

// legible tells whether all texts of a decoded request are UTF-8, as the API wants them. It is
// asked once at the door: what is stored with a text that is not could never be read again, neither
// by who sent it nor by whoever got it.
func legible(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || legible(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if !legible(v.Field(i)) {
				return false
			}
		}
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.String, reflect.Struct, reflect.Interface, reflect.Pointer, reflect.Slice:
		default:
			return true
		}
		for i := range v.Len() {
			if !legible(v.Index(i)) {
				return false
			}
		}
	}
	return true
}
