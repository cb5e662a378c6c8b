package blob

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// gatewayEnv names a versitygw program to test the S3 form with.
	gatewayEnv = "PARLEY_TEST_VERSITYGW"
	// gatewayModule is what is built when no program is named and the module cache has it.
	gatewayModule = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
	gatewayKey    = "testkey"
	gatewaySecret = "test/secret+1"
	// gatewayWait bounds the building and, separately, the starting of the gateway.
	gatewayWait = 4 * time.Minute
)

// gateway is a running S3 server with an admin's client.
type gateway struct {
	addr  string
	admin *minio.Client
}

// url returns the URL of a new, empty bucket.
func (g gateway) url(t *testing.T, bucket, more string) string {
	t.Helper()
	if err := g.admin.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("s3://%s:%s@%s/%s?tls=0%s", gatewayKey, "test%2Fsecret%2B1", g.addr, bucket,
		more)
}

// gatewayProgram finds or builds versitygw, without the network, or skips the test.
func gatewayProgram(t *testing.T) string {
	t.Helper()
	if program := os.Getenv(gatewayEnv); program != "" {
		return program
	}
	if program, err := exec.LookPath("versitygw"); err == nil {
		return program
	}
	if testing.Short() {
		t.Skipf("S3 form not tested: -short, and %s names no versitygw", gatewayEnv)
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Skipf("S3 form not tested: no go command to build versitygw with: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), gatewayWait)
	defer cancel()
	bin := t.TempDir()
	build := exec.CommandContext(ctx, "go", "install", gatewayModule)
	proxy := "file://" + filepath.Join(strings.TrimSpace(string(cache)), "cache", "download")
	build.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "GOSUMDB=off", "GOPROXY="+proxy)
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("S3 form not tested: set %s to a versitygw program, or go install %s once; "+
			"the module cache alone does not do: %v\n%.400s", gatewayEnv, gatewayModule, err, out)
	}
	return filepath.Join(bin, "versitygw")
}

// startGateway runs versitygw on a folder of the test.
func startGateway(t *testing.T) gateway {
	t.Helper()
	program := gatewayProgram(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := gateway{addr: listener.Addr().String()}
	_ = listener.Close()
	root := t.TempDir()
	for _, folder := range []string{"buckets", "versions"} {
		if err := os.Mkdir(filepath.Join(root, folder), folderMode); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "--port", g.addr, "--access", gatewayKey, "--secret",
		gatewaySecret, "--quiet", "posix", "--versioning-dir", filepath.Join(root, "versions"),
		filepath.Join(root, "buckets"))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skipf("S3 form not tested: versitygw does not start: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	g.admin, err = minio.New(g.addr, &minio.Options{
		Creds: credentials.NewStaticV4(gatewayKey, gatewaySecret, ""), Region: s3Region,
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(gatewayWait); ; {
		if _, err = g.admin.ListBuckets(t.Context()); err == nil {
			return g
		}
		select {
		case <-ended:
			t.Skipf("S3 form not tested: versitygw ended at once: %.400s", out.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not answer: %v", err)
		}
	}
}

func TestS3Conforms(t *testing.T) {
	g := startGateway(t)
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
		s, err := OpenS3(t.Context(), g.url(t, bucket, prefix), spool)
		if err != nil {
			t.Fatal(err)
		}
		s.max = testMax
		for _, key := range []string{"readme.txt", "parley/blobs/notes", "parley/other"} {
			_, err := g.admin.PutObject(t.Context(), bucket, key, strings.NewReader("x"), 1,
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
		// Buckets date their objects to the second.
		return form{store: s, later: func() { time.Sleep(1100 * time.Millisecond) }}
	})
	testS3Refusals(t, g)
}

// testS3Refusals opens buckets that must not be used, and loses one that was.
func testS3Refusals(t *testing.T, g gateway) {
	t.Run("wrong secret", func(t *testing.T) {
		good := g.url(t, "guarded", "")
		bad := strings.Replace(good, "test%2Fsecret", "wrong", 1)
		_, err := OpenS3(t.Context(), bad, "")
		var storage *StorageError
		if !errors.As(err, &storage) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("OpenS3 = %v", err)
		}
	})
	t.Run("no bucket", func(t *testing.T) {
		url := strings.Replace(g.url(t, "present", ""), "present", "absent", 1)
		_, err := OpenS3(t.Context(), url, "")
		var storage *StorageError
		if !errors.As(err, &storage) {
			t.Errorf("OpenS3 = %v", err)
		}
	})
	t.Run("versions", func(t *testing.T) {
		url := g.url(t, "versioned", "")
		if err := g.admin.EnableVersioning(t.Context(), "versioned"); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenS3(t.Context(), url, ""); !errors.Is(err, ErrVersioned) {
			t.Errorf("OpenS3 = %v", err)
		}
	})
	t.Run("bucket vanishes", func(t *testing.T) {
		s, err := OpenS3(t.Context(), g.url(t, "vanishing", ""), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := g.admin.RemoveBucket(t.Context(), "vanishing"); err != nil {
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
