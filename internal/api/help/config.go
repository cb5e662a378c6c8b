package help

import (
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/limit"
)

// dataCentres is how many data centres clients know of. All of them are this server: which one a
// client believes to talk to was decided before it asked.
const dataCentres = 5

// forever is the largest time that clients understand, for what never runs out.
const forever = 1<<31 - 1

// configHolds is for how long the configuration holds. TDLib takes anything up to a day.
const configHolds = time.Hour

func ms(d time.Duration) int { return int(d.Milliseconds()) }

func seconds(d time.Duration) int { return int(d.Seconds()) }

// config tells a client where to connect and what the limits are. The data centre must be the one
// that the client believes to be on, or TDLib asks again without end.
//
// https://core.telegram.org/method/help.getConfig
func (h *Handlers) config(c *api.Call, _ *tg.HelpGetConfigRequest) (*tg.Config, error) {
	out := &tg.Config{
		Date:               int(c.Unix()),
		Expires:            int(c.Unix()) + seconds(configHolds),
		ThisDC:             c.DC,
		DCOptions:          h.options(),
		DefaultP2PContacts: true,
		RevokePmInbox:      true,
		ChatSizeMax:        limit.ChatMembers,
		MegagroupSizeMax:   limit.MegagroupMembers,
		ForwardedCountMax:  limit.ForwardBatch,
		CaptionLengthMax:   limit.CaptionRunes,
		MessageLengthMax:   limit.MessageRunes,
		EditTimeLimit:      seconds(limit.EditWindow),
		RevokeTimeLimit:    forever,
		RevokePmTimeLimit:  forever,

		OnlineUpdatePeriodMs: ms(210 * time.Second),
		OfflineBlurTimeoutMs: ms(5 * time.Second),
		OfflineIdleTimeoutMs: ms(30 * time.Second),
		OnlineCloudTimeoutMs: ms(5 * time.Minute),
		NotifyCloudDelayMs:   ms(30 * time.Second),
		NotifyDefaultDelayMs: ms(1500 * time.Millisecond),
		PushChatPeriodMs:     ms(time.Minute),
		PushChatLimit:        2,

		RatingEDecay:            seconds(28 * 24 * time.Hour),
		StickersRecentLimit:     200,
		ChannelsReadMediaPeriod: seconds(7 * 24 * time.Hour),

		CallReceiveTimeoutMs: ms(20 * time.Second),
		CallRingTimeoutMs:    ms(90 * time.Second),
		CallConnectTimeoutMs: ms(30 * time.Second),
		CallPacketTimeoutMs:  ms(10 * time.Second),

		MeURLPrefix: h.Env.Prefix,
		WebfileDCID: c.DC,
	}
	out.SetReactionsDefault(&tg.ReactionEmoji{Emoticon: "👍"})
	out.SetFlags()
	return out, nil
}

// options lists every data centre at every address. GramJS needs each id that the server may name.
func (h *Handlers) options() []tg.DCOption {
	out := make([]tg.DCOption, 0, dataCentres*len(h.Addresses))
	for id := 1; id <= dataCentres; id++ {
		for _, a := range h.Addresses {
			o := tg.DCOption{
				ID: id, IPAddress: a.Addr().Unmap().String(), Port: int(a.Port()),
				Ipv6: a.Addr().Unmap().Is6(), Static: true, ThisPortOnly: true,
			}
			o.SetFlags()
			out = append(out, o)
		}
	}
	return out
}

func number(n float64) tg.JSONValueClass { return &tg.JSONNumber{Value: n} }

func flag(b bool) tg.JSONValueClass { return &tg.JSONBool{Value: b} }

func word(s string) tg.JSONValueClass { return &tg.JSONString{Value: s} }

func words(list ...string) tg.JSONValueClass {
	out := &tg.JSONArray{}
	for _, w := range list {
		out.Value = append(out.Value, word(w))
	}
	return out
}

// settings are what clients would otherwise take from their own defaults and get wrong here: limits
// that this server does not raise for money, and features that it does not have.
//
// https://core.telegram.org/api/config#client-configuration
func settings() *tg.JSONObject {
	value := func(key string, v tg.JSONValueClass) tg.JSONObjectValue {
		return tg.JSONObjectValue{Key: key, Value: v}
	}
	week := number((7 * 24 * time.Hour).Seconds())
	return &tg.JSONObject{Value: []tg.JSONObjectValue{
		value("dialogs_pinned_limit_default", number(limit.PinnedDialogs)),
		value("dialogs_pinned_limit_premium", number(limit.PinnedDialogs)),
		value("dialogs_folder_pinned_limit_default", number(limit.PinnedDialogs)),
		value("dialogs_folder_pinned_limit_premium", number(limit.PinnedDialogs)),
		value("caption_length_limit_default", number(limit.CaptionRunes)),
		value("caption_length_limit_premium", number(limit.CaptionRunes)),
		value("upload_max_fileparts_default", number(limit.UploadParts)),
		value("upload_max_fileparts_premium", number(limit.UploadParts)),
		value("reactions_user_max_default", number(1)),
		value("reactions_user_max_premium", number(1)),
		value("quote_length_max", number(1024)),
		value("premium_purchase_blocked", flag(true)),
		value("stories_posting", word("disabled")),
		value("qr_login_camera", flag(true)),
		value("qr_login_code", word("primary")),
		value("dialog_filters_enabled", flag(false)),
		value("authorization_autoconfirm_period", week),
		value("chat_read_mark_size_threshold", number(100)),
		value("chat_read_mark_expire_period", week),
		value("pm_read_date_expire_period", week),
		value("emojies_send_dice", words("🎲", "🎯", "🏀", "⚽", "🎳", "🎰")),
		value("autoarchive_setting_available", flag(false)),
		value("background_connection", flag(true)),
		value("keep_alive_service", flag(true)),
	}}
}

// frozen are the settings by which the client of a suspended account says so, and where one can
// ask to decide anew. Clients take a suspension without an end for none.
//
// https://core.telegram.org/api/auth#frozen-accounts
func (h *Handlers) frozen(user ids.UserID, s restrict.Standing) []tg.JSONObjectValue {
	until := s.Until
	if until == 0 {
		until = forever
	}
	return []tg.JSONObjectValue{
		{Key: "freeze_since_date", Value: number(float64(s.Since))},
		{Key: "freeze_until_date", Value: number(float64(until))},
		{Key: "freeze_appeal_url", Value: word(h.Appeal(user))},
	}
}

func (h *Handlers) appConfig(
	c *api.Call, req *tg.HelpGetAppConfigRequest,
) (tg.HelpAppConfigClass, error) {
	config := settings()
	if c.Standing.Frozen {
		config.Value = append(config.Value, h.frozen(c.Self, c.Standing)...)
	}
	var b bin.Buffer
	if err := config.Encode(&b); err != nil {
		return nil, err
	}
	hash := digest(b.Buf)
	if req.Hash == hash {
		return &tg.HelpAppConfigNotModified{}, nil
	}
	return &tg.HelpAppConfig{Hash: hash, Config: config}, nil
}
