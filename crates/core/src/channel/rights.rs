//! Who may do what in a channel: one table. The application may everything in its realm; the
//! owner stands above the administrators, they above the members, and nobody may do anything
//! to one who does not stand below them.

use super::{ChannelSettings, Circle, MemberRole};

/// What somebody is to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The application, to which the realm belongs.
    Application,
    /// A member with a role.
    Member(MemberRole),
    /// A user who does not belong to it.
    Stranger,
}

impl Standing {
    /// Whether it is the application, the owner or an administrator.
    #[must_use]
    pub fn moderates(self) -> bool {
        match self {
            Self::Application => true,
            Self::Member(role) => role > MemberRole::Member,
            Self::Stranger => false,
        }
    }
}

/// Something that may be done in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Seeing what it is and who belongs to it.
    See,
    /// Sending.
    Speak,
    /// Mentioning all.
    MentionAll,
    /// Pinning messages for all.
    Pin,
    /// Changing its name, picture or announcement.
    Edit,
    /// Changing how one joins, who may what, its limits, its tips.
    Manage,
    /// Setting what only the application may: bans and marks.
    Flag,
    /// Adding or inviting users, making links.
    Invite,
    /// Deciding on those who ask to join.
    Decide,
    /// Muting all.
    MuteAll,
    /// Keeping users out, seeing who is kept out.
    Ban,
    /// Removing, banning or muting a member with a role.
    ActOn(MemberRole),
    /// Changing one's own name there.
    OwnNick,
    /// Changing the name there of a member with a role.
    NickOf(MemberRole),
    /// Naming administrators.
    SetRole,
    /// Making another the owner.
    Transfer,
    /// Leaving.
    Leave,
    /// Dissolving it for good.
    Dissolve,
}

/// What the table says.
#[derive(Clone, Copy)]
enum Rule {
    Yes,
    No,
    /// As the channel's settings say.
    If(fn(&ChannelSettings) -> Circle),
    /// Only with somebody whose role is lower than this.
    Below(MemberRole),
}

use MemberRole::{Administrator, Owner};
use Rule::{Below, If, No, Yes};

/// For owner, administrator, member.
const fn rules(right: Right) -> [Rule; 3] {
    match right {
        Right::See | Right::OwnNick => [Yes, Yes, Yes],
        Right::Speak => [Yes, Yes, If(|settings| settings.speak)],
        Right::MentionAll => [Yes, Yes, If(|settings| settings.mention_all_by)],
        Right::Pin => [Yes, Yes, If(|settings| settings.pin_by)],
        Right::Edit => [Yes, Yes, If(|settings| settings.edit_by)],
        Right::Invite => [Yes, Yes, If(|settings| settings.invite_by)],
        Right::Manage | Right::Decide | Right::MuteAll | Right::Ban => [Yes, Yes, No],
        Right::ActOn(_) | Right::NickOf(_) => [Below(Owner), Below(Administrator), No],
        Right::SetRole | Right::Transfer | Right::Dissolve => [Yes, No, No],
        // The owner makes another the owner first, or dissolves.
        Right::Leave => [No, Yes, Yes],
        Right::Flag => [No, No, No],
    }
}

/// Whether one of this standing may do it in a channel with these settings.
#[must_use]
pub fn may(standing: Standing, right: Right, settings: &ChannelSettings) -> bool {
    let role = match standing {
        Standing::Application => return true,
        Standing::Stranger => return false,
        Standing::Member(role) => role,
    };
    let [owner, administrator, member] = rules(right);
    let rule = match role {
        Owner => owner,
        Administrator => administrator,
        MemberRole::Member => member,
    };
    match rule {
        Yes => true,
        No => false,
        If(setting) => setting(settings) == Circle::All,
        Below(limit) => match right {
            Right::ActOn(of) | Right::NickOf(of) => of < limit,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Right; 22] = [
        Right::See,
        Right::Speak,
        Right::MentionAll,
        Right::Pin,
        Right::Edit,
        Right::Manage,
        Right::Flag,
        Right::Invite,
        Right::Decide,
        Right::MuteAll,
        Right::Ban,
        Right::ActOn(MemberRole::Member),
        Right::ActOn(Administrator),
        Right::ActOn(Owner),
        Right::OwnNick,
        Right::NickOf(MemberRole::Member),
        Right::NickOf(Administrator),
        Right::NickOf(Owner),
        Right::SetRole,
        Right::Transfer,
        Right::Leave,
        Right::Dissolve,
    ];

    fn settings(circle: Circle) -> ChannelSettings {
        ChannelSettings {
            invite_by: circle,
            edit_by: circle,
            mention_all_by: circle,
            pin_by: circle,
            speak: circle,
            ..ChannelSettings::default()
        }
    }

    /// Owner, administrator, member where all may, member where administrators may.
    fn expected(right: Right) -> [bool; 4] {
        match right {
            Right::See | Right::OwnNick => [true, true, true, true],
            Right::Speak | Right::MentionAll | Right::Pin | Right::Edit | Right::Invite => {
                [true, true, true, false]
            }
            Right::Manage | Right::Decide | Right::MuteAll | Right::Ban => {
                [true, true, false, false]
            }
            Right::ActOn(MemberRole::Member) | Right::NickOf(MemberRole::Member) => {
                [true, true, false, false]
            }
            Right::ActOn(Administrator) | Right::NickOf(Administrator) => {
                [true, false, false, false]
            }
            Right::ActOn(Owner) | Right::NickOf(Owner) | Right::Flag => {
                [false, false, false, false]
            }
            Right::SetRole | Right::Transfer | Right::Dissolve => [true, false, false, false],
            Right::Leave => [false, true, true, true],
        }
    }

    #[test]
    fn the_table_of_rights() {
        let (open, closed) = (settings(Circle::All), settings(Circle::Administrators));
        for right in ALL {
            let role = |role, settings| may(Standing::Member(role), right, settings);
            let [owner, administrator, member, held_down] = expected(right);
            for settings in [&open, &closed] {
                assert!(may(Standing::Application, right, settings), "{right:?}");
                assert!(!may(Standing::Stranger, right, settings), "{right:?}");
                assert_eq!(role(Owner, settings), owner, "owner {right:?}");
                assert_eq!(role(Administrator, settings), administrator, "{right:?}");
            }
            assert_eq!(role(MemberRole::Member, &open), member, "{right:?}");
            assert_eq!(role(MemberRole::Member, &closed), held_down, "{right:?}");
        }
    }

    #[test]
    fn who_moderates() {
        assert!(Standing::Application.moderates());
        assert!(Standing::Member(Owner).moderates());
        assert!(Standing::Member(Administrator).moderates());
        assert!(!Standing::Member(MemberRole::Member).moderates());
        assert!(!Standing::Stranger.moderates());
    }
}
