// Package signin is what signing in has in common at every door with accounts: the ceremonies of
// security keys with their script, the cookie of a session, and the tokens of its forms. It knows
// nobody and keeps nothing: whose door it is knows its people and their sessions.
//
// Invariants: a challenge is answered once and in time; no script reads a cookie and no other site
// sends it along; a form's token is good for one session and one path.
package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// files have the script of the ceremonies, and what it says when one fails.
//
//go:embed assets texts
var files embed.FS

// Files are the script with which pages talk to a security key and its words, for sets of pages.
func Files() fs.FS { return files }

// Wrong is the key of the text about a ceremony that failed, empty for any other error.
func Wrong(err error) string {
	for known, key := range map[error]string{
		ErrProof: "key.wrong", ErrTooOften: "key.often", ErrNoKeys: "key.nokeys",
	} {
		if errors.Is(err, known) {
			return key
		}
	}
	return ""
}

// Cookie is the cookie of a door's sessions.
type Cookie struct {
	// Name is the door's own, Secure is set when it is reached by https and by nothing else.
	Name   string
	Secure bool
}

// name is the cookie's whole name: the prefix keeps other hosts from setting it.
func (c Cookie) name() string {
	if c.Secure {
		return "__Host-" + c.Name
	}
	return c.Name
}

// Set gives a browser a session's cookie: no script reads it, and no other site sends it along.
func (c Cookie) Set(w http.ResponseWriter, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: c.name(), Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true,
		Secure: c.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// Clear takes the cookie from a browser.
func (c Cookie) Clear(w http.ResponseWriter) { c.Set(w, "", -time.Second) }

// Read is the cookie's value, empty where there is none.
func (c Cookie) Read(r *http.Request) string {
	cookie, err := r.Cookie(c.name())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Token is what a form of a session, by the digest of its cookie, must carry that posts to a path.
func Token(key [32]byte, session, path string) string {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(session + "\x00" + path))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// TokenIs tells whether a form's token is the one of a session and a path.
func TokenIs(key [32]byte, session, path, token string) bool {
	return subtle.ConstantTimeCompare([]byte(Token(key, session, path)), []byte(token)) == 1
}

// Next is where a visitor wants to go after signing in: a path of this site, or else home. Browsers
// take tabs and line ends out of an address before they read it, and a backslash for a slash.
//
// https://url.spec.whatwg.org/#concept-basic-url-parser
func Next(r *http.Request, home string) string {
	next := r.FormValue("next")
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.Contains(next, "\\") || strings.ContainsFunc(next, unicode.IsControl) {
		return home
	}
	return next
}

// Challenge is what a browser is to have signed, and the name under which to bring it.
type Challenge struct {
	Options any    `json:"options"`
	Name    string `json:"name"`
}

// Answer is what a key has signed.
type Answer struct {
	Name   string          `json:"name"`
	Answer json.RawMessage `json:"answer"`
}

// ReadAnswer reads what the script brings in a form's field; ErrProof for what is none.
func ReadAnswer(field string) (a Answer, err error) {
	if err := json.Unmarshal([]byte(field), &a); err != nil {
		return a, ErrProof
	}
	return a, nil
}

// Problem is an error as the script is told, in the visitor's language.
type Problem struct {
	Problem string `json:"problem"`
}

// Leave tells the script where to go on.
type Leave struct {
	Next string `json:"next"`
}
