//! What has changed, as events and as messages shown again (stomp.md Q2-20 to Q2-22, Q2-30).

use std::sync::Arc;

use crosstalk_core::change::{
    Change, ChannelName, ChannelView, ConversationView, FriendRequestView, JoinRequestView,
};
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::message::Message;
use crosstalk_wire::stomp::im::{
    Conversation, Event, FriendEvent, Group, GroupEffect, GroupEvent, GroupRequestEvent, JoinMode,
    Permissions, Profile, Who,
};
use serde_json::Value;
use serde_json::value::to_raw_value;

use super::deliver::Via;
use super::live::Live;
use super::render::{SYSTEM, conversation, edited, named_id, revoked, shown};
use crate::protocol::{Out, Turn};

/// What of a group is told as GROUP_MUTED.
const MUTING: &str = "muted_until_ms";

impl Live {
    /// Tells of a change; hands back what the client has with that.
    pub(super) fn change(
        &mut self,
        change: Change,
        message: Arc<Message>,
        via: Via,
        turn: &mut Turn,
    ) -> Option<Arc<Message>> {
        let key = &message.channel.key;
        match change {
            Change::Revoked {
                message: name,
                by,
                at_ms,
            }
            // The dialect has one way to say that a message is gone.
            | Change::Deleted {
                message: name,
                by,
                at_ms,
            } => {
                // What was not given for good is not given again.
                self.kept.retain(|kept| kept.message.id != name.id);
                let app = Arc::clone(&self.app);
                let body = revoked(&name, key, &app, by.as_deref(), at_ms).to_json();
                let had = self.post(message, Some(&body), via, turn);
                self.shown_revoked(name.id, &mut turn.out);
                return had;
            }
            Change::Edited {
                message: name,
                body,
                at_ms,
                ..
            } => {
                if body.payload.is_empty() {
                    // The message is gone: another entry says so.
                    return Some(message);
                }
                let app = Arc::clone(&self.app);
                let (sent, now) = (body.sent(&name), body.shown(&name));
                let view = edited(&name, key, &app, (&sent, &now), at_ms).to_json();
                let had = self.post(message, Some(&view), via, turn);
                self.shown_edited(name.id, &mut turn.out);
                return had;
            }
            Change::Expired { messages, at_ms } => {
                let app = Arc::clone(&self.app);
                for name in &messages {
                    self.kept.retain(|kept| kept.message.id != name.id);
                    let body = revoked(name, key, &app, None, at_ms).to_json();
                    self.personal(body, &mut turn.out);
                }
            }
            Change::Read {
                channel,
                reader,
                messages,
                at_ms,
                ..
            } => {
                let key = channel.key(key);
                self.read_by(&key, &reader, &messages, at_ms, turn);
            }
            Change::Unread {
                channel,
                read_seq,
                unread,
                at_ms,
            } => {
                let position = (channel.key(key), read_seq, unread);
                self.user_read(position, at_ms, &mut turn.out);
            }
            Change::Left { channel, by, at_ms } => {
                self.put_out(&channel, by.as_deref(), at_ms, &mut turn.out);
            }
            other => self.told_of(other, key, &mut turn.out),
        }
        Some(message)
    }

    /// Tells what has a body of its own on the queue of events.
    #[allow(clippy::too_many_lines, reason = "a table")]
    fn told_of(&mut self, change: Change, key: &ChannelKey, out: &mut Out) {
        match change {
            Change::Reacted {
                message,
                user,
                emoji,
                removed,
                at_ms,
            } => {
                let event = Event::Reaction {
                    message_id: &named_id(&message),
                    user_id: shown(&user),
                    emoji: &emoji,
                    removed,
                };
                self.event(event, at_ms, out);
            }
            Change::Pinned {
                message,
                by,
                pinned,
                at_ms,
            } => {
                let event = Event::MessagePinned {
                    message_id: &named_id(&message),
                    conversation_id: conversation(key, &self.user.uid),
                    operator_id: operator(by.as_deref()),
                    pinned,
                };
                self.event(event, at_ms, out);
            }
            Change::Typing { user, at_ms } => {
                if user == self.user.uid.as_str() {
                    return;
                }
                let event = Event::Typing {
                    user_id: &user,
                    conversation_id: conversation(key, &self.user.uid),
                };
                self.event(event, at_ms, out);
            }
            Change::Hidden {
                channel,
                messages,
                at_ms,
            } => {
                let ids: Vec<_> = messages.iter().map(named_id).collect();
                let event = Event::MessagesDeleted {
                    conversation_id: conversation(&channel.key(key), &self.user.uid),
                    message_ids: &ids,
                };
                self.event(event, at_ms, out);
            }
            Change::Conversation {
                channel,
                view,
                at_ms,
            } => self.conversation_kept(&channel.key(key), &view, at_ms, out),
            Change::JoinRequest { request, at_ms } => self.join_request(&request, at_ms, out),
            Change::FriendRequest { request, at_ms } => self.friend_request(&request, at_ms, out),
            Change::Friend {
                user,
                is_friend,
                remark,
                group,
                at_ms,
            } => {
                let event = if is_friend {
                    Event::FriendUpdated {
                        user_id: &user,
                        remark: &remark,
                        group: &group,
                    }
                } else {
                    Event::FriendDeleted(FriendEvent {
                        request_id: None,
                        user_id: &user,
                        message: None,
                    })
                };
                self.event(event, at_ms, out);
            }
            Change::Blocked {
                user,
                blocked,
                at_ms,
            } => {
                let event = Event::Blacklist {
                    user_id: &user,
                    blocked,
                };
                self.event(event, at_ms, out);
            }
            Change::Profile {
                user,
                profile,
                at_ms,
            } => self.profile(&user, &profile, at_ms, out),
            of_group => self.group_changed(&of_group, key, out),
        }
    }

