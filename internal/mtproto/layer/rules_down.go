package layer

import "slices"

// downRules bridge from the current layer to older ones. The number in a reason is the last layer
// that knew the old form.
func downRules() []rule {
	return slices.Concat(downTypes(), downMessages(), downAccounts(), downInstead(),
		downKeyboards(), downRewards(), downResults())
}

// downTypes bridge pairs of types, wherever they stand.
func downTypes() []rule {
	return []rule{
		typeRule("TextWithEntities", "string",
			unwrap(cases{"textWithEntities": field("text")}),
			"polls (178) and folder titles (195) were plain text"),
		typeRule("double", "int", wholeSeconds(), "videos had whole seconds (158)"),
		typeRule("Peer", "long", unwrap(cases{"peerUser": field("user_id")}),
			"voters, viewers, owners of stories were users only (158, 163)"),
		typeRule("Reaction", "string", unwrap(cases{"reactionEmoji": field("emoticon")}),
			"reactions were emoji only (144)"),
		typeRule("ChatReactions", "Vector<string>",
			unwrap(cases{"chatReactionsSome": field("reactions"), "chatReactionsNone": empty{}}),
			"the reactions of a chat were a list of emoji (144)"),
		typeRule("SendAsPeer", "Peer", unwrap(cases{"sendAsPeer": field("peer")}),
			"nothing was said of peers to send as (144)"),
		typeRule("PeerColor", "int", unwrap(cases{"peerColor": field("color")}),
			"a color was its number (166)"),
		typeRule("RecentStory", "int", unwrap(cases{"recentStory": field("max_id")}),
			"only the last id was told (216)"),
		typeRule("Vector<RecentStory>", "Vector<int>",
			each{unwrap(cases{"recentStory": first{field("max_id"), number(0)}})},
			"only the last id was told (216); 0 is no story, and no place may be left out"),
		typeRule("Username", "string", unwrap(cases{"username": field("username")}),
			"a user had one username (147)"),
		typeRule("StarsAmount", "long", unwrap(cases{"starsAmount": field("amount")}),
			"amounts were whole Stars (194)"),
		typeRule("MessagePeerVote", "MessageUserVote", unwrap(cases{
			"messagePeerVote": like{"messageUserVote", with{"user_id": field("peer")}},
			"messagePeerVoteInputOption": like{"messageUserVoteInputOption",
				with{"user_id": field("peer")}},
			"messagePeerVoteMultiple": like{"messageUserVoteMultiple",
				with{"user_id": field("peer")}},
		}), "only users voted (158)"),
		typeRule("PeerStories", "UserStories",
			unwrap(cases{"peerStories": like{"userStories", with{"user_id": field("peer")}}}),
			"only users had stories (163)"),
		typeRule("InputPeer", "InputUser", unwrap(cases{
			"inputPeerSelf": ctor{"inputUserSelf", nil},
			"inputPeerUser": like{"inputUser", nil},
		}), "stories were of users only (163)"),
		typeRule("PaidReactionPrivacy", "Bool", unwrap(cases{
			"paidReactionPrivacyDefault":   truth(false),
			"paidReactionPrivacyAnonymous": truth(true),
		}), "one was anonymous or not (198)"),
		typeRule("StarGiftAttributeRarity", "int",
			unwrap(cases{"starGiftAttributeRarity": field("permille")}),
			"rarity was a share only (221)"),
	}
}

