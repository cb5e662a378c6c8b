package layer

import "slices"

// upRules bridge from all layers to the current one. The number in a reason is the last layer
// that knew the old form.
func upRules() []rule {
	return slices.Concat(upTypes(), upReplies(), upMessages(), upAccounts(), upReports(),
		upRefused(), upRenamed(), upStories(), upRewards(), upKeyboards())
}

// upTypes bridge pairs of types, wherever they stand.
func upTypes() []rule {
	return []rule{
		typeRule("string", "TextWithEntities",
			ctor{"textWithEntities", with{"text": self, "entities": empty{}}},
			"polls (178) and folder titles (195) were plain text"),
		typeRule("string", "Reaction", ctor{"reactionEmoji", with{"emoticon": self}},
			"reactions were emoji only (144)"),
		typeRule("Vector<string>", "ChatReactions",
			choice{string(self), ctor{"chatReactionsSome", with{"reactions": self}},
				ctor{"chatReactionsNone", nil}},
			"the reactions of a chat were a list of emoji (144)"),
		typeRule("int", "double", exactSeconds(), "videos had whole seconds (158)"),
		typeRule("long", "Peer", ctor{"peerUser", with{"user_id": self}},
			"voters and those who completed a task were users only (158, 216)"),
		typeRule("Bool", "PaidReactionPrivacy",
			choice{string(self), ctor{"paidReactionPrivacyAnonymous", nil},
				ctor{"paidReactionPrivacyDefault", nil}},
			"one was anonymous or not (198)"),
		typeRule("long", "StarsAmount",
			ctor{"starsAmount", with{"amount": self, "nanos": number(0)}},
			"amounts were whole Stars (210)"),
		typeRule("int", "PeerColor", ctor{"peerColor", with{"color": self}},
			"a color was its number (166)"),
		typeRule("int", "RecentStory", ctor{"recentStory", with{"max_id": self}},
			"only the last id was told (216)"),
		typeRule("InputChannel", "InputPeer", unwrap(cases{
			"inputChannelEmpty":       ctor{"inputPeerEmpty", nil},
			"inputChannel":            like{"inputPeerChannel", nil},
			"inputChannelFromMessage": like{"inputPeerChannelFromMessage", nil},
		}), "methods of channels became methods of peers (189, 214)"),
		typeRule("InputUser", "InputPeer", unwrap(cases{
			"inputUserEmpty":       ctor{"inputPeerEmpty", nil},
			"inputUserSelf":        ctor{"inputPeerSelf", nil},
			"inputUser":            like{"inputPeerUser", nil},
			"inputUserFromMessage": like{"inputPeerUserFromMessage", nil},
		}), "methods of users became methods of peers (163, 196)"),
	}
}

// upReplies bridge what a message answers to.
func upReplies() []rule {
	reply := first{
		ctor{"inputReplyToMessage", with{
			"reply_to_msg_id": field("reply_to_msg_id"), "top_msg_id": field("top_msg_id"),
		}},
		ctor{"inputReplyToMessage", with{"reply_to_msg_id": field("top_msg_id")}},
	}
	var rules []rule
	for _, method := range []string{
		"messages.sendMessage", "messages.sendMedia", "messages.sendMultiMedia",
		"messages.sendInlineBotResult", "messages.requestWebView", "messages.prolongWebView",
		"messages.saveDraft", "messages.sendScreenshotNotification",
	} {
		rules = append(rules, fieldRule(method+".reply_to", reply,
			"a reply was the id of a message, and of its topic (158, drafts 165)"))
	}
	return append(rules, fieldRule("inputReplyToStory.peer", field("user_id"),
		"stories were of users (173)"))
}

