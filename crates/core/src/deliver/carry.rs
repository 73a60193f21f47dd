//! What a message carries, judged and put right in its channel's lane: who may mention all,
//! and who of those mentioned has anything to do with the channel.

use super::alter::{AlterJob, Alteration, Operator};
use super::lane::{SendJob, Sender};
use super::state::ChannelState;
use crate::carried::Carried;
use crate::channel::ChannelKind;
use crate::channel::rights::{Right, Standing, may};
use crate::id::UserNum;
use crate::message::Body;
use crate::receipt::MAX_COUNTED_MEMBERS;
use crate::refusal::Refusal;

/// Whether a draft may carry what it does.
///
/// # Errors
/// `Forbidden` if its sender may not mention all here, `WrongState` if it would burn where
/// many read, or nobody else.
pub(super) fn judge(job: &SendJob, state: &ChannelState, is_system: bool) -> Result<(), Refusal> {
    let Some(carried) = &job.draft.body.carried else {
        return Ok(());
    };
    let has_reader = state.key.kind == ChannelKind::DIRECT && state.participants.len() > 1;
    if carried.burn_after_ms > 0 && !has_reader {
        return Err(Refusal::WrongState);
    }
    if carried.mention_all && !may_mention_all(job, state, is_system) {
        return Err(Refusal::Forbidden);
    }
    Ok(())
}

/// Whether an edit may mention all: one that was sent so may go on.
///
/// # Errors
/// `Forbidden` if who edits may not mention all here.
pub(super) fn judge_edit(job: &AlterJob, state: &ChannelState) -> Result<(), Refusal> {
    let (
        Alteration::Edit {
            mentions_all: true, ..
        },
        Operator::User(user),
    ) = (&job.what, &job.by)
    else {
        return Ok(());
    };
    let sent = job.message.body.carried.as_deref();
    let was_so = sent.is_some_and(|carried| carried.mention_all);
    if was_so || user.uid.is_system() || may_user_mention_all(user.num, state) {
        Ok(())
    } else {
        Err(Refusal::Forbidden)
    }
}

fn may_mention_all(job: &SendJob, state: &ChannelState, is_system: bool) -> bool {
    let is_application = matches!(job.sender, Sender::Application(_));
    is_system || is_application || may_user_mention_all(job.sender.user().num, state)
}

fn may_user_mention_all(user: UserNum, state: &ChannelState) -> bool {
    // Only where there are members there is somebody to decide it.
    if state.members.is_empty() {
        return true;
    }
    let member = state.members.get(&user);
    let standing = member.map_or(Standing::Stranger, |member| Standing::Member(member.role));
    may(standing, Right::MentionAll, &state.settings)
}

