//! Whom contents name (interop.md G.2): clients of this dialect know users by their accounts,
//! all others by their uids. What was written here is kept as it was written, and beside it
//! whose the accounts are; what others have written is said with accounts.

use std::collections::BTreeSet;

use crosstalk_core::content::Content;
use crosstalk_core::directory::Alias;
use crosstalk_core::id::Uid;
use crosstalk_core::message::{Body, MAX_AUDIENCE};

use super::envelope::{Extra, MqttReader};
use super::map;

/// Accounts in one content whose users are looked for; of more, the others stay as they are.
const MAX_NAMED: usize = MAX_AUDIENCE;

/// The names of users in a content.
fn each_name(content: &mut Content, mut see: impl FnMut(&mut String)) {
    match content {
        Content::Text {
            mentions, reply, ..
        } => {
            mentions.iter_mut().for_each(&mut see);
            if let Some(reply) = reply {
                see(&mut reply.from);
            }
        }
        Content::Card { uid, .. } => see(uid),
        Content::Call { caller, .. } => see(caller),
        _ => {}
    }
}

/// The accounts that a body of this dialect may name.
pub(crate) fn named(body: &Body) -> Vec<Alias> {
    let mut found = BTreeSet::new();
    each_name(&mut map::written(body), |name| {
        if found.len() < MAX_NAMED && Alias::parse(name).is_some() {
            found.insert(std::mem::take(name));
        }
    });
    found.iter().filter_map(|name| Alias::parse(name)).collect()
}

/// Notes whose accounts they are.
pub(crate) fn note(body: &mut Body, users: &[(Alias, Uid)]) {
    let mut extra = Extra::of(body);
    let users = users.iter();
    extra.users = users
        .map(|(alias, uid)| (alias.as_str().to_owned(), uid.as_str().to_owned()))
        .collect();
    body.extra = extra.encode();
}

/// A content of this dialect, with uids where accounts were.
pub(super) fn by_uid(mut content: Content, body: &Body) -> Content {
    if body.extra.is_some() {
        let extra = Extra::of(body);
        each_name(&mut content, |name| {
            if let Some(uid) = extra.users.get(name.as_str()) {
                name.clone_from(uid);
            }
        });
    }
    content
}

/// A content of another dialect, with accounts where uids were.
pub(super) fn by_account(mut content: Content, reader: &MqttReader) -> Content {
    each_name(&mut content, |name| {
        // What is nobody's name is left as it is.
        if Uid::parse(name.as_str()).is_ok() {
            *name = reader.account_of(name);
        }
    });
    content
}
