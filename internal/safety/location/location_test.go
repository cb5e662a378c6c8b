package location

import "testing"

// TestLinks: all forms in which Telegram and this server write places are understood, and nothing
// else is taken for one.
func TestLinks(t *testing.T) {
	x := Resolver{Hosts: []string{"chat.example.org:8443"}}
	for text, want := range map[string]link{
		"@some_news":                          {name: "some_news"},
		"@Some_News/12":                       {name: "Some_News", message: 12},
		" https://t.me/some_news/12 ":         {name: "some_news", message: 12},
		"t.me/some_news/12?single":            {name: "some_news", message: 12},
		"http://telegram.me/s/some_news/12":   {name: "some_news", message: 12},
		"https://www.telegram.dog/some_news":  {name: "some_news"},
		"https://some_news.t.me/12":           {name: "some_news", message: 12},
		"https://t.me/some_news/5/12":         {name: "some_news", message: 12},
		"https://t.me/c/77/12":                {channel: 77, message: 12},
		"https://t.me/c/77/5/12":              {channel: 77, message: 12},
		"https://t.me/+AbC":                   {invite: "AbC"},
		"https://t.me/joinchat/AbC":           {invite: "AbC"},
		"tg://resolve?domain=some_news":       {name: "some_news"},
		"tg://resolve?domain=s_news&post=12":  {name: "s_news", message: 12},
		"tg://privatepost?channel=77&post=12": {channel: 77, message: 12},
		"tg://join?invite=AbC":                {invite: "AbC"},
		"https://chat.example.org:8443/news/3": {
			name: "news", message: 3,
		},
		"chat.example.org:8443/c/77/3": {channel: 77, message: 3},
	} {
		if got, ok := x.parse(text); !ok || got != want {
			t.Errorf("%s: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "@", "@no.name", "@some_news/x", "@some_news/0", "https://example.org/some_news/12",
		"https://t.me/some_news/-1", "https://t.me/c/x/1", "https://t.me/c/99999999999999/1",
		"ftp://t.me/some_news", "https://t.me/", "tg://resolve?domain=a b", "tg://other?x=1",
		"https://t.me/some_news/12?comment=3", "https://t.me/a/b/c/d", "javascript:alert(1)",
	} {
		if got, ok := x.parse(text); ok {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

func FuzzLinks(f *testing.F) {
	f.Add("https://t.me/some_news/12")
	f.Add("@x/1")
	x := Resolver{Hosts: []string{"chat.example.org"}}
	f.Fuzz(func(t *testing.T, text string) {
		l, ok := x.parse(text)
		named := 0
		for _, is := range []bool{l.name != "", l.channel != 0, l.invite != ""} {
			if is {
				named++
			}
		}
		if ok && named != 1 {
			t.Errorf("%q names %d things: %+v", text, named, l)
		}
		if s := Nowhere(text); s.Item <= 0 {
			t.Errorf("%q has no stand-in", text)
		}
	})
}
