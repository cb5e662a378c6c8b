package node

import (
	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// reader calls a method with all that may lead to the content of a scene. Refusals are answers too.
type reader func(s *scene, d *client)

// eachPeer calls a method for every chat of the scene.
func eachPeer(call func(d *client, peer tg.InputPeerClass)) reader {
	return func(s *scene, d *client) {
		for _, peer := range s.peers() {
			call(d, d.input(peer))
		}
	}
}

// peers are the chats of the scene.
func (s *scene) peers() []ids.Peer {
	return []ids.Peer{s.room, s.group, s.author.self.Peer(), s.member.self.Peer()}
}

// idsMost is above all message ids of a scene.
const idsMost = 40

func numbers() (out []int) {
	for i := 1; i < idsMost; i++ {
		out = append(out, i)
	}
	return out
}

func messageIDs() (out []tg.InputMessageClass) {
	for _, i := range numbers() {
		out = append(out, &tg.InputMessageID{ID: i})
	}
	return append(out, &tg.InputMessagePinned{})
}

// readers are the methods whose answers carry content of others.
var readers = map[string]reader{
	"channels.getAdminLog": func(s *scene, d *client) {
		_, _ = d.ChannelsGetAdminLog(ctx(), &tg.ChannelsGetAdminLogRequest{
			Channel: d.inputChannel(s.room), Limit: 100,
		})
	},
	"channels.getAdminedPublicChannels": func(_ *scene, d *client) {
		_, _ = d.ChannelsGetAdminedPublicChannels(ctx(),
			&tg.ChannelsGetAdminedPublicChannelsRequest{})
	},
	"channels.getChannels": func(s *scene, d *client) {
		_, _ = d.ChannelsGetChannels(ctx(), []tg.InputChannelClass{d.inputChannel(s.room)})
	},
	"channels.getFullChannel": func(s *scene, d *client) {
		_, _ = d.ChannelsGetFullChannel(ctx(), d.inputChannel(s.room))
	},
	"channels.getInactiveChannels": func(_ *scene, d *client) {
		_, _ = d.ChannelsGetInactiveChannels(ctx())
	},
	"channels.getMessageAuthor": func(s *scene, d *client) {
		_, _ = d.ChannelsGetMessageAuthor(ctx(), &tg.ChannelsGetMessageAuthorRequest{
			Channel: d.inputChannel(s.room), ID: s.text,
		})
	},
	"channels.getMessages": func(s *scene, d *client) {
		_, _ = d.ChannelsGetMessages(ctx(), &tg.ChannelsGetMessagesRequest{
			Channel: d.inputChannel(s.room), ID: messageIDs(),
		})
	},
	"channels.getParticipant": func(s *scene, d *client) {
		_, _ = d.ChannelsGetParticipant(ctx(), &tg.ChannelsGetParticipantRequest{
			Channel: d.inputChannel(s.room), Participant: d.input(s.author.self.Peer()),
		})
	},
	"channels.getParticipants": func(s *scene, d *client) {
		_, _ = d.ChannelsGetParticipants(ctx(), &tg.ChannelsGetParticipantsRequest{
			Channel: d.inputChannel(s.room), Filter: &tg.ChannelParticipantsRecent{}, Limit: 50,
		})
	},
	"channels.getSendAs": func(s *scene, d *client) {
		_, _ = d.ChannelsGetSendAs(ctx(), &tg.ChannelsGetSendAsRequest{Peer: d.input(s.room)})
	},
	"channels.exportMessageLink": func(s *scene, d *client) {
		_, _ = d.ChannelsExportMessageLink(ctx(), &tg.ChannelsExportMessageLinkRequest{
			Channel: d.inputChannel(s.room), ID: s.text,
		})
	},
	"contacts.getBlocked": func(_ *scene, d *client) {
		_, _ = d.ContactsGetBlocked(ctx(), &tg.ContactsGetBlockedRequest{Limit: 10})
	},
	"contacts.getContacts": func(_ *scene, d *client) { _, _ = d.ContactsGetContacts(ctx(), 0) },
	"contacts.resolvePhone": func(s *scene, d *client) {
		_, _ = d.ContactsResolvePhone(ctx(), s.author.phone)
	},
	"contacts.resolveUsername": func(_ *scene, d *client) {
		for _, name := range []string{"xenophanes_one", "heronry_one"} {
			_, _ = d.ContactsResolveUsername(ctx(), &tg.ContactsResolveUsernameRequest{
				Username: name,
			})
		}
	},
	"contacts.search": func(_ *scene, d *client) {
		for _, q := range []string{"xenophanes", "heronry"} {
			_, _ = d.ContactsSearch(ctx(), &tg.ContactsSearchRequest{Q: q, Limit: 10})
		}
	},
	"messages.checkChatInvite": func(s *scene, d *client) {
		_, _ = d.MessagesCheckChatInvite(ctx(), s.invite)
	},
	"messages.getAdminsWithInvites": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetAdminsWithInvites(ctx(), p)
	}),
	"messages.getAllDrafts": func(_ *scene, d *client) { _, _ = d.MessagesGetAllDrafts(ctx()) },
	"messages.getChatInviteImporters": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetChatInviteImporters(ctx(), &tg.MessagesGetChatInviteImportersRequest{
			Peer: p, Limit: 10, OffsetUser: &tg.InputUserEmpty{},
		})
	}),
	"messages.getChats": func(s *scene, d *client) {
		_, _ = d.MessagesGetChats(ctx(), []int64{int64(s.group.Chat())})
	},
	"messages.getCommonChats": func(s *scene, d *client) {
		_, _ = d.MessagesGetCommonChats(ctx(), &tg.MessagesGetCommonChatsRequest{
			UserID: d.inputUser(s.author), Limit: 10,
		})
	},
	"messages.getDialogs": func(_ *scene, d *client) {
		_, _ = d.MessagesGetDialogs(ctx(), &tg.MessagesGetDialogsRequest{
			OffsetPeer: &tg.InputPeerEmpty{}, Limit: 50,
		})
	},
	"messages.getExportedChatInvite": func(s *scene, d *client) {
		_, _ = d.MessagesGetExportedChatInvite(ctx(), &tg.MessagesGetExportedChatInviteRequest{
			Peer: d.input(s.room), Link: s.invite,
		})
	},
	"messages.getExportedChatInvites": func(s *scene, d *client) {
		_, _ = d.MessagesGetExportedChatInvites(ctx(), &tg.MessagesGetExportedChatInvitesRequest{
			Peer: d.input(s.room), AdminID: d.inputUser(s.author), Limit: 10,
		})
	},
	"messages.getFactCheck": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetFactCheck(ctx(), &tg.MessagesGetFactCheckRequest{
			Peer: p, MsgID: numbers(),
		})
	}),
	"messages.getFullChat": func(s *scene, d *client) {
		_, _ = d.MessagesGetFullChat(ctx(), int64(s.group.Chat()))
	},
	"messages.getHistory": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{Peer: p, Limit: 100})
	}),
	"messages.getMessageReactionsList": func(s *scene, d *client) {
		_, _ = d.MessagesGetMessageReactionsList(ctx(),
			&tg.MessagesGetMessageReactionsListRequest{
				Peer: d.input(s.room), ID: s.text, Limit: 10,
			})
	},
	"messages.getMessages": func(_ *scene, d *client) {
		_, _ = d.MessagesGetMessages(ctx(), messageIDs())
	},
	"messages.getMessagesReactions": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetMessagesReactions(ctx(), &tg.MessagesGetMessagesReactionsRequest{
			Peer: p, ID: numbers(),
		})
	}),
	"messages.getPeerDialogs": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetPeerDialogs(ctx(), []tg.InputDialogPeerClass{
			&tg.InputDialogPeer{Peer: p},
		})
	}),
	"messages.getPeerSettings": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetPeerSettings(ctx(), p)
	}),
	"messages.getPinnedDialogs": func(_ *scene, d *client) {
		_, _ = d.MessagesGetPinnedDialogs(ctx(), 0)
	},
	"messages.getUnreadMentions": eachPeer(func(d *client, p tg.InputPeerClass) {
		_, _ = d.MessagesGetUnreadMentions(ctx(), &tg.MessagesGetUnreadMentionsRequest{
			Peer: p, Limit: 50,
		})
	}),
	"messages.search": eachPeer(func(d *client, p tg.InputPeerClass) {
		for _, q := range []string{"", "heron", "otter", "newt"} {
			for _, f := range []tg.MessagesFilterClass{
				&tg.InputMessagesFilterEmpty{}, &tg.InputMessagesFilterPhotos{},
				&tg.InputMessagesFilterPinned{},
			} {
				_, _ = d.MessagesSearch(ctx(), &tg.MessagesSearchRequest{
					Peer: p, Q: q, Filter: f, Limit: 100,
				})
			}
		}
	}),
	"messages.uploadMedia": func(s *scene, d *client) {
		_, _ = d.MessagesUploadMedia(ctx(), &tg.MessagesUploadMediaRequest{
			Peer: &tg.InputPeerSelf{}, Media: &tg.InputMediaPhoto{ID: s.picture.AsInput()},
		})
	},
	"photos.getUserPhotos": func(s *scene, d *client) {
		_, _ = d.PhotosGetUserPhotos(ctx(), &tg.PhotosGetUserPhotosRequest{
			UserID: d.inputUser(s.author), Limit: 10,
		})
	},
	"updates.getChannelDifference": func(s *scene, d *client) {
		_, _ = d.UpdatesGetChannelDifference(ctx(), &tg.UpdatesGetChannelDifferenceRequest{
			Channel: d.inputChannel(s.room), Filter: &tg.ChannelMessagesFilterEmpty{}, Pts: 1,
			Limit: 100, Force: true,
		})
	},
	"updates.getDifference": func(_ *scene, d *client) {
		_, _ = d.UpdatesGetDifference(ctx(), &tg.UpdatesGetDifferenceRequest{Pts: 1})
	},
	"upload.getFile": func(s *scene, d *client) {
		for _, p := range []*tg.Photo{s.picture, s.face, s.flag} {
			d.download(&tg.InputPhotoFileLocation{
				ID: p.ID, AccessHash: p.AccessHash, FileReference: p.FileReference,
				ThumbSize: p.Sizes[len(p.Sizes)-1].(*tg.PhotoSize).Type,
			})
		}
		d.download(&tg.InputPeerPhotoFileLocation{
			Peer: d.input(s.author.self.Peer()), PhotoID: s.face.ID, Big: true,
		})
		d.download(&tg.InputPeerPhotoFileLocation{
			Peer: d.input(s.room), PhotoID: s.flag.ID, Big: true,
		})
	},
	"users.getFullUser": func(s *scene, d *client) {
		_, _ = d.UsersGetFullUser(ctx(), d.inputUser(s.author))
	},
	"users.getUsers": func(s *scene, d *client) {
		_, _ = d.UsersGetUsers(ctx(), []tg.InputUserClass{d.inputUser(s.author)})
	},
}

// download reads the beginning of a file; nothing when that is refused.
func (d *client) download(l tg.InputFileLocationClass) []byte {
	f, err := d.UploadGetFile(ctx(), &tg.UploadGetFileRequest{Location: l, Limit: 4096})
	if err != nil {
		return nil
	}
	return f.(*tg.UploadFile).Bytes
}
