package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
)

// nothing are the rows that honestly have nothing to tell: what they would list does not exist on
// this server, and nobody can have made it.
func (h *Handlers) nothing() []api.Method {
	return []api.Method{
		api.On(api.User, api.Read, h.getDialogFilters),
		api.On(api.User, api.Read, h.getSuggestedDialogFilters),
		api.On(api.User, api.Read, h.getAvailableReactions),
		api.On(api.User, api.Read, h.getAllStickers),
		api.On(api.User, api.Read, h.getFeaturedStickers),
		api.On(api.User, api.Read, h.getRecentStickers),
		api.On(api.User, api.Read, h.getFavedStickers),
		api.On(api.User, api.Read, h.getSavedGifs),
		api.On(api.User, api.Read, h.getAttachMenuBots),
		api.On(api.User, api.Read, h.getScheduledHistory),
		api.On(api.User, api.Read, h.getSponsoredMessages),
		api.On(api.User, api.Read, h.getDefaultHistoryTTL),
		api.On(api.User, api.Read, h.getEmojiKeywords),
		api.On(api.User, api.Read, h.getEmojiKeywordsDifference),
		api.On(api.User, api.Read, h.getEmojiKeywordsLanguages),
	}
}

// getDialogFilters: folders of one's own are not kept here.
//
// https://core.telegram.org/method/messages.getDialogFilters
func (h *Handlers) getDialogFilters(
	*api.Call, *tg.MessagesGetDialogFiltersRequest,
) (*tg.MessagesDialogFilters, error) {
	return &tg.MessagesDialogFilters{
		Filters: []tg.DialogFilterClass{&tg.DialogFilterDefault{}},
	}, nil
}

// getSuggestedDialogFilters: nothing is suggested.
//
// https://core.telegram.org/method/messages.getSuggestedDialogFilters
func (h *Handlers) getSuggestedDialogFilters(
	*api.Call, *tg.MessagesGetSuggestedDialogFiltersRequest,
) (*tg.DialogFilterSuggestedVector, error) {
	return &tg.DialogFilterSuggestedVector{}, nil
}

// getAvailableReactions: every emoji is taken as a reaction, and there are no animations for any.
//
// https://core.telegram.org/method/messages.getAvailableReactions
func (h *Handlers) getAvailableReactions(
	*api.Call, *tg.MessagesGetAvailableReactionsRequest,
) (tg.MessagesAvailableReactionsClass, error) {
	return &tg.MessagesAvailableReactions{Hash: 1}, nil
}

// getAllStickers: there are no sticker sets.
//
// https://core.telegram.org/method/messages.getAllStickers
func (h *Handlers) getAllStickers(
	*api.Call, *tg.MessagesGetAllStickersRequest,
) (tg.MessagesAllStickersClass, error) {
	return &tg.MessagesAllStickers{Hash: 1}, nil
}

// getFeaturedStickers: there are no sticker sets.
//
// https://core.telegram.org/method/messages.getFeaturedStickers
func (h *Handlers) getFeaturedStickers(
	*api.Call, *tg.MessagesGetFeaturedStickersRequest,
) (tg.MessagesFeaturedStickersClass, error) {
	return &tg.MessagesFeaturedStickers{Hash: 1}, nil
}

// getRecentStickers: which stickers were used is not kept.
//
// https://core.telegram.org/method/messages.getRecentStickers
func (h *Handlers) getRecentStickers(
	*api.Call, *tg.MessagesGetRecentStickersRequest,
) (tg.MessagesRecentStickersClass, error) {
	return &tg.MessagesRecentStickers{Hash: 1}, nil
}

// getFavedStickers: stickers cannot be made favourites.
//
// https://core.telegram.org/method/messages.getFavedStickers
func (h *Handlers) getFavedStickers(
	*api.Call, *tg.MessagesGetFavedStickersRequest,
) (tg.MessagesFavedStickersClass, error) {
	return &tg.MessagesFavedStickers{Hash: 1}, nil
}

// getSavedGifs: GIFs cannot be saved.
//
// https://core.telegram.org/method/messages.getSavedGifs
func (h *Handlers) getSavedGifs(
	*api.Call, *tg.MessagesGetSavedGifsRequest,
) (tg.MessagesSavedGifsClass, error) {
	return &tg.MessagesSavedGifs{Hash: 1}, nil
}

// getAttachMenuBots: there are no bots.
//
// https://core.telegram.org/method/messages.getAttachMenuBots
func (h *Handlers) getAttachMenuBots(
	*api.Call, *tg.MessagesGetAttachMenuBotsRequest,
) (tg.AttachMenuBotsClass, error) {
	return &tg.AttachMenuBots{Hash: 1}, nil
}

// getScheduledHistory: messages cannot be scheduled.
//
// https://core.telegram.org/method/messages.getScheduledHistory
func (h *Handlers) getScheduledHistory(
	*api.Call, *tg.MessagesGetScheduledHistoryRequest,
) (tg.MessagesMessagesClass, error) {
	return &tg.MessagesMessages{}, nil
}

// getSponsoredMessages: there is no advertising.
//
// https://core.telegram.org/method/messages.getSponsoredMessages
func (h *Handlers) getSponsoredMessages(
	*api.Call, *tg.MessagesGetSponsoredMessagesRequest,
) (tg.MessagesSponsoredMessagesClass, error) {
	return &tg.MessagesSponsoredMessagesEmpty{}, nil
}

// getDefaultHistoryTTL: messages do not delete themselves.
//
// https://core.telegram.org/method/messages.getDefaultHistoryTTL
func (h *Handlers) getDefaultHistoryTTL(
	*api.Call, *tg.MessagesGetDefaultHistoryTTLRequest,
) (*tg.DefaultHistoryTTL, error) {
	return &tg.DefaultHistoryTTL{}, nil
}

// getEmojiKeywords: words for emoji are not kept here; clients have their own.
//
// https://core.telegram.org/method/messages.getEmojiKeywords
func (h *Handlers) getEmojiKeywords(
	_ *api.Call, req *tg.MessagesGetEmojiKeywordsRequest,
) (*tg.EmojiKeywordsDifference, error) {
	return &tg.EmojiKeywordsDifference{LangCode: req.LangCode, Version: 1}, nil
}

// getEmojiKeywordsDifference: see getEmojiKeywords.
//
// https://core.telegram.org/method/messages.getEmojiKeywordsDifference
func (h *Handlers) getEmojiKeywordsDifference(
	_ *api.Call, req *tg.MessagesGetEmojiKeywordsDifferenceRequest,
) (*tg.EmojiKeywordsDifference, error) {
	return &tg.EmojiKeywordsDifference{
		LangCode: req.LangCode, FromVersion: req.FromVersion, Version: 1,
	}, nil
}

// getEmojiKeywordsLanguages: see getEmojiKeywords.
//
// https://core.telegram.org/method/messages.getEmojiKeywordsLanguages
func (h *Handlers) getEmojiKeywordsLanguages(
	*api.Call, *tg.MessagesGetEmojiKeywordsLanguagesRequest,
) (*tg.EmojiLanguageVector, error) {
	return &tg.EmojiLanguageVector{}, nil
}
