package tidy

// empty are the methods whose answer is that there is nothing of the kind here. The note says why
// that is true; whoever builds the thing removes the line.
var empty = map[string]string{
	"account.getContactSignUpNotification": "numbers without an account are not kept: silent",
	"account.getGlobalPrivacySettings":     "no such setting differs from its default",
	"channels.getLeftChannels":             "no account is being exported: TAKEOUT_REQUIRED",
	"contacts.getTopPeers":                 "whom somebody writes to most is not counted",
	"help.dismissSuggestion":               "no suggestion is ever made, so each is dismissed",
	"help.getAppUpdate":                    "applications are not distributed from here",
	"help.getCdnConfig":                    "there are no content delivery servers",
	"help.getDeepLinkInfo":                 "no deep link needs an explanation",
	"help.getPeerProfileColors":            "no colours beyond those that clients bring",
	"help.getPromoData":                    "nothing is promoted",
	"help.saveAppLog":                      "reports of applications are not kept: false",
	"langpack.getDifference":               "clients keep the texts that they bring",
	"langpack.getLangPack":                 "clients keep the texts that they bring",
	"langpack.getLanguage":                 "no language exists: LANG_CODE_NOT_SUPPORTED",
	"langpack.getLanguages":                "no language exists",
	"langpack.getStrings":                  "clients keep the texts that they bring",
	"messages.getAllStickers":              "there are no sticker sets",
	"messages.getAttachMenuBots":           "there are no bots",
	"messages.getAvailableReactions":       "any emoji is one; there are no animations",
	"messages.getDefaultHistoryTTL":        "messages do not delete themselves",
	"messages.getDialogFilters":            "folders of one's own are not kept",
	"messages.getEmojiKeywords":            "clients bring words for emoji themselves",
	"messages.getEmojiKeywordsDifference":  "clients bring words for emoji themselves",
	"messages.getEmojiKeywordsLanguages":   "clients bring words for emoji themselves",
	"messages.getFavedStickers":            "stickers cannot be made favourites",
	"messages.getFeaturedStickers":         "there are no sticker sets",
	"messages.getRecentStickers":           "there are no sticker sets",
	"messages.getSavedGifs":                "GIFs cannot be saved",
	"messages.getScheduledHistory":         "messages cannot be scheduled",
	"messages.getSponsoredMessages":        "there is no advertising",
	"messages.getSuggestedDialogFilters":   "folders of one's own are not kept",
	"messages.receivedMessages":            "no notification waits for the receipt of another",
	"upload.getFileHashes":                 "files lie nowhere but here",
	"users.getRequirementsToContact":       "writing to people costs nothing",
}

// fixed are the methods that answer everybody alike and are no less real for it.
var fixed = map[string]string{
	"help.getAppConfig":     "the limits of this server",
	"help.getCountriesList": "the countries of the world",
	"help.getPeerColors":    "the colours that clients draw by themselves",
	"help.getInviteText":    "a sentence with the server's name",
	"help.getTimezonesList": "zones of the world",
	"messages.getDhConfig":  "the group of the key exchange, with fresh random bytes",
}

// refusedFamilies says why none of a family of methods is served.
var refusedFamilies = map[string]string{
	"aicompose": "no language model writes here",
	"bots":      "no bots yet",
	"chatlists": "no shared folders yet",
	"folders":   "no folders yet",
	"fragment":  "no collectibles",
	"payments":  "no payments",
	"phone":     "no calls yet",
	"premium":   "no paid accounts",
	"smsjobs":   "clients do not send text messages for the server",
	"stats":     "no statistics of channels yet",
	"stickers":  "no stickers yet",
	"stories":   "no stories yet",
}
