package statement

import "embed"

// Files are the texts.
func Files() embed.FS { return files }
