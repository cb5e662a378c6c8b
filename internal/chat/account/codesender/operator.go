package codesender

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// FileName is what the file of codes is called in the data directory.
const FileName = "login-codes.jsonl"

// fileMode lets the operator's user alone read the codes.
const fileMode = 0o600

// Console writes each code as a line for the operator to read.
type Console struct {
	mu sync.Mutex
	w  io.Writer
}

// NewConsole returns a sender that writes to w.
func NewConsole(w io.Writer) *Console { return &Console{w: w} }

// Send writes one line. See Sender.
func (c *Console) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	to := m.Phone
	if to == "" {
		to = m.Email
	}
	line := fmt.Sprintf("%s %s code for %s: %s\n",
		m.Time.UTC().Format(time.RFC3339), m.Purpose, to, m.Code)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(c.w, line); err != nil {
		return &DeliveryError{Via: "console", Reason: "write failed", Temporary: true}
	}
	return nil
}

// File appends each code to a file, as one JSON object on a line with the fields time, phone and
// code. The file is opened for every code, so that an operator may move or empty it at any time.
//
// https://jsonlines.org
type File struct {
	mu   sync.Mutex
	path string
}

// fileLine is one line of the file.
type fileLine struct {
	Time  string `json:"time"`
	Phone string `json:"phone"`
	Code  string `json:"code"`
}

// NewFile returns a sender that appends to the file of the given name, made when it is not there.
func NewFile(path string) *File { return &File{path: path} }

// Send appends one line and returns when it is durable. See Sender.
func (f *File) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.Phone == "" {
		return ErrNoAddress
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	line, err := json.Marshal(fileLine{
		Time: m.Time.UTC().Format(time.RFC3339), Phone: m.Phone, Code: m.Code,
	})
	if err != nil {
		return ErrMessage
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if reason := f.append(append(line, '\n')); reason != "" {
		return &DeliveryError{Via: "file", Reason: reason, Temporary: true}
	}
	return nil
}

// append adds a line to the file and returns what failed, if anything.
func (f *File) append(line []byte) (failed string) {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return "open failed"
	}
	defer func() {
		if err := file.Close(); err != nil && failed == "" {
			failed = "close failed"
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return "stat failed"
	}
	if info.Mode().Perm() != fileMode {
		if err := file.Chmod(fileMode); err != nil {
			return "chmod failed"
		}
	}
	if info.Size() > 0 {
		// A crash may have left half a line, which must not spoil this one.
		var end [1]byte
		if _, err := file.ReadAt(end[:], info.Size()-1); err != nil {
			return "read failed"
		}
		if end[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := file.Write(line); err != nil {
		return "write failed"
	}
	if err := file.Sync(); err != nil {
		return "sync failed"
	}
	if info.Size() == 0 && syncFolder(filepath.Dir(f.path)) != nil {
		return "sync of the folder failed"
	}
	return ""
}

// syncFolder makes the name of a new file durable.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	return folder.Sync()
}
