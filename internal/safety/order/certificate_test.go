package order_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
)

const certificate = `<?xml version="1.0" encoding="UTF-8"?>
<EPOC xmlns="http://data.europa.eu/edm/1/ns/epoc"><Addressee>the service</Addressee>
<Deadline>EightHours</Deadline><DelayInformingUser>true</DelayInformingUser>
<Subject><InternationalE164>+4930901820</InternationalE164></Subject>
<Subject><ServiceAccessIdentifier>the_author</ServiceAccessIdentifier></Subject>
<Subject><ServiceAccessIdentifier>1001</ServiceAccessIdentifier></Subject>
<Subject><IMEI>490154203237518</IMEI></Subject>
<RequestType>SubscriberDataAndUserIdentifyingData</RequestType></EPOC>`

func TestCertificateInXML(t *testing.T) {
	d, unread, err := order.FromXML(strings.NewReader(certificate), instrument.Production)
	if err != nil {
		t.Fatal(err)
	}
	want := order.Document{
		Instrument: instrument.Production, Action: policy.Disclose, Urgency: instrument.Life,
		Bar: &order.Bar{Basis: "Regulation (EU) 2023/1543, Art. 13"},
		Accounts: []order.Identifier{
			{Type: "phone", Value: "+4930901820"}, {Type: "username", Value: "the_author"},
			{Type: "id", Value: "1001"}, {Type: "imei", Value: "490154203237518"},
		},
		Data: []policy.Data{policy.Subscriber, policy.LastLogin},
	}
	if !reflect.DeepEqual(d, want) || !slices.Equal(unread, []string{"Addressee"}) {
		t.Errorf("%+v, unread %v", d, unread)
	}
}

// TestHostileXML has none of what makes XML dangerous read.
func TestHostileXML(t *testing.T) {
	bomb := `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>`
	for what, text := range map[string]string{
		"nothing":          "",
		"no XML":           "%PDF-1.7",
		"another language": `<html xmlns="http://www.w3.org/1999/xhtml"/>`,
		"document type":    strings.Replace(certificate, "<EPOC", bomb+"<EPOC", 1),
		"external entity": strings.Replace(certificate, "<EPOC",
			`<!DOCTYPE x SYSTEM "file:///etc/passwd"><EPOC`, 1),
		"unknown entity": strings.Replace(certificate, "the service", "&xxe;", 1),
		"not closed":     strings.Replace(certificate, "</EPOC>", "", 1),
		"deep":           strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"wide": strings.Replace(certificate, "<Deadline>",
			strings.Repeat("<IMEI>1</IMEI>", 20_000)+"<Deadline>", 1),
		"long": strings.Replace(certificate, "the service", strings.Repeat("x", 2<<20), 1),
	} {
		if _, _, err := order.FromXML(strings.NewReader(text), instrument.Production); !errors.Is(
			err, order.ErrXML) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzFromXML(f *testing.F) {
	f.Add(certificate)
	f.Fuzz(func(t *testing.T, text string) {
		_, _, err := order.FromXML(strings.NewReader(text), instrument.Preservation)
		if err != nil && !errors.Is(err, order.ErrXML) {
			t.Error(err)
		}
	})
}
