//! That what is expected can be missed.

use crosstalk_crossing::kinds::{Kind, differs, shown, written};
use crosstalk_gateway::Dialect;
use serde_json::json;

use crate::cast::pairs;

#[test]
fn what_differs_is_named() {
    let shown = json!({"a": {"b": [1, "x"]}, "n": 2.0, "more": true});
    for same in [
        json!({}),
        json!({"a": {"b": [1, "x"]}}),
        json!({"n": 2}),
        json!({"$has": "x"}),
        json!({"n": {"$min": 2}}),
        json!({"n": {"$in": [1.0, 2.0]}}),
        json!({"absent": null}),
    ] {
        assert_eq!(differs(&shown, &same), None, "{same}");
    }
    for other in [
        json!({"a": {"b": [1]}}),
        json!({"a": {"b": [1, "y"]}}),
        json!({"n": "2"}),
        json!({"n": 3}),
        json!({"$has": "y"}),
        json!({"n": {"$min": 3}}),
        json!({"n": {"$in": [1, 3]}}),
        json!({"absent": ""}),
        json!([]),
    ] {
        assert!(differs(&shown, &other).is_some(), "{other}");
    }
}

/// No expectation takes any message: not the form of another dialect, not another label.
#[test]
fn no_expectation_takes_everything() {
    for (author, reader) in pairs() {
        for kind in Kind::ALL {
            let expected = shown(kind, author, reader, "label");
            for raw in Dialect::ALL.map(|other| written(kind, other, "another")) {
                let raw = raw.unwrap_or_default();
                assert!(
                    differs(&raw, &expected).is_some(),
                    "{kind:?} for {reader:?}: {raw}"
                );
            }
        }
    }
}

/// Everybody can say a text; every kind can be said by somebody.
#[test]
fn every_kind_is_said_by_somebody() {
    for kind in Kind::ALL {
        let is_said = |author: Dialect| written(kind, author, "x").is_some();
        assert!(Dialect::ALL.into_iter().any(is_said), "{kind:?}");
        assert!(kind != Kind::Text || Dialect::ALL.into_iter().all(is_said));
    }
}
