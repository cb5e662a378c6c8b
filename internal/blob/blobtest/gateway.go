// Package blobtest runs an S3 server for tests. Where there is none, it skips them and says why.
package blobtest

import (
	"context"
	"fmt"
	"net"
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
	region        = "us-east-1"
	// gatewayWait bounds the building and, separately, the starting of the gateway.
	gatewayWait = 4 * time.Minute
)

// Gateway is a running S3 server with an admin's client.
type Gateway struct {
	// Addr is its HOST:PORT.
	Addr string
	// Admin may do everything.
	Admin *minio.Client
}

// URL returns the URL of a new, empty bucket.
func (g Gateway) URL(t testing.TB, bucket, more string) string {
	t.Helper()
	if err := g.Admin.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("s3://%s:%s@%s/%s?tls=0%s", gatewayKey, "test%2Fsecret%2B1", g.Addr, bucket,
		more)
}

// gatewayProgram finds or builds versitygw, without the network, or skips the test.
func gatewayProgram(t testing.TB) string {
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

// Start runs versitygw on a folder of the test.
func Start(t testing.TB) Gateway {
	t.Helper()
	program := gatewayProgram(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := Gateway{Addr: listener.Addr().String()}
	_ = listener.Close()
	root := t.TempDir()
	for _, folder := range []string{"buckets", "versions"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "--port", g.Addr, "--access", gatewayKey, "--secret",
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
	g.Admin, err = minio.New(g.Addr, &minio.Options{
		Creds: credentials.NewStaticV4(gatewayKey, gatewaySecret, ""), Region: region,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), gatewayWait)
	defer cancel()
	for {
		if _, err = g.Admin.ListBuckets(ctx); err == nil {
			return g
		}
		select {
		case <-ended:
			t.Skipf("S3 form not tested: versitygw ended at once: %.400s", out.String())
		default:
		}
		if ctx.Err() != nil {
			t.Fatalf("versitygw does not answer: %v", err)
		}
	}
}
