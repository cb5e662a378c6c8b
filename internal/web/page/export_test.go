package page

import "io/fs"

// Own are the files of this package, for the test of their texts.
func Own() fs.FS { return own }
