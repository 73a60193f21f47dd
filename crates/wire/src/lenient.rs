//! Tolerant reading of JSON, for the dialects whose peers write it by hand.
//!
//! Numbers come as numbers or strings, flags as booleans, numbers or strings,
//! ids as strings or numbers, and `null` counts as absent
//! (protocols/README.md A5). Unknown members are skipped and of a repeated one
//! the last wins (A11). Everything here looks at the text of one value at a
//! time, so a value that makes no sense spoils its own field and no other.
//!
//! Nothing recurses over the input: nesting of any depth costs one byte of
//! memory per level. The module does not know any dialect's fields.

mod json;
mod members;
pub(crate) mod query;
mod scalar;

pub use json::{Json, NotJson};
pub(crate) use json::{put_number, put_text};
pub(crate) use members::{NotAnObject, each_element, each_member, members};
pub(crate) use scalar::{flag, integer, string, text};
