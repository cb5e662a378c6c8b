package layer

// Until layer 228 each kind of button was a constructor of KeyboardButton, and one row served for
// both keyboards. Since then a button has a type, and those under messages are of their own kind.

// inlineButtons pairs the constructors of buttons under messages with the types of today.
func inlineButtons() map[string]string {
	return map[string]string{
		"keyboardButtonUrl":              "inlineButtonTypeUrl",
		"keyboardButtonUrlAuth":          "inlineButtonTypeUrlAuth",
		"keyboardButtonWebView":          "inlineButtonTypeWebView",
		"keyboardButtonCallback":         "inlineButtonTypeCallback",
		"keyboardButtonGame":             "inlineButtonTypeGame",
		"keyboardButtonBuy":              "inlineButtonTypeBuy",
		"keyboardButtonSwitchInline":     "inlineButtonTypeSwitchInline",
		"keyboardButtonUserProfile":      "inlineButtonTypeUserProfile",
		"keyboardButtonCopy":             "inlineButtonTypeCopy",
		"inputKeyboardButtonUrlAuth":     "inputInlineButtonTypeUrlAuth",
		"inputKeyboardButtonUserProfile": "inputInlineButtonTypeUserProfile",
	}
}

// replyButtons pairs the constructors of buttons below the input with the types of today.
func replyButtons() map[string]string {
	return map[string]string{
		"keyboardButtonRequestPhone":       "buttonTypeRequestPhone",
		"keyboardButtonRequestGeoLocation": "buttonTypeRequestGeoLocation",
		"keyboardButtonRequestPoll":        "buttonTypeRequestPoll",
		"keyboardButtonRequestPeer":        "buttonTypeRequestPeer",
		"keyboardButtonSimpleWebView":      "buttonTypeSimpleWebView",
		"inputKeyboardButtonRequestPeer":   "inputButtonTypeRequestPeer",
	}
}

// downButton is a button of today as one of its kind then, or as one that only sends its text.
func downButton(kinds map[string]string) expr {
	byType := make(cases)
	for old, now := range kinds {
		byType[now] = like{old, nil}
	}
	return first{on{"type", byType}, ctor{"keyboardButton", with{
		"text": field("text"), "style": field("style"),
	}}}
}

func downKeyboards() []rule {
	return []rule{
		objectRule("keyboardButton", downButton(replyButtons()), "by constructor (228)").
			lacking("type"),
		typeRule("KeyboardInlineButton", "KeyboardButton",
			unwrap(cases{"keyboardInlineButton": downButton(inlineButtons())}),
			"by constructor (228)"),
		typeRule("KeyboardInlineButtonRow", "KeyboardButtonRow",
			unwrap(cases{"keyboardInlineButtonRow": like{"keyboardButtonRow", nil}}),
			"one row for both keyboards (228)"),
	}
}

func upKeyboards() []rule {
	inline := make(cases)
	for old, now := range inlineButtons() {
		inline[old] = like{"keyboardInlineButton", with{"type": like{now, nil}}}
	}
	rules := []rule{
		fieldRule("keyboardButton.type", ctor{"buttonTypeDefault", nil},
			"by constructor (228); this one sends its text"),
		typeRule("KeyboardButton", "KeyboardInlineButton", unwrap(inline), "by constructor (228)"),
		typeRule("KeyboardButtonRow", "KeyboardInlineButtonRow",
			unwrap(cases{"keyboardButtonRow": like{"keyboardInlineButtonRow", nil}}),
			"one row for both keyboards (228)"),
		fieldRule("buttonTypeRequestPeer.max_quantity", number(1), "one peer was shared (167)"),
	}
	for old, now := range replyButtons() {
		rules = append(rules, objectRule(old,
			like{"keyboardButton", with{"type": like{now, nil}}}, "by constructor (228)"))
	}
	return rules
}
