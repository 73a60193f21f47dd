//! A user's record.

use super::{Privacy, PrivacyChange, Profile, ProfileChange};
use crate::id::{Realm, UserRef};

/// What holds for a user everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserFlags {
    /// A token, a registration or REST has made this user; otherwise only the name is known.
    pub exists: bool,
    /// Passes all permission checks.
    pub system: bool,
    /// May neither log in, send nor receive.
    pub ban: bool,
    /// May not send.
    pub send_ban: bool,
    /// Lets strangers write although the realm is friends-only.
    pub allow_stranger: bool,
    /// An administrator account: may do for its realm what the application may.
    pub staff: bool,
    /// Was erased with all data: the name is never given again.
    pub erased: bool,
}

impl UserFlags {
    /// The stored form.
    #[must_use]
    pub fn bits(self) -> i64 {
        i64::from(self.exists)
            | i64::from(self.system) << 1
            | i64::from(self.ban) << 2
            | i64::from(self.send_ban) << 3
            | i64::from(self.allow_stranger) << 4
            | i64::from(self.staff) << 5
            | i64::from(self.erased) << 6
    }

    /// From the stored form.
    #[must_use]
    pub fn from_bits(bits: i64) -> Self {
        let bit = |n: u32| bits & (1 << n) != 0;
        Self {
            exists: bit(0),
            system: bit(1),
            ban: bit(2),
            send_ban: bit(3),
            allow_stranger: bit(4),
            staff: bit(5),
            erased: bit(6),
        }
    }
}

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Number and id.
    pub user: UserRef,
    /// The realm they belong to.
    pub realm: Realm,
    /// Flags.
    pub flags: UserFlags,
    /// User tokens issued at or before this moment (ms since 1970) are void.
    pub tokens_after_ms: i64,
    /// The profile: a JSON object as the application gave it.
    pub profile: Option<String>,
    /// What they let others do.
    pub privacy: Privacy,
    /// What they say beside being there; `None` = nothing.
    pub status: Option<String>,
}

/// A change of a user: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserChange {
    /// Makes the user exist.
    pub exists: Option<bool>,
    /// System account.
    pub system: Option<bool>,
    /// Ban.
    pub ban: Option<bool>,
    /// Send ban.
    pub send_ban: Option<bool>,
    /// Strangers allowed.
    pub allow_stranger: Option<bool>,
    /// Administrator account.
    pub staff: Option<bool>,
    /// Erased.
    pub erased: Option<bool>,
    /// Voids user tokens issued at or before this moment.
    pub tokens_after_ms: Option<i64>,
    /// New profile, a JSON object.
    pub profile: Option<String>,
    /// Changes of single members of the profile.
    pub members: ProfileChange,
    /// New choices of what others may do.
    pub privacy: PrivacyChange,
    /// What they say beside being there; empty = nothing.
    pub status: Option<String>,
}

impl UserChange {
    /// A change that only makes the user exist.
    #[must_use]
    pub fn exists() -> Self {
        Self {
            exists: Some(true),
            ..Self::default()
        }
    }

    /// Applies the change.
    pub fn apply(&self, to: &mut UserRecord) {
        let flags = &mut to.flags;
        flags.exists = self.exists.unwrap_or(flags.exists);
        flags.system = self.system.unwrap_or(flags.system);
        flags.ban = self.ban.unwrap_or(flags.ban);
        flags.send_ban = self.send_ban.unwrap_or(flags.send_ban);
        flags.allow_stranger = self.allow_stranger.unwrap_or(flags.allow_stranger);
        flags.staff = self.staff.unwrap_or(flags.staff);
        flags.erased = self.erased.unwrap_or(flags.erased);
        if flags.erased {
            // Nothing brings them back.
            (flags.exists, flags.ban) = (false, true);
        }
        to.tokens_after_ms = self.tokens_after_ms.unwrap_or(to.tokens_after_ms);
        if let Some(profile) = &self.profile {
            to.profile = Some(profile.clone());
        }
        if !self.members.is_empty() {
            let mut profile = Profile::of(to.profile.as_deref());
            self.members.apply(&mut profile);
            to.profile = Some(profile.encode());
        }
        self.privacy.apply(&mut to.privacy);
        if let Some(status) = &self.status {
            to.status = (!status.is_empty()).then(|| status.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_survive_storage() {
        for bits in 0..128 {
            assert_eq!(UserFlags::from_bits(bits).bits(), bits);
        }
    }
}
