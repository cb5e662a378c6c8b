//go:build !linux

package confine

import (
	"os"
	"syscall"
	"time"
)

// self names this program.
func self() (string, error) { return os.Executable() }

// namespaces lists the ways to start a worker; outside of Linux there is one.
func namespaces() []*syscall.SysProcAttr { return []*syscall.SysProcAttr{nil} }

// enter does nothing outside of Linux: a worker is then no more than a process of its own, killed
// when it takes too long.
func enter(int64, time.Duration) Isolation { return 0 }

// overspent says whether a process was ended for its use of the processor, which is not limited.
func overspent(*os.ProcessState) bool { return false }
