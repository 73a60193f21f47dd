//! Destinations of the dialect (stomp.md S2-35 to S2-39, Q2-12 to Q2-15,
//! Q2-22, Q2-23, Q2-30).
//!
//! Parsing never fails: what nobody serves is [`Destination::Other`]. Whether
//! a client may send or subscribe there is not judged here.

/// Where a client sends to or subscribes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Destination<'a> {
    /// `/app/…`, a request; `Err` has the name of one that does not exist.
    App(Result<AppVerb, &'a str>),
    /// `/user/queue/…`, a queue of the session's own user.
    User(UserQueue<'a>),
    /// `/topic/group/{gid}`, a group's messages.
    GroupTopic(&'a str),
    /// Anything else of the broker: `/topic/…`, `/queue/…`, and queues of
    /// users by their names, `/user/{uid}/…`.
    Broker,
    /// None of the prefixes.
    Other,
}

/// A request that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppVerb {
    /// `/app/chat.send`.
    Send,
    /// `/app/chat.revoke`.
    Revoke,
    /// `/app/chat.edit`.
    Edit,
    /// `/app/chat.read`.
    Read,
    /// `/app/chat.sync`.
    Sync,
    /// `/app/chat.typing`.
    Typing,
}

/// A queue of a user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserQueue<'a> {
    /// `/user/queue/messages`: personal messages, echoes and refusals.
    Messages,
    /// `/user/queue/errors`: [`QueueError`](super::QueueError).
    Errors,
    /// `/user/queue/events`: [`Event`](super::Event).
    Events,
    /// `/user/queue/receipts`: [`ReceiptNotice`](super::ReceiptNotice).
    Receipts,
    /// `/user/queue/sync`: [`SyncEnd`](super::SyncEnd).
    Sync,
    /// A queue that nothing is ever sent to.
    Unknown(&'a str),
}

const GROUP_TOPIC: &str = "/topic/group/";

impl AppVerb {
    /// Every request.
    pub const ALL: [AppVerb; 6] = [
        AppVerb::Send,
        AppVerb::Revoke,
        AppVerb::Edit,
        AppVerb::Read,
        AppVerb::Sync,
        AppVerb::Typing,
    ];

    /// The destination that clients send it to.
    #[must_use]
    pub const fn destination(self) -> &'static str {
        match self {
            AppVerb::Send => "/app/chat.send",
            AppVerb::Revoke => "/app/chat.revoke",
            AppVerb::Edit => "/app/chat.edit",
            AppVerb::Read => "/app/chat.read",
            AppVerb::Sync => "/app/chat.sync",
            AppVerb::Typing => "/app/chat.typing",
        }
    }
}

impl UserQueue<'_> {
    /// Every queue that something is sent to.
    pub const ALL: [UserQueue<'static>; 5] = [
        UserQueue::Messages,
        UserQueue::Errors,
        UserQueue::Events,
        UserQueue::Receipts,
        UserQueue::Sync,
    ];

    /// The destination that clients subscribe to, and that MESSAGEs of the
    /// queue show; `None` for a queue that nothing is sent to.
    #[must_use]
    pub const fn destination(self) -> Option<&'static str> {
        match self {
            UserQueue::Messages => Some("/user/queue/messages"),
            UserQueue::Errors => Some("/user/queue/errors"),
            UserQueue::Events => Some("/user/queue/events"),
            UserQueue::Receipts => Some("/user/queue/receipts"),
            UserQueue::Sync => Some("/user/queue/sync"),
            UserQueue::Unknown(_) => None,
        }
    }
}

/// The destination of a group's messages.
#[must_use]
pub fn group_topic(group_id: &str) -> String {
    format!("{GROUP_TOPIC}{group_id}")
}

impl<'a> Destination<'a> {
    /// What a destination names.
    #[must_use]
    pub fn parse(text: &'a str) -> Destination<'a> {
        if let Some(name) = text.strip_prefix("/app/") {
            let mut verbs = AppVerb::ALL.into_iter();
            return Destination::App(verbs.find(|it| it.destination() == text).ok_or(name));
        }
        if let Some(name) = text.strip_prefix("/user/queue/") {
            let mut queues = UserQueue::ALL.into_iter();
            let known = queues.find(|it| it.destination() == Some(text));
            return Destination::User(known.unwrap_or(UserQueue::Unknown(name)));
        }
        match text.strip_prefix(GROUP_TOPIC) {
            // A group's id has none of these, and patterns name no group.
            Some(group_id) if !group_id.is_empty() && !group_id.contains(['/', '*']) => {
                Destination::GroupTopic(group_id)
            }
            _ => {
                let mut prefixes = ["/topic/", "/queue/", "/user/"].into_iter();
                if prefixes.any(|prefix| text.starts_with(prefix)) {
                    Destination::Broker
                } else {
                    Destination::Other
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_told_apart() {
        let cases = [
            ("/app/chat.nope", Destination::App(Err("chat.nope"))),
            ("/app/", Destination::App(Err(""))),
            ("/app/chat.send/", Destination::App(Err("chat.send/"))),
            ("/user/queue/x", Destination::User(UserQueue::Unknown("x"))),
            ("/topic/group/g_100", Destination::GroupTopic("g_100")),
            ("/topic/group/", Destination::Broker),
            ("/topic/group/*", Destination::Broker),
            ("/topic/group/a/b", Destination::Broker),
            ("/topic/all", Destination::Broker),
            ("/queue/x", Destination::Broker),
            ("/user/u2/queue/messages", Destination::Broker),
            ("/exchange/x", Destination::Other),
            ("app/chat.send", Destination::Other),
            ("", Destination::Other),
        ];
        for (text, destination) in cases {
            assert_eq!(Destination::parse(text), destination, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for verb in AppVerb::ALL {
            let read = Destination::parse(verb.destination());
            assert_eq!(read, Destination::App(Ok(verb)));
        }
        for queue in UserQueue::ALL {
            let destination = queue.destination().expect("known queues have one");
            assert_eq!(Destination::parse(destination), Destination::User(queue));
        }
        let topic = group_topic("g_100");
        assert_eq!(Destination::parse(&topic), Destination::GroupTopic("g_100"));
    }
}
