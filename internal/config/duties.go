package config

import (
	"errors"
	"net/mail"
	"strings"
)

// Crime is section [crime].
type Crime struct {
	// Authorities are who is told of a suspicion of a crime that threatens life or safety (DSA Art.
	// 18), each as CODE; WAY. The code is a Member State's or EUROPOL. A way is mail:ADDRESS with
	// key:FILE behind it, a file with the age recipients or the OpenPGP key to which what is known
	// is encrypted; or hook:URL for a program, which gets a signed POST. Examples:
	// "DE; mail:desk@example.org; key:/etc/parley/de.asc" and
	// "EUROPOL; hook:https://example.org/parley". Nobody here means that staff cannot send any.
	Authorities []Authority `toml:"authorities"`

	// Secret signs what is posted to programs. At least 16 characters.
	Secret Secret `toml:"secret"`
}

// Authority is who is told of suspicions. As text it is CODE; WAY; key:FILE.
type Authority struct {
	// Code is a Member State's, or EUROPOL.
	Code string
	// Mail or Hook is the way, Key the file with the key of the mail's readers.
	Mail, Hook, Key string
}

// errAuthority says what an authority looks like.
var errAuthority = errors.New(
	`must look like "DE; mail:desk@example.org; key:FILE" or "EUROPOL; hook:https://example.org"`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Authority) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ";")
	out := Authority{Code: strings.TrimSpace(parts[0])}
	if out.Code != "EUROPOL" && !isCountry(out.Code) {
		return errAuthority
	}
	for _, way := range parts[1:] {
		of, to, _ := strings.Cut(strings.TrimSpace(way), ":")
		at := map[string]*string{"mail": &out.Mail, "hook": &out.Hook, "key": &out.Key}[of]
		if at == nil || *at != "" || to == "" {
			return errAuthority
		}
		*at = to
	}
	if (out.Mail == "") == (out.Hook == "") || (out.Mail == "") != (out.Key == "") {
		return errAuthority
	}
	if out.Mail != "" {
		if m, err := mail.ParseAddress(out.Mail); err != nil || m.Address != out.Mail {
			return errAuthority
		}
	}
	*a = out
	return nil
}

// isCountry tells whether something looks like a code of ISO 3166.
func isCountry(s string) bool {
	return len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// String is how the authority is written in a file.
func (a Authority) String() string {
	s := a.Code
	for _, w := range []struct{ of, to string }{
		{"mail", a.Mail}, {"hook", a.Hook}, {"key", a.Key},
	} {
		if w.to != "" {
			s += "; " + w.of + ":" + w.to
		}
	}
	return s
}

// MarshalText implements encoding.TextMarshaler.
func (a Authority) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// checkCrime does not show the secret.
func (l *loader) checkCrime() {
	for _, a := range l.config.Crime.Authorities {
		if a.Hook == "" {
			continue
		}
		if !isPrivate(a.Hook) {
			l.problem("crime.authorities", "%s: must be an https:// address", a.Code)
		}
		if len(l.config.Crime.Secret) < minWebhookSecret {
			l.problem("crime.secret", "must have at least %d characters", minWebhookSecret)
		}
	}
}

// CyberTip is section [cybertip].
type CyberTip struct {
	// Mode is "dry" to write reports on the abuse of children down and send nothing, "send" to send
	// those that staff send to the NCMEC's CyberTipline, "off" to do neither. Reports wait while
	// nothing is sent. Sending needs a registration as a provider.
	Mode DSAMode `toml:"mode"`

	// Required says that the operator is subject to 18 U.S.C. 2258A: then staff decide no case of
	// the abuse of a child without a report or a reason why there is none.
	Required bool `toml:"required"`

	// Directory is where a dry run writes a file a report. Empty means cybertip in the data
	// directory.
	Directory string `toml:"directory"`

	// URL is the address of the interface, such as "https://exttest.cybertip.org/ispws" for tests.
	// It must be https, or http on loopback.
	URL string `toml:"url"`

	// User is the name that the CyberTipline gave.
	User string `toml:"user"`

	// Password is the password that goes with it. Everybody who has it can report in its name.
	Password Secret `toml:"password"`

	// First is the first name of who is responsible for reports.
	First string `toml:"first"`

	// Last is the last name of who is responsible for reports.
	Last string `toml:"last"`

	// Mail is the address at which who is responsible is reached.
	Mail string `toml:"mail"`

	// Legal is the https address that tells how legal process reaches the operator.
	Legal string `toml:"legal"`
}

// checkCyberTip does not show the password.
func (l *loader) checkCyberTip() {
	c := l.config.CyberTip
	if c.URL != "" && !isPrivate(c.URL) {
		l.problem("cybertip.url", "must be an https:// address, or an http:// one on loopback")
	}
	if c.Required && c.Mode == DSAOff {
		l.problem("cybertip.mode", `must not be "off", because cybertip.required is set`)
	}
	if c.Mode != DSASend {
		return
	}
	for _, x := range []struct{ key, value string }{
		{"cybertip.url", c.URL}, {"cybertip.user", c.User},
		{"cybertip.password", string(c.Password)}, {"cybertip.mail", c.Mail},
	} {
		if x.value == "" {
			l.problem(x.key, `must be set, because cybertip.mode is "send"`)
		}
	}
}
