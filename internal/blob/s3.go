package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// s3Tries is how often one request is tried before the bucket counts as unavailable.
	s3Tries = 4
	// s3Region is the region that servers outside Amazon's expect in signatures.
	s3Region = "us-east-1"
	// spoolPattern names the files in which blobs wait until their digest, and so their key, is
	// known.
	spoolPattern = "parley-blob-*"
)

var (
	// ErrURL says that a text is no usable S3 URL. It never quotes the text, which holds a secret.
	ErrURL = errors.New("blob: not of the form s3://key:secret@host:port/bucket?tls=0&prefix=p/")
	// ErrVersioned says that a bucket keeps former versions of its objects, so that what is
	// deleted would stay readable.
	ErrVersioned = errors.New("blob: the bucket keeps versions; what is deleted must be gone")
)

// S3 is a Store in a bucket of any server that speaks the S3 API.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
type S3 struct {
	core   minio.Core
	bucket string
	prefix string
	spool  string
	// max is the largest blob, in bytes.
	max int64
}

// s3Config is what an S3 URL says.
type s3Config struct {
	host, bucket, prefix, region string
	key, secret                  string
	tls                          bool
}

// parseS3 reads an S3 URL. Unknown parameters are errors: a typing error must not turn TLS off or
// spread blobs over two prefixes.
func parseS3(raw string) (s3Config, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User == nil || u.Fragment != "" {
		return s3Config{}, ErrURL
	}
	c := s3Config{
		host: u.Host, bucket: strings.Trim(u.Path, "/"), region: s3Region,
		key: u.User.Username(), tls: true,
	}
	c.secret, _ = u.User.Password()
	if c.key == "" || c.secret == "" || c.bucket == "" || strings.Contains(c.bucket, "/") {
		return s3Config{}, ErrURL
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return s3Config{}, ErrURL
	}
	for name, values := range query {
		value := values[len(values)-1]
		switch {
		case name == "prefix":
			c.prefix = strings.TrimPrefix(value, "/")
		case name == "region" && value != "":
			c.region = value
		case name == "tls" && (value == "0" || value == "1"):
			c.tls = value == "1"
		default:
			return s3Config{}, ErrURL
		}
	}
	return c, nil
}

// connect makes the bucket's client and asks it whether the bucket is there.
func (c s3Config) connect(ctx context.Context) (*minio.Core, error) {
	core, err := minio.NewCore(c.host, &minio.Options{
		Creds:      credentials.NewStaticV4(c.key, c.secret, ""),
		Secure:     c.tls,
		Region:     c.region,
		MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, ErrURL
	}
	found, err := core.BucketExists(ctx, c.bucket)
	if err != nil {
		return nil, s3Error(ctx, "find bucket", err)
	}
	if !found {
		return nil, &StorageError{Op: "find bucket", Err: errors.New("no such bucket")}
	}
	return core, nil
}

// OpenS3 opens the bucket named by s3://key:secret@host:port/bucket, with the optional parameters
// tls=0, prefix= and region=, and asks it whether it is there. Blobs wait in files of the folder
// spool, made when it is not there, or of the system's temporary folder when that is empty, while
// their digest is computed.
func OpenS3(ctx context.Context, rawURL, spool string) (*S3, error) {
	config, err := parseS3(rawURL)
	if err != nil {
		return nil, err
	}
	if spool != "" {
		if err := os.MkdirAll(spool, folderMode); err != nil {
			return nil, &StorageError{Op: "create spool folder", Err: err}
		}
	}
	core, err := config.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &S3{core: *core, bucket: config.bucket, prefix: config.prefix, spool: spool,
		max: MaxSize}
	// A server that does not know the question keeps no versions.
	if v, err := core.GetBucketVersioning(ctx, s.bucket); err == nil && v.Enabled() {
		return nil, ErrVersioned
	}
	return s, nil
}

// Within returns the store of a name, of small letters alone, that lies in the same bucket and
// shares no blob with this one: equal bytes that are put into both are there twice.
func (s *S3) Within(name string) *S3 {
	within := *s
	within.prefix += withinFolder + name + "/"
	return &within
}

// Put stores what r holds. See Store.
func (s *S3) Put(ctx context.Context, r io.Reader) (Digest, int64, error) {
	file, err := os.CreateTemp(s.spool, spoolPattern)
	if err != nil {
		return Digest{}, 0, &StorageError{Op: "create spool file", Err: err}
	}
	// Without its name the file goes with the process. Where open files cannot lose their names
	// the second attempt does it.
	_ = os.Remove(file.Name())
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	digest, size, err := spool(ctx, file, r, s.max)
	if err != nil {
		return Digest{}, 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Digest{}, 0, &StorageError{Op: "rewind spool file", Err: err}
	}
	_, err = s.core.Client.PutObject(ctx, s.bucket, s.objectKey(digest), file, size,
		minio.PutObjectOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return Digest{}, 0, s3Error(ctx, "put object", err)
	}
	return digest, size, nil
}

// ReadAt reads a range. See Store.
func (s *S3) ReadAt(ctx context.Context, d Digest, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, ErrRange
	}
	if len(p) == 0 {
		_, err := s.Stat(ctx, d)
		return 0, err
	}
	var opts minio.GetObjectOptions
	if err := opts.SetRange(off, off+int64(len(p))-1); err != nil {
		return 0, ErrRange
	}
	body, _, _, err := s.core.GetObject(ctx, s.bucket, s.objectKey(d), opts)
	if err != nil {
		if minio.ToErrorResponse(err).StatusCode == http.StatusRequestedRangeNotSatisfiable {
			return 0, io.EOF
		}
		return 0, s3Error(ctx, "get object", err)
	}
	defer func() { _ = body.Close() }()
	n, err := io.ReadFull(body, p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return n, s.shortRead(ctx, d, off+int64(n))
	default:
		return n, s3Error(ctx, "get object", err)
	}
}

