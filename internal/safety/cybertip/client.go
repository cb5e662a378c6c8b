package cybertip

import (
	"bytes"
	"context"
	"crypto/md5" // the receiver answers an upload with that digest
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/internal/blob"
	"parley/internal/safety/duty"
	"parley/internal/safety/owed"
	"parley/internal/store"
)

const (
	// answerBytes bounds what is read of an answer.
	answerBytes = 1 << 20
	// excerptBytes bounds what is kept of an answer that is none.
	excerptBytes = 500
)

// Codes of answers.
//
// https://report.cybertip.org/ispws/documentation/index.html#response-codes
const (
	codeDone = 0
	// Codes from codeAuth on say that we may not, those from codeInvalid on that what was sent is
	// wrong.
	codeAuth     = 2000
	codeInvalid  = 4000
	codeNoReport = 5001
	codeFinished = 5102
)

// Client speaks to the CyberTipline.
//
// https://report.cybertip.org/ispws/documentation
type Client struct {
	// URL is the address of the interface, without a slash at its end, User and Password are the
	// provider's.
	URL, User, Password string
	// Blobs has the files.
	Blobs blob.Store
	Now   func() time.Time
	HTTP  *http.Client
}

// NewClient returns a client that waits no longer than timeout for an answer.
func NewClient(c Client, timeout time.Duration) *Client {
	c.URL = strings.TrimSuffix(c.URL, "/")
	c.HTTP = &http.Client{
		Timeout: timeout,
		// An answer that points elsewhere gets neither the password nor the report.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return &c
}

// answer is what every call answers.
type answer struct {
	Code   *int   `xml:"responseCode"`
	What   string `xml:"responseDescription"`
	Report string `xml:"reportId"`
	File   string `xml:"fileId"`
	Hash   string `xml:"hash"`
}

// codeError is an answer that says no.
type codeError struct {
	code int
	what string
}

func (e *codeError) Error() string {
	return fmt.Sprintf("cybertip: answered %d: %s", e.code, e.what)
}

// Send hands a report over and returns its number at the CyberTipline. A report is opened, gets its
// files, and is finished; what is not finished is erased there after a time. A try that was broken
// off is found by retracting it: what cannot be retracted because it is finished has arrived.
func (c *Client) Send(
	ctx context.Context, d store.Duty, note func(place string) error,
) (string, error) {
	r, err := Read(d)
	if err != nil {
		return "", err
	}
	if d.Place != "" {
		arrived, err := c.retract(ctx, d.Place)
		if err != nil || arrived {
			return d.Place, final(err)
		}
	}
	number, err := c.open(ctx, r)
	if err != nil {
		return "", final(err)
	}
	if err := note(number); err != nil {
		return "", err
	}
	for _, f := range r.Files {
		if err := c.upload(ctx, number, f); err != nil {
			return "", final(err)
		}
	}
	if err := c.finish(ctx, number); err != nil {
		return "", final(err)
	}
	return number, nil
}

// final says what an answer means for the report as a whole.
func final(err error) error {
	var no *codeError
	switch {
	case !errors.As(err, &no):
		return err
	case no.code == codeNoReport || no.code == codeFinished:
		return err // the next try finds out
	case no.code >= codeInvalid:
		return &duty.RefusedError{Reason: no.Error()}
	default:
		return &duty.PauseError{Denied: no.code >= codeAuth, Err: no}
	}
}

// retract takes an unfinished report back, and tells whether it was finished.
func (c *Client) retract(ctx context.Context, number string) (finished bool, err error) {
	_, err = c.form(ctx, "/retract", number)
	var no *codeError
	if errors.As(err, &no) {
		switch no.code {
		case codeFinished:
			return true, nil
		case codeNoReport:
			return false, nil
		}
	}
	return false, err
}

// open opens a report and returns its number.
func (c *Client) open(ctx context.Context, r Report) (string, error) {
	body, err := r.XML()
	if err != nil {
		return "", err
	}
	got, err := c.post(ctx, "/submit", "text/xml; charset=utf-8", bytes.NewReader(body))
	if err == nil && !isNumber(got.Report) {
		err = unreadable(errors.New("no number of the report"))
	}
	return got.Report, err
}

// isNumber tells whether something is the number of a report.
func isNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 63)
	return err == nil && n > 0
}

