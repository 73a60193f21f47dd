//! Who calls: with the manager token anybody in whose name it says, with a user's own token
//! that user (wukong-client.md Q1-2).

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::refusal::Refusal;

use super::super::answer::{Failure, failure};
use super::super::guard::{TOKEN_HEADER, is_same};
use super::super::names;
use crate::http::state::WukongApiState;

/// Why a request of this API was not served.
pub(super) enum Refused {
    /// Nobody, or not the one whom it names.
    Caller(StatusCode, &'static str),
    /// What was asked cannot be done.
    Failure(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        match why {
            Refusal::Forbidden | Refusal::NotAMember => Self::Caller(
                StatusCode::FORBIDDEN,
                "the user may not do this with the message or channel",
            ),
            Refusal::LoginThrottled => Self::Caller(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong tokens; try again in a minute",
            ),
            // As the original's clients show it.
            Refusal::TooLate => Self::Failure(Failure::new("超过撤回时间")),
            other => Self::Failure(other.into()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Caller(status, why) => failure(status, why),
            Self::Failure(failure) => failure.into_response(),
        }
    }
}

/// The token that a request shows; empty = none.
pub(super) fn shown(headers: &HeaderMap) -> &[u8] {
    let token = headers.get(TOKEN_HEADER).map(|token| token.as_bytes());
    token.unwrap_or_default()
}

/// Whether whoever calls may act in anybody's name.
pub(super) fn is_manager(api: &WukongApiState, headers: &HeaderMap) -> bool {
    let token = shown(headers);
    let is_it = |expected: &std::sync::Arc<str>| is_same(token, expected.as_bytes());
    api.manager_token.as_ref().is_some_and(is_it) || (api.demo_open && token.is_empty())
}

/// The user in whose name a request acts.
pub(super) async fn caller(
    api: &WukongApiState,
    headers: &HeaderMap,
    login_uid: &str,
    client: IpAddr,
) -> Result<UserRef, Refused> {
    let token = shown(headers);
    if is_manager(api, headers) {
        let uid = names::uid("login_uid", login_uid)?;
        let user = api.im.find_user(&api.realm, &uid).await?;
        return user.ok_or(Refusal::NoSuchUser.into());
    }
    let nobody = Refused::Caller(StatusCode::UNAUTHORIZED, "a token is needed");
    let Some(token) = std::str::from_utf8(token)
        .ok()
        .filter(|token| !token.is_empty())
    else {
        return Err(nobody);
    };
    if login_uid.is_empty() {
        // The token says whose it is.
        return match api.im.token_user(&api.realm, token, client).await {
            Ok(user) => Ok(user),
            Err(Refusal::NotAuthenticated) => Err(nobody),
            Err(why) => Err(why.into()),
        };
    }
    let uid: Uid = names::uid("login_uid", login_uid)?;
    match api.im.check_token(&api.realm, &uid, token, client).await {
        Ok(user) => Ok(user),
        Err(Refusal::NotAuthenticated) => {
            let someone = api.im.whose_token(&api.realm, token).await.is_ok();
            Err(if someone {
                Refused::Caller(StatusCode::FORBIDDEN, "the token is another user's")
            } else {
                nobody
            })
        }
        Err(why) => Err(why.into()),
    }
}
