package terms

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// corpus is text of all our languages, for the fingerprint, the benchmarks and the fuzzer.
var corpus = map[string]string{
	"en": "The ferry leaves at 9:30 from pier 4; please bring tickets, don't be late! #harbour",
	"ru": "Паром отходит в 9:30 от четвёртого причала; возьмите билеты и не опаздывайте! #гавань",
	"fa": "کشتی ساعت ۹:۳۰ از اسکله‌ی چهارم حرکت می‌کند؛ بلیت‌های خود را بیاورید! #بندر",
	"ar": "تغادر العبّارة الساعة ٩:٣٠ من الرصيف الرابع؛ أحضروا التذاكر ولا تتأخروا! #الميناء",
	"id": "Kapal berangkat pukul 9.30 dari dermaga keempat; bawalah tiketnya! #pelabuhan",
	"de": "Die Fähre fährt um 9.30 Uhr von Brücke 4 ab; bitte Fahrscheine mitnehmen, Grüße! #Häfen",
	"fr": "Le ferry part à 9 h 30 du quai n° 4 ; n'oubliez pas vos billets, s'il vous plaît #port",
	"zh": "渡轮九点三十分从四号码头出发，请带好船票，不要迟到！#港口",
	"ko": "페리는 9시 30분에 4번 부두에서 출발합니다. 표를 챙기고 늦지 마세요! #항구",
}

func languages() []string {
	var list []string
	for language := range corpus {
		list = append(list, language)
	}
	slices.Sort(list)
	return list
}

// TestPipelineName fails when the terms change and the pipeline's name does not. After changing
// the rules on purpose give Pipeline another name, and enter what this test prints.
func TestPipelineName(t *testing.T) {
	const named, fingerprint = "parley-1", "f21a4cd9359ab2ef"
	hash := sha256.New()
	for _, language := range languages() {
		for _, term := range Index(corpus[language]) {
			hash.Write([]byte(term + "\n"))
		}
	}
	if got := hex.EncodeToString(hash.Sum(nil)[:8]); Pipeline != named || got != fingerprint {
		t.Errorf("pipeline %s makes %s; named here are %s and %s", Pipeline, got, named,
			fingerprint)
	}
}

