//! The rule for tokens.

use axum::http::StatusCode;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignHeaders, ForeignLogin};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::host::App;
use super::{Bed, NOW_MS, claiming, login};
use crate::config::AppAuth;

const RSA: &[u8] = include_bytes!("rsa.pem");
const RSA_PUBLIC: &str = include_str!("rsa.pub.pem");
const OTHER_RSA: &[u8] = include_bytes!("rsa2.pem");
const EC: &[u8] = include_bytes!("ec.pem");
const EC_PUBLIC: &str = include_str!("ec.pub.pem");
const NOW_SECS: i64 = NOW_MS / 1000;

fn settings(jwt: &Value) -> AppAuth {
    serde_json::from_value(json!({"jwt": jwt})).expect("settings")
}

fn bed(jwt: &Value) -> Bed {
    Bed::new(settings(jwt))
}

fn hs() -> EncodingKey {
    EncodingKey::from_secret(b"s")
}

fn rsa(pem: &[u8]) -> EncodingKey {
    EncodingKey::from_rsa_pem(pem).expect("a key")
}

fn ec() -> EncodingKey {
    EncodingKey::from_ec_pem(EC).expect("a key")
}

fn signed(algorithm: Algorithm, kid: Option<&str>, key: &EncodingKey, claims: &Value) -> String {
    let header = Header {
        kid: kid.map(str::to_owned),
        ..Header::new(algorithm)
    };
    encode(&header, claims, key).expect("a token")
}

fn claims() -> Value {
    json!({"sub": "alice", "exp": NOW_SECS + 600, "iat": NOW_SECS, "roles": ["vip"]})
}

fn with(more: &Value) -> Value {
    let mut claims = claims();
    let more = more.as_object().expect("an object").clone();
    let all = claims.as_object_mut().expect("an object");
    all.extend(more);
    all.retain(|_, value| !value.is_null());
    claims
}

const REFUSED: Result<String, Refusal> = Err(Refusal::NotAuthenticated);

#[tokio::test]
async fn tokens_speak_for_their_user() {
    let bed = bed(&json!({"algorithm": "HS256", "key": "s"}));
    let token = signed(Algorithm::HS256, None, &hs(), &claims());
    let identity = bed.identify(&login(&token)).await.expect("accepted");
    assert_eq!(identity.uid.as_str(), "alice");
    assert_eq!(identity.roles, ["vip"]);
    assert_eq!(identity.issued_at_ms, NOW_MS);
    let expires_at_ms = identity.expires_at_ms.expect("it expires");
    assert!((NOW_MS + 600_000..=NOW_MS + 660_000).contains(&expires_at_ms));
    assert_eq!(
        bed.uid(&claiming(&token, "alice")).await.as_deref(),
        Ok("alice")
    );
    assert_eq!(bed.uid(&claiming(&token, "bob")).await, REFUSED);
}

#[tokio::test]
async fn a_token_is_found_wherever_it_stands() {
    let bed = bed(&json!({"algorithm": "HS256", "key": "s"}));
    let token = signed(Algorithm::HS256, None, &hs(), &claims());
    let bearer = ForeignLogin {
        headers: ForeignHeaders {
            authorization: Some(format!("bearer {token}")),
            ..ForeignHeaders::default()
        },
        ..login("")
    };
    assert!(bed.uid(&bearer).await.is_ok());
    let in_query = ForeignLogin {
        headers: ForeignHeaders::default(),
        credentials: vec!["something else".to_owned(), token.clone()],
        ..login("")
    };
    assert!(bed.uid(&in_query).await.is_ok());
    assert_eq!(bed.uid(&login("")).await, REFUSED);
    assert_eq!(bed.uid(&login(&"x".repeat(1 << 20))).await, REFUSED);
}

