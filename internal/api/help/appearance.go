package help

import (
	"strings"
	"time"
	// The zones must be known on machines without a zone database too.
	_ "time/tzdata"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
)

// builtInColors is how many colours of names every client has built in.
//
// https://core.telegram.org/api/colors
const builtInColors = 7

// colors offers the colours that clients draw by themselves, by id alone.
func (h *Handlers) colors(
	_ *api.Call, req *tg.HelpGetPeerColorsRequest,
) (tg.HelpPeerColorsClass, error) {
	if req.Hash == builtInColors {
		return &tg.HelpPeerColorsNotModified{}, nil
	}
	out := &tg.HelpPeerColors{Hash: builtInColors}
	for id := range builtInColors {
		out.Colors = append(out.Colors, tg.HelpPeerColorOption{ColorID: id})
	}
	return out, nil
}

// profileColors is empty: clients have none built in.
func (h *Handlers) profileColors(
	_ *api.Call, req *tg.HelpGetPeerProfileColorsRequest,
) (tg.HelpPeerColorsClass, error) {
	const none = 1
	if req.Hash == none {
		return &tg.HelpPeerColorsNotModified{}, nil
	}
	return &tg.HelpPeerColors{Hash: none}, nil
}

// zones are names of the zone database, one or more for each offset in use.
//
// https://www.iana.org/time-zones
const zones = `Pacific/Pago_Pago Pacific/Honolulu Pacific/Marquesas America/Anchorage
America/Los_Angeles America/Tijuana America/Phoenix America/Denver America/Mexico_City
America/Chicago America/Regina America/Costa_Rica America/Bogota America/Lima America/New_York
America/Toronto America/Havana America/Caracas America/La_Paz America/Santiago America/Halifax
America/St_Johns America/Sao_Paulo America/Argentina/Buenos_Aires America/Montevideo America/Nuuk
America/Noronha Atlantic/Azores Atlantic/Cape_Verde UTC Atlantic/Reykjavik Africa/Casablanca
Africa/Accra Africa/Dakar Europe/Lisbon Europe/Dublin Europe/London Africa/Lagos Africa/Algiers
Africa/Tunis Europe/Amsterdam Europe/Belgrade Europe/Berlin Europe/Brussels Europe/Budapest
Europe/Copenhagen Europe/Madrid Europe/Oslo Europe/Paris Europe/Prague Europe/Rome
Europe/Stockholm Europe/Vienna Europe/Warsaw Europe/Zurich Africa/Cairo Africa/Johannesburg
Africa/Khartoum Africa/Tripoli Asia/Beirut Asia/Jerusalem Europe/Athens Europe/Bucharest
Europe/Chisinau Europe/Helsinki Europe/Kyiv Europe/Riga Europe/Sofia Europe/Tallinn Europe/Vilnius
Africa/Addis_Ababa Africa/Nairobi Asia/Baghdad Asia/Riyadh Europe/Istanbul Europe/Minsk
Europe/Moscow Asia/Tehran Asia/Baku Asia/Dubai Asia/Tbilisi Asia/Yerevan Europe/Samara Asia/Kabul
Asia/Almaty Asia/Karachi Asia/Tashkent Asia/Yekaterinburg Asia/Colombo Asia/Kolkata
Asia/Kathmandu Asia/Dhaka Asia/Bishkek Asia/Omsk Asia/Yangon Asia/Bangkok Asia/Ho_Chi_Minh
Asia/Jakarta Asia/Novosibirsk Asia/Hong_Kong Asia/Irkutsk Asia/Kuala_Lumpur Asia/Manila
Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Ulaanbaatar Australia/Perth Australia/Eucla
Asia/Seoul Asia/Tokyo Asia/Yakutsk Australia/Adelaide Australia/Darwin Asia/Vladivostok
Australia/Brisbane Australia/Sydney Pacific/Port_Moresby Australia/Lord_Howe Asia/Magadan
Pacific/Noumea Asia/Kamchatka Pacific/Auckland Pacific/Fiji Pacific/Chatham Pacific/Apia
Pacific/Tongatapu Pacific/Kiritimati`

// timezones lists time zones with their offset as it is now.
//
// https://core.telegram.org/method/help.getTimezonesList
func (h *Handlers) timezones(
	c *api.Call, req *tg.HelpGetTimezonesListRequest,
) (tg.HelpTimezonesListClass, error) {
	out := &tg.HelpTimezonesList{}
	for _, id := range strings.Fields(zones) {
		zone, err := time.LoadLocation(id)
		if err != nil {
			continue
		}
		_, offset := c.Now.In(zone).Zone()
		city := id[strings.LastIndexByte(id, '/')+1:]
		out.Timezones = append(out.Timezones, tg.Timezone{
			ID: id, Name: strings.ReplaceAll(city, "_", " "), UtcOffset: offset,
		})
	}
	var b bin.Buffer
	if err := out.Encode(&b); err != nil {
		return nil, err
	}
	out.Hash = digest(b.Buf)
	if req.Hash == out.Hash {
		return &tg.HelpTimezonesListNotModified{}, nil
	}
	return out, nil
}
