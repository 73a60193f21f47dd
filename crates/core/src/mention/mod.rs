//! Who was mentioned, and which of it is still to be looked at.
//!
//! Those named in a message have a row each, everybody together one: nothing is written for
//! each member of a channel. What is unread of them is worked out when somebody asks.

mod port;

pub use port::{MentionCount, Mentions, Noted, NotedQuery};
