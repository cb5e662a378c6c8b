package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/ids"
)

// PrivacyRules renders a privacy rule of the viewer's.
//
// https://core.telegram.org/type/PrivacyRule
func (v *View) PrivacyRules(about contact.Topic) []tg.PrivacyRuleClass {
	rule, err := contact.RuleOf(v.r, v.viewer, about)
	if v.fail(err) {
		return nil
	}
	var out []tg.PrivacyRuleClass
	if len(rule.Allow) > 0 {
		out = append(out, &tg.PrivacyValueAllowUsers{Users: v.userIDs(rule.Allow)})
	}
	if len(rule.Deny) > 0 {
		out = append(out, &tg.PrivacyValueDisallowUsers{Users: v.userIDs(rule.Deny)})
	}
	if len(rule.AllowIn) > 0 {
		out = append(out, &tg.PrivacyValueAllowChatParticipants{Chats: v.chatIDs(rule.AllowIn)})
	}
	if len(rule.DenyIn) > 0 {
		out = append(out, &tg.PrivacyValueDisallowChatParticipants{Chats: v.chatIDs(rule.DenyIn)})
	}
	switch rule.At {
	case contact.All:
		return append(out, &tg.PrivacyValueAllowAll{})
	case contact.Contacts:
		return append(out, &tg.PrivacyValueAllowContacts{}, &tg.PrivacyValueDisallowAll{})
	case contact.CloseFriends:
		return append(out, &tg.PrivacyValueAllowCloseFriends{}, &tg.PrivacyValueDisallowAll{})
	default:
		return append(out, &tg.PrivacyValueDisallowAll{})
	}
}

func (v *View) userIDs(list []ids.UserID) (out []int64) {
	for _, id := range list {
		v.User(id)
		out = append(out, int64(id))
	}
	return out
}

func (v *View) chatIDs(list []ids.Peer) (out []int64) {
	for _, p := range list {
		v.Chat(p)
		out = append(out, int64(max(ids.Peer(p.Chat()), ids.Peer(p.Channel()))))
	}
	return out
}

// privacyUpdate tells a device that one of the account's rules has changed.
func (v *View) privacyUpdate(entry box.Entry) tg.UpdateClass {
	key := privacyKey(contact.Topic(entry.Text))
	if key == nil {
		return nil
	}
	return &tg.UpdatePrivacy{Key: key, Rules: v.PrivacyRules(contact.Topic(entry.Text))}
}

// privacyKey is what the API calls a rule.
//
// https://core.telegram.org/type/PrivacyKey
func privacyKey(about contact.Topic) tg.PrivacyKeyClass {
	switch about {
	case contact.Status:
		return &tg.PrivacyKeyStatusTimestamp{}
	case contact.Forwards:
		return &tg.PrivacyKeyForwards{}
	case contact.Photo:
		return &tg.PrivacyKeyProfilePhoto{}
	case contact.Phone:
		return &tg.PrivacyKeyPhoneNumber{}
	case contact.About:
		return &tg.PrivacyKeyAbout{}
	case contact.Birthday:
		return &tg.PrivacyKeyBirthday{}
	case contact.Invite:
		return &tg.PrivacyKeyChatInvite{}
	case contact.Call:
		return &tg.PrivacyKeyPhoneCall{}
	case contact.PeerCall:
		return &tg.PrivacyKeyPhoneP2P{}
	case contact.FindPhone:
		return &tg.PrivacyKeyAddedByPhone{}
	case contact.Voice:
		return &tg.PrivacyKeyVoiceMessages{}
	default:
		return nil
	}
}
