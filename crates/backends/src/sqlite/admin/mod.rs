//! What moderators and operators keep, one port per file.

mod audit;
mod bans;
mod census;
mod chores;
pub(super) mod evidence;
pub(super) mod owned;
mod reports;
mod reviews;
mod traces;
mod wordlists;