// upMessages bridge media and methods around messages.
func upMessages() []rule {
	return []rule{
		fieldRule("inputMediaPoll.correct_answers", correctAnswers(),
			"correct answers were named by their option (223)"),
		fieldRule("poll.hash", number(0), "was not there (223); 0 has seen no results"),
		fieldRule("messages.getPollResults.poll_hash", number(0),
			"was not there (223); 0 asks for all"),
		fieldRule("invoice.terms_url", field("recurring_terms_url"),
			"terms were for recurring payments only (163)"),
		fieldRule("reactionCount.chosen_order", choice{"chosen", number(0), none{}},
			"one reaction of a user had no order (144)"),
		fieldRule("messages.sendReaction.reaction", list{field("reaction")},
			"one user had one reaction (144)"),
		fieldRule("messages.sendPaidReaction.private", choice{"private",
			ctor{"paidReactionPrivacyAnonymous", nil}, ctor{"paidReactionPrivacyDefault", nil}},
			"one was anonymous or not (198)"),
		fieldRule("messages.translateText.id", list{field("msg_id")},
			"one message at once (151)"),
		fieldRule("messages.translateText.text", list{field("text")}, "one text at once (151)"),
		fieldRule("messages.sendBotRequestedPeer.requested_peers",
			list{field("requested_peer")}, "one peer was shared (167)"),
		fieldRule("messages.setChatTheme.theme", choice{"emoticon",
			like{"inputChatTheme", nil}, ctor{"inputChatThemeEmpty", nil}},
			"a theme was its emoji, and empty was none (211)"),
		fieldRule("messages.requestWebView.platform", text("unknown"), "was not said (144)"),
		fieldRule("messages.requestSimpleWebView.platform", text("unknown"), "was not said (144)"),
		fieldRule("messageMediaDocument.alt_documents", list{field("alt_document")},
			"there was one alternative quality (187)"),
	}
}

// upRefused are fields whose loss would change what was asked for.
func upRefused() []rule {
	files := choice{"photos", refuse{},
		choice{"documents", refuse{}, choice{"users", refuse{}, none{}}}}
	const why = "files had no names to be found by, for some weeks of 227"
	return []rule{
		fieldRule("inputRichMessageHTML.files", files, why),
		fieldRule("inputRichMessageMarkdown.files", files, why),
		fieldRule("messages.composeMessageWithAI.tone", choice{"change_tone", refuse{}, none{}},
			"a tone was any text (224)"),
	}
}

// upAccounts bridge settings and chats.
func upAccounts() []rule {
	color := ctor{"peerColor", with{
		"color": field("color"), "background_emoji_id": field("background_emoji_id"),
	}}
	rights := choice{"can_reply",
		ctor{"businessBotRights", with{"reply": truth(true)}}, none{}}
	return []rule{
		fieldRule("account.updateColor.color",
			choice{"color", color, choice{"background_emoji_id", color, none{}}},
			"color and emoji were fields of their own (214)"),
		fieldRule("account.sendVerifyEmailCode.purpose", ctor{"emailVerifyPurposePassport", nil},
			"passports were the only purpose (144)"),
		fieldRule("account.verifyEmail.purpose", ctor{"emailVerifyPurposePassport", nil},
			"passports were the only purpose (144)"),
		fieldRule("account.verifyEmail.verification",
			ctor{"emailVerificationCode", with{"code": field("code")}},
			"a code was the only way (144)"),
		fieldRule("account.updateConnectedBot.rights", rights,
			"replying was the only right (200)"),
		fieldRule("channels.toggleSignatures.signatures_enabled", field("enabled"),
			"signatures had no profiles (185)"),
		fieldRule("channels.toggleForum.tabs", truth(false), "forums had no tabs (203)"),
		fieldRule("help.getAppConfig.hash", number(0),
			"was not there (152); 0 asks for the whole, which is all that can be answered"),
		fieldRule("autoDownloadSettings.small_queue_active_operations_max", number(0),
			"was not there (158); 0 leaves it to the client"),
		fieldRule("autoDownloadSettings.large_queue_active_operations_max", number(0),
			"was not there (158); 0 leaves it to the client"),
		objectRule("emojiStatusUntil", like{"emojiStatus", nil},
			"a status that ends was a constructor of its own (196)"),
	}
}

// upReports turn the reason of an old report into the option of a new one: the name of the reason
// as bytes. Who draws up the menu of options has to understand these ten.
func upReports() []rule {
	options := make(cases)
	for _, reason := range []string{
		"inputReportReasonSpam", "inputReportReasonViolence", "inputReportReasonPornography",
		"inputReportReasonChildAbuse", "inputReportReasonOther", "inputReportReasonCopyright",
		"inputReportReasonGeoIrrelevant", "inputReportReasonFake",
		"inputReportReasonIllegalDrugs", "inputReportReasonPersonalDetails",
	} {
		options[reason] = text(reason)
	}
	const why = "a report gave a reason out of ten (187)"
	return []rule{
		fieldRule("messages.report.option", on{"reason", options}, why),
		fieldRule("stories.report.option", on{"reason", options}, why),
	}
}

