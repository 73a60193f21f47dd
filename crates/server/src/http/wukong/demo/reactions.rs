//! Rows of reactions (wukong-client.md Q1-4).

use std::collections::HashMap;

use crosstalk_core::id::Uid;
use crosstalk_core::mark::Reaction;
use crosstalk_core::message::Message;
use crosstalk_gateway::wukong_client_no;
use serde::Serialize;

use super::users::called;
use crate::http::state::WukongApiState;

/// One reaction.
#[derive(Debug, Serialize)]
pub(super) struct ReactionRow {
    message_id: i64,
    message_id_str: String,
    client_msg_no: String,
    uid: String,
    /// What the user is called.
    name: String,
    channel_id: String,
    channel_type: u8,
    /// Its version.
    seq: i64,
    emoji: String,
    is_deleted: u8,
    /// Seconds since 1970.
    created_at: i64,
}

impl ReactionRow {
    /// The row for a viewer of a reaction by somebody of this name.
    pub(super) fn of(reaction: &Reaction, message: &Message, name: String, viewer: &str) -> Self {
        let key = &message.channel.key;
        Self {
            message_id: message.id.0,
            message_id_str: message.id.to_string(),
            client_msg_no: wukong_client_no(message).into_owned(),
            uid: reaction.user.uid.as_str().to_owned(),
            name,
            channel_id: key.id_for(viewer).to_owned(),
            channel_type: key.kind.0,
            seq: reaction.version,
            emoji: reaction.emoji.to_string(),
            is_deleted: reaction.removed.into(),
            created_at: reaction.at_ms.div_euclid(1000),
        }
    }
}

/// What the users of one answer are called.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<Uid, String>);

impl Names {
    pub(super) async fn of(&mut self, api: &WukongApiState, uid: &Uid) -> String {
        if let Some(name) = self.0.get(uid) {
            return name.clone();
        }
        let name = called(api, uid).await;
        self.0.insert(uid.clone(), name.clone());
        name
    }
}