// shortRead tells the end of a blob from a connection that broke off in the middle.
func (s *S3) shortRead(ctx context.Context, d Digest, end int64) error {
	info, err := s.Stat(ctx, d)
	if err != nil {
		return err
	}
	if end < info.Size {
		return fmt.Errorf("%w: answer broke off", ErrUnavailable)
	}
	return io.EOF
}

// Stat describes one blob. See Store.
func (s *S3) Stat(ctx context.Context, d Digest) (Info, error) {
	object, err := s.core.StatObject(ctx, s.bucket, s.objectKey(d), minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s3Error(ctx, "stat object", err)
	}
	return Info{Digest: d, Size: object.Size, Stored: object.LastModified}, nil
}

// Delete removes a blob. See Store, and Sweep for what a bucket cannot promise.
func (s *S3) Delete(ctx context.Context, d Digest, before time.Time) (bool, error) {
	info, err := s.Stat(ctx, d)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !before.IsZero() && !info.Stored.Before(before) {
		return false, nil
	}
	err = s.core.RemoveObject(ctx, s.bucket, s.objectKey(d), minio.RemoveObjectOptions{})
	if err != nil {
		return false, s3Error(ctx, "remove object", err)
	}
	return true, nil
}

// All visits every blob below the prefix. Objects that are no blobs are passed over. See Store.
func (s *S3) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		list, stop := context.WithCancel(ctx)
		defer stop()
		opts := minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}
		for object := range s.core.ListObjectsIter(list, s.bucket, opts) {
			if object.Err != nil {
				yield(Info{}, s3Error(ctx, "list objects", object.Err))
				return
			}
			digest, err := ParseDigest(strings.TrimPrefix(object.Key, s.prefix))
			if err != nil {
				continue
			}
			// Listings are finer than the seconds that Stat and Delete get to see.
			stored := object.LastModified.Truncate(time.Second)
			info := Info{Digest: digest, Size: object.Size, Stored: stored}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// objectKey is the key of a blob in the bucket.
func (s *S3) objectKey(d Digest) string { return s.prefix + d.String() }

// s3Error sorts the errors of the client: the caller's own end, a missing blob, a server that is
// away or overloaded, and everything that an operator has to mend.
func s3Error(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, op, err)
	}
	switch {
	case answer.Code == minio.NoSuchKey:
		return ErrNotFound
	case answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket:
		return ErrNotFound
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500:
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, op, err)
	default:
		return &StorageError{Op: op, Err: err}
	}
}
