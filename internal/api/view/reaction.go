package view

import (
	"strconv"
	"strings"

	"github.com/gotd/td/tg"
)

// customReaction begins the stored form of a reaction with a custom emoji.
const customReaction = "custom:"

// Reaction renders a stored reaction.
func Reaction(s string) tg.ReactionClass {
	if id, ok := strings.CutPrefix(s, customReaction); ok {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			return &tg.ReactionCustomEmoji{DocumentID: n}
		}
	}
	return &tg.ReactionEmoji{Emoticon: s}
}

// StoredReaction is the stored form of a reaction, "" for one that cannot be given here.
func StoredReaction(r tg.ReactionClass) string {
	switch r := r.(type) {
	case *tg.ReactionEmoji:
		return r.Emoticon
	case *tg.ReactionCustomEmoji:
		return customReaction + strconv.FormatInt(r.DocumentID, 10)
	default:
		return ""
	}
}
