//! What users have decided about each other.

use std::sync::Arc;

use crate::id::UserNum;
use crate::im::Stores;
use crate::relation::{Relation, RelationChange};

/// The cases of relations, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! relations_contract {
    ($make:path) => {
        $crate::contract_tests!($make, relations:
            relations_change_one_by_one,
            changes_beside_each_other_are_both_kept,
        );
    };
}

const fn change(blocked: Option<bool>, allowed: Option<bool>) -> RelationChange {
    RelationChange { blocked, allowed }
}

const fn is(blocked: bool, allowed: bool) -> Relation {
    Relation {
        blocked,
        allowed,
        friend: false,
    }
}

/// Each user's own decisions; what a change does not name stays, and nothing decided is the
/// same as never decided.
pub async fn relations_change_one_by_one(stores: &Stores) {
    const ON: Option<bool> = Some(true);
    const OFF: Option<bool> = Some(false);
    let relations = &stores.relations;
    let (alice, bob, carol) = (UserNum(1), UserNum(2), UserNum(3));
    let of = |user| async move {
        let mut found = relations.of(user).await.expect("relations");
        found.sort_by_key(|(other, _)| *other);
        found
    };
    let relate = |user, changes: Vec<(UserNum, RelationChange)>| async move {
        relations.relate(user, &changes).await.expect("related");
    };
    assert!(of(alice).await.is_empty());
    relate(
        alice,
        vec![(bob, change(ON, None)), (carol, change(None, ON))],
    )
    .await;
    assert_eq!(
        of(alice).await,
        [(bob, is(true, false)), (carol, is(false, true))]
    );
    assert!(of(bob).await.is_empty());
    relate(bob, vec![(alice, change(ON, ON))]).await;
    relate(
        alice,
        vec![(bob, change(None, ON)), (bob, change(None, None))],
    )
    .await;
    assert_eq!(
        of(alice).await,
        [(bob, is(true, true)), (carol, is(false, true))]
    );
    relate(
        alice,
        vec![(bob, change(OFF, None)), (carol, change(ON, OFF))],
    )
    .await;
    assert_eq!(
        of(alice).await,
        [(bob, is(false, true)), (carol, is(true, false))]
    );
    relate(
        alice,
        vec![(carol, change(OFF, OFF)), (UserNum(9), change(OFF, None))],
    )
    .await;
    assert_eq!(of(alice).await, [(bob, is(false, true))]);
    relate(alice, vec![(bob, change(None, OFF))]).await;
    assert!(of(alice).await.is_empty());
    assert_eq!(of(bob).await, [(alice, is(true, true))]);
    relate(bob, Vec::new()).await;
    assert_eq!(of(bob).await, [(alice, is(true, true))]);
}

/// Whoever blocks while somebody else allows loses nothing, and takes nothing away.
pub async fn changes_beside_each_other_are_both_kept(stores: &Stores) {
    let (alice, bob) = (UserNum(1), UserNum(2));
    for turn in 0..20 {
        let to = Some(turn % 2 == 0);
        let both = [change(to, None), change(None, to)].map(|change| {
            let relations = Arc::clone(&stores.relations);
            tokio::spawn(async move { relations.relate(alice, &[(bob, change)]).await })
        });
        for one in both {
            one.await.expect("a task").expect("related");
        }
        let expected = if turn % 2 == 0 {
            vec![(bob, is(true, true))]
        } else {
            Vec::new()
        };
        let found = stores.relations.of(alice).await.expect("relations");
        assert_eq!(found, expected, "turn {turn}");
    }
}
