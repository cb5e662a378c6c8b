package config

import (
	"errors"
	"net/mail"
	"strconv"
	"strings"
)

// OnCall is section [oncall].
type OnCall struct {
	// People are those who are called, each as LEVEL; NAME; WAYS. Level 1 is called first. A way is
	// mail:ADDRESS, chat:@USERNAME or chat:+NUMBER for an account of this service, or hook:URL for
	// a program, which gets a signed POST. Example: "1; Night desk; mail:desk@example.org;
	// chat:@desk; hook:https://pager.example.org/parley". Nobody here means that an emergency is in
	// the console and the log alone.
	People []Callee `toml:"people"`

	// Wait is how long a level has to confirm until the next one is called. After the last level
	// all of them are called again, each time after as long.
	Wait Duration `toml:"wait"`

	// Secret signs what is posted to hooks, so that the program can tell that it came from this
	// server. At least 16 characters.
	Secret Secret `toml:"secret"`

	// Lang is the language of the calls, one of the languages of the pages.
	Lang string `toml:"lang"`
}

// Callee is somebody who is called in an emergency. As text it is LEVEL; NAME; WAYS.
type Callee struct {
	// Level is when he is called, 1 for the first.
	Level int
	Name  string
	// Mail, Chat and Hook are the ways, empty for none.
	Mail, Chat, Hook string
}

// mostLevels bounds the levels.
const mostLevels = 9

// errCallee says what somebody on call looks like.
var errCallee = errors.New(`must look like "1; Night desk; mail:desk@example.org; chat:@desk"`)

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Callee) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if len(parts) < 3 || parts[1] == "" {
		return errCallee
	}
	level, err := strconv.Atoi(parts[0])
	if err != nil || level < 1 || level > mostLevels {
		return errCallee
	}
	out := Callee{Level: level, Name: parts[1]}
	for _, way := range parts[2:] {
		of, to, _ := strings.Cut(way, ":")
		at := map[string]*string{"mail": &out.Mail, "chat": &out.Chat, "hook": &out.Hook}[of]
		if at == nil || *at != "" || to == "" {
			return errCallee
		}
		*at = to
	}
	if out.Mail != "" {
		if a, err := mail.ParseAddress(out.Mail); err != nil || a.Address != out.Mail {
			return errCallee
		}
	}
	if out.Chat != "" && out.Chat[0] != '@' && out.Chat[0] != '+' {
		return errCallee
	}
	*c = out
	return nil
}

// String is how the callee is written in a file.
func (c Callee) String() string {
	out := strconv.Itoa(c.Level) + "; " + c.Name
	for _, way := range [][2]string{{"mail", c.Mail}, {"chat", c.Chat}, {"hook", c.Hook}} {
		if way[1] != "" {
			out += "; " + way[0] + ":" + way[1]
		}
	}
	return out
}

// MarshalText implements encoding.TextMarshaler.
func (c Callee) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// checkOnCall does not show the secret.
func (l *loader) checkOnCall() {
	c := l.config.OnCall
	if c.Wait <= 0 {
		l.problem("oncall.wait", "must be positive, such as \"10m\"")
	}
	names := make(map[string]bool)
	for _, p := range c.People {
		if names[p.Name] {
			l.problem("oncall.people", "%q is there twice", p.Name)
		}
		names[p.Name] = true
		if p.Mail != "" && l.config.SMTP.Server == "" {
			l.problem("oncall.people", "%q is called by mail, and smtp.server is not set", p.Name)
		}
		if p.Hook == "" {
			continue
		}
		if !isPrivate(p.Hook) {
			l.problem("oncall.people",
				"the hook of %q must be an https:// address, or an http:// one on loopback", p.Name)
		}
		if len(c.Secret) < minWebhookSecret {
			l.problem("oncall.secret", "must have at least %d characters, because there are hooks",
				minWebhookSecret)
		}
	}
}
