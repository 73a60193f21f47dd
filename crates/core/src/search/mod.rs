//! Finding messages by what they say: how a text becomes words (`words`), what is asked of an
//! index (`port`), and which part of a text it was that fits (`highlight`). The index is filled
//! by a consumer of the log, so that a send pays nothing.

mod highlight;
mod port;
mod words;

pub use highlight::{Highlight, highlights};
pub use port::{DocChange, Found, IndexQuery, SearchDoc, SearchIndex, Within};
pub use words::{Term, Word, terms, words};
