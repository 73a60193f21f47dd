//! A message to many, each in their conversation with the sender. The client number of each
//! says which it is: whoever had it does not get it again after a restart.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::super::Im;
use super::chores::{Piece, failed};
use crate::admin::{Chore, ChoreKind, ChoreState, NewChore, PersonFilter};
use crate::channel::Address;
use crate::deliver::Sender;
use crate::id::{Realm, Uid, UserNum};
use crate::message::{Body, Draft, Flags, OnReuse, Origin};
use crate::refusal::Refusal;

/// Receivers of one piece of work.
const PIECE: u32 = 100;
/// Why a broadcast ends whose sender was erased.
const SENDER_ERASED: &str = "its sender was erased";
/// Receivers that may be named.
pub const MAX_NAMED: usize = 10_000;

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody in the realm.
    All,
    /// Everybody with a tag.
    Tag(String),
    /// These users.
    Uids(Vec<String>),
}

/// What is to be said to many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// To whom.
    pub to: Audience,
    /// From whom.
    pub from: String,
    /// The content as our own interface has it: JSON.
    pub payload: String,
}

impl Im {
    /// Says something to many, in the background.
    ///
    /// # Errors
    /// `NoSuchUser` for a sender who does not exist, `TooMany`, or when the store fails.
    pub async fn broadcast(
        &self,
        realm: &Realm,
        broadcast: &Broadcast,
        by: &str,
    ) -> Result<Chore, Refusal> {
        if broadcast.from != Uid::SYSTEM {
            let from = Uid::parse(&broadcast.from).map_err(|_| Refusal::InvalidUid)?;
            self.user(realm, &from).await?;
        }
        let total = match &broadcast.to {
            Audience::Uids(uids) if uids.len() > MAX_NAMED => return Err(Refusal::TooMany),
            Audience::Uids(uids) => uids.len() as u64,
            Audience::Tag(tag) => {
                self.stores
                    .admin
                    .census
                    .count_people(realm, Some(tag))
                    .await?
            }
            Audience::All => self.stores.admin.census.count_people(realm, None).await?,
        };
        self.take_in(NewChore {
            realm: realm.clone(),
            kind: ChoreKind::Broadcast,
            user: None,
            spec: serde_json::to_string(broadcast).map_err(|_| Refusal::Internal)?,
            total,
            by: by.to_owned(),
        })
        .await
    }

    pub(super) async fn broadcast_piece(&self, mut chore: Chore) -> Result<Piece, Refusal> {
        let Ok(broadcast) = serde_json::from_str::<Broadcast>(&chore.chore.spec) else {
            return Ok(failed(chore, "what was to be said cannot be read"));
        };
        let realm = chore.chore.realm.clone();
        let place: i64 = chore.place.parse().unwrap_or(0);
        let (receivers, next) = self.receivers(&realm, &broadcast.to, place).await?;
        let from = if broadcast.from == Uid::SYSTEM {
            Uid::system()
        } else {
            Uid::from_store(&broadcast.from)
        };
        let from = match self.user_ref(&realm, &from).await {
            Ok(from) => from,
            Err(Refusal::UserBanned) => return Ok(failed(chore, SENDER_ERASED)),
            Err(why) => return Err(why),
        };
        let sends = receivers.iter().map(|uid| {
            let draft = Draft {
                to: Address::direct(uid),
                body: Body {
                    client_no: format!("broadcast-{}-{uid}", chore.num).into(),
                    origin: Origin::REST,
                    flags: Flags {
                        counts: true,
                        ..Flags::default()
                    },
                    payload: broadcast.payload.clone().into(),
                    ..Body::default()
                },
                on_reuse: OnReuse::Store,
                // A name that nobody has is told apart from one that somebody has.
                require_peer: true,
                fault: None,
            };
            self.send_as(&realm, Sender::Application(from.clone()), draft)
        });
        for sent in join_all(sends).await {
            match sent {
                Ok(_) => chore.done += 1,
                // Nothing of this piece is written down: it is done again as a whole.
                Err(refused) if refused.why == Refusal::Unavailable => return Err(refused.why),
                Err(refused) => {
                    chore.done += 1;
                    chore.failed += 1;
                    chore.note = format!("the last refusal: {}", refused.why);
                }
            }
        }
        match next {
            Some(next) => chore.place = next.to_string(),
            None => {
                chore.state = ChoreState::Done;
                chore.chore.total = chore.done;
            }
        }
        let mut piece = Piece::of(chore);
        piece.pause = pause(receivers.len(), self.policy.broadcast_per_sec);
        Ok(piece)
    }

    /// The next receivers, and where to go on after them.
    async fn receivers(
        &self,
        realm: &Realm,
        to: &Audience,
        place: i64,
    ) -> Result<(Vec<Uid>, Option<i64>), Refusal> {
        let tag = match to {
            Audience::Uids(uids) => {
                let from = usize::try_from(place).unwrap_or(0);
                let some = uids.iter().skip(from).take(PIECE as usize);
                let some: Vec<_> = some.map(|uid| Uid::from_store(uid)).collect();
                let next = from + some.len();
                let next = (next < uids.len()).then(|| i64::try_from(next).unwrap_or(i64::MAX));
                return Ok((some, next));
            }
            Audience::Tag(tag) => Some(tag.clone()),
            Audience::All => None,
        };
        let filter = PersonFilter {
            tag,
            ..PersonFilter::default()
        };
        let census = &self.stores.admin.census;
        let people = census.people(realm, &filter, UserNum(place), PIECE).await?;
        let last = people.last().map(|person| person.record.user.num.0);
        let next = last.filter(|_| people.len() == PIECE as usize);
        let wanted = people.into_iter().map(|person| person.record);
        let wanted = wanted.filter(|record| !record.flags.ban && !record.user.uid.is_system());
        Ok((wanted.map(|record| record.user.uid).collect(), next))
    }
}

/// How long so many messages may take.
fn pause(count: usize, per_sec: u32) -> Duration {
    if per_sec == 0 {
        return Duration::ZERO;
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Duration::from_secs(1) * count / per_sec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_what_was_said() {
        assert_eq!(pause(100, 0), Duration::ZERO);
        assert_eq!(pause(100, 500), Duration::from_millis(200));
        assert_eq!(pause(0, 500), Duration::ZERO);
    }
}
