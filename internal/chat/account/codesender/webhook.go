package codesender

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parley/internal/hook"
)

// Webhook posts each message as JSON to a URL of the operator's, signed as package hook says.
type Webhook struct{ post *hook.Poster }

// webhookBody is what is posted. Empty fields are left out.
type webhookBody struct {
	Time    string  `json:"time"`
	Purpose Purpose `json:"purpose"`
	Phone   string  `json:"phone,omitempty"`
	Email   string  `json:"email,omitempty"`
	Code    string  `json:"code"`
	Lang    string  `json:"lang,omitempty"`
}

// NewWebhook returns a sender that posts to a URL. Errors: ErrOptions.
func NewWebhook(o hook.Options) (*Webhook, error) {
	post, err := hook.New(o)
	if err != nil {
		return nil, errors.Join(ErrOptions, err)
	}
	return &Webhook{post}, nil
}

// Send posts one message and returns when the receiver accepted it with a status of 200 to 299.
// See Sender.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	body, err := json.Marshal(webhookBody{
		Time: m.Time.UTC().Format(time.RFC3339), Purpose: m.Purpose, Phone: m.Phone,
		Email: m.Email, Code: m.Code, Lang: m.Lang,
	})
	if err != nil {
		return ErrMessage
	}
	err = w.post.Post(ctx, m.Time, "", body)
	var failed *hook.DeliveryError
	if errors.As(err, &failed) {
		return &DeliveryError{Via: "webhook", Reason: failed.Reason, Temporary: failed.Temporary}
	}
	return err
}
