package importer

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ErrChat says that an export has several chats and none was named, or not the one that was.
var ErrChat = errors.New("importer: which chat of the export?")

// openExport opens the folder or the ZIP archive of an export, below which alone files are read.
func openExport(at string) (fs.FS, io.Closer, error) {
	if info, err := os.Stat(at); err == nil && !info.IsDir() {
		z, err := zip.OpenReader(at)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrExport, err)
		}
		return z, z, nil
	}
	root, err := os.OpenRoot(at)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrExport, err)
	}
	return root.FS(), root, nil
}

// finder walks through an export to the messages of one of its chats. An export has one chat, or
// all of an account in chats.list.
type finder struct {
	d    *json.Decoder
	chat int64
	// others are the chats that were passed by.
	others []head
}

// errFound ends the walk: what follows are the messages.
var errFound = errors.New("importer: found")

// find reads to the first message of a chat, 0 for the only one, and returns a scanner that begins
// there.
func find(r io.Reader, chat int64) (*scanner, head, error) {
	f := &finder{d: json.NewDecoder(r), chat: chat}
	h, err := f.object(true)
	if !errors.Is(err, errFound) {
		if err == nil && len(f.others) > 0 {
			return nil, h, fmt.Errorf("%w %s", ErrChat, f.names())
		}
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("there is no list of messages")
		}
		return nil, h, fmt.Errorf("%w: %w", ErrExport, err)
	}
	s := newScanner(io.MultiReader(f.d.Buffered(), r))
	s.off = f.d.InputOffset()
	return s, h, nil
}

// names lists the chats that were passed by.
func (f *finder) names() string {
	var list []string
	for _, h := range f.others {
		list = append(list, fmt.Sprintf("%d %q", h.ID, h.Name))
	}
	return strings.Join(list, ", ")
}

// begin reads a delimiter.
func (f *finder) begin(want json.Delim) error {
	t, err := f.d.Token()
	if err == nil && t != want {
		return fmt.Errorf("%q is missing at byte %d", want.String(), f.d.InputOffset())
	}
	return err
}

// object reads an object, which is a chat or the whole of an export, until its messages begin if
// they are those that are looked for.
func (f *finder) object(top bool) (h head, err error) {
	if err := f.begin('{'); err != nil {
		return h, err
	}
	for f.d.More() {
		key, err := f.d.Token()
		if err != nil {
			return h, err
		}
		switch key {
		case "name":
			err = f.d.Decode(&h.Name)
		case "type":
			err = f.d.Decode(&h.Type)
		case "id":
			err = f.d.Decode(&h.ID)
		case "messages":
			err = f.messages(h, top)
		case "chats":
			err = f.chats(&h)
		default:
			err = f.skip()
		}
		if err != nil {
			return h, err
		}
	}
	return h, f.begin('}')
}

// messages reads the beginning of a list of messages, and all of it where it is another's.
func (f *finder) messages(h head, only bool) error {
	if only && f.chat == 0 || f.chat != 0 && f.chat == h.ID {
		if err := f.begin('['); err != nil {
			return err
		}
		return errFound
	}
	f.others = append(f.others, h)
	return f.skip()
}

// chats reads the chats of a whole account.
func (f *finder) chats(h *head) error {
	if err := f.begin('{'); err != nil {
		return err
	}
	for f.d.More() {
		key, err := f.d.Token()
		if err != nil {
			return err
		}
		if key != "list" {
			if err := f.skip(); err != nil {
				return err
			}
			continue
		}
		if err := f.begin('['); err != nil {
			return err
		}
		for f.d.More() {
			if *h, err = f.object(false); err != nil {
				return err
			}
		}
		if err := f.begin(']'); err != nil {
			return err
		}
	}
	return f.begin('}')
}

// skip reads a value and keeps nothing of it.
func (f *finder) skip() error {
	for depth := 0; ; {
		t, err := f.d.Token()
		if err != nil {
			return err
		}
		if d, ok := t.(json.Delim); ok {
			if d == '{' || d == '[' {
				depth++
			} else {
				depth--
			}
		}
		if depth == 0 {
			return nil
		}
	}
}
