package tidy

import (
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// spelled are names of methods in the sources of clients in other languages: messages.sendMessage,
// messages.SendMessageRequest.
var spelled = regexp.MustCompile(`\b[a-z][a-z0-9]*\.[a-zA-Z][a-zA-Z0-9]+\b`)

// scripts are the endings of programs in other languages.
var scripts = []string{".js", ".mjs", ".ts", ".py"}

// called are the names of functions that a text calls.
var called = regexp.MustCompile(`\.(\w+)\(`)

// through are functions of client libraries, in any language, that send these methods.
var through = map[string][]string{
	"CreateChannel":     {"channels.createChannel"},
	"IfNecessary":       {"auth.sendCode", "auth.signIn"},
	"NewDownloader":     {"upload.getFile"},
	"NewUploader":       {"upload.saveFilePart"},
	"Self":              {"users.getUsers"},
	"SignUp":            {"auth.signUp"},
	"deleteMessages":    {"messages.deleteMessages"},
	"delete_messages":   {"messages.deleteMessages"},
	"downloadAsBuffer":  {"upload.getFile"},
	"downloadMedia":     {"upload.getFile"},
	"download_media":    {"upload.getFile"},
	"editMessage":       {"messages.editMessage"},
	"edit_message":      {"messages.editMessage"},
	"forwardMessages":   {"messages.forwardMessages"},
	"forward_messages":  {"messages.forwardMessages"},
	"getDialogs":        {"messages.getDialogs"},
	"get_dialogs":       {"messages.getDialogs"},
	"getHistory":        {"messages.getHistory"},
	"getMe":             {"users.getUsers"},
	"get_me":            {"users.getUsers"},
	"get_messages":      {"messages.getHistory"},
	"iterDialogs":       {"messages.getDialogs"},
	"sendFile":          {"messages.sendMedia", "upload.saveFilePart"},
	"sendMedia":         {"messages.sendMedia", "upload.saveFilePart"},
	"sendMessage":       {"messages.sendMessage"},
	"sendText":          {"messages.sendMessage"},
	"send_code_request": {"auth.sendCode"},
	"send_file":         {"messages.sendMedia", "upload.saveFilePart"},
	"send_message":      {"messages.sendMessage"},
	"sendCode":          {"auth.sendCode"},
	"signIn":            {"auth.signIn"},
	"sign_in":           {"auth.signIn"},
	"signUp":            {"auth.signUp"},
	"sign_up":           {"auth.signUp"},
	"start":             {"auth.sendCode", "auth.signIn"},
}

// exercised finds the tests in which the server's own handler of a method runs: those that send it
// through a library's client, by its request type, or by name in another language; sorted.
func (r *tree) exercised(names map[string]string) map[string][]string {
	out := make(map[string][]string)
	note := func(method, at string) {
		at = strings.TrimPrefix(strings.TrimPrefix(at, "internal/"), "test/clients/")
		out[method] = append(out[method], at)
	}
	for dir, tests := range r.senders(names) {
		for test, sends := range tests {
			for method := range sends {
				note(method, dir+"/"+test)
			}
		}
	}
	for at, text := range r.texts {
		if within(at, "test") && slices.Contains(scripts, path.Ext(at)) {
			for method := range spoken(text, names) {
				note(method, at)
			}
		}
	}
	known := r.tests()
	for method, at := range elsewhere {
		if known["internal/"+at.test] {
			note(method, at.test)
		}
	}
	for method, tests := range out {
		slices.Sort(tests)
		out[method] = slices.Compact(tests)
	}
	return out
}

// reaches tells whether what a test of a folder sends comes to the handlers.
func reaches(dir string) bool {
	return within(dir, "internal/api", "internal/node", "internal/importer", "test")
}

// spoken returns the methods that a program in another language sends.
func spoken(text string, names map[string]string) map[string]bool {
	out := make(map[string]bool)
	for _, found := range spelled.FindAllString(text, -1) {
		if name := names[strings.TrimSuffix(folded(found), "request")]; name != "" {
			out[name] = true
		}
	}
	for _, m := range called.FindAllStringSubmatch(text, -1) {
		for _, name := range through[m[1]] {
			out[name] = true
		}
	}
	return out
}

// senders returns the methods that each test sends, by folder and test, through whatever functions
// of the same package's tests.
func (r *tree) senders(names map[string]string) map[string]map[string]map[string]bool {
	type function struct{ uses, sends map[string]bool }
	all := make(map[string]map[string]function)
	for _, s := range r.sources {
		if !s.test || !reaches(s.dir) {
			continue
		}
		if all[s.dir] == nil {
			all[s.dir] = make(map[string]function)
		}
		for _, decl := range s.file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Body != nil {
				uses, sends := mentions(d.Body, names)
				all[s.dir][d.Name.Name] = function{uses, sends}
			}
		}
	}
	out := make(map[string]map[string]map[string]bool)
	for dir, functions := range all {
		out[dir] = make(map[string]map[string]bool)
		for name := range functions {
			if !isTest(name) {
				continue
			}
			sends, seen := make(map[string]bool), make(map[string]bool)
			for todo := []string{name}; len(todo) > 0; {
				next := todo[0]
				todo = todo[1:]
				if seen[next] {
					continue
				}
				seen[next] = true
				maps.Copy(sends, functions[next].sends)
				todo = slices.AppendSeq(todo, maps.Keys(functions[next].uses))
			}
			out[dir][name] = sends
		}
	}
	return out
}

// mentions returns the names that a function uses and the methods that it sends.
func mentions(body ast.Node, names map[string]string) (uses, sends map[string]bool) {
	uses, sends = make(map[string]bool), make(map[string]bool)
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			uses[n.Name] = true
		case *ast.CallExpr: // client.MessagesSendMessage(...)
			if f, ok := n.Fun.(*ast.SelectorExpr); ok {
				uses[f.Sel.Name] = true
				for _, name := range through[f.Sel.Name] {
					sends[name] = true
				}
				if name := names[folded(f.Sel.Name)]; name != "" && strings.Contains(name, ".") {
					sends[name] = true
				}
			}
		case *ast.CompositeLit: // tg.MessagesSendMessageRequest{...}
			name, ok := strings.CutSuffix(strings.TrimPrefix(selector(n.Type), "tg."), "Request")
			if name := names[folded(name)]; ok && name != "" {
				sends[name] = true
			}
		}
		return true
	})
	return uses, sends
}

// isTest tells the names of functions that go test runs.
func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") ||
		strings.HasPrefix(name, "Benchmark")
}