    /// Tells what has become of a group, or of its members.
    fn group_changed(&mut self, change: &Change, key: &ChannelKey, out: &mut Out) {
        if key.kind != ChannelKind::GROUP {
            return;
        }
        let about = |users: &'_ [String]| -> Vec<String> { users.to_vec() };
        let (users, by, view, at_ms) = match change {
            Change::ChannelCreated { by, channel, at_ms }
            | Change::ChannelUpdated { by, channel, at_ms } => {
                (Vec::new(), by, Some(channel), *at_ms)
            }
            Change::ChannelDissolved { by, at_ms } => (Vec::new(), by, None, *at_ms),
            Change::Joined {
                users, by, at_ms, ..
            }
            | Change::Departed {
                users, by, at_ms, ..
            } => (about(users), by, None, *at_ms),
            Change::MemberChanged {
                user, by, at_ms, ..
            } => (vec![user.clone()], by, None, *at_ms),
            _ => return,
        };
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let event = GroupEvent {
            group_id: &key.id,
            user_ids: &users,
            operator_id: operator(by.as_deref()),
            effect: effect(change),
            group: view.map(|view| Box::new(group(view, at_ms))),
        };
        let event = match change {
            Change::ChannelCreated { .. } => Event::GroupCreated(event),
            Change::ChannelUpdated { channel, .. } => {
                let changed = &channel.changed;
                let muted = GroupEvent {
                    effect: muting(channel.muted_until_ms, at_ms),
                    ..event.clone()
                };
                if changed.iter().any(|name| name == MUTING) {
                    self.event(Event::GroupMuted(muted), at_ms, out);
                }
                if matches!(changed.as_slice(), [only] if only == MUTING) {
                    return;
                }
                Event::GroupUpdated(event)
            }
            Change::ChannelDissolved { .. } => Event::GroupDissolved(event),
            Change::Joined { .. } => Event::GroupMemberJoined(event),
            Change::Departed { by, .. } => {
                if by.as_deref().is_some_and(|by| users == [by]) {
                    Event::GroupLeft(event)
                } else {
                    Event::GroupKicked(event)
                }
            }
            Change::MemberChanged { role: Some(_), .. } => Event::GroupRole(event),
            Change::MemberChanged {
                muted_until_ms: Some(_),
                ..
            } => Event::GroupMuted(event),
            _ => Event::GroupUpdated(event),
        };
        self.event(event, at_ms, out);
    }

    fn join_request(&mut self, request: &JoinRequestView, at_ms: i64, out: &mut Out) {
        if request.channel.kind != ChannelKind::GROUP.0 {
            return;
        }
        let by = [&request.by, &request.inviter, &request.user];
        let by = by.into_iter().find(|it| !it.is_empty());
        let event = Event::GroupRequest(GroupRequestEvent {
            group_id: &request.channel.id,
            user_ids: &[&request.user],
            operator_id: by.map_or(SYSTEM, |by| shown(by)),
            request_id: &request.id,
            status: &status(&request.status),
            message: &request.message,
        });
        self.event(event, at_ms, out);
    }

    fn friend_request(&mut self, request: &FriendRequestView, at_ms: i64, out: &mut Out) {
        let is_mine = request.from == self.user.uid.as_str();
        let other = if is_mine { &request.to } else { &request.from };
        let event = FriendEvent {
            request_id: Some(&request.id),
            user_id: other,
            message: Some(&*request.message).filter(|it| !it.is_empty()),
        };
        let event = match (&*request.status, is_mine) {
            ("pending", false) => Event::FriendRequest(event),
            ("accepted", _) => Event::FriendAccepted(event),
            ("rejected", _) => Event::FriendRejected(event),
            // Their own request is no news to them; that one is over is read by REST.
            _ => return,
        };
        self.event(event, at_ms, out);
    }

