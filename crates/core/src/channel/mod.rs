//! Channels: one ordered log (and one command log) whatever dialect writes to it.
//!
//! `key` says what a channel is called, `settings` what it allows, `member` who belongs,
//! `port` what the core asks of a store. Changes run in the channel's lane (`deliver::lane`).

pub mod key;
pub mod member;
pub mod port;
pub mod settings;

pub use key::{Address, ChannelKey, ChannelKind, ChannelRef, LogKind};
pub use member::{Member, MemberChange, MemberRole, MemberState};
pub use port::{ChannelRecord, Channels, List, ListChange, MembersChanged};
pub use settings::{ChannelChange, ChannelSettings, HistoryFrom};
