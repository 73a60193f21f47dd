//! The form of tokens.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use crosstalk_wire::stomp::im::{Claims, UserSig, UserSigError, signing_input, with_signature};

fn claims() -> Claims {
    Claims {
        sub: "user_001".into(),
        app_id: "ak_demo_chat".into(),
        exp: 1_715_086_400,
        iat: None,
        iat_ms: None,
        jti: None,
    }
}

/// A token of any header and claims.
fn token(header: &str, claims: &str) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    with_signature(&format!("{}.{}", part(header), part(claims)), &[7; 32])
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The token that other libraries make of these claims.
#[test]
fn a_token_of_the_wild() {
    // HMAC-SHA256 under "secret" of the first two parts.
    let text = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
        eyJzdWIiOiJ1c2VyXzAwMSIsImFwcElkIjoiYWtfZGVtb19jaGF0IiwiZXhwIjoxNzE1MDg2NDAwfQ.";
    let input = text.trim_end_matches('.');
    assert_eq!(signing_input(&claims()), input);
    let token = with_signature(input, &[0xab; 32]);
    let sig = UserSig::parse(&token).expect("a token");
    assert_eq!(sig.claims, claims());
    assert_eq!(sig.signed, input);
    assert_eq!(sig.signature, [0xab; 32]);
    assert!(!format!("{sig:?}").contains("signature"));
}

#[test]
fn claims_are_read_tolerantly() {
    let json = r#"{"sub":7,"appKey":"ak","exp":"1715086400","iat":1715000000.0,
        "iat_ms":1715000000123,"jti":"x","aud":["other"]}"#;
    let token = token(r#"{"typ":"JWT","kid":"1","alg":"HS256"}"#, json);
    let sig = UserSig::parse(&token).expect("a token");
    assert_eq!(
        sig.claims,
        Claims {
            sub: "7".into(),
            app_id: "ak".into(),
            exp: 1_715_086_400,
            iat: Some(1_715_000_000),
            iat_ms: Some(1_715_000_000_123),
            jti: Some("x".into()),
        }
    );
    let again = with_signature(&signing_input(&sig.claims), &[7; 32]);
    assert_eq!(UserSig::parse(&again).expect("a token").claims, sig.claims);
}

#[test]
fn what_is_no_token() {
    use UserSigError as E;
    let good = r#"{"sub":"u","appId":"a","exp":1}"#;
    let padded = format!("{}.{}.x", URL_SAFE.encode(HS256), URL_SAFE.encode(good));
    let short = format!("{}.AAAA", signing_input(&claims()));
    let cases = [
        (String::new(), E::NotAToken),
        ("abc".into(), E::NotAToken),
        ("a.b".into(), E::NotAToken),
        ("..".into(), E::Algorithm),
        ("!.!.!".into(), E::NotAToken),
        (padded, E::NotAToken),
        (short, E::NotAToken),
        ("x".repeat(5_000), E::NotAToken),
        (format!("a.{}", token(HS256, good)), E::NotAToken),
        (token(r#"{"alg":"none"}"#, good), E::Algorithm),
        (token(r#"{"alg":"RS256"}"#, good), E::Algorithm),
        (token(r#"{"alg":"hs256"}"#, good), E::Algorithm),
        (token(r#"{"alg":["HS256"]}"#, good), E::Algorithm),
        (token("{}", good), E::Algorithm),
        (token(HS256, "[]"), E::NotAToken),
        (token(HS256, r#"{"appId":"a","exp":1}"#), E::Claim("sub")),
        (
            token(HS256, r#"{"sub":"","appId":"a","exp":1}"#),
            E::Claim("sub"),
        ),
        (token(HS256, r#"{"sub":"u","exp":1}"#), E::Claim("appId")),
        (token(HS256, r#"{"sub":"u","appId":"a"}"#), E::Claim("exp")),
        (
            token(HS256, r#"{"sub":"u","appId":"a","exp":"x"}"#),
            E::Claim("exp"),
        ),
        (
            token(HS256, r#"{"sub":"u","appId":"a","exp":1,"iat":{}}"#),
            E::Claim("iat"),
        ),
    ];
    for (text, error) in cases {
        assert_eq!(UserSig::parse(&text).map(|_| ()), Err(error), "{text}");
    }
}

#[test]
fn the_token_of_a_handshake_stands_in_its_query() {
    use crosstalk_wire::stomp::im::query_token;
    let cases = [
        ("token=a.b.c", Some("a.b.c")),
        ("x=1&token=a%2Eb.c&y=2", Some("a.b.c")),
        ("token=", None),
        ("tokens=a", None),
        ("", None),
    ];
    for (query, token) in cases {
        assert_eq!(query_token(query).as_deref(), token, "{query}");
    }
}
