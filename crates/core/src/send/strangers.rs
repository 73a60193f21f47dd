//! May somebody who is no friend write to a user, or bring them into a group? The user says, or
//! else their realm.

use std::collections::HashSet;

use crate::directory::{GroupPolicy, Strangers, UserRecord, UserState};
use crate::id::{Realm, UserNum};
use crate::refusal::Refusal;

/// Where people who are not each other's friends may not write to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FriendsOnly {
    /// In every realm.
    pub everywhere: bool,
    /// In these.
    pub realms: HashSet<Realm>,
}

impl FriendsOnly {
    /// Whether it is so in a realm.
    #[must_use]
    pub fn holds_in(&self, realm: &Realm) -> bool {
        self.everywhere || (!self.realms.is_empty() && self.realms.contains(realm))
    }
}

/// Whether a user lets those write who are no friends.
#[must_use]
pub fn lets_strangers_write(user: &UserRecord, friends_only: bool) -> bool {
    match user.privacy.strangers {
        Strangers::Allow => true,
        Strangers::Deny => false,
        Strangers::Inherit => !friends_only || user.flags.allow_stranger,
    }
}

/// Whether somebody may bring a user into a group: add them, or invite them with words of
/// their own.
///
/// # Errors
/// `Blocked` by the user; `NotAllowListed` if the user does not let them, or they are a stranger
/// who may not write to the user, either.
pub fn lets_into_groups(user: &UserState, by: UserNum, friends_only: bool) -> Result<(), Refusal> {
    if user.blocked.contains(&by) {
        return Err(Refusal::Blocked);
    }
    let is_friend = user.friends.contains(&by);
    let lets = match user.record.privacy.groups {
        GroupPolicy::Everyone => {
            is_friend
                || user.allowed.contains(&by)
                || lets_strangers_write(&user.record, friends_only)
        }
        GroupPolicy::Friends => is_friend,
        GroupPolicy::Nobody => false,
    };
    if lets {
        Ok(())
    } else {
        Err(Refusal::NotAllowListed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Privacy, UserFlags};
    use crate::id::{Uid, UserNum, UserRef};

    #[test]
    fn the_user_goes_before_the_realm() {
        use Strangers::{Allow, Deny, Inherit};
        let cases = [
            // user, friends only, the application lets them, may write
            (Inherit, false, false, true),
            (Inherit, false, true, true),
            (Inherit, true, false, false),
            (Inherit, true, true, true),
            (Allow, true, false, true),
            (Allow, false, false, true),
            (Deny, false, false, false),
            (Deny, false, true, false),
            (Deny, true, true, false),
        ];
        for (strangers, friends_only, allow_stranger, expected) in cases {
            let user = UserRecord {
                user: UserRef {
                    num: UserNum(1),
                    uid: Uid::from_store("u"),
                },
                realm: Realm::default(),
                flags: UserFlags {
                    allow_stranger,
                    ..UserFlags::default()
                },
                tokens_after_ms: 0,
                profile: None,
                privacy: Privacy {
                    strangers,
                    ..Privacy::default()
                },
                status: None,
            };
            assert_eq!(
                lets_strangers_write(&user, friends_only),
                expected,
                "{strangers:?} {friends_only} {allow_stranger}"
            );
        }
    }

    #[test]
    fn realms_differ() {
        let other = Realm::parse("other").expect("a realm");
        let one = FriendsOnly {
            everywhere: false,
            realms: [other.clone()].into(),
        };
        assert!(one.holds_in(&other));
        assert!(!one.holds_in(&Realm::default()));
        assert!(!FriendsOnly::default().holds_in(&other));
        let all = FriendsOnly {
            everywhere: true,
            ..FriendsOnly::default()
        };
        assert!(all.holds_in(&Realm::default()));
    }
}
