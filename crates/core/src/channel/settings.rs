//! What a channel allows, and what it says of itself.

use serde::{Deserialize, Serialize};

/// The most members that a channel may be limited to, and the limit of one that is not.
pub const MAX_MEMBERS: u32 = 100_000;
/// The longest announcement, characters.
pub const MAX_ANNOUNCEMENT_CHARS: usize = 4_000;
/// The longest name, characters.
pub const MAX_NAME_CHARS: usize = 200;
/// The longest address of a picture, characters.
pub const MAX_AVATAR_CHARS: usize = 1_000;

/// From where a member may read a channel's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryFrom {
    /// Everything there is.
    #[default]
    All,
    /// Only what was said since the member joined.
    SinceJoin,
}

/// How users come to belong to a channel. The application may always let them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinMode {
    /// Whoever wants to.
    Free,
    /// Whoever asks, if one who moderates agrees.
    Approval,
    /// Only who is invited.
    #[default]
    Invite,
}

impl JoinMode {
    /// Its name in REST and in changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Approval => "approval",
            Self::Invite => "invite",
        }
    }
}

/// Which members may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circle {
    /// Every member.
    All,
    /// The owner and the administrators.
    Administrators,
}

impl Circle {
    /// Its name in REST and in changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Administrators => "administrators",
        }
    }
}

/// What the members of a channel should know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Announcement {
    /// What it says; empty = nothing.
    pub text: String,
    /// The uid of who wrote it; empty = the application.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// When, ms since 1970.
    pub at_ms: i64,
}

/// A channel's settings. The same object is stored, cached by its lane and shown in REST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools)] // independent switches
pub struct ChannelSettings {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address of its picture; empty = none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub avatar: String,
    /// What its members should know.
    #[serde(skip_serializing_if = "is_default")]
    pub announcement: Announcement,
    /// Nobody may send; existing members may still read.
    pub ban: bool,
    /// Dissolved for good.
    pub disband: bool,
    /// Nobody but owner, administrators and system may send.
    pub send_ban: bool,
    /// Kept for clients that ask; delivery needs no special path for large channels.
    pub large: bool,
    /// Whoever writes needs no place on the allow list.
    pub allow_stranger: bool,
    /// From where members may read.
    pub history: HistoryFrom,
    /// How users join.
    pub join_mode: JoinMode,
    /// Who may invite.
    pub invite_by: Circle,
    /// Who may change name, picture and announcement.
    pub edit_by: Circle,
    /// Who may mention all.
    pub mention_all_by: Circle,
    /// Who may pin messages for all.
    pub pin_by: Circle,
    /// Who may send.
    pub speak: Circle,
    /// Only owner, administrators and system may send until then, ms since 1970; 0 = not so,
    /// `i64::MAX` = for good.
    pub muted_until_ms: i64,
    /// Who joins and who leaves is said in the chat.
    pub tips: bool,
    /// How many members there may be; 0 = [`MAX_MEMBERS`].
    pub max_members: u32,
    /// When it was made, ms since 1970; 0 = not known.
    pub created_at_ms: i64,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            name: None,
            avatar: String::new(),
            announcement: Announcement::default(),
            ban: false,
            disband: false,
            send_ban: false,
            large: false,
            allow_stranger: false,
            history: HistoryFrom::default(),
            join_mode: JoinMode::default(),
            invite_by: Circle::Administrators,
            edit_by: Circle::Administrators,
            mention_all_by: Circle::All,
            pin_by: Circle::Administrators,
            speak: Circle::All,
            muted_until_ms: 0,
            tips: false,
            max_members: 0,
            created_at_ms: 0,
        }
    }
}

fn is_default(announcement: &Announcement) -> bool {
    *announcement == Announcement::default()
}

/// A change of settings: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelChange {
    /// New name.
    pub name: Option<String>,
    /// New picture.
    pub avatar: Option<String>,
    /// New announcement.
    pub announcement: Option<Announcement>,
    /// New ban flag.
    pub ban: Option<bool>,
    /// New disband flag.
    pub disband: Option<bool>,
    /// New send ban.
    pub send_ban: Option<bool>,
    /// New large flag.
    pub large: Option<bool>,
    /// New stranger flag.
    pub allow_stranger: Option<bool>,
    /// New history rule.
    pub history: Option<HistoryFrom>,
    /// New way to join.
    pub join_mode: Option<JoinMode>,
    /// New right to invite.
    pub invite_by: Option<Circle>,
    /// New right to edit.
    pub edit_by: Option<Circle>,
    /// New right to mention all.
    pub mention_all_by: Option<Circle>,
    /// New right to pin.
    pub pin_by: Option<Circle>,
    /// New right to send.
    pub speak: Option<Circle>,
    /// New end of the muting of all.
    pub muted_until_ms: Option<i64>,
    /// Whether joining and leaving is said in the chat.
    pub tips: Option<bool>,
    /// New limit of members.
    pub max_members: Option<u32>,
    /// When it was made; set once.
    pub created_at_ms: Option<i64>,
}

fn put<T: Clone>(to: &mut T, from: Option<&T>) {
    if let Some(from) = from {
        to.clone_from(from);
    }
}