#[tokio::test]
async fn every_algorithm_needs_its_own_key() {
    let all = [
        (
            json!({"algorithm": "HS256", "key": "s"}),
            Algorithm::HS256,
            hs(),
        ),
        (
            json!({"algorithm": "HS384", "key": "s"}),
            Algorithm::HS384,
            hs(),
        ),
        (
            json!({"algorithm": "HS512", "key": "s"}),
            Algorithm::HS512,
            hs(),
        ),
        (
            json!({"algorithm": "RS256", "key": RSA_PUBLIC}),
            Algorithm::RS256,
            rsa(RSA),
        ),
        (
            json!({"algorithm": "RS512", "key": RSA_PUBLIC}),
            Algorithm::RS512,
            rsa(RSA),
        ),
        (
            json!({"algorithm": "PS256", "key": RSA_PUBLIC}),
            Algorithm::PS256,
            rsa(RSA),
        ),
        (
            json!({"algorithm": "ES256", "key": EC_PUBLIC}),
            Algorithm::ES256,
            ec(),
        ),
    ];
    for (rule, own, _) in &all {
        let bed = bed(rule);
        for (_, algorithm, key) in &all {
            let token = signed(*algorithm, None, key, &claims());
            let is_own = own == algorithm;
            assert_eq!(
                bed.uid(&login(&token)).await.is_ok(),
                is_own,
                "{own:?} {algorithm:?}"
            );
        }
    }
    let bed = bed(&json!({"algorithm": "RS256", "key": RSA_PUBLIC}));
    let forged = signed(Algorithm::RS256, None, &rsa(OTHER_RSA), &claims());
    assert_eq!(bed.uid(&login(&forged)).await, REFUSED);
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    // The old trick: HS256 with the published key as the secret, or no signature at all.
    let bed = bed(&json!({"algorithm": "RS256", "key": RSA_PUBLIC}));
    let secret = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
    let forged = signed(Algorithm::HS256, None, &secret, &claims());
    assert_eq!(bed.uid(&login(&forged)).await, REFUSED);
    let (_, rest) = forged.split_once('.').expect("three parts");
    let (payload, _) = rest.split_once('.').expect("three parts");
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    assert_eq!(bed.uid(&login(&unsigned)).await, REFUSED);
}

#[tokio::test]
async fn times_issuer_and_audience_are_looked_at() {
    let rule = json!({
        "algorithm": "HS256", "key": "s", "issuer": "https://app.example", "audience": "im",
    });
    let bed = bed(&rule);
    let good = json!({"iss": "https://app.example", "aud": ["im", "other"]});
    let cases = [
        (json!({}), true),
        (json!({"aud": "im"}), true),
        (json!({"exp": NOW_SECS - 10}), true),
        (json!({"exp": NOW_SECS - 31}), false),
        (json!({"exp": null}), false),
        (json!({"exp": "soon"}), false),
        (json!({"nbf": NOW_SECS + 10}), true),
        (json!({"nbf": NOW_SECS + 31}), false),
        (json!({"iat": NOW_SECS + 31}), false),
        (json!({"iat": null}), true),
        (json!({"iat": 1_699_999_999.5}), true),
        (json!({"iss": "https://evil.example"}), false),
        (json!({"iss": null}), false),
        (json!({"aud": "other"}), false),
        (json!({"aud": null}), false),
        (json!({"sub": null}), false),
        (json!({"sub": "a@b"}), false),
        (json!({"sub": "____x"}), false),
    ];
    for (change, is_accepted) in cases {
        let mut claims = with(&good);
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let claims = {
            let all = claims.as_object_mut().expect("an object");
            all.retain(|_, value| !value.is_null());
            claims
        };
        let token = signed(Algorithm::HS256, None, &hs(), &claims);
        assert_eq!(
            bed.uid(&login(&token)).await.is_ok(),
            is_accepted,
            "{change}"
        );
    }
}

#[tokio::test]
async fn claims_have_the_names_that_the_app_gives_them() {
    let rule = json!({
        "algorithm": "HS256", "key": "s", "uid_claim": "user_id", "roles_claim": "scope",
    });
    let bed = bed(&rule);
    let token = |claims: &Value| signed(Algorithm::HS256, None, &hs(), claims);
    let named = token(&with(&json!({"user_id": 48057, "scope": "chat admin"})));
    let identity = bed.identify(&login(&named)).await.expect("accepted");
    assert_eq!(identity.uid.as_str(), "48057");
    assert_eq!(identity.roles, ["chat", "admin"]);
    assert_eq!(bed.uid(&login(&token(&claims()))).await, REFUSED);
}

