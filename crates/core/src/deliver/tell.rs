//! Saying in a channel what has changed there: entries of its command log, in their place
//! among what is sent to it, and, where the channel wants it, a line in the chat for who
//! joins and who leaves.

use std::sync::Arc;

use bytes::Bytes;

use super::alter::Operator;
use super::change::{BroughtBy, Facet, Moved, named};
use super::lane::{Lane, ReplyTo, SendJob, Sender};
use super::tip;
use crate::change::Change;
use crate::channel::{Address, ChannelKey};
use crate::content::Content;
use crate::id::{Uid, UserRef};
use crate::message::{Body, Draft, OnReuse};
use crate::refusal::Refusal;

/// Of so many who come or go at once the chat names each.
const NAMED_IN_CHAT: usize = 5;

impl Lane {
    /// Appends changes to a channel's command log, in order. Nobody waits for it: what they
    /// tell of is durable already. Channels of kinds without conversations have none.
    pub(super) async fn tell_channel(
        &mut self,
        key: &ChannelKey,
        by: &Operator,
        changes: Vec<Change>,
    ) {
        if !key.kind.has_conversations() || changes.is_empty() {
            return;
        }
        let teller = match self.teller(key, by).await {
            Ok(teller) => teller,
            Err(why) => {
                tracing::warn!(%why, "the members of a channel are not told of a change");
                return;
            }
        };
        let drafts = changes.iter().map(|change| change.draft(address(key)));
        let mut sends = drafts.map(|draft| send(key, &teller, draft)).collect();
        self.check_and_append(&mut sends).await;
    }

    /// In whose name a change is told.
    async fn teller(&mut self, key: &ChannelKey, by: &Operator) -> Result<UserRef, Refusal> {
        match by.user() {
            Some(user) => Ok(user.clone()),
            None => Ok(self.parts.users.intern(&key.realm, &Uid::system()).await?),
        }
    }

    /// Tells who has come, gone or changed.
    pub(super) async fn tell_moved(&mut self, key: &ChannelKey, by: &Operator, moved: &Moved) {
        let at_ms = self.parts.clock.now_ms();
        let by_uid = by.user().map(|user| user.uid.as_str().to_owned());
        let mut changes = Vec::new();
        if moved.left_count > 0 {
            changes.push(Change::Departed {
                users: named(&moved.left),
                count: moved.left_count,
                by: by_uid.clone(),
                at_ms,
            });
        }
        if moved.joined_count > 0 {
            changes.push(Change::Joined {
                users: named(&moved.joined),
                count: moved.joined_count,
                by: by_uid.clone(),
                at_ms,
            });
        }
        for (user, facet) in &moved.changed {
            let (mut role, mut nick, mut muted_until_ms) = (None, None, None);
            match facet {
                Facet::Role(new) => role = Some(new.name().to_owned()),
                Facet::Nick(new) => nick = Some(new.clone()),
                Facet::MutedUntil(until_ms) => muted_until_ms = Some(*until_ms),
            }
            changes.push(Change::MemberChanged {
                user: user.uid.as_str().to_owned(),
                by: by_uid.clone(),
                role,
                nick,
                muted_until_ms,
                at_ms,
            });
        }
        self.tell_channel(key, by, changes).await;
        if let Err(why) = self.tip_moved(key, by, moved).await {
            tracing::warn!(%why, "who joins or leaves is not said in the chat");
        }
    }

    /// Says in the chat who has come and gone, if the channel wants it.
    async fn tip_moved(
        &mut self,
        key: &ChannelKey,
        by: &Operator,
        moved: &Moved,
    ) -> Result<(), Refusal> {
        let tips = self.state(key).await?.settings.tips;
        if !tips || moved.joined_count + moved.left_count == 0 || !key.kind.has_conversations() {
            return Ok(());
        }
        let mut lines = Vec::new();
        let bringer = match &moved.brought_by {
            None => by.user(),
            Some(BroughtBy::Themselves) => None,
            Some(BroughtBy::Inviter(inviter)) => Some(inviter),
        };
        for (users, mut count, came) in [
            (&moved.left, moved.left_count, false),
            (&moved.joined, moved.joined_count, true),
        ] {
            let mut names = Vec::new();
            for user in users {
                if names.len() == NAMED_IN_CHAT {
                    break;
                }
                if self.parts.users.state(user.num).await?.record.flags.erased {
                    // The chat does not name them any more.
                    count = count.saturating_sub(1);
                } else {
                    names.push(self.called(user).await?);
                }
            }
            if names.is_empty() {
                continue;
            }
            let who = tip::listed(&names, count);
            let themselves = |num| users.iter().any(|user| user.num == num);
            let doer = match if came { bringer } else { by.user() } {
                Some(user) => Some((user.num, self.called(user).await?)),
                None => None,
            };
            // In the language of the other texts that stand for something (`content`).
            lines.push(match &doer {
                Some((num, name)) if !themselves(*num) => tip::line(&who, came, Some(name)),
                None if !came => tip::removed(&who),
                _ => tip::line(&who, came, None),
            });
        }
        let system = self.teller(key, &Operator::Application).await?;
        let tips = lines.into_iter().map(|text| said(address(key), text));
        let mut sends = tips.map(|draft| send(key, &system, draft)).collect();
        self.check_and_append(&mut sends).await;
        Ok(())
    }

    /// What a user is called everywhere.
    async fn called(&mut self, user: &UserRef) -> Result<String, Refusal> {
        let state = self.parts.users.state(user.num).await?;
        let profile = state.record.profile.as_deref();
        let profile = profile.and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
        let name = profile
            .as_ref()
            .and_then(|profile| profile["name"].as_str());
        let name = name.filter(|name| !name.is_empty());
        Ok(tip::short(name.unwrap_or(user.uid.as_str())))
    }
}

fn address(key: &ChannelKey) -> Address {
    Address {
        kind: key.kind,
        id: Arc::clone(&key.id),
    }
}

fn send(key: &ChannelKey, sender: &UserRef, draft: Draft) -> SendJob {
    SendJob {
        key: key.clone(),
        sender: Sender::Change(sender.clone()),
        draft,
        reply: ReplyTo::Nobody,
    }
}

/// A line in the chat that the system says; it does not count as unread.
fn said(to: Address, text: String) -> Draft {
    let content = Content::Tip { text };
    let payload = serde_json::to_vec(&content).map(Bytes::from);
    Draft {
        to,
        body: Body {
            payload: payload.unwrap_or_default(),
            ..Body::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    }
}
