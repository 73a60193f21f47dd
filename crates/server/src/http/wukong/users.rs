//! Users: their tokens per kind of device, and who is online (protocols/wukong.md §4.1).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crosstalk_core::id::Uid;
use crosstalk_core::im::FlagTokenRegistration;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::DeviceLevel;
use crosstalk_gateway::wukong_reason_code;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Done, Failure};
use super::input::{BareList, Body};
use super::{lenient, names};
use crate::http::state::WukongApiState;

/// The kinds of devices that `device_flag` -1 means.
const ALL_FLAGS: [u8; 3] = [0, 1, 2];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenRequest {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) uid: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) token: String,
    #[serde(deserialize_with = "lenient::int")]
    device_flag: i64,
    #[serde(deserialize_with = "lenient::int")]
    device_level: i64,
}

/// Registers the one token of a user's kind of device.
pub(super) async fn register_token(
    State(api): State<WukongApiState>,
    Body(request): Body<TokenRequest>,
) -> Result<Response, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    let registration = registration(&api, request)?;
    match api
        .im
        .register_flag_token(&api.realm, &uid, &registration)
        .await
    {
        Ok(()) => Ok(Done.into_response()),
        // The reason stands where a status is expected, as in the original.
        Err(why @ Refusal::UserBanned) => {
            Ok(Json(json!({"status": wukong_reason_code(why)})).into_response())
        }
        Err(why) => Err(why.into()),
    }
}

/// The token that a request wants to register.
pub(super) fn registration(
    api: &WukongApiState,
    request: TokenRequest,
) -> Result<FlagTokenRegistration, Failure> {
    if request.token.is_empty() {
        return Err(Failure::new("token must not be empty"));
    }
    let level = match request.device_level {
        0 => DeviceLevel::Slave,
        1 => DeviceLevel::Master,
        _ => return Err(Failure::new("device_level must be 0 or 1")),
    };
    Ok(FlagTokenRegistration {
        flag: flag(request.device_flag)?,
        token: request.token,
        level,
        origin: api.origin,
    })
}

fn flag(number: i64) -> Result<u8, Failure> {
    u8::try_from(number).map_err(|_| Failure::new("device_flag must be between 0 and 255"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QuitRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
    #[serde(deserialize_with = "lenient::int")]
    device_flag: i64,
}

/// Blanks the token of a kind of device and ends its sessions. Who is not known has none.
pub(super) async fn quit_device(
    State(api): State<WukongApiState>,
    Body(request): Body<QuitRequest>,
) -> Result<Done, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    let flags = match request.device_flag {
        -1 => ALL_FLAGS.to_vec(),
        number => vec![flag(number)?],
    };
    match api.im.user(&api.realm, &uid).await {
        Ok(_) => {}
        Err(Refusal::NoSuchUser) => return Ok(Done),
        Err(why) => return Err(why.into()),
    }
    for flag in flags {
        let blank = FlagTokenRegistration {
            flag,
            token: String::new(),
            // A new master token ends the sessions of its flag.
            level: DeviceLevel::Master,
            origin: api.origin,
        };
        api.im.register_flag_token(&api.realm, &uid, &blank).await?;
    }
    Ok(Done)
}

/// One live connection.
#[derive(Debug, Serialize)]
struct Online {
    uid: String,
    device_flag: u8,
    online: u8,
}

/// The live connections of some users, whatever dialect they speak.
pub(super) async fn online_status(
    State(api): State<WukongApiState>,
    BareList(uids): BareList,
) -> Result<Response, Failure> {
    if uids.is_empty() {
        return Ok(Done.into_response());
    }
    // What cannot be a user is not online.
    let uids: Vec<Uid> = uids.iter().filter_map(|uid| Uid::parse(uid).ok()).collect();
    let online = api.im.online(&api.realm, &uids).await?;
    let online: Vec<Online> = online
        .into_iter()
        .map(|device| Online {
            uid: device.uid.as_str().to_owned(),
            device_flag: device.flag,
            online: 1,
        })
        .collect();
    Ok(Json(online).into_response())
}
