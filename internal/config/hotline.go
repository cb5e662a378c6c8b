package config

// Hotline is section [hotline].
type Hotline struct {
	// Files is with how many stored files of public channels and groups the SHA-256 that a hotline
	// reports is compared at most.
	Files int `toml:"files"`

	// Digests is how many SHA-256 one hotline may report within a day. Those of a submission with
	// which there are more wait until two people of the staff have asked it whether they are its
	// own: its keys may have been stolen.
	Digests int `toml:"digests"`

	// Regulators is how long the service has to answer a question of a regulator. When that is over
	// the people of section [oncall] are called.
	Regulators Duration `toml:"regulators"`
}

func (l *loader) checkHotline() {
	c := l.config.Hotline
	if c.Files < 0 {
		l.problem("hotline.files", "must not be negative")
	}
	if c.Digests < 0 {
		l.problem("hotline.digests", "must not be negative")
	}
	if c.Regulators <= 0 {
		l.problem("hotline.regulators", "must be positive, such as \"3d\"")
	}
}