func TestIndex(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"", nil},
		{" \t\n … !?", nil},
		{"cat Cat CAT", []string{"cat"}},
		{"running", []string{"running", "run"}},
		{"#a_b", []string{"ʰab", "a", "b"}},
		{"@A_b", []string{"ᵐab", "a", "b"}},
		{"# @ #_ @_", nil},
		{"#1", []string{"1"}},
		{"猫", []string{"猫"}},
		{"小猫", []string{"小猫", "小", "猫"}},
		{"大きい", []string{"大き", "きい", "大", "き", "い"}},
		{"3日", []string{"3", "日"}},
		{"二〇", []string{"二〇", "二", "〇"}},
		{"ドが", []string{"ドが", "ド", "が"}},
		{"o'clock", []string{"oclock", "clock"}},
		{"'quoted'", []string{"quoted", "quot"}},
		{"йод", []string{"йод"}},
		{"ʰab", []string{"hab"}},
		{"\xff\xfebad\xc3", []string{"bad"}},
		{"c\u00ada\u200dt\ufeff\u200e", []string{"cat"}},
	}
	for _, test := range tests {
		got := Index(test.text)
		if !slices.Equal(got, test.want) {
			t.Errorf("Index(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestQuery(t *testing.T) {
	tests := []struct {
		text string
		want [][]string
	}{
		{"", nil},
		{"--", nil},
		{"cat cat", [][]string{{"cat"}}},
		{"Running #Fast", [][]string{{"running", "run"}, {"ʰfast"}}},
		{"北京大学", [][]string{{"北京"}, {"京大"}, {"大学"}}},
		{"猫 and", [][]string{{"猫"}, {"and"}}},
	}
	for _, test := range tests {
		got := Query(test.text)
		if !slices.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("Query(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}

func TestWords(t *testing.T) {
	got := Words("Dr. Zoë O'Hara-Müller (@zoe_oh) 王小明 قاسم‌زاده #1")
	want := []string{"dr", "zoe", "ohara", "muller", "oh", "王小明", "قاسمزاده", "1"}
	if !slices.Equal(got, want) {
		t.Errorf("Words = %q, want %q", got, want)
	}
}

func TestLimits(t *testing.T) {
	var long strings.Builder
	for r := rune(0x4e00); r < 0x9000; r += 3 {
		long.WriteRune(r)
	}
	if n := len(Index(long.String())); n != MaxTerms {
		t.Errorf("%d terms of a long text, want %d", n, MaxTerms)
	}
	if n := len(Query(long.String())); n != MaxGroups {
		t.Errorf("%d groups of a long query, want %d", n, MaxGroups)
	}
	for _, text := range []string{
		strings.Repeat("щ", 500), "#" + strings.Repeat("ж", 500), "@" + strings.Repeat("x", 500),
	} {
		for _, term := range Index(text) {
			if n := utf8.RuneCountInString(term); n > MaxTerm {
				t.Errorf("a term of %d characters", n)
			}
		}
		if !matches(text, text) {
			t.Errorf("%.20q does not find itself", text)
		}
	}
	// A page of text in any of our languages stays far below the limit.
	for _, language := range languages() {
		page := strings.Repeat(corpus[language]+" ", 40)
		if n := len(Index(page)); n > MaxTerms/8 {
			t.Errorf("%s: %d terms", language, n)
		}
	}
}

// TestIndonesianGuard counts what the rules for Indonesian add to texts of other languages.
func TestIndonesianGuard(t *testing.T) {
	for language, most := range map[string]int{"en": 5, "de": 5, "fr": 5} {
		added := 0
		for _, w := range Words(corpus[language]) {
			added += len(indonesian(w))
		}
		if added > most {
			t.Errorf("%s: %d terms", language, added)
		}
	}
}

// checkText checks what must hold for every text.
func checkText(t *testing.T, text string) {
	have := Index(text)
	set := make(map[string]bool)
	for _, term := range have {
		if term == "" || set[term] || utf8.RuneCountInString(term) > MaxTerm {
			t.Fatalf("Index(%q) has %q", text, term)
		}
		for _, r := range term {
			if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
				t.Fatalf("Index(%q): %q has %q in it", text, term, r)
			}
		}
		set[term] = true
	}
	if len(have) > MaxTerms {
		t.Fatalf("%d terms", len(have))
	}
	groups := Query(text)
	if len(groups) > MaxGroups {
		t.Fatalf("%d groups", len(groups))
	}
	if len(have) == MaxTerms {
		return
	}
	for _, group := range groups {
		if !slices.ContainsFunc(group, func(term string) bool { return set[term] }) {
			t.Fatalf("%q does not find itself: none of %q in %q", text, group, have)
		}
	}
}

func FuzzIndex(f *testing.F) {
	for _, text := range corpus {
		f.Add(text)
	}
	for _, text := range []string{
		"https://a@b.c/%41?x#y", "#_a__b_ @x#y", "l'h\u200c'x", "\u200c'a'\u200c", "กำลัง สวัสดี",
		"हिन्दी", "İstanbul ŞŠ ǅ ﷺ ﬃ ½", "ㅎㅏㄴ 한", "\u0301\u0306й\u3099か", "a\u0308\u0323",
		"Ⅷ ④ ² ٣", "ʼn ʰx ᵐy",
	} {
		f.Add(text)
	}
	f.Fuzz(checkText)
}

func BenchmarkIndex(b *testing.B) {
	for _, language := range languages() {
		b.Run(language, func(b *testing.B) {
			b.SetBytes(int64(len(corpus[language])))
			b.ReportAllocs()
			terms := 0
			for b.Loop() {
				terms = len(Index(corpus[language]))
			}
			b.ReportMetric(float64(terms), "terms")
		})
	}
}

func BenchmarkQuery(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Query("ferry tickets Причал 码头")
	}
}