// upRenamed are methods that go by another name.
func upRenamed() []rule {
	var rules []rule
	for old, now := range map[string]string{
		"channels.createForumTopic":           "messages.createForumTopic",
		"channels.deleteTopicHistory":         "messages.deleteTopicHistory",
		"channels.editForumTopic":             "messages.editForumTopic",
		"channels.getForumTopics":             "messages.getForumTopics",
		"channels.getForumTopicsByID":         "messages.getForumTopicsByID",
		"channels.reorderPinnedForumTopics":   "messages.reorderPinnedForumTopics",
		"channels.updatePinnedForumTopic":     "messages.updatePinnedForumTopic",
		"channels.editCreator":                "messages.editChatCreator",
		"channels.getFutureCreatorAfterLeave": "messages.getFutureChatCreatorAfterLeave",
		"channels.getSponsoredMessages":       "messages.getSponsoredMessages",
		"channels.viewSponsoredMessage":       "messages.viewSponsoredMessage",
		"channels.clickSponsoredMessage":      "messages.clickSponsoredMessage",
		"channels.reportSponsoredMessage":     "messages.reportSponsoredMessage",
	} {
		rules = append(rules, objectRule(old, like{now, with{"peer": field("channel")}},
			"was for channels only (sponsored 189, topics 214, owners 222)"))
	}
	return append(rules,
		objectRule("users.getIsPremiumRequiredToContact",
			like{"users.getRequirementsToContact", nil}, "Premium was the only one (199)"),
		objectRule("payments.canPurchasePremium", like{"payments.canPurchaseStore", nil},
			"other name (200)"),
		objectRule("account.addNoPaidMessagesException",
			like{"account.toggleNoPaidMessagesException", nil}, "other name (204)"),
	)
}

// upStories bridge the methods from when stories were of users, and one's own went without saying.
func upStories() []rule {
	const why = "stories were of users (163)"
	peer := first{field("user_id"), ctor{"inputPeerSelf", nil}}
	var rules []rule
	for _, method := range []string{
		"canSendStory", "deleteStories", "editStory", "exportStoryLink", "getPinnedStories",
		"getStoriesArchive", "getStoriesByID", "getStoriesViews", "getStoryViewsList",
		"incrementStoryViews", "readStories", "report", "sendReaction", "sendStory",
		"togglePinned",
	} {
		rules = append(rules, fieldRule("stories."+method+".peer", peer, why))
	}
	return append(rules,
		objectRule("stories.getUserStories",
			like{"stories.getPeerStories", with{"peer": field("user_id")}}, why),
		objectRule("stories.getAllReadUserStories",
			like{"stories.getAllReadPeerStories", nil}, why),
		objectRule("contacts.toggleStoriesHidden",
			like{"stories.togglePeerStoriesHidden", with{"peer": field("id")}}, why),
		objectRule("users.getStoriesMaxIDs", like{"stories.getPeerMaxIDs", nil}, why),
		fieldRule("inputMediaStory.peer", field("user_id"), why),
		fieldRule("messageMediaStory.peer", field("user_id"), why),
		fieldRule("webPageAttributeStory.peer", field("user_id"), why),
	)
}

// upRewards bridge gifts and Stars.
func upRewards() []rule {
	saved := ctor{"inputSavedStarGiftUser", with{"msg_id": field("msg_id")}}
	const why = "a gift was named by the message that brought it (196)"
	return []rule{
		fieldRule("payments.convertStarGift.stargift", saved, why),
		fieldRule("payments.saveStarGift.stargift", saved, why),
		fieldRule("payments.transferStarGift.stargift", saved, why),
		fieldRule("payments.upgradeStarGift.stargift", saved, why),
		fieldRule("inputInvoiceStarGiftUpgrade.stargift", saved, why),
		fieldRule("inputInvoiceStarGiftTransfer.stargift", saved, why),
		fieldRule("inputInvoiceStarGift.peer", field("user_id"), "gifts were for users (196)"),
		fieldRule("payments.updateStarGiftPrice.resell_amount", field("resell_stars"),
			"prices were whole Stars (210)"),
		fieldRule("payments.getStarsRevenueWithdrawalUrl.amount", field("stars"),
			"other name (205)"),
		objectRule("inputStorePaymentStars", like{"inputStorePaymentStarsTopup", nil},
			"other name (184)"),
	}
}
