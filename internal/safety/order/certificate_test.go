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

// certificate is a Form 1 in the XML of the European Commission.
const certificate = `<?xml version="1.0" encoding="UTF-8"?>
<f:EPOC xmlns:f="http://data.europa.eu/edm/1/ns/forms/EPOC-FORM_1#"
 xmlns="http://data.europa.eu/edm/1/ns/epoc" xmlns:eio="http://data.europa.eu/edm/1/ns/eio">
<f:SectionA><IssuingAndContactAuthority><IssuingAuthority><eio:NameOfAuthority>Parquet</eio:NameOfAuthority>
<eio:FileReference>7 Js 1/26</eio:FileReference><eio:NameOfRepresentative>A, head</eio:NameOfRepresentative>
</IssuingAuthority></IssuingAndContactAuthority></f:SectionA>
<f:SectionB><Addressee><Authority><eio:NameOfAuthority>the service</eio:NameOfAuthority></Authority></Addressee>
<EmergencyCase>1</EmergencyCase></f:SectionB>
<f:SectionC><f:DataProductionInRelationToDeadline><f:WithinTenDays>AT_THE_END_OF_TEN_DAYS</f:WithinTenDays>
</f:DataProductionInRelationToDeadline></f:SectionC>
<f:SectionE>
<Evidence><Identifier><Id>1</Id><Type>PHONE_NUMBER</Type><Value>+4930901820</Value>RANGE</Identifier>DATA</Evidence>
<Evidence><Identifier><Id>2</Id><Type>USER_ID</Type><Value>the_author</Value>RANGE</Identifier>DATA</Evidence>
<Evidence><Identifier><Id>3</Id><Type>USER_ID</Type><Value>1001</Value>RANGE</Identifier>DATA</Evidence>
<Evidence><Identifier><Id>4</Id><Type>IMEI_NUMBER</Type><Value>490154203237518</Value>RANGE</Identifier>DATA</Evidence>
</f:SectionE>
<f:SectionH><f:DelayConditions><f:Condition/></f:DelayConditions></f:SectionH>
<f:SectionI><Type>PUBLIC_PROSECUTOR</Type><SignatureOfAuthority><Date>2026-08-20+00:00</Date></SignatureOfAuthority></f:SectionI>
<f:SectionJ><Type>JUDGE</Type><Details><eio:NameOfAuthority>Tribunal</eio:NameOfAuthority></Details></f:SectionJ>
</f:EPOC>`

// request is the same by ETSI TS 103 120, about one identifier.
const request = `<HI1Message xmlns="http://uri.etsi.org/03120/common/2019/10/Core"
 xmlns:a="http://uri.etsi.org/03120/common/2020/09/Authorisation"
 xmlns:c="http://uri.etsi.org/03120/common/2016/02/Common"
 xmlns:t="http://uri.etsi.org/03120/common/2020/09/Task">
<a:AuthorisationLegalType><c:Owner>ETSI</c:Owner><c:Name>EPOCLegalType</c:Name><c:Value>EPOCPR</c:Value></a:AuthorisationLegalType>
<a:AuthorisationPriority><c:Owner>ETSI</c:Owner><c:Name>EPOCPriority</c:Name><c:Value>EightHours</c:Value></a:AuthorisationPriority>
<a:AuthorisationApprovalDetails><c:ApprovalType>IssuingAuthority</c:ApprovalType>
<c:ApprovalReference>7 Js 1/26</c:ApprovalReference><c:ApproverDetails><c:ApproverName>Parquet</c:ApproverName>
<c:ApproverRole>PublicProsecutor</c:ApproverRole></c:ApproverDetails>
<c:ApprovalTimestamp>2026-08-20T00:00:00Z</c:ApprovalTimestamp></a:AuthorisationApprovalDetails>
<a:AuthorisationApprovalDetails><c:ApprovalType>ValidatingAuthority</c:ApprovalType>
<c:ApproverDetails><c:ApproverName>Tribunal</c:ApproverName></c:ApproverDetails></a:AuthorisationApprovalDetails>
<a:AuthorisationFlags>
<a:AuthorisationFlag><c:Owner>ETSI</c:Owner><c:Name>EPOCAuthorisationFlag</c:Name><c:Value>DelayInformingUser</c:Value></a:AuthorisationFlag>
<a:AuthorisationFlag><c:Owner>ETSI</c:Owner><c:Name>EPOCAuthorisationFlag</c:Name><c:Value>EnforcingAuthorityNotified</c:Value></a:AuthorisationFlag>
</a:AuthorisationFlags>
<t:RequestDetails><t:Type><c:Owner>ETSI</c:Owner><c:Name>RequestType</c:Name><c:Value>SubscriberDataAndUserIdentifyingData</c:Value></t:Type>
<t:StartTime>2026-01-01T00:00:00Z</t:StartTime><t:EndTime>2026-02-01T00:00:00Z</t:EndTime>
<t:RequestValues><t:RequestValue><t:FormatType><t:FormatOwner>ETSI</t:FormatOwner><t:FormatName>InternationalE164</t:FormatName></t:FormatType>
<t:Value>+4930901820</t:Value></t:RequestValue></t:RequestValues></t:RequestDetails></HI1Message>`

