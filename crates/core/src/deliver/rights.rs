//! Who may alter a message.

use super::alter::{Alteration, Operator};
use super::state::ChannelState;
use crate::channel::{self, ChannelKind, MemberRole, Right, may};
use crate::id::UserNum;
use crate::message::{Gone, Message};
use crate::refusal::Refusal;

/// What matters of an operator who is a user.
#[derive(Debug, Clone, Copy)]
struct Standing {
    moderates: bool,
    is_author: bool,
    /// Belongs to the channel now.
    belongs: bool,
    /// The channel's settings let them pin.
    pins: bool,
    is_gone: bool,
    age_ms: u64,
}

/// The application may always. One who has nothing to do with the channel is not told that
/// there is such a message.
pub(super) fn judge(
    message: &Message,
    by: &Operator,
    what: &Alteration,
    state: &ChannelState,
    now_ms: i64,
) -> Result<(), Refusal> {
    let Operator::User(user) = by else {
        return Ok(());
    };
    let kind = message.channel.key.kind;
    let standing = standing(message, user.num, state, now_ms);
    if !message.is_for(user.num) && !standing.moderates {
        return Err(Refusal::NoSuchMessage);
    }
    decide(kind, what, standing)
}

fn standing(message: &Message, user: UserNum, state: &ChannelState, now_ms: i64) -> Standing {
    let of = (message.revoked.is_some(), message.sent_at_ms);
    standing_of(user, message.sender.num, of, state, now_ms)
}

/// What a user is to a channel and to a message of an author, which is gone or not, and was
/// sent at a time.
fn standing_of(
    user: UserNum,
    author: UserNum,
    (is_gone, sent_at_ms): (bool, i64),
    state: &ChannelState,
    now_ms: i64,
) -> Standing {
    let member = state.members.get(&user);
    let may_pin = |role| may(channel::Standing::Member(role), Right::Pin, &state.settings);
    Standing {
        moderates: member.is_some_and(|member| member.role > MemberRole::Member),
        pins: member.is_some_and(|member| may_pin(member.role)),
        is_author: author == user,
        belongs: member.is_some() || state.takes_part(user),
        is_gone,
        // A clock that went back leaves more time, never less.
        age_ms: now_ms.saturating_sub(sent_at_ms).max(0).unsigned_abs(),
    }
}

fn decide(kind: ChannelKind, what: &Alteration, standing: Standing) -> Result<(), Refusal> {
    let nobody = if standing.belongs {
        Refusal::Forbidden
    } else {
        Refusal::NoSuchMessage
    };
    let in_time = |window_ms: u64| window_ms == 0 || standing.age_ms <= window_ms;
    match what {
        Alteration::Erase { how, window_ms } => {
            if standing.moderates {
                Ok(())
            } else if !standing.is_author || *how == Gone::Expired {
                Err(nobody)
            } else if in_time(*window_ms) || standing.is_gone {
                // Whoever asks again after it was done is told that it is done.
                Ok(())
            } else {
                Err(Refusal::TooLate)
            }
        }
        Alteration::Edit { window_ms, .. } => {
            if !standing.is_author {
                Err(nobody)
            } else if in_time(*window_ms) {
                Ok(())
            } else {
                Err(Refusal::TooLate)
            }
        }
        // That they see it was looked at before.
        Alteration::React { .. } if standing.belongs || is_open(kind) => Ok(()),
        Alteration::React { .. } => Err(Refusal::NoSuchMessage),
        Alteration::Pin { members_may, .. } => {
            let may = standing.moderates
                || standing.pins
                || standing.belongs && (*members_may || kind == ChannelKind::DIRECT);
            if may { Ok(()) } else { Err(nobody) }
        }
    }
}

