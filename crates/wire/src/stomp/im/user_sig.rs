//! The form of a userSig: a JSON Web Token, HS256 (stomp.md Q2-1).
//!
//! ```text
//! base64url(header) "." base64url(claims) "." base64url(signature)
//! ```
//!
//! Taken apart, not judged: neither the signature nor the time is checked
//! here. Nothing in it may be believed before the caller has computed the
//! HMAC-SHA256 of [`UserSig::signed`] under the secret of the app that it
//! names. The header's `alg` chooses nothing; a token with another one is
//! refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::Members;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

/// Bytes of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// A token taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct UserSig<'a> {
    /// What it claims.
    pub claims: Claims,
    /// The bytes that the signature is over.
    pub signed: &'a str,
    /// The signature.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// What a token claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// The user.
    pub sub: String,
    /// The app, also read from `appKey`.
    #[serde(rename = "appId")]
    pub app_id: String,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// When it was made, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// When it was made, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat_ms: Option<i64>,
    /// Its own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// Why a text is no userSig. It may still be a token of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserSigError {
    /// Not three parts of base64url, or too long.
    #[error("not a JSON Web Token")]
    NotAToken,
    /// The header names another algorithm than HS256.
    #[error("the token is not signed by HS256")]
    Algorithm,
    /// The claims are no JSON, or one is missing or wrong.
    #[error("the token has no usable claim {0}")]
    Claim(&'static str),
}

impl<'a> UserSig<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// See [`UserSigError`].
    pub fn parse(token: &'a str) -> Result<UserSig<'a>, UserSigError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(UserSigError::NotAToken);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(UserSigError::NotAToken)?;
        let (header, claims) = signed.split_once('.').ok_or(UserSigError::NotAToken)?;
        if algorithm(&part(header)?).as_deref() != Some("HS256") {
            return Err(UserSigError::Algorithm);
        }
        let claims = Claims::read(&part(claims)?)?;
        let signature = part(signature)?;
        Ok(UserSig {
            claims,
            signed,
            signature: signature.try_into().map_err(|_| UserSigError::NotAToken)?,
        })
    }
}

/// Leaves the signature out: with it the token would be whole.
impl std::fmt::Debug for UserSig<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSig")
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// The text that a token of these claims is signed over.
#[must_use]
pub fn signing_input(claims: &Claims) -> String {
    let json = serde_json::to_vec(claims).expect("strings and numbers become JSON");
    let mut text = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(json, &mut text);
    text
}

/// The token of a signing input and its HMAC-SHA256.
#[must_use]
pub fn with_signature(signing_input: &str, signature: &[u8; SIGNATURE_BYTES]) -> String {
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The token in a handshake's query string, `?token=…`, decoded (stomp.md
/// S2-23); `None` if it is not there or empty.
#[must_use]
pub fn query_token(query: &str) -> Option<String> {
    crate::lenient::query::parameter(query, "token").filter(|token| !token.is_empty())
}

fn part(text: &str) -> Result<Vec<u8>, UserSigError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| UserSigError::NotAToken)
}

fn algorithm(header: &[u8]) -> Option<String> {
    Members::read(header, &["alg"]).ok()?.text("alg").ok()?
}

impl Claims {
    fn read(json: &[u8]) -> Result<Claims, UserSigError> {
        let names = ["sub", "appId", "appKey", "exp", "iat", "iat_ms", "jti"];
        let members = Members::read(json, &names).map_err(|_| UserSigError::NotAToken)?;
        let bad = |bad: super::BadMember| UserSigError::Claim(bad.member);
        let app_id = super::requests::app_id(&members).map_err(bad)?;
        let is_some = |it: &String| !it.is_empty();
        Ok(Claims {
            sub: members
                .id("sub")
                .map_err(bad)?
                .filter(is_some)
                .ok_or(UserSigError::Claim("sub"))?,
            app_id: app_id.filter(is_some).ok_or(UserSigError::Claim("appId"))?,
            exp: members
                .integer("exp")
                .map_err(bad)?
                .ok_or(UserSigError::Claim("exp"))?,
            iat: members.integer("iat").map_err(bad)?,
            iat_ms: members.integer("iat_ms").map_err(bad)?,
            jti: members.id("jti").map_err(bad)?,
        })
    }
}
