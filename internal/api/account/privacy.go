package account

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/contact"
	"parley/internal/ids"
	"parley/internal/store"
)

// topicOf is what a privacy key is about, "" for one that is not kept here.
//
// https://core.telegram.org/type/InputPrivacyKey
func topicOf(k tg.InputPrivacyKeyClass) contact.Topic {
	switch k.(type) {
	case *tg.InputPrivacyKeyStatusTimestamp:
		return contact.Status
	case *tg.InputPrivacyKeyChatInvite:
		return contact.Invite
	case *tg.InputPrivacyKeyPhoneCall:
		return contact.Call
	case *tg.InputPrivacyKeyPhoneP2P:
		return contact.PeerCall
	case *tg.InputPrivacyKeyForwards:
		return contact.Forwards
	case *tg.InputPrivacyKeyProfilePhoto:
		return contact.Photo
	case *tg.InputPrivacyKeyPhoneNumber:
		return contact.Phone
	case *tg.InputPrivacyKeyAddedByPhone:
		return contact.FindPhone
	case *tg.InputPrivacyKeyVoiceMessages:
		return contact.Voice
	case *tg.InputPrivacyKeyAbout:
		return contact.About
	case *tg.InputPrivacyKeyBirthday:
		return contact.Birthday
	default:
		return ""
	}
}

// getPrivacy returns one of the caller's privacy rules.
//
// https://core.telegram.org/method/account.getPrivacy
func (h *Profile) getPrivacy(
	c *api.Call, req *tg.AccountGetPrivacyRequest,
) (*tg.AccountPrivacyRules, error) {
	about := topicOf(req.Key)
	if about == "" {
		return nil, chat.Invalid("PRIVACY_KEY_INVALID")
	}
	return h.rules(c, about)
}

func (h *Profile) rules(c *api.Call, about contact.Topic) (*tg.AccountPrivacyRules, error) {
	out := &tg.AccountPrivacyRules{}
	err := h.View(c, func(_ *store.Reader, v *view.View) error {
		out.Rules = v.PrivacyRules(about)
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}

// setPrivacy changes one of the caller's privacy rules.
//
// https://core.telegram.org/method/account.setPrivacy
func (h *Profile) setPrivacy(
	c *api.Call, req *tg.AccountSetPrivacyRequest,
) (*tg.AccountPrivacyRules, error) {
	about := topicOf(req.Key)
	if about == "" {
		return nil, chat.Invalid("PRIVACY_KEY_INVALID")
	}
	rule, err := h.parsed(c, req.Rules)
	if err != nil {
		return nil, err
	}
	err = h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		return contact.SetRule(tx, c.Self, about, rule, c.Unix())
	})
	if err != nil {
		return nil, err
	}
	return h.rules(c, about)
}

const (
	// rulesMost is how many words a privacy rule may have.
	rulesMost = 20
	// exceptionsMost is how many people or chats one of them may name: all that somebody does is
	// held against them.
	exceptionsMost = 1000
)

// people resolves the people whom a rule names.
func (h *Profile) people(c *api.Call, in []tg.InputUserClass) ([]ids.UserID, error) {
	if len(in) > exceptionsMost {
		return nil, chat.Invalid("PRIVACY_TOO_LONG")
	}
	return h.Users(c, in)
}

// parsed makes a rule of what a client sends: exceptions, and the first word on everybody.
func (h *Profile) parsed(c *api.Call, in []tg.InputPrivacyRuleClass) (contact.Rule, error) {
	rule := contact.Rule{At: contact.Nobody}
	if len(in) > rulesMost {
		return rule, chat.Invalid("PRIVACY_TOO_LONG")
	}
	decided := false
	at := func(who contact.Everybody) {
		if !decided {
			rule.At, decided = who, true
		}
	}
	for _, x := range in {
		var err error
		switch x := x.(type) {
		case *tg.InputPrivacyValueAllowAll:
			at(contact.All)
		case *tg.InputPrivacyValueAllowContacts:
			at(contact.Contacts)
		case *tg.InputPrivacyValueAllowCloseFriends:
			at(contact.CloseFriends)
		case *tg.InputPrivacyValueDisallowAll:
			at(contact.Nobody)
		case *tg.InputPrivacyValueAllowUsers:
			rule.Allow, err = h.people(c, x.Users)
		case *tg.InputPrivacyValueDisallowUsers:
			rule.Deny, err = h.people(c, x.Users)
		case *tg.InputPrivacyValueAllowChatParticipants:
			rule.AllowIn, err = h.chats(c, x.Chats)
		case *tg.InputPrivacyValueDisallowChatParticipants:
			rule.DenyIn, err = h.chats(c, x.Chats)
		default:
			err = chat.Invalid("PRIVACY_VALUE_INVALID")
		}
		if err != nil {
			return rule, err
		}
	}
	return rule, nil
}

// chats resolves the bare ids of chats that the caller is in.
func (h *Profile) chats(c *api.Call, in []int64) (out []ids.Peer, err error) {
	if len(in) > exceptionsMost {
		return nil, chat.Invalid("PRIVACY_TOO_LONG")
	}
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		out = out[:0]
		for _, id := range in {
			for _, peer := range []ids.Peer{
				ids.PeerChat(ids.ChatID(id)), ids.PeerChannel(ids.ChannelID(id)),
			} {
				m, err := r.Member(peer, c.Self)
				if err != nil {
					return err
				}
				if m.Role.In() {
					out = append(out, peer)
				}
			}
		}
		return nil
	})
	return out, err
}

// getGlobalPrivacySettings returns settings that hold for all chats; none differs from its default
// here.
//
// https://core.telegram.org/method/account.getGlobalPrivacySettings
func (h *Profile) getGlobalPrivacySettings(
	*api.Call, *tg.AccountGetGlobalPrivacySettingsRequest,
) (*tg.GlobalPrivacySettings, error) {
	return &tg.GlobalPrivacySettings{}, nil
}
