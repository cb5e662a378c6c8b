package confine

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// softShare is the part of the memory limit, in percent, at which the garbage collector begins to
// work hard.
const softShare = 80

// self names this very program, even when its file was replaced by a newer one meanwhile.
func self() (string, error) { return "/proc/self/exe", nil }

// namespaces lists the ways to start a worker without network, the strongest first; the last is
// none. A user namespace needs no privilege where the machine allows it; root can do without.
func namespaces() []*syscall.SysProcAttr {
	const apart = syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
	return []*syscall.SysProcAttr{
		{
			Cloneflags: apart | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{
				{ContainerID: nobody, HostID: os.Geteuid(), Size: 1},
			},
			GidMappings: []syscall.SysProcIDMap{
				{ContainerID: nobody, HostID: os.Getegid(), Size: 1},
			},
		},
		{Cloneflags: apart},
		nil,
	}
}

// nobody is the user that a worker is in its own user namespace, so that exec takes away every
// capability.
const nobody = 65534

// enter takes away from this process what computing does not need. The limits count from what the
// process has used already.
func enter(memory int64, cpu time.Duration) Isolation {
	var used runtime.MemStats
	runtime.ReadMemStats(&used)
	debug.SetMemoryLimit(int64(used.Sys-used.HeapReleased) + memory/100*softShare)
	var done Isolation
	if limitResources(uint64(memory), spent()+uint64(cpu/time.Second)) {
		done |= Limits
	}
	if filterSyscalls() == nil {
		done |= Syscalls
	}
	return done
}

// spent is how much processor time this process has used, in seconds begun.
func spent() uint64 {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return 0
	}
	nanos := used.Utime.Nano() + used.Stime.Nano()
	return uint64((nanos + int64(time.Second) - 1) / int64(time.Second))
}

// limitResources sets the limits and says whether all were accepted. The address space is limited
// beside the data, because data alone does not count what is reserved.
func limitResources(memory, seconds uint64) bool {
	space, data, err := memoryInUse()
	if err != nil {
		return false
	}
	limits := map[int]uint64{
		unix.RLIMIT_AS:     space + memory,
		unix.RLIMIT_DATA:   data + memory,
		unix.RLIMIT_FSIZE:  0,
		unix.RLIMIT_CORE:   0,
		unix.RLIMIT_NOFILE: 0,
	}
	complete := limitProcessor(max(seconds, 1)) == nil
	for which, value := range limits {
		err := unix.Prlimit(0, which, &unix.Rlimit{Cur: value, Max: value}, nil)
		complete = complete && err == nil
	}
	return complete
}

// limitProcessor has the kernel end this process with SIGXCPU after so many seconds of processor
// time, and with SIGKILL a second later. The Go runtime catches the former and does nothing, so
// its default action is restored first.
func limitProcessor(seconds uint64) error {
	// A struct sigaction of zeros means the default action; the kernel's is nowhere longer.
	var defaultAction [64]byte
	const maskSize = 8
	_, _, errno := unix.Syscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGXCPU),
		uintptr(unsafe.Pointer(&defaultAction)), 0, maskSize, 0, 0)
	if errno != 0 {
		return errno
	}
	limit := unix.Rlimit{Cur: seconds, Max: seconds + 1}
	return unix.Prlimit(0, unix.RLIMIT_CPU, &limit, nil)
}

// overspent says whether a process was ended for its use of the processor.
func overspent(state *os.ProcessState) bool {
	if state == nil {
		return false
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGXCPU
}

// memoryInUse returns the process's address space and its data, in bytes.
func memoryInUse() (space, data uint64, err error) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, 0, err
	}
	// Fields: size, resident, shared, text, lib, data, dt, all in pages.
	const dataField = 5
	fields := strings.Fields(string(statm))
	if len(fields) <= dataField {
		return 0, 0, unix.EINVAL
	}
	pages, err := strconv.ParseUint(fields[0], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	dataPages, err := strconv.ParseUint(fields[dataField], 10, 64)
	if err != nil {
		return 0, 0, err
	}
	page := uint64(os.Getpagesize())
	return pages * page, dataPages * page, nil
}
