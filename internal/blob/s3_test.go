package blob

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"parley/internal/blob/blobtest"
)

func TestS3Conforms(t *testing.T) {
	g := blobtest.Start(t)
	buckets := 0
	conform(t, func(t *testing.T) form {
		buckets++
		// Every other store shares its bucket with foreign objects.
		prefix := ""
		if buckets%2 == 0 {
			prefix = "&prefix=parley/blobs/"
		}
		bucket := fmt.Sprintf("conform-%d", buckets)
		spool := filepath.Join(t.TempDir(), "spool")
		s, err := OpenS3(t.Context(), g.URL(t, bucket, prefix), spool)
		if err != nil {
			t.Fatal(err)
		}
		s.max = testMax
		for _, key := range []string{"readme.txt", "parley/blobs/notes", "parley/other"} {
			_, err := g.Admin.PutObject(t.Context(), bucket, key, strings.NewReader("x"), 1,
				minio.PutObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
				t.Errorf("spool files left: %v, %v", left, err)
			}
		})
		return form{
			store: s, within: func(name string) Store { return s.Within(name) },
			later: func() { nextSecond(t, g, bucket) },
		}
	})
	testS3Refusals(t, g)
}

// nextSecond waits until a bucket, which dates its objects to the second, dates them later.
func nextSecond(t *testing.T, g blobtest.Gateway, bucket string) {
	t.Helper()
	dated := func() time.Time {
		const key = "readme.txt"
		_, err := g.Admin.PutObject(t.Context(), bucket, key, strings.NewReader("x"), 1,
			minio.PutObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		info, err := g.Admin.StatObject(t.Context(), bucket, key, minio.StatObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return info.LastModified
	}
	for first := dated(); !dated().After(first); {
	}
}

// testS3Refusals opens buckets that must not be used, and loses one that was.
func testS3Refusals(t *testing.T, g blobtest.Gateway) {
	t.Run("wrong secret", func(t *testing.T) {
		good := g.URL(t, "guarded", "")
		bad := strings.Replace(good, "test%2Fsecret", "wrong", 1)
		_, err := OpenS3(t.Context(), bad, "")
		var storage *StorageError
		if !errors.As(err, &storage) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("OpenS3 = %v", err)
		}
	})
	t.Run("no bucket", func(t *testing.T) {
		url := strings.Replace(g.URL(t, "present", ""), "present", "absent", 1)
		_, err := OpenS3(t.Context(), url, "")
		var storage *StorageError
		if !errors.As(err, &storage) {
			t.Errorf("OpenS3 = %v", err)
		}
	})
	t.Run("versions", func(t *testing.T) {
		url := g.URL(t, "versioned", "")
		if err := g.Admin.EnableVersioning(t.Context(), "versioned"); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenS3(t.Context(), url, ""); !errors.Is(err, ErrVersioned) {
			t.Errorf("OpenS3 = %v", err)
		}
	})
	t.Run("bucket vanishes", func(t *testing.T) {
		s, err := OpenS3(t.Context(), g.URL(t, "vanishing", ""), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Admin.RemoveBucket(t.Context(), "vanishing"); err != nil {
			t.Fatal(err)
		}
		_, _, err = s.Put(t.Context(), strings.NewReader("x"))
		var storage *StorageError
		if !errors.As(err, &storage) {
			t.Errorf("Put = %v", err)
		}
	})
}

// TestS3Unavailable tells servers that are away or overloaded from storage that failed.
func TestS3Unavailable(t *testing.T) {
	overloaded := httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
	defer overloaded.Close()
	away := httptest.NewServer(nil)
	away.Close()
	for name, server := range map[string]*httptest.Server{"overloaded": overloaded, "away": away} {
		url := "s3://key:secret@" + server.Listener.Addr().String() + "/bucket?tls=0"
		_, err := OpenS3(t.Context(), url, "")
		var storage *StorageError
		if !errors.Is(err, ErrUnavailable) || errors.As(err, &storage) {
			t.Errorf("%s: OpenS3 = %v", name, err)
		}
	}
}

// TestS3BrokenAnswer cuts an answer in the middle: that must not look like the end of the blob.
func TestS3BrokenAnswer(t *testing.T) {
	const size = 1000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"e"`)
		if r.Method == http.MethodHead || r.URL.Query().Has("versioning") {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(size/2))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(make([]byte, size/2))
	}))
	defer server.Close()
	s, err := OpenS3(t.Context(), "s3://k:s@"+server.Listener.Addr().String()+"/bucket?tls=0", "")
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.ReadAt(t.Context(), Digest{}, make([]byte, size), 0)
	if n != size/2 || !errors.Is(err, ErrUnavailable) {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
}

func TestParseS3(t *testing.T) {
	got, err := parseS3("s3://key:a%2Fb%2Bc@[::1]:9000/files?tls=0&prefix=/x/&region=eu-1")
	want := s3Config{
		host: "[::1]:9000", bucket: "files", prefix: "x/", region: "eu-1", key: "key",
		secret: "a/b+c",
	}
	if err != nil || got != want {
		t.Errorf("parseS3 = %+v, %v", got, err)
	}
	if got, err = parseS3("s3://k:s@h/b"); err != nil || !got.tls || got.region != s3Region {
		t.Errorf("defaults: %+v, %v", got, err)
	}
	for _, raw := range []string{
		"", "http://k:sesame@h/b", "s3://h/b", "s3://k@h/b", "s3://k:sesame@h/", "s3://k:sesame@/b",
		"s3://k:sesame@h/b/c", "s3://k:sesame@h/b?tls=no", "s3://k:sesame@h/b?tsl=0",
		"s3://k:sesame@h/b?region=", "s3://k:sesame@h/b#x", "s3://k:sesame@h:x/b",
		"s3://k:ses%zz@h/b", "s3://k:sesame@h/b?a=%zz",
	} {
		_, err := parseS3(raw)
		if !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("parseS3(%q) = %v", raw, err)
		}
	}
}

func FuzzParseS3(f *testing.F) {
	f.Add("s3://key:secret@host:9000/bucket?tls=0&prefix=p/")
	f.Fuzz(func(t *testing.T, raw string) {
		c, err := parseS3(raw)
		if err == nil && (c.host == "" || c.bucket == "" || c.key == "" || c.secret == "") {
			t.Errorf("%q became %+v", raw, c)
		}
	})
}