/// Leaves out of a body's mentions who has nothing to do with the channel. Where too many would
/// read it for all to be counted, none is.
pub(super) fn settle(body: &mut Body, state: &ChannelState) {
    let is_direct = state.key.kind == ChannelKind::DIRECT;
    if body.flags.receipt && !is_direct && state.members.len() > MAX_COUNTED_MEMBERS as usize {
        body.flags.receipt = false;
    }
    let Some(carried) = &body.carried else {
        return;
    };
    let audience = body.audience.as_deref();
    let concerns = |user: UserNum| {
        (state.members.contains_key(&user) || state.takes_part(user))
            && audience.is_none_or(|audience| audience.contains(&user))
    };
    if carried.mentions.iter().all(|user| concerns(user.num)) {
        return;
    }
    let mut settled = Carried::clone(carried);
    settled.mentions.retain(|user| concerns(user.num));
    body.carried = settled.packed();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::channel::{Address, ChannelKey, ChannelSettings, Circle, MemberRole};
    use crate::deliver::ReplyTo;
    use crate::deliver::state::MemberEntry;
    use crate::id::{Realm, Uid, UserRef};
    use crate::message::{Draft, OnReuse};

    fn user(num: i64) -> UserRef {
        UserRef {
            num: UserNum(num),
            uid: Uid::parse(&format!("u{num}")).expect("a uid"),
        }
    }

    fn state(kind: ChannelKind, mention_all_by: Circle) -> ChannelState {
        let key = ChannelKey {
            realm: Realm::default(),
            kind,
            id: "g".into(),
        };
        let mut state = ChannelState::empty(&key);
        state.settings = ChannelSettings {
            mention_all_by,
            ..ChannelSettings::default()
        };
        let roles = [
            MemberRole::Owner,
            MemberRole::Administrator,
            MemberRole::Member,
        ];
        for (num, role) in (1..).zip(roles) {
            let entry = MemberEntry {
                role,
                muted_until_ms: 0,
                join_seq: 0,
            };
            state.members.insert(UserNum(num), entry);
        }
        state
    }

    fn job(sender: Sender, state: &ChannelState, carried: Carried) -> SendJob {
        SendJob {
            key: state.key.clone(),
            sender,
            draft: Draft {
                to: Address {
                    kind: state.key.kind,
                    id: "g".into(),
                },
                body: Body {
                    carried: carried.packed(),
                    ..Body::default()
                },
                on_reuse: OnReuse::Store,
                require_peer: false,
                fault: None,
            },
            reply: ReplyTo::Nobody,
        }
    }

    #[test]
    fn the_table_of_who_may_mention_all() {
        let all = || Carried::mentioning([], true);
        for circle in [Circle::All, Circle::Administrators] {
            let state = state(ChannelKind::GROUP, circle);
            let may = |sender| judge(&job(sender, &state, all()), &state, false).is_ok();
            assert!(may(Sender::User(user(1))), "the owner");
            assert!(may(Sender::User(user(2))), "an administrator");
            assert_eq!(
                may(Sender::User(user(3))),
                circle == Circle::All,
                "a member"
            );
            assert!(!may(Sender::User(user(9))), "a stranger");
            assert!(may(Sender::Application(user(9))), "the application");
            let named = job(
                Sender::User(user(3)),
                &state,
                Carried::mentioning([user(1).uid], false),
            );
            assert_eq!(judge(&named, &state, false), Ok(()), "one by name");
        }
    }

    #[test]
    fn only_what_two_read_burns() {
        let burns = Carried {
            burn_after_ms: 1000,
            ..Carried::default()
        };
        for (kind, readers, expected) in [
            (ChannelKind::DIRECT, 2, Ok(())),
            (ChannelKind::DIRECT, 1, Err(Refusal::WrongState)),
            (ChannelKind::GROUP, 2, Err(Refusal::WrongState)),
        ] {
            let mut state = state(kind, Circle::All);
            state.participants = (1..=readers).map(user).collect();
            let job = job(Sender::User(user(1)), &state, burns.clone());
            assert_eq!(judge(&job, &state, false), expected);
        }
    }

    #[test]
    fn who_has_nothing_to_do_with_the_channel_is_not_mentioned() {
        let state = state(ChannelKind::GROUP, Circle::All);
        let mentions = |audience: Option<Arc<[UserNum]>>, nums: &[i64]| {
            let carried = Carried {
                mentions: nums.iter().map(|num| user(*num)).collect(),
                ..Carried::default()
            };
            let mut body = Body {
                audience,
                carried: carried.packed(),
                ..Body::default()
            };
            settle(&mut body, &state);
            let carried = body.carried.map(|carried| carried.mentions.clone());
            carried.map(|users| users.iter().map(|user| user.num.0).collect::<Vec<_>>())
        };
        assert_eq!(mentions(None, &[1, 9, 3]), Some(vec![1, 3]));
        assert_eq!(mentions(None, &[8, 9]), None, "nothing is left");
        let only: Arc<[UserNum]> = Arc::from([UserNum(3)]);
        assert_eq!(
            mentions(Some(only), &[1, 3]),
            Some(vec![3]),
            "who may not see it"
        );
    }
}
