//! Hooks (architecture.md §7): applications are told what happens, and asked before a message
//! is accepted. `registry` knows which hooks there are; each that is told is a consumer of the
//! outbox (`told`), which makes events of what it reads (`event`, `data`, `offline`), picks
//! those that the hook wants (`names`), writes them (`render`, `wukong`), and delivers them
//! until they are taken or given up (`deliver`, `call`;
//! `late` what is not taken at once). `before` asks.

mod before;
mod bodies;
mod call;
mod data;
mod deliver;
mod event;
mod late;
mod letters;
mod names;
mod offline;
mod registry;
mod render;
mod settings;
mod sign;
mod stats;
#[cfg(test)]
pub(crate) mod tests;
mod told;
mod webhooks;
mod wukong;

pub use registry::{Hook, HookService, Replay, Tested};
pub use settings::{HookLimits, Wrong, check_settings};
pub use stats::Snapshot;
pub use webhooks::describe;
