//! A user with all their data. First nobody can be that user any more; then, piece by piece,
//! memberships end, files go, and what the user said and what the log tells of them is taken
//! back; last goes what is kept of them.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::super::Im;
use super::chores::{Piece, failed};
use crate::admin::{Chore, ChoreKind, ChoreState, Forgotten, NewChore};
use crate::channel::{ChannelKey, MemberChange, MemberQuery, MemberRole};
use crate::deliver::{GroupVerb, Operator, TakenBack};
use crate::directory::{Profile, UserChange};
use crate::id::{MessageId, Realm, Uid, UserRef};
use crate::message::Gone;
use crate::refusal::Refusal;
use crate::session::Ending;

/// Channels that are left in one piece of work.
const CHANNELS: usize = 50;

/// Where to go on.
#[derive(Debug, Default, Serialize, Deserialize)]
enum Place {
    /// Leaving channels.
    #[default]
    Memberships,
    /// Forgetting files.
    Files,
    /// Taking back what the log has of them after this message.
    Messages(i64),
    /// The same of what was on its way when that began; and leaving what they came into then.
    Late(i64),
    /// Removing what is kept.
    Rows,
}

impl Im {
    /// Erases a user: they are thrown out at once, everything else follows in the background.
    /// Asked again, it answers with what goes on already, or is done.
    ///
    /// # Errors
    /// `NoSuchUser`, `TooMany`, or when the store fails.
    pub async fn erase_user(&self, realm: &Realm, uid: &Uid, by: &str) -> Result<Chore, Refusal> {
        let found = self.parts.users.find(realm, uid).await?;
        let user = found.ok_or(Refusal::NoSuchUser)?;
        let state = self.parts.users.state(user.num).await?;
        if !state.record.flags.exists && !state.record.flags.erased {
            return Err(Refusal::NoSuchUser);
        }
        if state.record.flags.erased {
            let chores = &self.stores.admin.chores;
            let last = chores.chore_about(ChoreKind::Erase, user.num).await?;
            let is_good = |it: &Chore| it.state.is_open() || it.state == ChoreState::Done;
            if let Some(last) = last.filter(is_good) {
                return Ok(last);
            }
        }
        let chore = self
            .take_in(NewChore {
                realm: realm.clone(),
                kind: ChoreKind::Erase,
                user: Some(user.clone()),
                spec: String::new(),
                total: 0,
                by: by.to_owned(),
            })
            .await?;
        self.bar(realm, &user).await?;
        Ok(chore)
    }

    /// From now on nobody is this user.
    async fn bar(&self, realm: &Realm, user: &UserRef) -> Result<(), Refusal> {
        let state = self.parts.users.state(user.num).await?;
        let now_ms = self.parts.clock.now_ms();
        let change = UserChange {
            exists: Some(false),
            ban: Some(true),
            erased: Some(true),
            tokens_after_ms: Some(now_ms.max(state.record.tokens_after_ms + 1)),
            ..UserChange::default()
        };
        self.parts.users.put(realm, &user.uid, &change).await?;
        self.parts.hub.end_of(user.num, Ending::Kicked, |_| true);
        Ok(())
    }

    /// A channel whose owner goes gets another one, if anybody is left: an administrator, or
    /// else a member.
    async fn hand_on(&self, key: &ChannelKey, user: &UserRef) -> Result<(), Refusal> {
        if self.owner(key).await?.as_ref() != Some(user) {
            return Ok(());
        }
        for at_least in [MemberRole::Administrator, MemberRole::Member] {
            let query = MemberQuery {
                at_least,
                // The owner may be among them.
                limit: 2,
                ..MemberQuery::default()
            };
            let found = self.find_members(key, &query).await?;
            let heir = found.into_iter().find(|member| member.user != *user);
            if let Some(heir) = heir {
                let transfer = GroupVerb::Transfer(heir.user);
                self.group(key, Operator::Application, transfer).await?;
                return Ok(());
            }
        }
        Ok(())
    }

    async fn leave_for_good(&self, key: &ChannelKey, user: &UserRef) -> Result<(), Refusal> {
        self.hand_on(key, user).await?;
        let leave = vec![MemberChange::Leave(user.clone())];
        self.change_members(key, leave).await.map(|_| ())
    }

