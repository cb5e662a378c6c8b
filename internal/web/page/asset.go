package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// own are the files of this package.
//
//go:embed pages texts assets
var own embed.FS

// assetPath is the path below which the files of pages lie.
const assetPath = "/assets/"

// asset is a file that pages load. Its address changes with its content, so it may be kept for
// ever.
type asset struct {
	at, kind string
	body     []byte
}

// assets are the files by name.
type assets map[string]asset

// read adds the files of a package's folder assets, which it need not have.
func (a assets) read(files fs.FS) error {
	names, err := fs.Glob(files, "assets/*")
	if err != nil {
		return fmt.Errorf("page: assets: %w", err)
	}
	for _, at := range names {
		body, err := fs.ReadFile(files, at)
		if err != nil {
			return fmt.Errorf("page: assets: %w", err)
		}
		sum := sha256.Sum256(body)
		name, ext := path.Base(at), path.Ext(at)
		a[name] = asset{
			at:   strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext,
			kind: mime.TypeByExtension(ext), body: body,
		}
	}
	return nil
}

// Assets serves the files of the packages whose sets were read before.
func (s *Site) Assets() http.Handler {
	byAddress := make(map[string]asset)
	for _, a := range s.assets {
		byAddress[assetPath+a.at] = a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byAddress[r.URL.Path]
		if !ok {
			s.Fail(w, r, ErrNotFound)
			return
		}
		Policy{}.set(w.Header())
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write(a.body)
	})
}

// Mount adds what every door with pages has to a mux: the assets, and a page for what is not there.
func (s *Site) Mount(mux *http.ServeMux) {
	mux.Handle("GET "+assetPath+"{file}", s.Assets())
	mux.Handle("/", s.Handle(func(http.ResponseWriter, *http.Request) error {
		return ErrNotFound
	}))
}
