package blob

import (
	"bytes"
	"context"
	"io"
	"iter"

	"github.com/minio/minio-go/v7"
)

// Bucket keeps small objects under names that readers know, such as the files of a public log. Who
// may read them is a matter of the bucket. It is safe for concurrent use.
type Bucket struct {
	core   minio.Core
	bucket string
	prefix string
}

// Object is a named object as it is listed.
type Object struct {
	Name string
	// Size is the length in bytes.
	Size int64
}

// OpenBucket opens the bucket of an S3 URL as OpenS3 does. It may keep former versions.
func OpenBucket(ctx context.Context, rawURL string) (*Bucket, error) {
	config, err := parseS3(rawURL)
	if err != nil {
		return nil, err
	}
	core, err := config.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Bucket{core: *core, bucket: config.bucket, prefix: config.prefix}, nil
}

// Get returns an object of at most most bytes; ErrNotFound when there is none, ErrTooLarge when it
// has more.
func (b *Bucket) Get(ctx context.Context, name string, most int64) ([]byte, error) {
	body, _, _, err := b.core.GetObject(ctx, b.bucket, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, s3Error(ctx, "get object", err)
	}
	defer func() { _ = body.Close() }()
	content, err := io.ReadAll(io.LimitReader(body, most+1))
	if err != nil {
		return nil, s3Error(ctx, "get object", err)
	}
	if int64(len(content)) > most {
		return nil, ErrTooLarge
	}
	return content, nil
}

// Put makes an object have some bytes, whole or not at all. mime and cache are the Content-Type and
// the Cache-Control with which it is served.
func (b *Bucket) Put(ctx context.Context, name string, content []byte, mime, cache string) error {
	_, err := b.core.Client.PutObject(ctx, b.bucket, b.prefix+name, bytes.NewReader(content),
		int64(len(content)), minio.PutObjectOptions{ContentType: mime, CacheControl: cache})
	if err != nil {
		return s3Error(ctx, "put object", err)
	}
	return nil
}

// Delete removes an object; one that is not there is no error.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	err := b.core.RemoveObject(ctx, b.bucket, b.prefix+name, minio.RemoveObjectOptions{})
	if err != nil {
		return s3Error(ctx, "remove object", err)
	}
	return nil
}

// List visits the objects whose names begin with a prefix, in no promised order; the walk ends at
// the first error.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		list, stop := context.WithCancel(ctx)
		defer stop()
		opts := minio.ListObjectsOptions{Prefix: b.prefix + prefix, Recursive: true}
		for object := range b.core.ListObjectsIter(list, b.bucket, opts) {
			if object.Err != nil {
				yield(Object{}, s3Error(ctx, "list objects", object.Err))
				return
			}
			if !yield(Object{Name: object.Key[len(b.prefix):], Size: object.Size}, nil) {
				return
			}
		}
	}
}
