//! What a request other than a send asks for (stomp.md Q2-20, Q2-22, Q2-23).

use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::stomp::im::{
    AppVerb, ChatEdit, ChatRead, ChatRevoke, ChatSync, ChatType, ChatTyping, ConversationId,
    ReadTarget, RefusedRequest,
};

use super::render::SYSTEM;
use crate::protocol::Target;

/// What is asked for.
pub(super) enum What {
    Revoke(String),
    Edit { name: String, content: String },
    ReadMessage(String),
    ReadConversation(ConversationId),
    Sync(ChatSync),
    Typing(ConversationId),
}

impl What {
    /// The message that it is about.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Revoke(name) | Self::ReadMessage(name) | Self::Edit { name, .. } => Some(name),
            Self::ReadConversation(_) | Self::Sync(_) | Self::Typing(_) => None,
        }
    }
}

/// What a body asks for, and in which app.
pub(super) fn read(verb: AppVerb, body: &[u8]) -> Result<(Option<String>, What), RefusedRequest> {
    Ok(match verb {
        AppVerb::Revoke => {
            let revoke = ChatRevoke::read(body)?;
            (revoke.app_id, What::Revoke(revoke.message_id))
        }
        AppVerb::Read => {
            let read = ChatRead::read(body)?;
            let what = match read.target {
                ReadTarget::Message(id) => What::ReadMessage(id),
                ReadTarget::Conversation(id) => What::ReadConversation(id),
            };
            (read.app_id, what)
        }
        AppVerb::Edit => {
            let edit = ChatEdit::read(body)?;
            let (name, content) = (edit.message_id, edit.content);
            (edit.app_id, What::Edit { name, content })
        }
        AppVerb::Typing => {
            let typing = ChatTyping::read(body)?;
            (typing.app_id, What::Typing(typing.conversation_id))
        }
        AppVerb::Send | AppVerb::Sync => {
            let sync = ChatSync::read(body)?;
            (sync.app_id.clone(), What::Sync(sync))
        }
    })
}

/// The channel of a conversation, by the names that the dialect shows.
pub(super) fn target(id: &ConversationId) -> Result<Target, Refusal> {
    let address = match id.chat_type {
        ChatType::Single if id.target_id == SYSTEM => return Ok(Target::System),
        ChatType::Single => {
            let peer = Uid::parse(&id.target_id).map_err(|_| Refusal::NoSuchUser)?;
            Address::direct(&peer)
        }
        ChatType::Group => Address::parse(ChannelKind::GROUP, &id.target_id)?,
    };
    Ok(Target::Address(address))
}
