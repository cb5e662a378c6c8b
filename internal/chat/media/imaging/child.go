package imaging

import (
	"errors"
	"io"

	"parley/internal/confine"
)

// WorkerArg is the argument with which a program is to call WorkerMain.
const WorkerArg = "imaging-worker"

// WorkerMain is the main function of a worker process: it confines the process, answers the one
// request on in, and returns the exit code. The program must call it before anything else, so that
// a worker holds no files, connections or secrets.
func WorkerMain(in io.Reader, out io.Writer) int {
	ask, length, err := readRequestHead(in)
	if err != nil {
		return 1
	}
	// Until here only the server's own bytes were read.
	answer := reply{isolation: confine.Enter(ask.memory, ask.cpu)}
	ask.image = make([]byte, length)
	if _, err := io.ReadFull(in, ask.image); err != nil {
		return 1
	}
	answer.result, err = render(ask.purpose, ask.image)
	switch {
	case err == nil:
		answer.status = statusDone
	case errors.Is(err, ErrNotImage):
		answer.status = statusNotImage
	case errors.Is(err, ErrTooLarge):
		answer.status = statusTooLarge
	default:
		answer.status = statusFailed
	}
	if _, err := out.Write(answer.encode()); err != nil {
		return 1
	}
	return 0
}
