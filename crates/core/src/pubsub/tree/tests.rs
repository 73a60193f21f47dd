//! The tree against the plain comparison of each filter with each topic.

use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use super::{Matches, TopicTree};
use crate::pubsub::{Filter, Qos, SubscriptionOptions, Topic};

fn filter(text: &str) -> Filter {
    Filter::parse(text).expect("a filter")
}

fn topic(text: &str) -> Topic {
    Topic::parse(text).expect("a topic")
}

fn options(id: u32) -> SubscriptionOptions {
    SubscriptionOptions {
        subscription_id: Some(id),
        ..SubscriptionOptions::up_to(Qos::AtLeastOnce)
    }
}

fn ids(found: &Matches<'_, u32>) -> Vec<u32> {
    let mut ids: Vec<u32> = found
        .single
        .iter()
        .filter_map(|member| member.options.subscription_id)
        .collect();
    ids.sort_unstable();
    ids
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a"),
        Just("b"),
        Just(""),
        Just("$s"),
        Just("+"),
        Just("#")
    ]
}

fn texts() -> impl Strategy<Value = String> {
    proptest::collection::vec(level(), 1..5).prop_map(|levels| levels.join("/"))
}

proptest! {
    #[test]
    fn it_finds_what_a_comparison_finds(
        changes in proptest::collection::vec((texts(), 0_u32..4, any::<bool>()), 0..40),
        topics in proptest::collection::vec(texts(), 1..20),
    ) {
        let mut tree = TopicTree::default();
        let mut plain: Vec<(Filter, u32, u32)> = Vec::new();
        for (n, (text, who, adds)) in (0..).zip(changes) {
            let Ok(filter) = Filter::parse(&text) else { continue };
            let before = plain.len();
            plain.retain(|(f, w, _)| (f, *w) != (&filter, who));
            let was_there = plain.len() < before;
            if adds {
                prop_assert_eq!(tree.add(&filter, who, options(n)), !was_there);
                plain.push((filter, who, n));
            } else {
                prop_assert_eq!(tree.remove(&filter, who), was_there);
            }
            prop_assert_eq!(tree.len(), plain.len());
        }
        for text in topics {
            let Ok(topic) = Topic::parse(&text) else { continue };
            let mut wanted: Vec<u32> = plain
                .iter()
                .filter(|(filter, _, _)| filter.matches(topic.as_str()))
                .map(|(_, _, id)| *id)
                .collect();
            wanted.sort_unstable();
            prop_assert_eq!(ids(&tree.matches(&topic)), wanted, "{}", topic);
        }
        for (filter, who, _) in &plain {
            prop_assert_eq!(tree.remove(filter, *who), true);
        }
        prop_assert_eq!(tree.is_empty(), true);
        prop_assert_eq!(tree.root.is_empty(), true, "no level is left behind");
    }
}

#[test]
fn a_group_takes_turns() {
    let mut tree = TopicTree::default();
    let (shared, topic) = (filter("$share/g/a/+"), topic("a/b"));
    for who in [1, 2, 3] {
        assert!(tree.add(&shared, who, options(who)));
    }
    assert!(!tree.add(&shared, 2, options(9)), "it is a member already");
    assert!(tree.add(&filter("a/+"), 1, options(1)), "and by itself");
    assert!(tree.add(&filter("$share/h/a/b"), 1, options(1)));
    assert_eq!(tree.len(), 5);
    let mut turns = Vec::new();
    for _ in 0..4 {
        let found = tree.matches(&topic);
        assert_eq!((found.single.len(), found.groups.len()), (1, 2));
        for group in found.groups {
            if group.members().len() > 1 {
                turns.push(group.members()[0].who);
                group.chosen(0);
            }
        }
    }
    assert_eq!(turns, [1, 2, 3, 1]);
    // Who is skipped keeps the turn.
    let next = |tree: &mut TopicTree<u32>, at: usize| {
        let mut found = tree.matches(&topic);
        found.groups.retain(|group| group.members().len() > 1);
        let who = found.groups[0].members()[at].who;
        found.groups[0].chosen(at);
        who
    };
    assert_eq!(next(&mut tree, 1), 3);
    assert_eq!(next(&mut tree, 0), 1);
    for who in [1, 2, 3] {
        assert!(tree.remove(&shared, who));
        assert!(!tree.remove(&shared, who));
    }
    assert!(!tree.remove(&filter("$share/x/a/b"), 1));
    assert!(tree.remove(&filter("$share/h/a/b"), 1));
    assert!(tree.remove(&filter("a/+"), 1));
    assert!(tree.is_empty() && tree.root.is_empty());
}
