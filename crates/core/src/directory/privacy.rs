//! What a user lets others do: ask to be friends, write as a stranger, see when they are
//! there, find them.

use serde::{Deserialize, Serialize};

/// How requests to be friends are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FriendPolicy {
    /// The user decides on each.
    #[default]
    Approval,
    /// Whoever asks is a friend.
    Free,
    /// Nobody may ask.
    Nobody,
}

/// Whether those who are no friends may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strangers {
    /// As the realm has it.
    #[default]
    Inherit,
    /// They may.
    Allow,
    /// They may not.
    Deny,
}

/// Who may see when the user is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    /// Everybody.
    #[default]
    Everyone,
    /// Friends.
    Friends,
    /// Nobody.
    Nobody,
}

/// By what the user is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Searchable {
    /// By id and name.
    #[default]
    Name,
    /// By phone number and address of mail, too.
    All,
    /// Not at all.
    Nobody,
}

/// Who may bring the user into groups: add them, or invite them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupPolicy {
    /// Everybody who may write to the user.
    #[default]
    Everyone,
    /// Friends.
    Friends,
    /// Nobody.
    Nobody,
}

/// What a user lets others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Privacy {
    /// How requests to be friends are taken.
    pub friend_requests: FriendPolicy,
    /// Whether strangers may write.
    pub strangers: Strangers,
    /// Who may see when the user is there.
    pub presence: SeenBy,
    /// By what the user is found.
    pub searchable: Searchable,
    /// Who may bring the user into groups.
    pub groups: GroupPolicy,
    /// The user is there and says to nobody so.
    #[serde(skip)]
    pub invisible: bool,
}

impl Privacy {
    /// The stored form: two bits for each choice, lowest first, in the order of the members;
    /// hiding has one, before that of groups.
    #[must_use]
    pub fn bits(self) -> i64 {
        let requests = match self.friend_requests {
            FriendPolicy::Approval => 0,
            FriendPolicy::Free => 1,
            FriendPolicy::Nobody => 2,
        };
        let strangers = match self.strangers {
            Strangers::Inherit => 0,
            Strangers::Allow => 1,
            Strangers::Deny => 2,
        };
        let presence = match self.presence {
            SeenBy::Everyone => 0,
            SeenBy::Friends => 1,
            SeenBy::Nobody => 2,
        };
        let searchable = match self.searchable {
            Searchable::Name => 0,
            Searchable::All => 1,
            Searchable::Nobody => 2,
        };
        let groups = match self.groups {
            GroupPolicy::Everyone => 0,
            GroupPolicy::Friends => 1,
            GroupPolicy::Nobody => 2,
        };
        let first = requests | strangers << 2 | presence << 4 | searchable << 6;
        first | i64::from(self.invisible) << 8 | groups << 9
    }

    /// From the stored form.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        let pick = |at: u32| (bits >> at) & 3;
        Self {
            friend_requests: match pick(0) {
                1 => FriendPolicy::Free,
                2 => FriendPolicy::Nobody,
                _ => FriendPolicy::Approval,
            },
            strangers: match pick(2) {
                1 => Strangers::Allow,
                2 => Strangers::Deny,
                _ => Strangers::Inherit,
            },
            presence: match pick(4) {
                1 => SeenBy::Friends,
                2 => SeenBy::Nobody,
                _ => SeenBy::Everyone,
            },
            searchable: match pick(6) {
                1 => Searchable::All,
                2 => Searchable::Nobody,
                _ => Searchable::Name,
            },
            groups: match pick(9) {
                1 => GroupPolicy::Friends,
                2 => GroupPolicy::Nobody,
                _ => GroupPolicy::Everyone,
            },
            invisible: bits & 1 << 8 != 0,
        }
    }

    /// Who may really see when the user is there.
    #[must_use]
    pub fn seen_by(self) -> SeenBy {
        if self.invisible {
            SeenBy::Nobody
        } else {
            self.presence
        }
    }
}

/// A change of what a user lets others do: what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct PrivacyChange {
    /// How requests to be friends are taken.
    pub friend_requests: Option<FriendPolicy>,
    /// Whether strangers may write.
    pub strangers: Option<Strangers>,
    /// Who may see when the user is there.
    pub presence: Option<SeenBy>,
    /// By what the user is found.
    pub searchable: Option<Searchable>,
    /// Who may bring the user into groups.
    pub groups: Option<GroupPolicy>,
    /// Whether the user hides.
    #[serde(skip)]
    pub invisible: Option<bool>,
}

impl PrivacyChange {
    /// Applies the change.
    pub fn apply(self, to: &mut Privacy) {
        to.friend_requests = self.friend_requests.unwrap_or(to.friend_requests);
        to.strangers = self.strangers.unwrap_or(to.strangers);
        to.presence = self.presence.unwrap_or(to.presence);
        to.searchable = self.searchable.unwrap_or(to.searchable);
        to.groups = self.groups.unwrap_or(to.groups);
        to.invisible = self.invisible.unwrap_or(to.invisible);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_survive_storage() {
        assert_eq!(Privacy::from_bits(0), Privacy::default());
        for bits in 0..1 << 11 {
            // Three is no choice.
            if [0, 2, 4, 6, 9].iter().all(|at| (bits >> at) & 3 != 3) {
                assert_eq!(Privacy::from_bits(bits).bits(), bits);
            }
        }
    }

    #[test]
    fn who_hides_is_seen_by_nobody() {
        let mut privacy = Privacy::default();
        assert_eq!(privacy.seen_by(), SeenBy::Everyone);
        let hide = PrivacyChange {
            invisible: Some(true),
            ..PrivacyChange::default()
        };
        hide.apply(&mut privacy);
        assert_eq!(privacy.seen_by(), SeenBy::Nobody);
        assert_eq!(privacy.presence, SeenBy::Everyone);
    }
}
