//! What users have decided about each other.

use crate::id::UserNum;
use crate::im::Stores;
use crate::relation::Relation;

/// The cases of relations, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! relations_contract {
    ($make:path) => {
        $crate::contract_tests!($make, relations: relations_are_replaced_one_by_one);
    };
}

const BLOCKED: Relation = Relation {
    blocked: true,
    allowed: false,
};
const ALLOWED: Relation = Relation {
    blocked: false,
    allowed: true,
};
const BOTH: Relation = Relation {
    blocked: true,
    allowed: true,
};
const NOTHING: Relation = Relation {
    blocked: false,
    allowed: false,
};

/// Each user's own decisions; one who is not named is not touched, and nothing decided is
/// the same as never decided.
pub async fn relations_are_replaced_one_by_one(stores: &Stores) {
    let relations = &stores.relations;
    let (alice, bob, carol) = (UserNum(1), UserNum(2), UserNum(3));
    let of = |user| async move {
        let mut found = relations.of(user).await.expect("relations");
        found.sort_by_key(|(other, _)| *other);
        found
    };
    assert!(of(alice).await.is_empty());
    relations
        .set(alice, &[(bob, BLOCKED), (carol, ALLOWED)])
        .await
        .expect("set");
    assert_eq!(of(alice).await, [(bob, BLOCKED), (carol, ALLOWED)]);
    assert!(of(bob).await.is_empty());
    relations.set(bob, &[(alice, BOTH)]).await.expect("set");
    relations.set(alice, &[(bob, ALLOWED)]).await.expect("set");
    assert_eq!(of(alice).await, [(bob, ALLOWED), (carol, ALLOWED)]);
    relations
        .set(alice, &[(carol, NOTHING), (UserNum(9), NOTHING)])
        .await
        .expect("set");
    assert_eq!(of(alice).await, [(bob, ALLOWED)]);
    assert_eq!(of(bob).await, [(alice, BOTH)]);
    relations.set(alice, &[]).await.expect("set");
    assert_eq!(of(alice).await, [(bob, ALLOWED)]);
}
