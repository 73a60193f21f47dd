//! User tokens: JWT, HS256, signed with the app's secret (contract.md §4). One algorithm
//! only, never taken from the token's header.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::directory::{App, AppId, AppKeys};
use crate::id::Uid;
use crate::refusal::Refusal;

/// Seconds by which clocks of token makers may differ from ours.
const LEEWAY_SECS: i64 = 30;

/// The claims of a user token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// The app in whose name it was made.
    #[serde(rename = "appId", default)]
    pub app_id: String,
    /// The same under its other name, which counts only without the first (contract.md §4).
    #[serde(rename = "appKey", default, skip_serializing_if = "Option::is_none")]
    pub app_key: Option<String>,
    /// When it expires, seconds since 1970.
    pub exp: i64,
    /// From when it holds, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// When it was issued, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// When it was issued, ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat_ms: Option<i64>,
    /// Its own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The device it was made for, as the caller named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Claims {
    /// The id of the app in whose name it was made; empty if it names none.
    #[must_use]
    pub fn app(&self) -> &str {
        let other = self.app_key.as_deref().unwrap_or_default();
        if self.app_id.is_empty() {
            other
        } else {
            &self.app_id
        }
    }

    /// When it was issued, ms since 1970; 0 if it does not say.
    #[must_use]
    pub fn issued_at_ms(&self) -> i64 {
        self.iat_ms
            .or_else(|| self.iat.map(|secs| secs.saturating_mul(1000)))
            .unwrap_or(0)
    }
}

impl Claims {
    /// True if it says that it was issued later than now and `revoked_at_ms` allow: it would
    /// outlive every revocation until then. Tokens that we made after a revocation are dated
    /// after it, though the clock that dated it may have been ahead.
    #[must_use]
    pub fn is_from_the_future(&self, now_ms: i64, revoked_at_ms: i64) -> bool {
        let latest_ms = now_ms.saturating_add(LEEWAY_SECS * 1000);
        self.issued_at_ms() > latest_ms.max(revoked_at_ms.saturating_add(1))
    }
}

/// A token that was just made.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The token.
    pub token: String,
    /// When it expires, ms since 1970.
    pub expires_at_ms: i64,
}

/// Makes a token for a user of an app, issued now or at `not_before_ms` if that is later.
///
/// # Errors
/// `Internal` if it cannot be signed.
pub fn issue(
    app: &App,
    uid: &Uid,
    ttl_secs: i64,
    device: Option<String>,
    not_before_ms: i64,
    clock: &dyn Clock,
) -> Result<IssuedToken, Refusal> {
    let now_ms = clock.now_ms().max(not_before_ms);
    let mut jti = [0; 16];
    clock.fill_random(&mut jti);
    let exp = (now_ms / 1000).saturating_add(ttl_secs);
    let claims = Claims {
        sub: uid.as_str().to_owned(),
        app_id: app.id.as_str().to_owned(),
        app_key: None,
        exp,
        nbf: None,
        iat: Some(now_ms / 1000),
        iat_ms: Some(now_ms),
        jti: Some(URL_SAFE_NO_PAD.encode(jti)),
        device,
    };
    let key = EncodingKey::from_secret(app.secret.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key);
    let token = token.map_err(|error| {
        tracing::error!(%error, "a user token could not be signed");
        Refusal::Internal
    })?;
    Ok(IssuedToken {
        token,
        expires_at_ms: exp.saturating_mul(1000),
    })
}

/// Checks a token's signature, app and expiry. Revocation, and with it whether the token is
/// [from the future](Claims::is_from_the_future), is the caller's to check.
///
/// # Errors
/// `NotAuthenticated` for anything that is not right with it.
pub fn verify(token: &str, apps: &AppKeys, clock: &dyn Clock) -> Result<(App, Claims), Refusal> {
    let (app, claims) = signed(token, apps).ok_or(Refusal::NotAuthenticated)?;
    let now = clock.now_ms() / 1000;
    let expired = claims.exp.saturating_add(LEEWAY_SECS) < now;
    let begins = claims.nbf.unwrap_or(0);
    if expired || begins > now.saturating_add(LEEWAY_SECS) {
        return Err(Refusal::NotAuthenticated);
    }
    Ok((app, claims))
}

/// True for a token that is signed with the secret of the app it names, whatever else is
/// wrong with it.
#[must_use]
pub fn is_signed_by_us(token: &str, apps: &AppKeys) -> bool {
    signed(token, apps).is_some()
}

/// The app and the claims of a token whose signature holds.
fn signed(token: &str, apps: &AppKeys) -> Option<(App, Claims)> {
    let unverified = unverified_claims(token)?;
    let app = apps.get(&AppId::parse(unverified.app()).ok()?)?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims = ["sub", "exp"].map(str::to_owned).into();
    validation.validate_aud = false;
    // Expiry is judged by our own clock.
    validation.validate_exp = false;
    let claims = apps.secrets(&app).find_map(|secret| {
        let key = DecodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()
    })?;
    Some((app, claims.claims))
}

/// The claims as the token states them, only to learn which app's key to check it with.
fn unverified_claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let json = URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice(&json).ok()
}
