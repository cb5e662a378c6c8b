//go:build linux && !amd64 && !arm64

package confine

import "errors"

// filterSyscalls fails: there is no filter for this architecture.
func filterSyscalls() error { return errors.ErrUnsupported }