// downMessages bridge messages, their media, and the updates about them.
func downMessages() []rule {
	return []rule{
		fieldRule("draftMessage.reply_to_msg_id",
			on{"reply_to", cases{"inputReplyToMessage": field("reply_to_msg_id")}},
			"a draft replied to a message by its id (165)"),
		fieldRule("reactionCount.chosen", has("chosen_order"),
			"one reaction of a user had no order (144)"),
		fieldRule("pollAnswerVoters.voters", number(0),
			"there were no hidden results (223); clients show none as 0"),
		fieldRule("messageMediaDocument.alt_document", head("alt_documents"),
			"there was one alternative quality (187)"),
		fieldRule("updateMessageExtendedMedia.extended_media", head("extended_media"),
			"there was one paid medium (181)"),
		fieldRule("invoice.recurring_terms_url", choice{"recurring", field("terms_url"), none{}},
			"terms were for recurring payments only (163)"),
		fieldRule("pageListOrderedItemText.num", first{decimal(), text("")},
			"each item had its number as text (225); lists that count themselves had none"),
		fieldRule("pageListOrderedItemBlocks.num", first{decimal(), text("")},
			"each item had its number as text (225); lists that count themselves had none"),
		fieldRule("updateMessagePollVote.user_id", field("peer"), "only users voted (158)"),
		fieldRule("updateGroupCall.chat_id", on{"peer", cases{
			"peerChat":    field("chat_id"),
			"peerChannel": field("channel_id"),
		}}, "a call was of a chat or channel, by bare id (216)"),
		fieldRule("messageActionSetChatTheme.emoticon",
			on{"theme", cases{"chatTheme": field("emoticon")}}, "a theme was its emoji (211)"),
		fieldRule("messageActionRequestedPeer.peer", head("peers"), "one peer was shared (167)"),
		fieldRule("messageActionGiftPremium.months", months(),
			"gifts were counted in months (216)"),
		fieldRule("messageActionGiftCode.months", months(),
			"gifts were counted in months (216)"),
		fieldRule("payments.checkedGiftCode.months", months(),
			"gifts were counted in months (216)"),
		fieldRule("messageMediaStory.user_id", field("peer"), "stories were of users (163)"),
		fieldRule("messageReplyStoryHeader.user_id", field("peer"),
			"stories were of users (173)"),
		fieldRule("webPageAttributeStory.user_id", field("peer"), "stories were of users (163)"),
		fieldRule("inputMediaStory.user_id", field("peer"), "stories were of users (163)"),
		fieldRule("inputReplyToStory.user_id", field("peer"), "stories were of users (173)"),
		fieldRule("updateReadStories.user_id", field("peer"), "stories were of users (163)"),
		fieldRule("updateStory.user_id", field("peer"), "stories were of users (163)"),
		fieldRule("updateSentStoryReaction.user_id", field("peer"),
			"stories were of users (163)"),
		fieldRule("stories.allStories.user_stories", field("peer_stories"),
			"stories were of users (163)"),
		objectRule("messages.translateResult",
			ctor{"messages.translateResultText", with{"text": head("result")}},
			"one text was translated (151)"),
		objectRule("botInlineMessageMediaWebPage", like{"botInlineMessageText", nil},
			"came later (165); the link is in the text"),
		fieldRule("storyViews.reactions_count", number(0), "the count was always there (163)"),
	}
}

// downAccounts bridge users, chats, settings and the configuration.
func downAccounts() []rule {
	return []rule{
		fieldRule("config.saved_gifs_limit", number(200),
			"limits moved to the app configuration (152), where this is the default"),
		fieldRule("config.stickers_faved_limit", number(5),
			"limits moved to the app configuration (152), where this is the default"),
		fieldRule("config.pinned_dialogs_count_max", number(5),
			"limits moved to the app configuration (152), where this is the default"),
		fieldRule("config.pinned_infolder_count_max", number(100),
			"limits moved to the app configuration (152), where this is the default"),
		fieldRule("config.pfs_enabled", truth(true), "was said (152), is taken for granted since"),
		fieldRule("updateUserName.username", first{head("usernames"), text("")},
			"a user had one username (147); empty is none"),
		fieldRule("user.background_emoji_id",
			on{"color", cases{"peerColor": field("background_emoji_id")}},
			"stood beside the color (166)"),
		fieldRule("channel.background_emoji_id",
			on{"color", cases{"peerColor": field("background_emoji_id")}},
			"stood beside the color (166)"),
		fieldRule("userFull.theme_emoticon",
			on{"theme", cases{"chatTheme": field("emoticon")}}, "a theme was its emoji (211)"),
		fieldRule("botBusinessConnection.can_reply",
			on{"rights", cases{"businessBotRights": field("reply")}},
			"replying was the only right (200)"),
		fieldRule("connectedBot.can_reply",
			on{"rights", cases{"businessBotRights": field("reply")}},
			"replying was the only right (200)"),
		fieldRule("attachMenuBot.peer_types", empty{}, "the list was always there (162)"),
		fieldRule("webViewResultUrl.query_id", number(0), "the id was always there (181)"),
		objectRule("sponsoredMessage", none{}, "was of another kind (177)").lacking("url"),
		objectRule("messages.sponsoredMessagesEmpty", ctor{"messages.sponsoredMessages", with{
			"messages": empty{}, "chats": empty{}, "users": empty{},
		}}, "came later (147)"),
		objectRule("emojiStatus", first{
			like{"emojiStatusUntil", nil},
			ctor{"emojiStatus", with{"document_id": field("document_id")}},
		}, "a status that ends was a constructor of its own (196)").lacking("until"),
		objectRule("emojiStatusCollectible", first{
			like{"emojiStatusUntil", nil},
			ctor{"emojiStatus", with{"document_id": field("document_id")}},
		}, "came later (196), shows as its emoji"),
	}
}

