package mailroom

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
)

// urgent tells whether a mail cannot wait. What its words say is not looked at: no list of words
// knows a danger in every language, and whoever relies on one that does not is not helped. The
// address that it came to and its fields are certain.
func (a *arrival) urgent() bool {
	if a.byMachine() {
		return false
	}
	if a.in.Door == instrument.EmergencyDoor || slices.ContainsFunc(a.typed, rings) {
		return true
	}
	who, ok := asked(a.m.text)
	return ok && who.what == instrument.Danger
}

// rings tells whether an order says that it is about a life, or has an hour.
func rings(d order.Document) bool {
	return d.Urgency == instrument.Life || d.Instrument == instrument.Removal ||
		d.Instrument == instrument.Emergency
}

// ring wakes somebody for a mail that cannot wait, as it is stored. The same mail again rings the
// bell that it rang before.
func (a *arrival) ring(ctx context.Context) error {
	if !a.Rings {
		return nil
	}
	err := a.Wake(ctx, oncall.Emergency{
		Key: oncall.Bell(oncall.Mail, time.Unix(a.row.At, 0)), Kind: oncall.Mail,
		About: oncall.About{Path: fmt.Sprintf("/mails/%d/%d", a.row.Agency, a.row.ID)},
	})
	if err != nil {
		return fmt.Errorf("mailroom: %w", err)
	}
	return nil
}

// danger is what the sender of a mail is told of dangers to life: that somebody is called because
// of it, or what calls somebody; "" where nobody is on call.
func (s *Service) danger(lang string, k kept) string {
	switch {
	case !s.Awake():
		return ""
	case k.Rings:
		return s.text(lang, "rings")
	default:
		return s.text(lang, "danger", s.URL+"/contact/write?purpose=danger&lang="+lang)
	}
}
