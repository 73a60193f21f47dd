//! Whom a message goes to: `to` is a user id, or several between commas
//! (wg.md S0-19, Q0-15 to Q0-17).

use std::collections::HashSet;

/// Receivers in one list at most.
pub const MAX_RECIPIENTS: usize = 500;

/// What stands before the id of a group.
const GROUP: &str = "group:";

/// One receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recipient<'a> {
    /// A user's id.
    User(&'a str),
    /// A group's id, without `group:`.
    Group(&'a str),
}

/// Why there is nobody to send to; the answer is 406.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipientsError {
    /// Nobody is named.
    #[error("there is no receiver")]
    Nobody,
    /// More than [`MAX_RECIPIENTS`] are named.
    #[error("there are too many receivers")]
    TooMany,
}

/// The receivers in `to`, each once, in order. Blanks around ids and empty
/// items are left out.
///
/// # Errors
///
/// [`RecipientsError`] if there are none, or too many.
pub fn recipients(to: &str) -> Result<Vec<Recipient<'_>>, RecipientsError> {
    let mut list = Vec::new();
    let mut seen = HashSet::new();
    for id in to.split(',').map(str::trim) {
        if id.is_empty() || id == GROUP || !seen.insert(id) {
            continue;
        }
        if list.len() == MAX_RECIPIENTS {
            return Err(RecipientsError::TooMany);
        }
        list.push(match id.strip_prefix(GROUP) {
            Some(group) => Recipient::Group(group),
            None => Recipient::User(id),
        });
    }
    if list.is_empty() {
        Err(RecipientsError::Nobody)
    } else {
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::Recipient::{Group, User};
    use super::*;

    #[test]
    fn a_list_names_each_once() {
        for (to, list) in [
            ("u1", vec![User("u1")]),
            ("u2,u2, u3 ,", vec![User("u2"), User("u3")]),
            (",,\tu1\n,", vec![User("u1")]),
            ("group:g1", vec![Group("g1")]),
            ("u1,group:u1", vec![User("u1"), Group("u1")]),
            ("u1，u2", vec![User("u1，u2")]),
        ] {
            assert_eq!(recipients(to), Ok(list), "{to}");
        }
        for to in ["", " ", ",", " , ,", "group:", "group: ,"] {
            assert_eq!(recipients(to), Err(RecipientsError::Nobody), "{to}");
        }
    }

    #[test]
    fn a_list_has_a_bound() {
        let ids = |count: usize| {
            let ids: Vec<String> = (0..count).map(|id| format!("u{id}")).collect();
            ids.join(",")
        };
        assert_eq!(recipients(&ids(500)).map(|list| list.len()), Ok(500));
        assert_eq!(recipients(&ids(501)), Err(RecipientsError::TooMany));
        let repeated = format!("{},u1,u2", ids(500));
        assert_eq!(recipients(&repeated).map(|list| list.len()), Ok(500));
    }
}
