// Package about is the shell of the pages that anybody may see: their menu and their foot. It has
// no page of its own.
package about

import (
	"embed"
	"io/fs"
)

// files are the menu and the foot with their texts.
//
//go:embed all:pages texts
var files embed.FS

// Shell are the files of the menu and the foot, for other packages' sets of pages.
func Shell() fs.FS { return files }
