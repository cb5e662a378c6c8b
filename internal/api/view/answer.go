package view

import (
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/store"
)

// Updates renders entries of boxes, after other updates, with the people and chats that they refer
// to. It is unsequenced: seq is 0.
//
// https://core.telegram.org/constructor/updates
func (v *View) Updates(first []tg.UpdateClass, events ...store.Event) *tg.Updates {
	list := first
	date := v.now
	for _, e := range events {
		if u := v.Update(e); u != nil {
			list = append(list, u)
		}
		date = max(date, e.Date)
	}
	return &tg.Updates{Updates: list, Users: v.Users(), Chats: v.Chats(), Date: int(date)}
}

// True and False are the API's booleans as an answer.
var (
	True  = &tg.BoolBox{Bool: &tg.BoolTrue{}}
	False = &tg.BoolBox{Bool: &tg.BoolFalse{}}
)

// Encode returns the encoding of an object in the current layer.
func Encode(o bin.Encoder) ([]byte, error) {
	var b bin.Buffer
	if err := o.Encode(&b); err != nil {
		return nil, err
	}
	return b.Buf, nil
}