// upload hands a file over and says what it is.
func (c *Client) upload(ctx context.Context, number string, f File) error {
	digest, err := blob.ParseDigest(f.Digest)
	if err != nil {
		return &duty.RefusedError{Reason: "file " + f.Name + ": " + err.Error()}
	}
	info, err := c.Blobs.Stat(ctx, digest)
	if errors.Is(err, blob.ErrNotFound) {
		return &duty.RefusedError{Reason: "file " + f.Name + ": " + err.Error()}
	}
	if err != nil {
		return fmt.Errorf("cybertip: file %s: %w", f.Name, err) // the next try may find it
	}
	sum := md5.New()
	bytesOf := io.NewSectionReader(reader{ctx, c.Blobs, digest}, 0, info.Size)
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	go func() { pw.CloseWithError(write(form, number, f, io.TeeReader(bytesOf, sum))) }()
	got, err := c.post(ctx, "/upload", form.FormDataContentType(), pr)
	_ = pr.Close() // ends the writer when the answer came early
	if err != nil {
		return err
	}
	if got.File == "" {
		return unreadable(errors.New("no number of the file"))
	}
	if h := hex.EncodeToString(sum.Sum(nil)); got.Hash != "" && !strings.EqualFold(got.Hash, h) {
		return unreadable(errors.New("another file arrived than was sent"))
	}
	body, err := f.xml(number, got.File)
	if err != nil {
		return err
	}
	_, err = c.post(ctx, "/fileinfo", "text/xml; charset=utf-8", bytes.NewReader(body))
	return err
}

// write writes the form of an upload.
func write(form *multipart.Writer, number string, f File, body io.Reader) error {
	if err := form.WriteField("id", number); err != nil {
		return err
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition("file", f.Name))
	mime := f.Mime
	if mime == "" {
		mime = "application/octet-stream"
	}
	h.Set("Content-Type", mime)
	part, err := form.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, body); err != nil {
		return err
	}
	return form.Close()
}

// reader reads a file of the blob store.
type reader struct {
	ctx   context.Context
	blobs blob.Store
	of    blob.Digest
}

func (r reader) ReadAt(p []byte, off int64) (int, error) {
	return r.blobs.ReadAt(r.ctx, r.of, p, off)
}

// finish finishes a report: from then on it is filed.
func (c *Client) finish(ctx context.Context, number string) error {
	got, err := c.form(ctx, "/finish", number)
	if err == nil && got.Report != number {
		err = unreadable(fmt.Errorf("finished report %q instead of %s", got.Report, number))
	}
	return err
}

// form calls what takes the number of a report alone.
func (c *Client) form(ctx context.Context, at, number string) (answer, error) {
	body := url.Values{"id": {number}}.Encode()
	return c.post(ctx, at, "application/x-www-form-urlencoded", strings.NewReader(body))
}

// post makes one call. A codeError says that the answer is no, a PauseError that there is none.
func (c *Client) post(
	ctx context.Context, at, mime string, body io.Reader,
) (out answer, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+at, body)
	if err != nil {
		return out, fmt.Errorf("cybertip: %w", err)
	}
	r.SetBasicAuth(c.User, c.Password)
	r.Header.Set("Content-Type", mime)
	r.Header.Set("Accept", "text/xml, application/xml")
	got, err := c.HTTP.Do(r)
	if err != nil {
		return out, &duty.PauseError{Err: err}
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(got.Body, answerBytes))
	if err != nil {
		return out, &duty.PauseError{Err: err}
	}
	switch got.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return out, &duty.PauseError{Denied: true, Err: errors.New(got.Status)}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return out, &duty.PauseError{
			After: owed.RetryAfter(got.Header, c.Now()), Err: errors.New(got.Status),
		}
	}
	// A document type could name entities; no answer has one.
	if bytes.Contains(text, []byte("<!")) {
		return out, unreadable(errors.New("a document type"))
	}
	if err := xml.Unmarshal(text, &out); err != nil || out.Code == nil {
		return out, unreadable(fmt.Errorf("%s: %.*q", got.Status, excerptBytes, text))
	}
	if *out.Code != codeDone {
		return out, &codeError{*out.Code, strings.ToValidUTF8(out.What, "")}
	}
	return out, nil
}

// unreadable is an answer that is none: what it was about is tried again.
func unreadable(err error) error { return &duty.PauseError{Err: err} }