/// Whether whoever may read a channel need not belong to it.
fn is_open(kind: ChannelKind) -> bool {
    matches!(kind, ChannelKind::INFO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Origin;

    const STRANGER: Standing = Standing {
        moderates: false,
        is_author: false,
        belongs: false,
        pins: false,
        is_gone: false,
        age_ms: 1000,
    };
    const MEMBER: Standing = Standing {
        belongs: true,
        ..STRANGER
    };
    const AUTHOR: Standing = Standing {
        is_author: true,
        ..MEMBER
    };
    const MODERATOR: Standing = Standing {
        moderates: true,
        ..MEMBER
    };

    fn erase(how: Gone, window_ms: u64) -> Alteration {
        Alteration::Erase { how, window_ms }
    }

    fn edit(window_ms: u64) -> Alteration {
        Alteration::Edit {
            origin: Origin::REST,
            tag: "".into(),
            payload: bytes::Bytes::new(),
            review: false,
            mentions_all: false,
            window_ms,
        }
    }

    fn pin(members_may: bool) -> Alteration {
        Alteration::Pin {
            pinned: true,
            members_may,
        }
    }

    fn react() -> Alteration {
        Alteration::React {
            emoji: "👍".into(),
            removed: false,
        }
    }

    #[test]
    fn the_table_of_rights() {
        const OK: Option<Refusal> = None;
        const NO: Option<Refusal> = Some(Refusal::Forbidden);
        const NONE: Option<Refusal> = Some(Refusal::NoSuchMessage);
        const LATE: Option<Refusal> = Some(Refusal::TooLate);
        let gone = Standing {
            is_gone: true,
            ..AUTHOR
        };
        // Stranger, member, author, moderator, author of what is gone.
        let cases = [
            (erase(Gone::Revoked, 0), [NONE, NO, OK, OK, OK]),
            (erase(Gone::Revoked, 999), [NONE, NO, LATE, OK, OK]),
            (erase(Gone::Deleted, 1000), [NONE, NO, OK, OK, OK]),
            (erase(Gone::Deleted, 999), [NONE, NO, LATE, OK, OK]),
            (erase(Gone::Expired, 0), [NONE, NO, NO, OK, NO]),
            (edit(0), [NONE, NO, OK, NO, OK]),
            (edit(999), [NONE, NO, LATE, NO, LATE]),
            (react(), [NONE, OK, OK, OK, OK]),
            (pin(false), [NONE, NO, NO, OK, NO]),
            (pin(true), [NONE, OK, OK, OK, OK]),
        ];
        for (what, expected) in cases {
            let standings = [STRANGER, MEMBER, AUTHOR, MODERATOR, gone];
            for (standing, expected) in standings.into_iter().zip(expected) {
                let found = decide(ChannelKind::GROUP, &what, standing).err();
                assert_eq!(found, expected, "{what:?} {standing:?}");
            }
        }
    }

    #[test]
    fn members_pin_where_the_channel_lets_them() {
        use crate::channel::{ChannelKey, Circle};
        use crate::deliver::state::MemberEntry;
        use crate::id::Realm;

        let key = ChannelKey {
            realm: Realm::default(),
            kind: ChannelKind::GROUP,
            id: "g".into(),
        };
        let mut state = ChannelState::empty(&key);
        for (num, role) in [(1, MemberRole::Member), (2, MemberRole::Administrator)] {
            let entry = MemberEntry {
                role,
                muted_until_ms: 0,
                join_seq: 0,
            };
            state.members.insert(UserNum(num), entry);
        }
        let cases = [
            (Circle::Administrators, [false, true, false]),
            (Circle::All, [true, true, false]),
        ];
        for (pin_by, expected) in cases {
            state.settings.pin_by = pin_by;
            // A member, an administrator, a stranger.
            for (num, expected) in (1..).zip(expected) {
                let standing = standing_of(UserNum(num), UserNum(9), (false, 1000), &state, 1000);
                let found = decide(ChannelKind::GROUP, &pin(false), standing);
                assert_eq!(found.is_ok(), expected, "{num} {pin_by:?}");
            }
        }
    }

    #[test]
    fn both_of_a_direct_channel_may_pin() {
        let direct = |standing| decide(ChannelKind::DIRECT, &pin(false), standing);
        assert_eq!(direct(MEMBER), Ok(()));
        assert_eq!(direct(STRANGER), Err(Refusal::NoSuchMessage));
    }
}
