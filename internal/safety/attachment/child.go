package attachment

import (
	"encoding/binary"
	"io"

	"parley/internal/confine"
)

// WorkerArg is the argument with which a program is to call Worker. A folder may follow in which
// the machine's form of PDFium is kept from one start to the next.
const WorkerArg = "attachment-worker"

// Worker is WorkerMain if these are the arguments of a confined process, after the program's name.
func Worker(args []string, in io.Reader, out io.Writer) (code int, is bool) {
	if len(args) == 0 || args[0] != WorkerArg {
		return 0, false
	}
	cache := ""
	if len(args) > 1 {
		cache = args[1]
	}
	return WorkerMain(cache, in, out), true
}

// WorkerMain is the main function of a confined process: it gets ready for the kind of paper,
// confines itself, answers the one question on in, and returns the exit code. The program must call
// it before anything else, so that the process holds no files, connections or secrets.
func WorkerMain(cache string, in io.Reader, out io.Writer) int {
	ask, length, err := readHead(in)
	if err != nil {
		return 1
	}
	var draws *drawer
	if ask.kind == PDF {
		if draws, err = newDrawer(cache); err != nil {
			return 1
		}
	}
	// Until here only the server's own bytes were read.
	is := confine.Enter(ask.memory, ask.cpu)
	if frame(out, frameIsolation, []byte{byte(is)}) != nil {
		return 1
	}
	ask.paper = make([]byte, length)
	if _, err := io.ReadFull(in, ask.paper); err != nil {
		return 1
	}
	if draws != nil {
		err = draws.draw(ask.paper, out)
	} else {
		err = tell(read(ask.kind, ask.paper), out)
	}
	if err != nil || frame(out, frameEnd, nil) != nil {
		return 1
	}
	return 0
}

// read reads the text of a paper that is not drawn.
func read(kind Kind, b []byte) View {
	switch kind {
	case Text, XML:
		return plain(b, kind)
	case HTML:
		return webPage(b)
	case Archive:
		return archive(b)
	default:
		return View{Kind: kind, Reason: Format}
	}
}

// tell writes a view without pages.
func tell(v View, out io.Writer) error {
	if err := frame(out, frameKind, []byte(v.Kind)); err != nil {
		return err
	}
	for _, f := range v.Findings {
		if err := frame(out, frameFinding, []byte(f)); err != nil {
			return err
		}
	}
	if v.Of > 0 {
		count := binary.BigEndian.AppendUint32(nil, uint32(v.Of))
		if err := frame(out, frameCount, count); err != nil {
			return err
		}
	}
	if v.Text != "" {
		if err := frame(out, frameText, []byte(v.Text)); err != nil {
			return err
		}
	}
	if v.Reason != "" {
		return frame(out, frameReason, []byte(v.Reason))
	}
	return nil
}
