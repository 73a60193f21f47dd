//! `/api/im/admin/…`: what administrators do (stomp.md D.b.2).

use axum::extract::{Path, Request, State};
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::refusal::Refusal;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::answer::{Done, Failure};
use super::input::Input;
use crate::http::edge::Edge;

/// Selects the app that the admin key speaks for.
const APP_HEADER: &str = "x-app-id";
/// How long a userSig lasts at most, seconds.
const MAX_TTL_SECS: i64 = 400 * 24 * 3600;

/// A userSig that was just made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserSig {
    user_sig: String,
    /// When it ends, ms since 1970.
    expires_at: i64,
}

/// `POST /admin/users/{userId}/usersig {expireSeconds?}`.
pub(super) async fn user_sig(
    State(edge): State<Edge>,
    Path(user): Path<String>,
    request: Request,
) -> Result<Done<UserSig>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    let uid = Uid::parse(&user).map_err(|_| Failure::field("userId", "is invalid"))?;
    let ttl_secs = match input.get("expireSeconds") {
        None => i64::from(edge.config.stomp.token_secs),
        Some(text) => {
            let secs = text
                .parse()
                .ok()
                .filter(|secs| (1..=MAX_TTL_SECS).contains(secs));
            secs.ok_or_else(|| Failure::field("expireSeconds", "is invalid"))?
        }
    };
    let issued = edge.im.issue_token(&app, &uid, ttl_secs, None).await?;
    Ok(Done(UserSig {
        user_sig: issued.token,
        expires_at: issued.expires_at_ms,
    }))
}

/// Who administrates.
pub(super) struct Administrator {
    /// The app in whose name.
    pub(super) app: App,
    /// Who it is, as the audit log names them.
    pub(super) actor: String,
}

impl Administrator {
    /// The realm that they administrate.
    pub(super) fn realm(&self) -> &Realm {
        &self.app.realm
    }
}

/// Who administrates: by the admin key, by an app's own secret, or by the token of an
/// administrator account.
pub(super) async fn administrating(edge: &Edge, input: &Input) -> Result<Administrator, Failure> {
    let by = found(edge, input).await?;
    input.asker.is(by.realm(), by.actor.clone());
    Ok(by)
}

async fn found(edge: &Edge, input: &Input) -> Result<Administrator, Failure> {
    let secret = input.bearer().ok_or(Refusal::NotAuthenticated)?;
    if is_same(secret, &edge.admin_key) {
        let header = input.headers.get(APP_HEADER);
        let header = header.and_then(|app| app.to_str().ok());
        let id = match header.or_else(|| input.app_id()) {
            Some(named) => AppId::parse(named).map_err(|_| Refusal::NoSuchApp)?,
            None => AppId::default(),
        };
        let app = edge.im.apps().get(&id).ok_or(Refusal::NoSuchApp)?;
        let actor = "admin".to_owned();
        return Ok(Administrator { app, actor });
    }
    if let Some(app) = edge.im.apps().by_secret(secret) {
        let actor = format!("app:{}", app.id);
        return Ok(Administrator { app, actor });
    }
    let identity = edge.im.verify_user_token(secret).await?;
    let (realm, uid) = (&identity.realm, &identity.user.uid);
    let flags = edge.im.user(realm, uid).await?.record.flags;
    if flags.ban {
        return Err(Refusal::UserBanned.into());
    }
    let mut apps = edge.im.apps().all().into_iter();
    let app = apps.find(|app| app.realm == *realm && !app.disabled);
    match app.filter(|_| flags.staff) {
        Some(app) => Ok(Administrator {
            app,
            actor: format!("user:{uid}"),
        }),
        // Other users are known, and not let in.
        None => Err(Refusal::Forbidden.into()),
    }
}

/// The app that an administrator speaks for.
pub(super) async fn administrator(edge: &Edge, input: &Input) -> Result<App, Failure> {
    Ok(administrating(edge, input).await?.app)
}

/// Digests are compared, so the time this takes tells nothing of the key.
fn is_same(offered: &str, key: &str) -> bool {
    !key.is_empty() && Sha256::digest(offered) == Sha256::digest(key)
}