impl ChannelChange {
    /// Applies the change.
    pub fn apply(&self, to: &mut ChannelSettings) {
        if let Some(name) = &self.name {
            to.name = Some(name.clone());
        }
        put(&mut to.avatar, self.avatar.as_ref());
        put(&mut to.announcement, self.announcement.as_ref());
        put(&mut to.ban, self.ban.as_ref());
        put(&mut to.disband, self.disband.as_ref());
        put(&mut to.send_ban, self.send_ban.as_ref());
        put(&mut to.large, self.large.as_ref());
        put(&mut to.allow_stranger, self.allow_stranger.as_ref());
        put(&mut to.history, self.history.as_ref());
        put(&mut to.join_mode, self.join_mode.as_ref());
        put(&mut to.invite_by, self.invite_by.as_ref());
        put(&mut to.edit_by, self.edit_by.as_ref());
        put(&mut to.mention_all_by, self.mention_all_by.as_ref());
        put(&mut to.pin_by, self.pin_by.as_ref());
        put(&mut to.speak, self.speak.as_ref());
        put(&mut to.muted_until_ms, self.muted_until_ms.as_ref());
        put(&mut to.tips, self.tips.as_ref());
        put(&mut to.max_members, self.max_members.as_ref());
        put(&mut to.created_at_ms, self.created_at_ms.as_ref());
    }

    /// The change that the application makes with one field alone: what only it may change.
    #[must_use]
    pub fn is_for_the_application(&self) -> bool {
        let flags = [
            self.ban,
            self.disband,
            self.send_ban,
            self.large,
            self.allow_stranger,
        ];
        flags.iter().any(Option::is_some)
    }

    /// Whether it changes what the channel says of itself.
    #[must_use]
    pub fn is_edit(&self) -> bool {
        self.name.is_some() || self.avatar.is_some() || self.announcement.is_some()
    }

    /// Whether it changes what members may do, or anything that is no edit.
    #[must_use]
    pub fn is_management(&self) -> bool {
        let only_edits = Self {
            name: self.name.clone(),
            avatar: self.avatar.clone(),
            announcement: self.announcement.clone(),
            ..Self::default()
        };
        *self != only_edits
    }
}

/// The names, as changes and REST have them, of what differs between two states of settings.
#[must_use]
pub fn differences(before: &ChannelSettings, after: &ChannelSettings) -> Vec<String> {
    let all = [
        ("title", before.name != after.name),
        ("avatar", before.avatar != after.avatar),
        ("announcement", before.announcement != after.announcement),
        ("ban", before.ban != after.ban),
        ("disband", before.disband != after.disband),
        ("send_ban", before.send_ban != after.send_ban),
        ("large", before.large != after.large),
        (
            "allow_stranger",
            before.allow_stranger != after.allow_stranger,
        ),
        ("history", before.history != after.history),
        ("join_mode", before.join_mode != after.join_mode),
        ("invite_by", before.invite_by != after.invite_by),
        ("edit_by", before.edit_by != after.edit_by),
        (
            "mention_all_by",
            before.mention_all_by != after.mention_all_by,
        ),
        ("pin_by", before.pin_by != after.pin_by),
        ("speak", before.speak != after.speak),
        (
            "muted_until_ms",
            before.muted_until_ms != after.muted_until_ms,
        ),
        ("tips", before.tips != after.tips),
        ("max_members", before.max_members != after.max_members),
    ];
    let differing = all.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_from_before_there_were_so_many_mean_what_they_meant() {
        let old = r#"{"name":"n","ban":false,"disband":false,"send_ban":true,"large":false,
                      "allow_stranger":false,"history":"since_join"}"#;
        let read: ChannelSettings = serde_json::from_str(old).expect("settings");
        let expected = ChannelSettings {
            name: Some("n".to_owned()),
            send_ban: true,
            history: HistoryFrom::SinceJoin,
            ..ChannelSettings::default()
        };
        assert_eq!(read, expected);
        assert_eq!(
            serde_json::from_str::<ChannelSettings>("{}").expect("settings"),
            ChannelSettings::default()
        );
        assert_eq!(read.speak, Circle::All, "all may send as before");
    }

    #[test]
    fn differences_are_named_once_each() {
        let before = ChannelSettings::default();
        assert!(differences(&before, &before).is_empty());
        let change = ChannelChange {
            name: Some("n".to_owned()),
            speak: Some(Circle::Administrators),
            tips: Some(false),
            ..ChannelChange::default()
        };
        let mut after = before.clone();
        change.apply(&mut after);
        assert_eq!(differences(&before, &after), ["title", "speak"]);
    }

    #[test]
    fn edits_are_told_from_management() {
        let name = ChannelChange {
            name: Some("n".to_owned()),
            ..ChannelChange::default()
        };
        assert!(name.is_edit() && !name.is_management() && !name.is_for_the_application());
        let both = ChannelChange {
            tips: Some(true),
            ..name
        };
        assert!(both.is_edit() && both.is_management());
        let ban = ChannelChange {
            ban: Some(true),
            ..ChannelChange::default()
        };
        assert!(!ban.is_edit() && ban.is_management() && ban.is_for_the_application());
    }
}