// downInstead are stand-ins for whatever a boxed type got later.
func downInstead() []rule {
	return []rule{
		insteadRule("MessageMedia", ctor{"messageMediaUnsupported", nil},
			"made for this: the client offers to update itself"),
		insteadRule("MessageAction", ctor{"messageActionCustomAction", with{
			"message": text("This app is too old to show what happened here."),
		}}, "the message must stay, its pts counts"),
		insteadRule("auth.SentCodeType", ctor{"auth.sentCodeTypeSms", with{
			"length": field("length"),
		}}, "a code of known length is typed in like any other"),
		insteadRule("PageBlock", ctor{"pageBlockUnsupported", nil}, "made for this"),
		insteadRule("RichText", first{
			field("text"),
			ctor{"textPlain", with{"text": field("source")}},
			ctor{"textPlain", with{"text": field("alt")}},
		}, "text without its markup, or what stands for a formula or an emoji"),
		insteadRule("InputStickerSet", ctor{"inputStickerSetEmpty", nil},
			"a sticker without a set is known"),
		insteadRule("SendMessageAction", ctor{"sendMessageTypingAction", nil},
			"all of them are seen as typing"),
		insteadRule("StarsTransactionPeer", ctor{"starsTransactionPeerUnsupported", nil},
			"made for this"),
		insteadRule("help.PromoData", ctor{"help.promoDataEmpty", with{
			"expires": field("expires"),
		}}, "promotions without a peer came later (202)"),
	}
}

// downRewards bridge gifts and Stars.
func downRewards() []rule {
	return []rule{
		fieldRule("messageActionStarGift.convert_stars", number(0),
			"was always there (192); 0 cannot be converted"),
		fieldRule("messageActionStarGiftUnique.resale_stars", field("resale_amount"),
			"prices were whole Stars (210)"),
		fieldRule("starGiftUnique.resell_stars", head("resell_amount"),
			"prices were whole Stars (210)"),
		fieldRule("starGiftAttributeModel.rarity_permille", field("rarity"), "other name (221)"),
		fieldRule("starGiftAttributePattern.rarity_permille", field("rarity"), "other name (221)"),
		fieldRule("starGiftAttributeBackdrop.rarity_permille", field("rarity"), "other name (221)"),
		fieldRule("starsTransaction.stars", field("amount"), "other name (205)"),
		fieldRule("payments.starsStatus.history", empty{}, "the list was always there (185)"),
	}
}

// downResults bridge the types of results that changed.
func downResults() []rule {
	updates := unwrap(cases{
		"messages.invitedUsers":           field("updates"),
		"messages.chatInviteJoinResultOk": field("updates"),
	})
	url := unwrap(cases{"webViewResultUrl": first{
		like{"appWebViewResultUrl", nil}, like{"simpleWebViewResultUrl", nil},
	}})
	reported := unwrap(cases{
		"reportResultReported":     truth(true),
		"reportResultChooseOption": truth(false),
		"reportResultAddComment":   truth(false),
	})
	return []rule{
		typeRule("messages.InvitedUsers", "Updates", updates,
			"who could not be invited was not told (176)"),
		typeRule("messages.ChatInviteJoinResult", "Updates", updates,
			"joining asked nothing (225)"),
		typeRule("messages.DialogFilters", "Vector<DialogFilter>",
			unwrap(cases{"messages.dialogFilters": field("filters")}), "a bare list (174)"),
		typeRule("messages.WebPagePreview", "MessageMedia",
			unwrap(cases{"messages.webPagePreview": field("media")}), "without peers (196)"),
		typeRule("messages.WebPage", "WebPage",
			unwrap(cases{"messages.webPage": field("webpage")}), "without peers (164)"),
		typeRule("help.AppConfig", "JSONValue",
			unwrap(cases{"help.appConfig": field("config")}), "without a hash (152)"),
		typeRule("ReportResult", "Bool", reported,
			"no questions were asked (187); only what was stored is a success"),
		typeRule("ReadParticipantDate", "long",
			unwrap(cases{"readParticipantDate": field("user_id")}), "without dates (152)"),
		typeRule("account.EmailVerified", "Bool", unwrap(cases{
			"account.emailVerified":      truth(true),
			"account.emailVerifiedLogin": truth(true),
		}), "success was all (144)"),
		typeRule("WebViewResult", "SimpleWebViewResult", url, "a type of its own (181)"),
		typeRule("WebViewResult", "AppWebViewResult", url, "a type of its own (181)"),
		typeRule("stories.CanSendStoryCount", "Bool",
			unwrap(cases{"stories.canSendStoryCount": truth(true)}), "not counted (202)"),
		typeRule("RequirementToContact", "Bool", unwrap(cases{
			"requirementToContactEmpty":        truth(false),
			"requirementToContactPremium":      truth(true),
			"requirementToContactPaidMessages": truth(false),
		}), "Premium was the only requirement (199); no place in the list may be left out"),
	}
}