    fn conversation_kept(
        &mut self,
        key: &ChannelKey,
        view: &ConversationView,
        at_ms: i64,
        out: &mut Out,
    ) {
        let id = conversation(key, &self.user.uid);
        let target = id.target_id.clone();
        let kept = Conversation {
            chat_type: id.chat_type,
            id,
            target_id: &target,
            unread: view.unread,
            mentions: view.mentions,
            pinned: view.pinned_at_ms > 0,
            muted: view.muted_until_ms > at_ms,
            muted_until: muted_until(view.muted_until_ms),
            marked: view.marked,
            hidden: view.hidden,
            deleted: view.deleted,
            draft: Some(&*view.draft).filter(|it| !it.is_empty()),
            read_seq: view.read_seq,
            last_message: None,
            updated_at: at_ms,
        };
        let event = Event::ConversationUpdated {
            conversation: Box::new(kept),
        };
        self.event(event, at_ms, out);
    }

    fn profile(&mut self, user: &str, profile: &Value, at_ms: i64, out: &mut Out) {
        let text = |name: &str| profile.get(name).and_then(Value::as_str);
        let custom = profile.get("custom").filter(|it| !it.is_null());
        let custom = custom.and_then(|custom| to_raw_value(custom).ok());
        let user = Profile {
            user_id: shown(user),
            nickname: text("name"),
            avatar: text("avatar"),
            gender: text("gender"),
            signature: text("signature"),
            extra: custom.as_deref(),
        };
        self.event(Event::Profile { user }, at_ms, out);
    }

    /// Tells that the user is no member of a group any more (stomp.md Q2-13).
    fn put_out(&mut self, channel: &ChannelName, by: Option<&str>, at_ms: i64, out: &mut Out) {
        if channel.kind != ChannelKind::GROUP.0 {
            return;
        }
        let uid = self.user.uid.clone();
        let group = GroupEvent {
            group_id: &channel.id,
            user_ids: &[uid.as_str()],
            operator_id: operator(by),
            effect: GroupEffect::None,
            group: None,
        };
        let event = if by == Some(uid.as_str()) {
            Event::GroupLeft(group)
        } else {
            Event::GroupKicked(group)
        };
        self.event(event, at_ms, out);
    }
}

/// What a member is now.
fn effect(change: &Change) -> GroupEffect<'_> {
    let Change::MemberChanged {
        role,
        nick,
        muted_until_ms,
        at_ms,
        ..
    } = change
    else {
        return GroupEffect::None;
    };
    match (role.as_deref(), *muted_until_ms, nick.as_deref()) {
        (Some(role), ..) => GroupEffect::Role {
            role: match role {
                "owner" => "OWNER",
                "administrator" => "ADMIN",
                _ => "MEMBER",
            },
        },
        (_, Some(until_ms), _) => muting(until_ms, *at_ms),
        (_, _, Some(nick)) => GroupEffect::Nick { nick },
        _ => GroupEffect::None,
    }
}

fn muting(until_ms: i64, now_ms: i64) -> GroupEffect<'static> {
    let muted = until_ms > now_ms;
    GroupEffect::Muting {
        muted,
        muted_until: muted_until(until_ms).filter(|_| muted),
    }
}

/// The end of a muting that has one.
fn muted_until(until_ms: i64) -> Option<i64> {
    (until_ms > 0 && until_ms < i64::MAX).then_some(until_ms)
}

fn operator(by: Option<&str>) -> &str {
    by.map_or(SYSTEM, shown)
}

/// A status as the dialect writes it.
fn status(status: &str) -> String {
    status.to_ascii_uppercase()
}

/// A group as events show it.
fn group(view: &ChannelView, now_ms: i64) -> Group<'_> {
    let who = |word: &str| match word {
        "administrators" => Who::Admin,
        _ => Who::All,
    };
    let join_mode = match &*view.join_mode {
        "approval" => JoinMode::Approve,
        "invite" => JoinMode::Invite,
        _ => JoinMode::Free,
    };
    let muted = view.muted_until_ms > now_ms;
    Group {
        group_id: &view.name.id,
        name: &view.title,
        avatar: &view.avatar,
        owner_id: Some(&*view.owner).filter(|it| !it.is_empty()),
        member_count: view.member_count.into(),
        announcement: &view.announcement,
        join_mode,
        muted,
        muted_until: muted_until(view.muted_until_ms).filter(|_| muted),
        dissolved: view.dissolved,
        permissions: Permissions {
            join_mode,
            invite_by: who(&view.invite_by),
            edit_info_by: who(&view.edit_by),
            at_all_by: who(&view.mention_all_by),
            pin_by: who(&view.pin_by),
            speak: who(&view.speak),
        },
        created_at: (view.created_at_ms > 0).then_some(view.created_at_ms),
    }
}
