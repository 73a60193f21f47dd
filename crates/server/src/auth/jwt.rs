//! The rule for tokens of a host application: which algorithm and key, and which claims say
//! what. The algorithm is the configured one, never the token's own choice.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use crosstalk_core::clock::Clock;
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignIdentity, ForeignLogin};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::claims::{roles, text_of};
use super::client::{Client, address};
use super::jwks::KeySet;
use crate::config::Jwt as Settings;

/// Seconds by which the clocks of token makers may differ from ours.
const LEEWAY_SECS: i64 = 30;
/// The longest text that is looked at as a token.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

type Claims = Map<String, Value>;

/// Where the key comes from.
enum Keys {
    Fixed(DecodingKey),
    Set(Box<KeySet>),
}

/// The rule of one app.
pub(super) struct Rule {
    keys: Keys,
    algorithm: Algorithm,
    validation: Validation,
    uid_claim: String,
    roles_claim: String,
    clock: Arc<dyn Clock>,
}

impl Rule {
    pub(super) fn new(settings: &Settings, client: Client, clock: Arc<dyn Clock>) -> Result<Self> {
        let name = &settings.algorithm;
        let algorithm: Algorithm = name
            .parse()
            .with_context(|| format!("`{name}` is no algorithm; write HS256, RS256 or ES256…"))?;
        let keys = match (settings.key.get(), settings.jwks_url.as_str()) {
            (Some(key), "") => Keys::Fixed(fixed(algorithm, key)?),
            (None, "") => bail!("it needs key or jwks_url"),
            (None, url) => {
                let set = KeySet::new(address(url)?, client, Arc::clone(&clock));
                Keys::Set(Box::new(set))
            }
            (Some(_), _) => bail!("key and jwks_url exclude each other"),
        };
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims = ["exp".to_owned()].into();
        // Times are judged below, by our own clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        if !settings.issuer.is_empty() {
            validation.set_issuer(&[&settings.issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        if !settings.audience.is_empty() {
            validation.validate_aud = true;
            validation.set_audience(&[&settings.audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        Ok(Self {
            keys,
            algorithm,
            validation,
            uid_claim: settings.uid_claim.clone(),
            roles_claim: settings.roles_claim.clone(),
            clock,
        })
    }

    /// Who the first token that holds speaks for.
    pub(super) async fn identify(&self, login: &ForeignLogin) -> Result<ForeignIdentity, Refusal> {
        let headers = &login.headers;
        let bearer = headers.authorization.as_deref().and_then(bearer);
        let texts = login.credentials.iter().map(String::as_str);
        let texts = texts.chain(headers.token.as_deref()).chain(bearer);
        let mut tried: Vec<&str> = Vec::new();
        let mut refusal = Refusal::NotAuthenticated;
        for text in texts {
            if tried.contains(&text) {
                continue;
            }
            tried.push(text);
            match self.verify(text).await {
                Ok(identity) => return Ok(identity),
                Err(Refusal::NotAuthenticated) => {}
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    async fn verify(&self, token: &str) -> Result<ForeignIdentity, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::NotAuthenticated);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::NotAuthenticated)?;
        // Before a key is fetched for it.
        if header.alg != self.algorithm {
            return Err(Refusal::NotAuthenticated);
        }
        let claims = match &self.keys {
            Keys::Fixed(key) => self.decode(token, key),
            Keys::Set(set) => {
                let keys = set.keys(header.kid.as_deref(), self.algorithm).await?;
                keys.iter().find_map(|key| self.decode(token, key))
            }
        };
        self.judge(&claims.ok_or(Refusal::NotAuthenticated)?)
            .ok_or(Refusal::NotAuthenticated)
    }

    fn decode(&self, token: &str, key: &DecodingKey) -> Option<Claims> {
        let decoded = jsonwebtoken::decode::<Claims>(token, key, &self.validation);
        decoded.ok().map(|decoded| decoded.claims)
    }

    fn judge(&self, claims: &Claims) -> Option<ForeignIdentity> {
        let now_secs = self.clock.now_ms() / 1000;
        let expires_secs = seconds(claims.get("exp")?)?;
        let begins_secs = claims.get("nbf").map_or(Some(0), seconds)?;
        let issued_secs = claims.get("iat").map_or(Some(0), seconds)?;
        let latest_secs = now_secs.saturating_add(LEEWAY_SECS);
        let is_over = expires_secs.saturating_add(LEEWAY_SECS) <= now_secs;
        // What is dated later than now would outlive revocations.
        if is_over || begins_secs > latest_secs || issued_secs > latest_secs {
            return None;
        }
        let uid = text_of(claims.get(&self.uid_claim)?)?;
        Some(ForeignIdentity {
            uid: Uid::parse(&uid).ok()?,
            issued_at_ms: issued_secs.saturating_mul(1000),
            // With the leeway, or it would be over at once.
            expires_at_ms: Some(
                expires_secs
                    .saturating_add(LEEWAY_SECS)
                    .saturating_mul(1000),
            ),
            roles: claims.get(&self.roles_claim).map(roles).unwrap_or_default(),
        })
    }
}

/// A time as tokens have it: whole seconds, or with a fraction, which is dropped.
fn seconds(value: &Value) -> Option<i64> {
    let whole = || {
        let text = value.as_f64()?.trunc();
        format!("{text:.0}").parse().ok()
    };
    value.as_i64().or_else(whole)
}

/// What follows `Bearer`.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, rest) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}

/// A key from the configuration: a secret for HS…, a public key in PEM for the others.
fn fixed(algorithm: Algorithm, key: &str) -> Result<DecodingKey> {
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            DecodingKey::from_secret(key.as_bytes())
        }
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(key.as_bytes())?,
        Algorithm::EdDSA => DecodingKey::from_ed_pem(key.as_bytes())?,
        _ => DecodingKey::from_rsa_pem(key.as_bytes())?,
    };
    Ok(key)
}
