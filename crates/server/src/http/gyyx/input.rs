//! What a request says: parameters in query, form or JSON, and who asks.

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderName, Uri, header};
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::im::Im;
use crosstalk_core::session::foreign::ForeignHeaders;
use crosstalk_gateway::net::cookies_may_go;
use crosstalk_wire::gyyx::{HttpError, Parameters};

use super::TOKEN_HEADER;
use super::answer::Failure;

/// Where the parameters are: in the body, if there is one.
pub(super) fn parameters<'a>(uri: &'a Uri, body: &'a Bytes) -> Result<Parameters<'a>, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure(HttpError::BadRequest))?;
    Ok(match text.trim_start() {
        "" => Parameters::Form(uri.query().unwrap_or_default()),
        json if json.starts_with(['{', '[', '"']) => Parameters::Json(text),
        form => Parameters::Form(form),
    })
}

fn text(parts: &Parts, name: &HeaderName) -> Option<String> {
    let value = parts.headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The headers that may say who asks.
pub(super) fn headers(parts: &Parts, allowed_origins: &[String]) -> ForeignHeaders {
    ForeignHeaders {
        token: text(parts, &TOKEN_HEADER),
        authorization: text(parts, &header::AUTHORIZATION),
        cookie: text(parts, &header::COOKIE)
            .filter(|_| cookies_may_go(&parts.headers, allowed_origins)),
    }
}

/// The texts that may be a token or an app's secret, best first.
pub(super) fn credentials(headers: &ForeignHeaders) -> Vec<String> {
    let bearer = headers.authorization.as_deref().and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        is_bearer.then(|| rest.trim().to_owned())
    });
    headers.token.clone().into_iter().chain(bearer).collect()
}

/// The app whose secret is among the credentials; nothing if none of them is one.
///
/// # Errors
/// 403 if it is another app's than the one that is named.
pub(super) fn app_by_secret(
    im: &Im,
    credentials: &[String],
    named: &AppId,
) -> Result<Option<App>, Failure> {
    let mut known = credentials
        .iter()
        .filter_map(|text| im.apps().by_secret(text));
    match known.next() {
        Some(app) if app.id == *named => Ok(Some(app)),
        Some(_) => Err(Failure(HttpError::Forbidden)),
        None => Ok(None),
    }
}
