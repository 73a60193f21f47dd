//! Validity and matching of topics and filters (MQTT 5.0 §4.7, §4.8.2).

use crosstalk_wire::mqtt::topic::matches;
use crosstalk_wire::mqtt::{TopicError, TopicFilter, TopicName};
use proptest::prelude::*;

use crate::arbitrary::{plain_filter, topic_name};
use crate::{filter, topic};

#[test]
fn names_have_no_wildcards() {
    for name in [
        "a", "/", "a/b", "//", "/finance", "$SYS/x", " ", "雪/❄", "a b", "$", "\u{feff}",
    ] {
        assert_eq!(
            TopicName::new(name).map(TopicName::into_string).as_deref(),
            Ok(name)
        );
    }
    for name in ["+", "#", "a/+", "a/#", "a+", "#a", "a/b#c"] {
        assert_eq!(TopicName::new(name), Err(TopicError::Wildcard), "{name}");
    }
    assert_eq!(TopicName::new(""), Err(TopicError::Empty));
    assert_eq!(TopicName::new("a\0"), Err(TopicError::Nul));
}

/// The examples of §4.7.1.
#[test]
fn wildcards_have_their_places() {
    for text in [
        "sport/tennis/player1/#",
        "sport/#",
        "#",
        "sport/tennis/#",
        "+",
        "+/tennis/#",
        "sport/+/player1",
        "/+",
        "+/+",
        "$SYS/#",
        "/",
        "a//b",
    ] {
        assert_eq!(
            TopicFilter::new(text)
                .map(TopicFilter::into_string)
                .as_deref(),
            Ok(text)
        );
    }
    for text in [
        "sport/tennis#",
        "sport/tennis/#/ranking",
        "sport+",
        "+a",
        "#/",
        "a/+b/c",
        "++",
        "##",
    ] {
        let error = Err(TopicError::MisplacedWildcard);
        assert_eq!(TopicFilter::new(text), error, "{text}");
    }
    assert_eq!(TopicFilter::new(""), Err(TopicError::Empty));
    assert_eq!(TopicFilter::new("\0"), Err(TopicError::Nul));
    assert!(filter("a/+").has_wildcard() && filter("#").has_wildcard());
    assert!(!filter("a/b").has_wildcard());
}

/// The examples of §4.7.1 and §4.7.2, and their neighbours.
#[test]
fn what_matches_what() {
    for (wanted, given, does) in [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        (
            "sport/tennis/player1/#",
            "sport/tennis/player1/ranking",
            true,
        ),
        (
            "sport/tennis/player1/#",
            "sport/tennis/player1/score/wimbledon",
            true,
        ),
        ("sport/tennis/player1/#", "sport/tennis/player10", false),
        ("sport/#", "sport", true),
        ("sport/#", "sports", false),
        ("#", "anything/at/all", true),
        ("#", "/", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("+", "/finance", false),
        ("+", "finance", true),
        ("+/tennis/#", "sport/tennis", true),
        ("+/tennis/#", "sport/golf", false),
        ("#", "$SYS/uptime", false),
        ("+/uptime", "$SYS/uptime", false),
        ("+", "$SYS", false),
        ("$SYS/#", "$SYS/uptime", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("$SYS/+", "$SYS", false),
        // Only at the beginning.
        ("a/#", "a/$b", true),
        ("a/+", "a/$b", true),
        // Case, and empty levels.
        ("ACCOUNTS", "Accounts", false),
        ("/a", "a", false),
        ("a/", "a", false),
        ("a//b", "a/b", false),
        ("a/+/b", "a//b", true),
        ("a/b", "a/b/c", false),
        ("a/b/c", "a/b", false),
        ("a/b/#", "a", false),
        ("a7k2m9q0x4tzp/#", "a7k2m9q0x4tzp", true),
    ] {
        let said = filter(wanted).matches(&topic(given));
        assert_eq!(said, does, "{wanted} {given}");
        assert_eq!(matches(wanted, given), does);
    }
}

#[test]
fn shared_subscriptions_have_three_parts() {
    let shared = filter("$share/consumer/sport/#");
    let parts = shared.shared().expect("well formed").expect("shared");
    assert_eq!((parts.name, parts.filter), ("consumer", "sport/#"));
    assert!(shared.matches(&topic("sport/tennis")));
    assert!(!shared.matches(&topic("$share/consumer/sport/tennis")));
    // An empty first level is a level.
    let root = filter("$share/g//finance");
    let parts = root.shared().expect("well formed").expect("shared");
    assert_eq!((parts.name, parts.filter), ("g", "/finance"));
    // The rule of `$` holds for the filter inside.
    assert!(!filter("$share/g/#").matches(&topic("$SYS/x")));

    for ordinary in ["$share", "$shared/a/b", "$SHARE/a/b", "a/$share/b/c"] {
        assert_eq!(filter(ordinary).shared(), Ok(None), "{ordinary}");
    }
    for broken in [
        "$share/",
        "$share/a",
        "$share//b",
        "$share/a/",
        "$share/+/b",
        "$share/#",
    ] {
        assert_eq!(
            filter(broken).shared(),
            Err(TopicError::BadShare),
            "{broken}"
        );
    }
}

/// The rules once more, said another way: backwards over lists of levels.
fn oracle(wanted: &str, given: &str) -> bool {
    let wanted: Vec<_> = wanted.split('/').collect();
    let given: Vec<_> = given.split('/').collect();
    if given[0].starts_with('$') && matches!(wanted[0], "+" | "#") {
        return false;
    }
    let fits = |pair: (&&str, &&str)| *pair.0 == "+" || pair.0 == pair.1;
    match wanted.split_last() {
        Some((&"#", parents)) => {
            parents.len() <= given.len() && parents.iter().zip(&given).all(fits)
        }
        _ => wanted.len() == given.len() && wanted.iter().zip(&given).all(fits),
    }
}

proptest! {
    #[test]
    fn matching_agrees_with_the_rules(wanted in plain_filter(), given in topic_name()) {
        let does = oracle(wanted.as_str(), given.as_str());
        prop_assert_eq!(wanted.matches(&given), does);
    }

    #[test]
    fn a_topic_is_a_filter_that_matches_itself_alone(a in topic_name(), b in topic_name()) {
        let exact = TopicFilter::new(a.as_str()).expect("a topic is a filter");
        prop_assume!(!a.as_str().starts_with("$share/"));
        prop_assert!(exact.matches(&a));
        prop_assert_eq!(exact.matches(&b), a == b);
    }
}
