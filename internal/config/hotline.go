package config

// Hotline is section [hotline].
type Hotline struct {
	// Files is with how many stored files of public channels and groups the SHA-256 that a hotline
	// reports is compared at most.
	Files int `toml:"files"`

	// Regulators is how long the service has to answer a question of a regulator. When that is over
	// the people of section [oncall] are called.
	Regulators Duration `toml:"regulators"`
}

func (l *loader) checkHotline() {
	c := l.config.Hotline
	if c.Files < 0 {
		l.problem("hotline.files", "must not be negative")
	}
	if c.Regulators <= 0 {
		l.problem("hotline.regulators", "must be positive, such as \"3d\"")
	}
}
