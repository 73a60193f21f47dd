//! What applications call: access tokens and groups (mqtt.md S3-64, S3-65, Q3-28).
//!
//! An access token says which app it is for and until when, signed with the app's secret: it
//! needs no memory, and is void when the secret is changed.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crosstalk_core::channel::{Address, ChannelChange, ChannelKind, MemberChange};
use crosstalk_core::directory::{App, AppId, AppKeys};
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::mqtt::im::app::{AccessToken, AppGroup, TokenRequest};
use crosstalk_wire::mqtt::im::read;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::MqttState;
use super::answer::{Done, Failure};
use super::caller::Proof;
use crate::http::audit::asker::Asker;

/// For how long an access token holds, seconds.
const TTL_SECS: i64 = 7_200;
/// What it begins with.
const PREFIX: &str = "ima_";

/// `POST /im/v1/app/token`
pub(super) async fn token(
    State(state): State<MqttState>,
    Extension(asker): Extension<Asker>,
    body: Bytes,
) -> Result<Done<AccessToken>, Failure> {
    let request: TokenRequest = read(&body).map_err(|error| Failure::bad(error.to_string()))?;
    if request.app_id.is_empty() {
        return Err(Failure::missing("appId"));
    }
    let im = &state.edge.im;
    let app = AppId::parse(&request.app_id).ok();
    let app = app.and_then(|app| im.apps().get(&app));
    // Digests are compared, so the time this takes tells nothing of the secret.
    let is_it =
        |app: &App| Sha256::digest(app.secret.as_bytes()) == Sha256::digest(&request.app_secret);
    let app = app.filter(is_it).ok_or(Refusal::NotAuthenticated)?;
    asker.is(&app.realm, format!("app:{}", app.id));
    let expires_secs = im.clock().now_ms() / 1000 + TTL_SECS;
    Ok(Done(AccessToken {
        access_token: signed(&app, expires_secs),
        expires_in_secs: TTL_SECS,
    }))
}

fn signed(app: &App, expires_secs: i64) -> String {
    let claim = URL_SAFE_NO_PAD.encode(format!("{expires_secs}.{}", app.id));
    let mac = mac(app, &claim).finalize().into_bytes();
    format!("{PREFIX}{claim}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn mac(app: &App, claim: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(app.secret.as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(PREFIX.as_bytes());
    mac.update(claim.as_bytes());
    mac
}

/// The app whose access token this is, if it holds.
pub(super) fn app_of(apps: &AppKeys, token: &str, now_ms: i64) -> Option<App> {
    let (claim, mac_text) = token.strip_prefix(PREFIX)?.split_once('.')?;
    let said = String::from_utf8(URL_SAFE_NO_PAD.decode(claim).ok()?).ok()?;
    let (expires_secs, id) = said.split_once('.')?;
    let app = apps.get(&AppId::parse(id).ok()?)?;
    let given = URL_SAFE_NO_PAD.decode(mac_text).ok()?;
    mac(&app, claim).verify_slice(&given).ok()?;
    let expires_secs: i64 = expires_secs.parse().ok()?;
    (expires_secs.saturating_mul(1000) > now_ms).then_some(app)
}

/// A group as it is then.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupView {
    group_id: String,
    member_count: u32,
}

/// `POST /im/v1/app/groups`: the group has these members then, and no others.
pub(super) async fn groups(
    State(state): State<MqttState>,
    proof: Proof,
    body: Bytes,
) -> Result<Done<GroupView>, Failure> {
    let app = proof.require_tenant(&state, "")?;
    let request: AppGroup = read(&body).map_err(|error| Failure::bad(error.to_string()))?;
    if request.group_id.is_empty() {
        return Err(Failure::missing("groupId"));
    }
    let im = &state.edge.im;
    let address = Address::parse(ChannelKind::GROUP, &request.group_id)?;
    let mut uids = Vec::with_capacity(request.members.len());
    for name in &request.members {
        let known = im.resolve_user(&app.realm, name).await?;
        let uid = known.map_or_else(|| Uid::parse(name), |user| Ok(user.uid));
        uids.push(uid.map_err(|_| Failure::bad(format!("members: `{name}` is no user id")))?);
    }
    let users = im.user_refs(&app.realm, &uids).await?;
    // The address of a group is the same for everybody.
    let key = address.key(&app.realm, &Uid::system())?;
    let change = ChannelChange {
        name: (!request.name.is_empty()).then_some(request.name),
        ..ChannelChange::default()
    };
    im.put_channel(&key, change).await?;
    im.keep_members(&key, users.clone()).await?;
    let enter = users.into_iter().map(MemberChange::Enter).collect();
    let member_count = im.change_members(&key, enter).await?;
    Ok(Done(GroupView {
        group_id: request.group_id,
        member_count,
    }))
}
