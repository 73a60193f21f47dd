//! A group and its people, for the cases of conversations.

use std::sync::Arc;

use super::{EVERYTHING, append, group, store, text, user};
use crate::channel::{ChannelKey, ChannelRef, LogKind, MemberChange, MemberRole};
use crate::conversation::{ConversationChange, ConversationRow};
use crate::id::{MessageId, UserRef};
use crate::im::Stores;
use crate::log::RevokeOutcome;
use crate::message::{Body, Flags};

/// A group and its people.
pub(super) struct Room<'a> {
    pub(super) stores: &'a Stores,
    pub(super) log: Arc<ChannelRef>,
    pub(super) alice: UserRef,
    pub(super) bob: UserRef,
}

impl<'a> Room<'a> {
    /// A group with alice and bob as members.
    pub(super) async fn new(stores: &'a Stores) -> Self {
        let log = open(stores, &group("g"), LogKind::Chat).await;
        let alice = user(&*stores.directory, "alice").await;
        let bob = user(&*stores.directory, "bob").await;
        let room = Self {
            stores,
            log,
            alice,
            bob,
        };
        room.join(&room.alice).await;
        room.join(&room.bob).await;
        room
    }

    pub(super) async fn join(&self, user: &UserRef) {
        let join = MemberChange::Join(user.clone(), MemberRole::Member);
        self.stores
            .channels
            .change_members(self.log.num, &[join])
            .await
            .expect("joined");
    }

    pub(super) async fn leave(&self, user: &UserRef) {
        let leave = MemberChange::Leave(user.clone());
        self.stores
            .channels
            .change_members(self.log.num, &[leave])
            .await
            .expect("left");
    }

    pub(super) async fn say(&self, user: &UserRef, times: usize) {
        let batch = (0..times)
            .map(|_| append(&self.log, user, text("x")))
            .collect();
        store(&*self.stores.log, batch).await;
    }

    pub(super) async fn whisper(&self, user: &UserRef) {
        let body = Body {
            flags: Flags::default(),
            ..text("does not count")
        };
        store(&*self.stores.log, vec![append(&self.log, user, body)]).await;
    }

    /// Revokes the message at a seq.
    pub(super) async fn revoke(&self, seq: u64) {
        let found = self.stores.log.page(&self.log, EVERYTHING).await;
        let found = found.expect("a page");
        let message = found.iter().find(|message| message.seq == seq);
        let id = message.expect("a message").id;
        let by = Some(&self.alice);
        let outcome = self.stores.log.revoke(id, by).await.expect("an answer");
        assert_ne!(outcome, RevokeOutcome::NoMessage);
    }

    /// Lets retention drop what stands before a seq, bit by bit.
    pub(super) async fn drop_before(&self, seq: u64) {
        let log = &self.stores.log;
        let found = log.page(&self.log, EVERYTHING).await.expect("a page");
        let first = found.iter().find(|message| message.seq >= seq);
        let before = first.map_or(MessageId(i64::MAX), |message| message.id);
        let mut next = Some(MessageId(0));
        while let Some(from) = next {
            next = log.retain(from, before, 2).await.expect("a step").next;
        }
    }

    pub(super) async fn view(&self, user: &UserRef) -> ConversationRow {
        self.look(user).await.expect("a conversation")
    }

    pub(super) async fn look(&self, user: &UserRef) -> Option<ConversationRow> {
        let inbox = &self.stores.inbox;
        inbox
            .conversation(user.num, self.log.num)
            .await
            .expect("the inbox answers")
    }

    /// Changes, and checks that what is returned is what is read then.
    pub(super) async fn change(
        &self,
        user: &UserRef,
        change: ConversationChange,
    ) -> ConversationRow {
        let changed = self
            .stores
            .inbox
            .change(user.num, self.log.num, change)
            .await;
        let changed = changed.expect("changed").expect("a conversation");
        assert_eq!(self.view(user).await, changed, "after {change:?}");
        changed
    }

    pub(super) async fn unread(&self, user: &UserRef) -> u64 {
        self.view(user).await.unread()
    }
}

pub(super) async fn open(stores: &Stores, key: &ChannelKey, log: LogKind) -> Arc<ChannelRef> {
    stores
        .channels
        .open(key, log, true)
        .await
        .expect("open")
        .expect("made")
}

/// The place of a view: read position, badge and ordinal at the badge.
pub(super) fn place(view: &ConversationRow) -> (u64, u64, u64) {
    (view.read_seq, view.badge_seq, view.badge_ordinal)
}
