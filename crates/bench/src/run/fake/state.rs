//! What the server knows, and what becomes of a message.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;

use super::{Mischief, hits};

/// A message.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: u64,
    pub(super) place: u64,
    pub(super) from: String,
    /// A group, or the two users.
    pub(super) channel: String,
    pub(super) is_group: bool,
    pub(super) client_no: String,
    pub(super) payload: Vec<u8>,
}

impl Stored {
    /// What the channel is called by a user who gets the message.
    pub(super) fn channel_for_receiver(&self) -> &str {
        if self.is_group {
            &self.channel
        } else {
            &self.from
        }
    }
}

#[derive(Debug, Default)]
struct Channel {
    is_group: bool,
    members: Vec<String>,
    /// The highest place.
    last: u64,
    log: Vec<Stored>,
}

/// Everything, behind one lock: a message has its place and is in all mailboxes
/// before the next one.
#[derive(Debug, Default)]
struct Books {
    channels: HashMap<String, Channel>,
    online: HashMap<String, (u64, Sender<Stored>)>,
    /// Id and place by the sender's number.
    by_client_no: HashMap<String, (u64, u64)>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) mischief: Mischief,
    pub(super) tokens: Mutex<HashMap<String, String>>,
    books: Mutex<Books>,
    /// How many messages came, refused ones included.
    pub(super) sends: watch::Sender<u64>,
    pub(super) messages: AtomicU64,
    pub(super) deliveries: AtomicU64,
    pub(super) logins: AtomicU64,
    pub(super) shown: AtomicU64,
    pub(super) pages: AtomicU64,
}

/// The next number of something.
pub(super) fn next(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// A channel as a user sees it.
pub(super) struct View {
    pub(super) name: String,
    pub(super) is_group: bool,
    pub(super) last: u64,
    pub(super) log: Vec<Stored>,
}

impl State {
    pub(super) fn new(mischief: Mischief) -> Self {
        Self {
            mischief,
            ..Self::default()
        }
    }

    /// A message came; its number.
    pub(super) fn sent(&self) -> u64 {
        let mut number = 0;
        self.sends.send_modify(|sends| {
            *sends += 1;
            number = *sends;
        });
        number
    }

    pub(super) fn add_members(&self, group: &str, members: impl Iterator<Item = String>) {
        let mut books = self.books.lock();
        let channel = books.channels.entry(group.to_owned()).or_default();
        channel.is_group = true;
        channel.members.extend(members);
    }

    /// A session of a user; the former one gets nothing any more.
    pub(super) fn came(&self, uid: &str, session: u64, mailbox: Sender<Stored>) {
        let mut books = self.books.lock();
        books.online.insert(uid.to_owned(), (session, mailbox));
    }

    pub(super) fn left(&self, uid: &str, session: u64) {
        let mut books = self.books.lock();
        if books.online.get(uid).is_some_and(|(it, _)| *it == session) {
            books.online.remove(uid);
        }
    }

    /// Keeps a message and gives it to all who are online; its id and place. The
    /// same number of a sender is the same message.
    pub(super) fn take(
        &self,
        from: &str,
        to: (&str, bool),
        client_no: &str,
        payload: Vec<u8>,
    ) -> (u64, u64) {
        let mut books = self.books.lock();
        if let Some(known) = books.by_client_no.get(client_no) {
            return *known;
        }
        let id = next(&self.messages);
        let (name, is_group) = to;
        let key = if is_group {
            name.to_owned()
        } else {
            let mut both = [from, name];
            both.sort_unstable();
            both.join("@")
        };
        let channel = books.channels.entry(key.clone()).or_default();
        if !is_group && channel.members.is_empty() {
            channel.members = vec![from.to_owned(), name.to_owned()];
        }
        channel.last += 1;
        let stored = Stored {
            id,
            place: channel.last,
            from: from.to_owned(),
            channel: key,
            is_group,
            client_no: client_no.to_owned(),
            payload,
        };
        let place = stored.place;
        if !hits(id, self.mischief.forget_every) {
            channel.log.push(stored.clone());
            let members = channel.members.clone();
            for member in members.iter().filter(|it| *it != from) {
                if let Some((_, mailbox)) = books.online.get(member) {
                    // A session that has just ended needs nothing.
                    let _ = mailbox.try_send(stored.clone());
                }
            }
        }
        if !client_no.is_empty() {
            books.by_client_no.insert(client_no.to_owned(), (id, place));
        }
        (id, place)
    }

    /// A user's channels with messages, in the order of their names.
    pub(super) fn views(&self, uid: &str) -> Vec<View> {
        let books = self.books.lock();
        let mine = books.channels.iter().filter(|(_, channel)| {
            channel.last > 0 && channel.members.iter().any(|member| member == uid)
        });
        let mut views: Vec<View> = mine.map(|(key, it)| view(uid, key, it)).collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        views
    }
}

fn view(uid: &str, key: &str, channel: &Channel) -> View {
    let peer = channel.members.iter().find(|member| *member != uid);
    View {
        name: match peer {
            Some(peer) if !channel.is_group => peer.clone(),
            _ => key.to_owned(),
        },
        is_group: channel.is_group,
        last: channel.last,
        log: channel.log.clone(),
    }
}
