//! What the XuqmGroup IM dialect says over STOMP: destinations, tokens and
//! JSON bodies (stomp.md).
//!
//! Reading is tolerant and writing is exact (README.md A5, A11): a number may
//! come as a string, unknown members are passed over, of repeated ones the
//! last counts; what is written has a fixed type per member, and its members
//! are always there. The module does not know whether a user or a message
//! exists; a signature it takes apart but does not check.

mod codes;
mod content;
mod destination;
mod event;
mod kinds;
mod members;
mod message;
mod notice;
mod records;
mod requests;
mod rest;
mod send;
mod user_sig;

pub use codes::Code;
pub use content::{
    Audio, Call, CallAction, Card, Custom, File, Image, Link, Location, MediaType, Notify, Video,
};
pub use destination::{AppVerb, Destination, UserQueue, group_topic};
pub use event::{Event, FriendEvent, GroupEffect, GroupEvent, GroupRequestEvent, Timed};
pub use kinds::{ChatType, ConversationId, MsgType, Status};
pub use members::{BadMember, BrokenJson, Members, Problem};
pub use message::{FailedSend, ImMessage, is_message_id};
pub use notice::{QueueError, ReceiptKind, ReceiptNotice, SyncEnd};
pub use records::{Conversation, Group, JoinMode, Permissions, Profile, Who};
pub use requests::{
    ChatEdit, ChatRead, ChatRevoke, ChatSync, ChatTyping, ReadTarget, RefusedRequest,
};
pub use rest::{Answer, Outcomes, Page};
pub use send::{ChatSend, MAX_MENTIONS, RefusedSend, Submitted};
pub use user_sig::{Claims, UserSig, UserSigError, query_token, signing_input, with_signature};
