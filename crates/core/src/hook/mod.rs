//! Hooks: what an application has told of the addresses of its own that want to know what
//! happens, or want to be asked before something is sent (architecture.md §7). Who calls them
//! stands outside; here is what is kept of them.

mod port;

pub use port::{
    DeadLetter, HookFormat, HookKind, HookRecord, HookSettings, Hooks, MAX_DEAD_LETTERS, MAX_HOOKS,
    NewDeadLetter, NewPostponed, OnFailure, Postponed,
};