    /// Takes back what a stretch of the log after a message has of the user. Returns how far
    /// that was, and whether there may be more.
    async fn take_back(
        &self,
        chore: &mut Chore,
        user: &UserRef,
        after: i64,
    ) -> Result<(i64, bool), Refusal> {
        let realm = &chore.chore.realm;
        let state = self.parts.users.state(user.num).await?;
        let name = Profile::of(state.record.profile.as_deref()).name;
        let whose = Forgotten {
            realm: realm.clone(),
            user: user.clone(),
            names: name.into_iter().chain([user.uid.to_string()]).collect(),
        };
        let census = &self.stores.admin.census;
        let traces = census.traces_of(&whose, MessageId(after)).await?;
        for id in &traces.said {
            let revoked = self.revoke(realm, *id, Operator::Application);
            chore.done += gone(&revoked.await)?;
        }
        for id in &traces.named {
            let deleted = self.delete(realm, *id, Operator::Application);
            chore.done += gone(&deleted.await)?;
        }
        let log = &self.stores.log;
        let told = traces.told.iter();
        // Nobody is told that something was: it is as if there had been nothing.
        for erased in join_all(told.map(|id| log.erase(*id, None, Gone::Deleted))).await {
            erased?;
            chore.done += 1;
        }
        Ok((traces.last.0, traces.is_more))
    }

    pub(super) async fn erase_piece(&self, mut chore: Chore) -> Result<Piece, Refusal> {
        let Some(user) = chore.chore.user.clone() else {
            return Ok(failed(chore, "nobody knows whom it is about"));
        };
        let realm = chore.chore.realm.clone();
        let place = if chore.place.is_empty() {
            // After a crash the work may stand in the list, and that not.
            self.bar(&realm, &user).await?;
            Place::default()
        } else {
            match serde_json::from_str(&chore.place) {
                Ok(place) => place,
                Err(_) => return Ok(failed(chore, "where it was cannot be read")),
            }
        };
        let next = self.erase_at(place, &mut chore, &user).await?;
        chore.chore.total = chore.chore.total.max(chore.done);
        match next {
            Some(next) => {
                chore.place = serde_json::to_string(&next).map_err(|_| Refusal::Internal)?;
            }
            None => {
                chore.state = ChoreState::Done;
                chore.chore.total = chore.done;
            }
        }
        Ok(Piece::of(chore))
    }

    /// Does the piece at a place, and says where to go on.
    async fn erase_at(
        &self,
        place: Place,
        chore: &mut Chore,
        user: &UserRef,
    ) -> Result<Option<Place>, Refusal> {
        let realm = &chore.chore.realm.clone();
        Ok(match place {
            Place::Memberships => {
                let channels = self.stores.channels.of_user(user.num).await?;
                for channel in channels.iter().take(CHANNELS) {
                    self.leave_for_good(&channel.key, user).await?;
                    chore.done += 1;
                }
                Some(if channels.len() > CHANNELS {
                    Place::Memberships
                } else {
                    Place::Files
                })
            }
            Place::Files => {
                let census = &self.stores.admin.census;
                let files = census.files_of(realm, user.num).await?;
                for file in &files {
                    if self.stores.files.delete(*file).await? {
                        chore.done += 1;
                    }
                }
                Some(if files.is_empty() {
                    Place::Messages(0)
                } else {
                    Place::Files
                })
            }
            Place::Messages(after) => {
                let (last, is_more) = self.take_back(chore, user, after).await?;
                Some(if is_more {
                    Place::Messages(last)
                } else {
                    Place::Late(last)
                })
            }
            Place::Late(after) => {
                let (last, is_more) = self.take_back(chore, user, after).await?;
                if is_more {
                    Some(Place::Late(last))
                } else {
                    let channels = self.stores.channels.of_user(user.num).await?;
                    for channel in &channels {
                        self.leave_for_good(&channel.key, user).await?;
                        chore.done += 1;
                    }
                    Some(Place::Rows)
                }
            }
            Place::Rows => {
                if let Err(error) = self.topics.end_sessions(user.num, None).await {
                    tracing::warn!(%error, "a user's subscriptions stay for now");
                    return Err(Refusal::Unavailable);
                }
                let purged = self.stores.admin.census.purge(user.num).await?;
                chore.done += purged.iter().map(|(_, rows)| rows).sum::<u64>();
                chore.done += self.stores.hooks.forget_user(realm, &user.uid).await?;
                // What is in memory of the user goes with an empty change.
                let nothing = UserChange::default();
                self.parts.users.put(realm, &user.uid, &nothing).await?;
                None
            }
        })
    }
}

/// How many messages went: what is not there any more has gone before.
fn gone(taken_back: &Result<TakenBack, Refusal>) -> Result<u64, Refusal> {
    match taken_back {
        Ok(_) => Ok(1),
        Err(Refusal::NoSuchMessage) => Ok(0),
        Err(why) => Err(*why),
    }
}
