//! What a channel allows.

use serde::{Deserialize, Serialize};

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

/// A channel's settings. The same object is stored, cached by its lane and shown in REST.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelSettings {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
}

/// A change of settings: what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelChange {
    /// New name.
    pub name: Option<String>,
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
}

impl ChannelChange {
    /// Applies the change.
    pub fn apply(&self, to: &mut ChannelSettings) {
        if let Some(name) = &self.name {
            to.name = Some(name.clone());
        }
        to.ban = self.ban.unwrap_or(to.ban);
        to.disband = self.disband.unwrap_or(to.disband);
        to.send_ban = self.send_ban.unwrap_or(to.send_ban);
        to.large = self.large.unwrap_or(to.large);
        to.allow_stranger = self.allow_stranger.unwrap_or(to.allow_stranger);
        to.history = self.history.unwrap_or(to.history);
    }
}
