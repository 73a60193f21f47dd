//! Signatures and the signed URL, against values computed elsewhere.

use crosstalk_wire::gyyx::{
    Base, ChatRight, ChatSignError, Codes, ConnectFault, ConnectQuery, Key, Outgoing, SignMethod,
    ToClient, base_of_query, canonical, queue_text,
};

use crate::{TABLE, to_client};

const HMAC: Key<'static> = Key {
    method: SignMethod::Hmac,
    secret: b"secret",
};

const MD5: Key<'static> = Key {
    method: SignMethod::Md5,
    secret: b"secret",
};

/// The document's own URL. Its secret is not known.
const SAMPLE: &str = "appId=1477358668&msgType=10&version=1.10&userId=48057\
                      &sign=e31a517d51ba8951fdf4d4bd74d6335d&txNo=1708742794846";

const SIGNED: &str = "appId=1477358668&msgType=10&txNo=1708742794846&userId=48057&version=1.10";

#[test]
fn the_sample_is_understood() {
    let query = ConnectQuery::parse(SAMPLE).expect("a signed URL");
    assert_eq!(
        query,
        ConnectQuery {
            app_id: "1477358668".into(),
            msg_type: "10".into(),
            version: "1.10".into(),
            user_id: "48057".into(),
            sign: "e31a517d51ba8951fdf4d4bd74d6335d".into(),
            tx_no: "1708742794846".into(),
            codes: None,
            first: false,
        }
    );
    assert_eq!(query.tx_no_ms(), Some(1_708_742_794_846));
    assert_eq!(query.signed_text().as_deref(), Some(SIGNED));
    assert_eq!(
        query.url("ws://ws-ip:ws-port"),
        format!("ws://ws-ip:ws-port?{SAMPLE}")
    );
    assert!(!query.is_signed_by(HMAC));
}

#[test]
fn urls_are_signed() {
    for (key, sign) in [
        (HMAC, "d497acbab7aa5861edc69332795cf975"),
        (MD5, "488a0d6948e226a0707cc5b98ee75726"),
    ] {
        let query = ConnectQuery::signed("1477358668", "48057", "1.10", 1_708_742_794_846, key)
            .expect("it can be signed");
        assert_eq!(query.sign, sign);
        assert!(query.is_signed_by(key));

        let url = query.url("ws://10.0.0.5:80");
        let (_, sent) = url.split_once('?').expect("a query");
        assert_eq!(ConnectQuery::parse(sent), Ok(query.clone()));
        let upper = ConnectQuery {
            sign: sign.to_uppercase(),
            ..query.clone()
        };
        assert!(upper.is_signed_by(key));

        let others = [
            ConnectQuery {
                app_id: "other".into(),
                ..query.clone()
            },
            ConnectQuery {
                msg_type: "11".into(),
                ..query.clone()
            },
            ConnectQuery {
                version: "1.1".into(),
                ..query.clone()
            },
            ConnectQuery {
                user_id: "48058".into(),
                ..query.clone()
            },
            ConnectQuery {
                tx_no: "1708742794847".into(),
                ..query.clone()
            },
            ConnectQuery {
                sign: sign.replace('7', "8"),
                ..query.clone()
            },
            ConnectQuery {
                sign: sign[..31].into(),
                ..query.clone()
            },
            ConnectQuery {
                sign: format!("{sign}0"),
                ..query.clone()
            },
            ConnectQuery {
                sign: "é".repeat(16),
                ..query.clone()
            },
            ConnectQuery {
                sign: format!("+{}", &sign[1..]),
                ..query
            },
        ];
        for other in others {
            assert!(!other.is_signed_by(key), "{other:?}");
        }
    }
    let other_secret = Key {
        secret: b"secret2",
        ..HMAC
    };
    let query = ConnectQuery::signed("a", "b", "c", 1, HMAC).expect("it can be signed");
    assert!(!query.is_signed_by(other_secret));
    assert!(!query.is_signed_by(MD5));
}

#[test]
fn ids_of_any_letters_can_be_signed() {
    let query = ConnectQuery::signed("a", "张三", "1.10", 1_708_742_794_846, HMAC)
        .expect("it can be signed");
    assert_eq!(query.sign, "394e0893284b0afbebcd98e94b3d3bbb");
    let url = query.url("ws://h:1");
    assert!(url.contains("&userId=%E5%BC%A0%E4%B8%89&"), "{url}");
    assert_eq!(ConnectQuery::parse(&url["ws://h:1?".len()..]), Ok(query));
}

/// Otherwise one value could pass for two parameters.
#[test]
fn values_with_an_ampersand_are_not_signed() {
    assert_eq!(ConnectQuery::signed("a", "b&userId=c", "1", 1, HMAC), None);
    let forged = format!("{SAMPLE}&version=1%26x");
    let query = ConnectQuery::parse(&forged).expect("a URL");
    assert_eq!(query.signed_text(), None);
    assert!(!query.is_signed_by(HMAC));
    assert_eq!(
        canonical(&[("b", "2"), ("a", "1=")]).as_deref(),
        Some("a=1=&b=2")
    );
}

