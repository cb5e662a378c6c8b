package console

import (
	"fmt"
	"net/url"
	"strings"

	"rsc.io/qr"
)

// code is a picture of squares that a generator of one-time codes reads from the screen.
type code struct {
	// Size is the width and height in squares, Path the black ones as a path of SVG.
	Size int
	Path string
}

// codeQuiet is the width of the white border that readers need, in squares.
const codeQuiet = 4

// codeOf is the picture of a secret of one-time codes.
//
// https://github.com/google/google-authenticator/wiki/Key-Uri-Format
func codeOf(service, name, secret string) (code, error) {
	at := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + service + ":" + name,
		RawQuery: url.Values{"secret": {secret}, "issuer": {service}}.Encode(),
	}
	made, err := qr.Encode(at.String(), qr.M)
	if err != nil {
		return code{}, fmt.Errorf("console: code: %w", err)
	}
	var path strings.Builder
	for y := range made.Size {
		for x := range made.Size {
			if made.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+codeQuiet, y+codeQuiet)
			}
		}
	}
	return code{made.Size + 2*codeQuiet, path.String()}, nil
}
