package limit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is how often something may happen: Burst times at once, and as often again over each Per,
// evenly. The zero Rate means no limit. Its text form is "30/1m", or "off" for no limit.
type Rate struct {
	Burst int
	Per   time.Duration
}

// RateError says that a text is not a rate.
type RateError struct {
	Text string
}

// Error implements error.
func (e *RateError) Error() string {
	return fmt.Sprintf("%q is not a rate such as 30/1m (30 times a minute), or off", e.Text)
}

// unlimited is the text of the zero Rate.
const unlimited = "off"

// ParseRate reads a rate as String writes it. The error is a *RateError.
func ParseRate(text string) (Rate, error) {
	if text == unlimited {
		return Rate{}, nil
	}
	times, per, _ := strings.Cut(text, "/")
	burst, err := strconv.Atoi(times)
	if err != nil || burst <= 0 {
		return Rate{}, &RateError{text}
	}
	span, err := time.ParseDuration(per)
	if err != nil || span < time.Duration(burst) {
		return Rate{}, &RateError{text}
	}
	return Rate{burst, span}, nil
}

// Unlimited reports whether the rate limits nothing.
func (r Rate) Unlimited() bool { return r.Burst <= 0 || r.Per <= 0 }

// String returns the rate as ParseRate reads it.
func (r Rate) String() string {
	if r.Unlimited() {
		return unlimited
	}
	per := r.Per.String()
	for _, tail := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(per, tail) {
			per = per[:len(per)-2]
		}
	}
	return strconv.Itoa(r.Burst) + "/" + per
}

// MarshalText implements encoding.TextMarshaler.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. The error is a *RateError.
func (r *Rate) UnmarshalText(text []byte) error {
	rate, err := ParseRate(string(text))
	if err != nil {
		return err
	}
	*r = rate
	return nil
}
