//! Who calls, and what they may reach. A route is denied unless it asks one of the questions
//! here and likes the answer: user tokens reach their own user and the channels it belongs to,
//! app secrets their app's realm, the admin key everything.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid, UserRef};
use crosstalk_core::im::{Identity, Viewer};
use crosstalk_core::refusal::Refusal;
use sha2::{Digest, Sha256};

use super::input;
use super::problem::Problem;
use crate::http::state::ApiState;

/// Selects the app that the admin key speaks for.
const APP_HEADER: &str = "x-app-id";
/// The path segment by which a user token names its own user.
const ME: &str = "me";

/// Who calls.
pub(super) enum Caller {
    /// The admin key, with the app that it selects; none if there is no such app and the
    /// caller did not ask for one.
    Admin(Option<App>),
    /// An app's backend.
    App(App),
    /// A user.
    User(Identity),
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let secret = bearer(&parts.headers).ok_or(Refusal::NotAuthenticated)?;
        if is_same(secret, &state.admin_key) {
            return Ok(Self::Admin(selected_app(&parts.headers, state)?));
        }
        if let Some(app) = state.im.apps().by_secret(secret) {
            return Ok(Self::App(app));
        }
        let identity = state.im.verify_user_token(secret).await?;
        let user = state.im.user(&identity.realm, &identity.user.uid).await?;
        if user.record.flags.ban {
            return Err(Refusal::UserBanned.into());
        }
        Ok(Self::User(identity))
    }
}

/// The backend that calls; `None` if it is a user, or nobody.
pub(super) fn backend(headers: &HeaderMap, state: &ApiState) -> Option<Caller> {
    let secret = bearer(headers)?;
    if is_same(secret, &state.admin_key) {
        let app = selected_app(headers, state).ok().flatten();
        return Some(Caller::Admin(app));
    }
    state.im.apps().by_secret(secret).map(Caller::App)
}

/// Whether a request says which app the admin key speaks for.
pub(super) fn names_app(headers: &HeaderMap) -> bool {
    headers.contains_key(APP_HEADER)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty()).then_some(secret)
}

/// Digests are compared, so the time this takes tells nothing of the key.
fn is_same(offered: &str, key: &str) -> bool {
    !key.is_empty() && Sha256::digest(offered) == Sha256::digest(key)
}

fn selected_app(headers: &HeaderMap, state: &ApiState) -> Result<Option<App>, Problem> {
    let Some(asked) = headers.get(APP_HEADER) else {
        return Ok(state.im.apps().get(&AppId::default()));
    };
    let id = asked.to_str().ok().and_then(|id| AppId::parse(id).ok());
    let id = id.ok_or_else(|| Problem::field("X-App-Id", "is no app id"))?;
    state.im.apps().get(&id).map(Some).ok_or_else(|| {
        Problem::new(
            Refusal::NoSuchApp,
            format!("X-App-Id: there is no app {id}"),
        )
    })
}

impl Caller {
    /// Only the admin key passes.
    pub(super) fn admin(&self) -> Result<(), Problem> {
        match self {
            Self::Admin(_) => Ok(()),
            Self::App(_) | Self::User(_) => {
                Err(Problem::new(Refusal::Forbidden, "this needs the admin key"))
            }
        }
    }

    /// Only an app's secret or the admin key passes.
    pub(super) fn app(&self) -> Result<&App, Problem> {
        match self {
            Self::Admin(Some(app)) | Self::App(app) => Ok(app),
            Self::Admin(None) => Err(Problem::new(
                Refusal::NoSuchApp,
                "there is no app `default`; name one with X-App-Id",
            )),
            Self::User(_) => Err(Problem::new(
                Refusal::Forbidden,
                "this needs an app secret or the admin key",
            )),
        }
    }

    /// The app in whose name the caller calls, if there is one.
    pub(super) fn app_id(&self) -> Option<&AppId> {
        match self {
            Self::User(identity) => identity.app.as_ref(),
            Self::Admin(app) => app.as_ref().map(|app| &app.id),
            Self::App(app) => Some(&app.id),
        }
    }

    /// The realm that the caller can see.
    pub(super) fn realm(&self) -> Result<&Realm, Problem> {
        match self {
            Self::User(identity) => Ok(&identity.realm),
            Self::Admin(_) | Self::App(_) => self.app().map(|app| &app.realm),
        }
    }

    /// Through whose eyes the caller sees what is not asked for in anybody's name.
    pub(super) fn viewer(&self) -> Viewer {
        match self {
            Self::User(identity) => Viewer::User(identity.user.clone()),
            Self::Admin(_) | Self::App(_) => Viewer::Application,
        }
    }

    /// The user whom a path names, if the caller may see their data. With a user token that is
    /// the token's own user, who may also be called `me`.
    pub(super) fn reaches(&self, named: &str) -> Result<(&Realm, Uid), Problem> {
        match self {
            Self::User(identity) => {
                let own = &identity.user.uid;
                if named != ME && named != own.as_str() {
                    let why = "a user token reaches its own user only";
                    return Err(Problem::new(Refusal::Forbidden, why));
                }
                Ok((&identity.realm, own.clone()))
            }
            Self::Admin(_) | Self::App(_) => Ok((self.realm()?, input::uid("uid", named)?)),
        }
    }

    /// Any user of the caller's realm whom a path names, of whom the caller sees what everybody
    /// may see. With a user token `me` is the token's own user.
    pub(super) fn names(&self, named: &str) -> Result<(&Realm, Uid), Problem> {
        match self {
            Self::User(identity) if named != ME => Ok((&identity.realm, input::uid("uid", named)?)),
            _ => self.reaches(named),
        }
    }

    /// The user who calls; `None` = the application.
    pub(super) fn as_user(&self) -> Option<&UserRef> {
        match self {
            Self::User(identity) => Some(&identity.user),
            Self::Admin(_) | Self::App(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[test]
    fn a_bearer_is_read_and_nothing_else() {
        let cases = [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("BEARER  abc ", Some("abc")),
            ("Bearer ", None),
            ("Bearer", None),
            ("Basic abc", None),
            ("abc", None),
        ];
        for (value, expected) in cases {
            let request = Request::builder()
                .header(header::AUTHORIZATION, value)
                .body(());
            let (parts, ()) = request.expect("a request").into_parts();
            assert_eq!(bearer(&parts.headers), expected, "{value:?}");
        }
    }

    #[test]
    fn an_empty_key_opens_nothing() {
        assert!(is_same("key", "key"));
        assert!(!is_same("key", "other"));
        assert!(!is_same("", ""));
    }
}
