//! Sending in the name of users or of the system (protocols/wukong.md §4.3). The application
//! speaks: only bans of the channel hold. Unlike the original, the answer comes when the
//! message is stored, and has its seq.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use crosstalk_core::channel::Address;
use crosstalk_core::deliver::Sender;
use crosstalk_core::id::UserRef;
use crosstalk_core::message::{Accepted, Body as MessageBody, Draft, Flags, OnReuse};
use crosstalk_core::send::limits::MAX_CLIENT_NO_BYTES;
use crosstalk_gateway::{examine, note_reply, wukong_tag};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::answer::{Data, Done, Failure};
use super::input::Body;
use super::{command_list, lenient, names};
use crate::http::state::WukongApiState;

/// Messages of one batch that are on their way at once.
const AT_ONCE: usize = 256;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
struct Header {
    #[serde(deserialize_with = "lenient::flag")]
    no_persist: bool,
    #[serde(deserialize_with = "lenient::flag")]
    red_dot: bool,
    #[serde(deserialize_with = "lenient::flag")]
    sync_once: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SendRequest {
    header: Option<Header>,
    #[serde(deserialize_with = "lenient::text")]
    client_msg_no: String,
    #[serde(deserialize_with = "lenient::text")]
    from_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::count")]
    expire: u64,
    #[serde(deserialize_with = "lenient::texts")]
    subscribers: Vec<String>,
    #[serde(deserialize_with = "lenient::text")]
    payload: String,
}

/// What the sender of an accepted message is told.
#[derive(Debug, Serialize)]
struct Sent {
    message_id: i64,
    message_idstr: String,
    message_seq: u64,
    client_msg_no: String,
}

/// Sends to a channel, or a command to a list of users.
pub(super) async fn send(
    State(api): State<WukongApiState>,
    Body(request): Body<SendRequest>,
) -> Result<Response, Failure> {
    let payload = decode(&request.payload)?;
    let expire = u32::try_from(request.expire).map_err(|_| Failure::new("expire is too large"))?;
    let header = request.header.unwrap_or_default();
    let to_list = !request.subscribers.is_empty();
    if to_list && !request.channel_id.is_empty() {
        return Err(Failure::new(
            "channel_id and subscribers exclude each other",
        ));
    }
    let client_msg_no = match request.client_msg_no {
        given if given.is_empty() => random_number(&api),
        given if given.len() > MAX_CLIENT_NO_BYTES => {
            let wrong = format!("client_msg_no has at most {MAX_CLIENT_NO_BYTES} bytes");
            return Err(Failure::new(wrong));
        }
        given => given,
    };
    let body = body(&api, header, &client_msg_no, expire, payload);
    if to_list {
        if !header.sync_once {
            return Err(Failure::new("subscribers need header.sync_once = 1"));
        }
        let uids = names::uids("subscribers", &request.subscribers)?;
        let sender = sender(&api, &request.from_uid).await?;
        if header.no_persist {
            command_list::push_online(&api, &sender, &uids, body).await?;
        } else {
            let to = command_list::address(&api, &uids).await?;
            deliver(&api, sender, to, body).await?;
        }
        return Ok(Done.into_response());
    }
    let to = names::address(names::kind(request.channel_type)?, &request.channel_id)?;
    let sender = sender(&api, &request.from_uid).await?;
    let accepted = deliver(&api, sender, to, body).await?;
    let sent = Sent {
        message_id: accepted.id.0,
        message_idstr: accepted.id.to_string(),
        message_seq: accepted.seq,
        client_msg_no,
    };
    Ok(Data(sent).into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BatchRequest {
    header: Option<Header>,
    #[serde(deserialize_with = "lenient::text")]
    from_uid: String,
    #[serde(deserialize_with = "lenient::texts")]
    subscribers: Vec<String>,
    #[serde(deserialize_with = "lenient::text")]
    payload: String,
}

/// Who was not sent to, and why.
#[derive(Debug, Default, Serialize)]
pub(super) struct BatchOutcome {
    fail_uids: Vec<String>,
    reason: Vec<String>,
}

/// Sends one personal message to each of a list of users.
pub(super) async fn send_batch(
    State(api): State<WukongApiState>,
    Body(request): Body<BatchRequest>,
) -> Result<Json<BatchOutcome>, Failure> {
    if request.from_uid.is_empty() {
        return Err(Failure::new("from_uid must not be empty"));
    }
    if request.subscribers.is_empty() {
        return Err(Failure::new("subscribers must not be empty"));
    }
    let payload = decode(&request.payload)?;
    let header = request.header.unwrap_or_default();
    let sender = sender(&api, &request.from_uid).await?;
    let kind = crosstalk_core::channel::ChannelKind::DIRECT;
    let mut outcome = BatchOutcome::default();
    for uids in request.subscribers.chunks(AT_ONCE) {
        let mut sends = JoinSet::new();
        let mut failed = Vec::new();
        for (at, uid) in uids.iter().enumerate() {
            let to = match names::address(kind, uid) {
                Ok(to) => to,
                Err(why) => {
                    failed.push((at, why));
                    continue;
                }
            };
            let number = random_number(&api);
            let body = body(&api, header, &number, 0, payload.clone());
            let (api, sender) = (api.clone(), sender.clone());
            sends.spawn(async move { (at, deliver(&api, sender, to, body).await) });
        }
        while let Some(sent) = sends.join_next().await {
            match sent {
                Ok((at, Err(why))) => failed.push((at, why)),
                Ok((_, Ok(_))) => {}
                Err(error) => tracing::error!(%error, "a send of a batch was cut off"),
            }
        }
        failed.sort_by_key(|(at, _)| *at);
        for (at, why) in failed {
            outcome.fail_uids.push(uids[at].clone());
            outcome.reason.push(why.to_string());
        }
    }
    Ok(Json(outcome))
}

fn decode(payload: &str) -> Result<Bytes, Failure> {
    let bytes = BASE64
        .decode(payload)
        .map_err(|_| Failure::new("payload must be base64"))?;
    if bytes.is_empty() {
        Err(Failure::new("payload must not be empty"))
    } else {
        Ok(bytes.into())
    }
}

/// A client number for whoever gave none: 32 hex digits and a 0.
fn random_number(api: &WukongApiState) -> String {
    let mut random = [0; 16];
    api.im.clock().fill_random(&mut random);
    format!("{:032x}0", u128::from_be_bytes(random))
}

fn body(
    api: &WukongApiState,
    header: Header,
    client_msg_no: &str,
    expire_secs: u32,
    payload: Bytes,
) -> MessageBody {
    MessageBody {
        client_no: client_msg_no.into(),
        origin: api.origin,
        tag: wukong_tag(&payload),
        flags: Flags {
            no_persist: header.no_persist,
            counts: header.red_dot,
            command: header.sync_once,
            by_application: true,
            ..Flags::default()
        },
        expire_secs,
        payload,
        ..MessageBody::default()
    }
}

async fn sender(api: &WukongApiState, from_uid: &str) -> Result<UserRef, Failure> {
    Ok(api
        .im
        .user_ref(&api.realm, &names::sender(from_uid)?)
        .await?)
}

async fn deliver(
    api: &WukongApiState,
    sender: UserRef,
    to: Address,
    body: MessageBody,
) -> Result<Accepted, Failure> {
    let mut draft = Draft {
        to,
        body,
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    examine(&mut draft);
    note_reply(&api.im, &api.realm, &sender, &mut draft).await;
    Ok(api
        .im
        .send_as(&api.realm, Sender::Application(sender), draft)
        .await?)
}