#[test]
fn urls_may_say_more() {
    for (more, codes, first) in [
        ("", None, false),
        ("&codes=prose", Some(Codes::Prose), false),
        ("&first=1&codes=table", Some(Codes::Table), true),
        ("&codes=x&first=0&y=z", None, false),
    ] {
        let query = ConnectQuery::parse(&format!("{SAMPLE}{more}")).expect("a URL");
        assert_eq!((query.codes, query.first), (codes, first), "{more}");
        let again = query.url("ws://h");
        assert_eq!(ConnectQuery::parse(&again["ws://h?".len()..]), Ok(query));
    }
}

#[test]
fn what_is_missing_is_named() {
    for name in ["appId", "msgType", "version", "userId", "sign", "txNo"] {
        let without: Vec<&str> = SAMPLE
            .split('&')
            .filter(|pair| !pair.starts_with(&format!("{name}=")))
            .collect();
        let without = without.join("&");
        for query in [
            without.clone(),
            format!("{without}&{name}="),
            format!("{without}&{name}"),
        ] {
            let fault = ConnectQuery::parse(&query).expect_err("a parameter is missing");
            assert_eq!(fault, ConnectFault::Missing(name));
            assert_eq!(fault.close_code(), 4400);
        }
    }
    for tx_no in ["x", "-1", "+1", "1.5", "99999999999999999999", "%20"] {
        let fault = ConnectQuery::parse(&format!("{SAMPLE}&txNo={tx_no}"));
        assert_eq!(fault, Err(ConnectFault::Malformed("txNo")), "{tx_no}");
    }
    assert_eq!(ConnectFault::Malformed("txNo").close_code(), 4401);
    assert_eq!(ConnectQuery::parse(""), Err(ConnectFault::Missing("appId")));
}

#[test]
fn a_refused_connection_gets_what_is_known_of_it() {
    let frame = |query| Outgoing {
        base: base_of_query(query, 7),
        body: ToClient::ParameterError { detail: None },
    };
    assert_eq!(
        to_client(&frame("appId=a&version=1"), TABLE),
        r#"{"appId":"a","deviceId":"","mark":null,"msgType":10,"timestamp":7,"unique":"","userId":"","version":"1"}"#
    );
    let base = Base {
        timestamp_ms: 7,
        ..Base::default()
    };
    assert_eq!(frame("").base, base);
}

#[test]
fn chat_signatures_expire() {
    let right = ChatRight {
        app_id: "1477358668",
        user_id: "48057",
        receive_user_id: "48058",
    };
    let sign = "1708743400.61137b07ddbceeef695cbf037d97ede3";
    assert_eq!(right.sign(b"secret", 1_708_743_400).as_deref(), Some(sign));
    let check = |right: &ChatRight<'_>, sign: &str, now| right.check(b"secret", sign, now);
    assert_eq!(check(&right, sign, 0), Ok(()));
    assert_eq!(check(&right, &sign.to_uppercase(), 0), Ok(()));
    assert_eq!(check(&right, sign, 1_708_743_400), Ok(()));
    assert_eq!(
        check(&right, sign, 1_708_743_401),
        Err(ChatSignError::Expired)
    );
    assert_eq!(
        right.check(b"other", sign, 0),
        Err(ChatSignError::Wrong),
        "the secret counts"
    );
    for other in [
        ChatRight {
            app_id: "x",
            ..right
        },
        ChatRight {
            user_id: "48058",
            ..right
        },
        ChatRight {
            receive_user_id: "48059",
            ..right
        },
    ] {
        assert_eq!(check(&other, sign, 0), Err(ChatSignError::Wrong));
    }
    for (sign, error) in [
        ("", ChatSignError::Missing),
        ("abc", ChatSignError::Malformed),
        (
            "x.61137b07ddbceeef695cbf037d97ede3",
            ChatSignError::Malformed,
        ),
        ("99999999999999999999.6113", ChatSignError::Malformed),
        (
            "1708743401.61137b07ddbceeef695cbf037d97ede3",
            ChatSignError::Wrong,
        ),
        (
            "01708743400.61137b07ddbceeef695cbf037d97ede3",
            ChatSignError::Wrong,
        ),
        ("1708743400.", ChatSignError::Wrong),
        (
            "1708743400.zz137b07ddbceeef695cbf037d97ede3",
            ChatSignError::Wrong,
        ),
    ] {
        assert_eq!(check(&right, sign, 0), Err(error), "{sign}");
    }
}

/// Otherwise one user's right could pass for another's.
#[test]
fn ids_with_a_bar_have_no_chat_signature() {
    let right = ChatRight {
        app_id: "a",
        user_id: "b|c",
        receive_user_id: "d",
    };
    assert_eq!(right.sign(b"secret", 5), None);
    let other = ChatRight {
        user_id: "b",
        receive_user_id: "c",
        ..right
    };
    let sign = other.sign(b"secret", 5).expect("it can be signed");
    assert_eq!(right.check(b"secret", &sign, 0), Err(ChatSignError::Wrong));
}

#[test]
fn queue_requests_are_signed_like_the_url() {
    let text = queue_text("1477358668", "", "1", "48057").expect("it can be signed");
    assert_eq!(text, "appId=1477358668&role=1&roomId=&userId=48057");
    assert_eq!(HMAC.sign(&text), "85209064feb0b0bc627d92a7ce384542");
    assert!(HMAC.is_signature(&text, "85209064feb0b0bc627d92a7ce384542"));
    assert_eq!(queue_text("a", "b&role=2", "1", "c"), None);
}
