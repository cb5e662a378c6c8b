package console

import (
	"reflect"
	"testing"

	"parley/internal/safety/order"
)

// TestEveryFieldIsShown fills each field of an order alone: the page of the order says something of
// each, but for those that it has a place of their own for.
func TestEveryFieldIsShown(t *testing.T) {
	elsewhere := map[string]string{
		"Instrument": "the heading", "Items": "the list of items", "Attached": "the list of papers",
		"Keywords": "beside its category",
	}
	d := reflect.TypeFor[order.Document]()
	for i := range d.NumField() {
		x := reflect.New(d).Elem()
		f := x.Field(i)
		switch f.Kind() {
		case reflect.String:
			f.SetString("text")
		case reflect.Int, reflect.Int64:
			f.SetInt(1)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
			if f.Index(0).Kind() == reflect.String {
				f.Index(0).SetString("text")
			}
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
			f.Elem().Field(0).SetString("text")
		default:
			t.Fatalf("%s is a %s", d.Field(i).Name, f.Kind())
		}
		shown := len(orderFields(x.Interface().(order.Document))) > 0
		if _, own := elsewhere[d.Field(i).Name]; shown == own {
			t.Errorf("%s: shown %t", d.Field(i).Name, shown)
		}
	}
}
