//! What messages carry beside their content, in JSON.

use crosstalk_core::id::MessageId;
use crosstalk_core::im::Viewer;
use crosstalk_core::message::Message;
use serde::Serialize;
use utoipa::ToSchema;

use super::drafts::{Mentioned, preview};
use super::problem::Problem;
use crate::http::state::ApiState;

/// The message to which one replies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quote)]
pub(super) struct QuoteView {
    /// Its id.
    id: String,
    /// Its place in the channel; null when it is gone, or not for the viewer.
    seq: Option<u64>,
    /// Who wrote it.
    from: Option<String>,
    /// Its first words.
    content: Option<String>,
}

/// What a message carries beside its content.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Carried)]
pub(super) struct CarriedView {
    /// Whom it mentions.
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions: Option<Mentioned>,
    /// To what it replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<QuoteView>,
    /// When its time is over, ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    /// How long it stays after its receiver has read it, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    burn_after_ms: Option<u64>,
}

impl CarriedView {
    /// What a message carries that is there. What it replies to is named, and not yet shown.
    pub(super) fn of(message: &Message) -> Self {
        let expires_at = message.expires_at_ms();
        let Some(carried) = message.body.carried.as_deref() else {
            return Self {
                expires_at,
                ..Self::default()
            };
        };
        let uids = carried
            .mentions
            .iter()
            .map(|user| user.uid.as_str().to_owned());
        Self {
            mentions: carried.has_mentions().then(|| Mentioned {
                users: uids.collect(),
                all: carried.mention_all,
            }),
            reply_to: carried.reply_to.map(QuoteView::gone),
            expires_at,
            burn_after_ms: Some(carried.burn_after_ms).filter(|ms| *ms > 0),
        }
    }
}

impl QuoteView {
    fn gone(id: MessageId) -> Self {
        Self {
            id: id.to_string(),
            seq: None,
            from: None,
            content: None,
        }
    }
}

/// What these messages reply to, as far as the viewer may read it: `None` for those that reply
/// to nothing.
pub(super) async fn quotes(
    api: &ApiState,
    viewer: &Viewer,
    messages: &[Message],
) -> Result<Vec<Option<QuoteView>>, Problem> {
    let replies = |message: &Message| {
        let carried = message.body.carried.as_deref();
        carried.is_some_and(|carried| carried.reply_to.is_some())
    };
    if !messages.iter().any(replies) {
        return Ok(messages.iter().map(|_| None).collect());
    }
    let quoted = api.im.quoted(viewer, messages).await?;
    let shown = quoted.into_iter().map(|quoted| {
        let quoted = quoted?;
        Some(QuoteView {
            id: quoted.id.to_string(),
            seq: Some(quoted.seq),
            from: Some(quoted.sender.uid.as_str().to_owned()),
            content: Some(preview(&quoted)),
        })
    });
    Ok(shown.collect())
}

impl CarriedView {
    /// Shows to what the message replies.
    pub(super) fn quote(&mut self, quoted: Option<QuoteView>) {
        if quoted.is_some() {
            self.reply_to = quoted;
        }
    }
}
