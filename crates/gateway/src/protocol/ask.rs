//! What a machine can ask, beside sending: each question has its answer, in no particular
//! order, and does not hold up what is sent meanwhile.

use std::any::Any;
use std::sync::Arc;

use crosstalk_core::channel::{Address, ChannelKey};
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::deliver::{Altered, TakenBack};
use crosstalk_core::delivered::Pulled;
use crosstalk_core::im::HistoryQuery;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use futures_util::future::BoxFuture;

use crate::editing::NewBody;

/// A machine's own number for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AskId(pub u64);

/// A channel, as clients name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By kind and id.
    Address(Address),
    /// By a text that may mean a user or a group (`Im::resolve`).
    Named(Arc<str>),
    /// What the server itself tells the user.
    System,
}

/// Where a page of history is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One channel.
    Channel(Target),
    /// All of the user's conversations; the newest 2,000 messages.
    All,
    /// The same, and only what the user sent.
    Own,
}

/// Work that is not the messenger's: an application's, for example.
pub trait Work: Send + Sync {
    /// Does it. It bounds its own time.
    fn work(&self) -> BoxFuture<'static, Done>;
}

/// What came of some work; its machine knows of which type it is.
pub type Done = Arc<dyn Any + Send + Sync>;

/// Work to be done.
#[derive(Clone)]
pub struct Job(pub Arc<dyn Work>);

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a job")
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Job {}

/// What a machine asks on behalf of its session's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Which channel is meant? Answered by `Channel`.
    Resolve(Target),
    /// Which message does the user call so, here or anywhere (data-model.md §4)? Answered by
    /// `Message`.
    Find {
        /// Its id, client number or name.
        name: String,
        /// In this channel only.
        within: Option<Target>,
    },
    /// Revoke a message. Answered by `Revoked`.
    Revoke {
        /// Its id, client number or name.
        name: String,
        /// In this channel only.
        within: Option<Target>,
    },
    /// Have a message say something else. Answered by `Edited`.
    Edit {
        /// Its id, client number or name.
        name: String,
        /// In this channel only.
        within: Option<Target>,
        /// What it shall say.
        body: NewBody,
    },
    /// Put a reaction to a message, or take it away. Answered by `Reacted`.
    React {
        /// Its id, client number or name.
        name: String,
        /// In this channel only.
        within: Option<Target>,
        /// Which.
        emoji: Arc<str>,
        /// Take it away.
        removed: bool,
    },
    /// Tell the others of a conversation that the user is writing. Not answered with anything
    /// but `Nothing`.
    Typing(Target),
    /// Read a message and all before it. Answered by `Read`.
    ReadMessage {
        /// Its id, client number or name.
        name: String,
        /// In this channel only.
        within: Option<Target>,
    },
    /// Read a conversation up to a seq (`None` = all of it). Answered by `Read`.
    ReadConversation(Target, Option<u64>),
    /// The next of what was sent while the device was away (`Im::pull`). Answered by `Pulled`.
    Pull {
        /// At most so many messages, 1 to 1,000.
        limit: u32,
    },
    /// Unread messages, oldest first, of one conversation or all. Answered by `Messages`.
    Unread {
        /// Only of this conversation.
        of: Option<Target>,
        /// At most so many; of more the newest.
        limit: u32,
    },
    /// How many messages are unread, in one conversation or in all. Answered by `Count`.
    CountUnread(Option<Target>),
    /// Messages of a channel, ascending by seq. Answered by `Messages`.
    History(Target, HistoryQuery),
    /// A page of what was said, newest first, counted back from the newest message. Answered
    /// by `Messages`.
    Page {
        /// Where.
        of: Scope,
        /// So many newer messages are left out.
        skip: u64,
        /// At most so many.
        limit: u32,
    },
    /// The newest message of each of the user's conversations, at most so many, newest
    /// conversation first. Answered by `Messages`.
    Newest {
        /// At most so many.
        limit: u32,
    },
    /// Is the user a member of a channel that has members? Answered by `Membership`.
    Membership(Target),
    /// The client has said on which device it runs (`Im::meet_device`). Answered by `Device`.
    MeetDevice(String),
    /// Work that is not the messenger's. Answered by `Done`.
    Do(Job),
}

/// The answer to a question.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The channel.
    Channel(Result<ChannelKey, Refusal>),
    /// The message.
    Message(Result<Message, Refusal>),
    /// What the message is now.
    Revoked(Result<TakenBack, Refusal>),
    /// What the message is now.
    Edited(Result<Altered, Refusal>),
    /// What the message is now.
    Reacted(Result<Altered, Refusal>),
    /// Nothing is to be said.
    Nothing,
    /// The conversation as it is now, and the message up to which it was read, if one was
    /// named.
    Read(Result<(ConversationRow, Option<Message>), Refusal>),
    /// A page of what was sent while the device was away.
    Pulled(Result<Pulled, Refusal>),
    /// Messages.
    Messages(Result<Vec<Message>, Refusal>),
    /// A number.
    Count(Result<u64, Refusal>),
    /// Whether the user is a member; `NoSuchChannel` if there is no such channel.
    Membership(Result<bool, Refusal>),
    /// Whether the device is new.
    Device(Result<bool, Refusal>),
    /// What came of the work.
    Done(Done),
}
