package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Environment variables that begin with envPrefix and are no settings.
const (
	envFile = envPrefix + "CONFIG" // names the configuration file
	envTest = envPrefix + "TEST_"  // begins those of the tests
)

// Sources says where the configuration comes from. The zero Sources yields the defaults.
type Sources struct {
	// File is the path of a TOML file. When empty, PARLEY_CONFIG in Env may name one.
	File string
	// Env is the environment as os.Environ returns it. Variables that do not begin with PARLEY_
	// are ignored.
	Env []string
	// Flags are settings from the command line, named by flag or by key: "web" or "web.listen".
	Flags map[string]string
	// Addresses are this machine's network addresses, from which Config.Advertise is derived when
	// nothing else says it. Nil means to ask the system.
	Addresses []netip.Addr
}

// Problem is one thing that is wrong with the configuration, in the operator's words.
type Problem struct {
	// Where names the source of the setting: FILE:LINE, an environment variable or a flag. Empty
	// when the setting is a default.
	Where string
	// Key is the setting, such as web.listen. Empty when the problem belongs to no setting.
	Key string
	// Text says what is wrong and what would be right.
	Text string
}

// Error implements error.
func (p Problem) Error() string {
	parts := make([]string, 0, 3)
	for _, part := range []string{p.Where, p.Key, p.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems is the error of Load: everything that is wrong, one a line.
type Problems []Problem

// Error implements error.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// Load reads the configuration from its sources, fills what follows from the rest and checks all
// of it. The error is a Problems, complete unless a source cannot be read.
func Load(sources Sources) (Config, error) {
	l := newLoader()
	file := sources.File
	for _, variable := range sources.Env {
		if name, value, _ := strings.Cut(variable, "="); name == envFile && file == "" {
			file = value
		}
	}
	if file != "" {
		l.readFile(file)
	}
	l.readEnv(sources.Env)
	l.readFlags(sources.Flags)
	l.readSecrets()
	if len(l.problems) > 0 {
		return Config{}, l.problems
	}
	addresses := sources.Addresses
	if addresses == nil {
		addresses = systemAddresses()
	}
	l.derive(addresses)
	l.check(addresses)
	if len(l.problems) > 0 {
		return Config{}, l.problems
	}
	return *l.config, nil
}

// loader fills a configuration and remembers where each setting came from.
type loader struct {
	config   *Config
	fields   map[string]field
	byFlag   map[string]field
	where    map[string]string // key to source; absent for defaults
	problems Problems
}

func newLoader() *loader {
	config := Default()
	l := &loader{
		config: &config,
		fields: make(map[string]field),
		byFlag: make(map[string]field),
		where:  make(map[string]string),
	}
	for _, f := range fieldsOf(&config) {
		l.fields[f.key] = f
		if f.flag != "" {
			l.byFlag[f.flag] = f
		}
	}
	return l
}

// problem records that a setting is wrong. Its source is known from where it was set.
func (l *loader) problem(key, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.where[key], key, fmt.Sprintf(format, args...)})
}

// set records the source of a field and sets it.
func (l *loader) set(f field, where string, set func() error) {
	l.where[f.key] = where
	if err := set(); err != nil {
		l.problem(f.key, "%v", err)
	}
}

func (l *loader) readEnv(env []string) {
	byEnv := make(map[string]field, len(l.fields))
	for _, f := range l.fields {
		byEnv[f.env()] = f
	}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) || name == envFile || strings.HasPrefix(name, envTest) {
			continue
		}
		f, ok := byEnv[name]
		if !ok {
			l.unknown(name, "", name, "variable", slices.Collect(maps.Keys(byEnv)))
			continue
		}
		l.set(f, name, func() error { return f.setText(value) })
	}
}

func (l *loader) readFlags(flags map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		f, ok := l.byFlag[name]
		if !ok {
			f, ok = l.fields[name]
		}
		if !ok {
			known := slices.AppendSeq(slices.Collect(maps.Keys(l.byFlag)), maps.Keys(l.fields))
			l.unknown("--"+name, "", name, "flag", known)
			continue
		}
		l.set(f, "--"+name, func() error { return f.setText(flags[name]) })
	}
}

// unknown records that a source names a setting that does not exist, with the nearest that does.
func (l *loader) unknown(where, key, name, noun string, known []string) {
	text := "unknown " + noun
	if near := nearest(name, known); near != "" {
		text += "; did you mean " + near + "?"
	}
	l.problems = append(l.problems, Problem{where, key, text})
}

// secretFile begins a secret that is the path of a file.
const secretFile = "file:"

// maxSecretFile bounds the files that hold secrets, in bytes.
const maxSecretFile = 64 << 10

// readSecrets replaces secrets that are paths by what the files hold.
func (l *loader) readSecrets() {
	for _, f := range fieldsOf(l.config) {
		switch secret := f.value.Addr().Interface().(type) {
		case *Secret:
			l.readSecret(f.key, secret)
		case *[]Secret:
			for i := range *secret {
				l.readSecret(f.key, &(*secret)[i])
			}
		}
	}
}

func (l *loader) readSecret(key string, secret *Secret) {
	path, ok := strings.CutPrefix(secret.Reveal(), secretFile)
	if !ok {
		return
	}
	content, err := readBounded(path, maxSecretFile)
	if err != nil {
		l.problem(key, "%v", err)
		return
	}
	*secret = Secret(strings.TrimRight(string(content), "\r\n"))
}

// systemAddresses returns the addresses of this machine's interfaces, or none if the system does
// not tell.
func systemAddresses() []netip.Addr {
	listed, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addresses []netip.Addr
	for _, address := range listed {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			addresses = append(addresses, prefix.Addr())
		}
	}
	return addresses
}

// readBounded returns the content of a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, readError(path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", path, limit)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, readError(path, err)
	}
	return content, nil
}

// readError says in plain words why a file cannot be read.
func readError(path string, err error) error {
	var inner *os.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}