// filled is the certificate with a time and classes of data for each identifier.
func filled(xml string) string {
	return strings.NewReplacer("RANGE", "<DateTimeRange><Start>2026-01-01T00:00:00Z</Start>"+
		"<End>2026-02-01T00:00:00Z</End></DateTimeRange>",
		"DATA", "<DataCategories><Subscriber><Option>USER_INFORMATION</Option></Subscriber>"+
			"<UserIdentification/></DataCategories>").Replace(xml)
}

func TestCertificateInXML(t *testing.T) {
	want := order.Document{
		Instrument: instrument.Production, Action: policy.Disclose, Urgency: instrument.Life,
		Number: "7 Js 1/26", Authority: "Parquet", Signed: "A, head", Validated: "Tribunal",
		Issued: 1787184000, Notified: true, From: 1767225600, To: 1769904000,
		Bar: &order.Bar{Basis: "Regulation (EU) 2023/1543, Art. 13"},
		Accounts: []order.Identifier{
			{Type: "phone", Value: "+4930901820"}, {Type: "username", Value: "the_author"},
			{Type: "id", Value: "1001"}, {Type: "imei_number", Value: "490154203237518"},
		},
		Data: []policy.Data{policy.Subscriber, policy.LastLogin},
	}
	d, unread, err := order.FromXML(strings.NewReader(filled(certificate)), instrument.Production)
	if err != nil || !reflect.DeepEqual(d, want) ||
		!slices.Equal(unread, []string{"NameOfAuthority", "Option"}) {
		t.Errorf("%+v, unread %v, %v", d, unread, err)
	}
	want.Instrument, want.Action, want.Signed = instrument.Preservation, policy.Preserve, ""
	want.Accounts = want.Accounts[:1]
	d, unread, err = order.FromXML(strings.NewReader(request), instrument.Production)
	if err != nil || !reflect.DeepEqual(d, want) || len(unread) != 0 {
		t.Errorf("%+v, unread %v, %v", d, unread, err)
	}
}

// TestCertificateOfTwo: what is asked for of one identifier is not asked for of another, and a word
// that is not known is no word.
func TestCertificateOfTwo(t *testing.T) {
	text := strings.Replace(certificate, "DATA", "<DataCategories><Content/></DataCategories>", 1)
	text = strings.Replace(text, "AT_THE_END_OF_TEN_DAYS", "SOON", 1)
	text = strings.Replace(filled(text), "2026-02-01", "2026-03-01", 1)
	d, unread, err := order.FromXML(strings.NewReader(text), instrument.Production)
	if err != nil || d.Data != nil || d.From != 0 || d.To != 0 || d.Notified ||
		len(d.Accounts) != 4 || !slices.Equal(unread, []string{
		"NameOfAuthority", "WithinTenDays", "Option", "DataCategories", "DateTimeRange",
	}) {
		t.Errorf("%+v, unread %v, %v", d, unread, err)
	}
	text = strings.ReplaceAll(filled(certificate), "EPOC-FORM_1#", "EPOC-PR-FORM-2#")
	d, _, err = order.FromXML(strings.NewReader(text), instrument.Production)
	if err != nil || d.Instrument != instrument.Preservation || d.Action != policy.Preserve {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestHostileXML has none of what makes XML dangerous read.
func TestHostileXML(t *testing.T) {
	bomb := `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>`
	for what, text := range map[string]string{
		"nothing":          "",
		"no XML":           "%PDF-1.7",
		"another language": `<html xmlns="http://www.w3.org/1999/xhtml"/>`,
		"document type":    strings.Replace(certificate, "<f:EPOC", bomb+"<f:EPOC", 1),
		"external entity": strings.Replace(certificate, "<f:EPOC",
			`<!DOCTYPE x SYSTEM "file:///etc/passwd"><f:EPOC`, 1),
		"unknown entity": strings.Replace(certificate, "the service", "&xxe;", 1),
		"not closed":     strings.Replace(certificate, "</f:EPOC>", "", 1),
		"deep":           strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"wide": strings.Replace(certificate, "<Evidence>",
			strings.Repeat("<Id>1</Id>", 20_000)+"<Evidence>", 1),
		"long": strings.Replace(certificate, "the service", strings.Repeat("x", 2<<20), 1),
	} {
		if _, _, err := order.FromXML(strings.NewReader(text), instrument.Production); !errors.Is(
			err, order.ErrXML) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzFromXML(f *testing.F) {
	f.Add(filled(certificate))
	f.Add(request)
	f.Fuzz(func(t *testing.T, text string) {
		_, _, err := order.FromXML(strings.NewReader(text), instrument.Preservation)
		if err != nil && !errors.Is(err, order.ErrXML) {
			t.Error(err)
		}
	})
}
