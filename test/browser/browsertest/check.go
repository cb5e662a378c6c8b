package browsertest

import "strings"

// axe is the file of the accessibility checker.
const axe = "axe-core/axe.min.js"

// violation is what the accessibility checker found, as it says it.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		Target []any  `json:"target"`
		HTML   string `json:"html"`
	} `json:"nodes"`
}

// Accessible fails the test for every violation of the Web Content Accessibility Guidelines 2.2,
// levels A and AA, and of the checker's best practice that a machine can find.
//
// https://www.w3.org/TR/WCAG22/
func (p *Page) Accessible() {
	p.t.Helper()
	source := module(p.t, axe)
	Eval[bool](p, source+"; typeof axe === 'object'")
	found := Eval[[]violation](p, `axe.run(document, {resultTypes: ["violations"],
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
		.then(r => r.violations.map(v => ({id: v.id, help: v.help,
			nodes: v.nodes.map(n => ({target: n.target.map(String), html: n.html}))})))`)
	for _, v := range found {
		for _, n := range v.Nodes {
			p.t.Errorf("%s: %s (%s): %v %s", p.Location(), v.Help, v.ID, n.Target, n.HTML)
		}
	}
}

// Fits fails the test when the page is wider than its window, and names what sticks out.
func (p *Page) Fits() {
	p.t.Helper()
	out := Eval[[]string](p, `(() => {
		const wide = document.documentElement.clientWidth;
		const out = [];
		if (document.documentElement.scrollWidth <= wide) return out;
		for (const e of document.querySelectorAll("body *")) {
			const r = e.getBoundingClientRect();
			if (r.width > 0 && (r.right > wide + 0.5 || r.left < -0.5))
				out.push(e.tagName + " " + (e.id || e.className) + " " + r.left + " to " + r.right);
		}
		return out.length ? out : ["the page scrolls sideways"];
	})()`)
	if len(out) > 0 {
		p.t.Errorf("%s is too wide: %s", p.Location(), strings.Join(out, "; "))
	}
}
