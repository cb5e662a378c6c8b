package about

import (
	"testing"

	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

func TestTexts(t *testing.T) { pagetest.Texts(t, files, page.Files()) }
