//! Channels: one ordered log (and one command log) whatever dialect writes to it.
//!
//! `key` says what a channel is called, `settings` what it allows, `member` who belongs,
//! `rights` who may do what, `joining` what is asked of those who want to belong,
//! `port` what the core asks of a store. Changes run in the channel's lane (`deliver::lane`).

pub mod joining;
pub mod key;
pub mod member;
pub mod port;
pub mod rights;
pub mod settings;

pub use joining::{Decider, InviteLink, JoinRequest, JoinStatus, Joining, RequestId};
pub use key::{Address, ChannelKey, ChannelKind, ChannelRef, LogKind};
pub use member::{
    FoundMembers, Member, MemberChange, MemberQuery, MemberRole, MemberRow, MemberState,
};
pub use port::{ChannelRecord, Channels, List, ListChange, MembersChanged};
pub use rights::{Right, Standing, may};
pub use settings::{Announcement, ChannelChange, ChannelSettings, Circle, HistoryFrom, JoinMode};