fn published(keys: &[(&str, &EncodingKey, Algorithm)]) -> String {
    let keys = keys.iter().map(|(kid, key, algorithm)| {
        let mut jwk = Jwk::from_encoding_key(key, *algorithm).expect("a key");
        jwk.common.key_id = Some((*kid).to_owned());
        jwk
    });
    let set = JwkSet {
        keys: keys.collect(),
    };
    let mut set = serde_json::to_value(set).expect("JSON");
    let unknown = json!({"kty": "FUTURE", "kid": "x"});
    set["keys"].as_array_mut().expect("keys").insert(0, unknown);
    set.to_string()
}

#[tokio::test]
async fn published_keys_are_fetched_when_they_are_needed() {
    let (first, second) = (rsa(RSA), rsa(OTHER_RSA));
    let app = App::saying(&published(&[("k1", &first, Algorithm::RS256)])).await;
    let bed = bed(&json!({"algorithm": "RS256", "jwks_url": app.url()}));
    let token = |kid, key| signed(Algorithm::RS256, kid, key, &claims());
    assert!(app.asked().is_empty(), "not before");
    for _ in 0..3 {
        assert!(bed.uid(&login(&token(Some("k1"), &first))).await.is_ok());
    }
    assert!(
        bed.uid(&login(&token(None, &first))).await.is_ok(),
        "a token may name none"
    );
    assert_eq!(bed.uid(&login(&token(Some("k1"), &second))).await, REFUSED);
    let hs = signed(Algorithm::HS256, Some("k1"), &hs(), &claims());
    assert_eq!(bed.uid(&login(&hs)).await, REFUSED);
    assert_eq!(app.asked().len(), 1);
    // The app changes its keys. Guessing kids does not make us fetch all the time.
    let both = [
        ("k1", &first, Algorithm::RS256),
        ("k2", &second, Algorithm::RS256),
    ];
    app.now_says(StatusCode::OK, &published(&both));
    for _ in 0..3 {
        assert_eq!(bed.uid(&login(&token(Some("k2"), &second))).await, REFUSED);
    }
    assert_eq!(app.asked().len(), 1);
    bed.clock.advance_ms(30_000);
    assert!(bed.uid(&login(&token(Some("k2"), &second))).await.is_ok());
    assert_eq!(app.asked().len(), 2);
}

#[tokio::test]
async fn published_keys_hold_for_a_while_when_the_app_is_down() {
    let key = ec();
    let app = App::saying(&published(&[("k", &key, Algorithm::ES256)])).await;
    let bed = bed(&json!({"algorithm": "ES256", "jwks_url": app.url()}));
    let later = |hours: i64| with(&json!({"exp": NOW_SECS + (hours + 1) * 3600}));
    let token = |hours| signed(Algorithm::ES256, Some("k"), &key, &later(hours));
    assert!(bed.uid(&login(&token(0))).await.is_ok());
    app.now_says(StatusCode::INTERNAL_SERVER_ERROR, "");
    bed.clock.advance_ms(2 * 3_600_000);
    assert!(bed.uid(&login(&token(2))).await.is_ok());
    assert_eq!(app.asked().len(), 2, "it was tried");
    bed.clock.advance_ms(22 * 3_600_000);
    assert_eq!(bed.uid(&login(&token(24))).await, Err(Refusal::Unavailable));
    app.now_says(StatusCode::OK, &published(&[]));
    bed.clock.advance_ms(30_000);
    assert_eq!(
        bed.uid(&login(&token(24))).await,
        REFUSED,
        "the key was withdrawn"
    );
}

#[test]
fn keys_that_are_none_are_refused_at_the_start() {
    let clock = std::sync::Arc::new(crosstalk_core::clock::ManualClock::at_ms(NOW_MS));
    for jwt in [
        json!({"algorithm": "RS256", "key": "-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----"}),
        json!({"algorithm": "ES256", "key": RSA_PUBLIC}),
        json!({"algorithm": "RS256"}),
        json!({"algorithm": "none", "key": "s"}),
        json!({"algorithm": "RS256", "jwks_url": "ftp://a/b"}),
    ] {
        assert!(super::logins(settings(&jwt), &clock).is_err(), "{jwt}");
    }
}
