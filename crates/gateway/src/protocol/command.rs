//! What a machine wants done.

use std::sync::Arc;

use crosstalk_core::im::OpenSession;
use crosstalk_core::message::{Draft, Message};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Ticket;

use super::{Ask, AskId, TopicVerb};

/// What a machine wants done. Commands mirror the core's verbs; a ticket is the machine's
/// own number, rising by one with each command that has one.
#[derive(Debug)]
pub enum Command {
    /// Open a session; answered by `opened`. No other command before that.
    Open(OpenSession),
    /// Send a draft; answered by `reply`.
    Send(Ticket, Draft),
    /// Send a draft to whomever a name means (`Im::resolve`), whatever the draft says of
    /// that; answered by `reply`.
    SendTo(Ticket, Arc<str>, Draft),
    /// As `SendTo`; of a group only to those members who are named by uid or alias, all of
    /// whom must be members (`NoSuchUser` otherwise). In a direct channel the names mean
    /// nothing.
    SendToSome(Ticket, Arc<str>, Vec<String>, Draft),
    /// Have a send refused that is not even a draft; answered by `reply`, in its turn.
    Refuse(Ticket, Refusal),
    /// The client has these: it acknowledged them, or they were written to a client of a
    /// dialect without acknowledgements. Stored messages and passing ones alike.
    Acknowledge(Vec<Arc<Message>>),
    /// The client needs these no more, whether or not it has them: nobody is told.
    Settle(Vec<Arc<Message>>),
    /// Whether what is written by now counts as delivered if the client ends without ever
    /// having acknowledged anything (`Mailbox::presume`).
    Presume(bool),
    /// The client could not do anything with a message, in its own words.
    Reject(Arc<Message>, String),
    /// Ask something; answered by `answer`.
    Ask(AskId, Ask),
    /// Ask something of the topics; answered by `topics`.
    Topics(AskId, TopicVerb),
}
