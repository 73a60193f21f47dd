//! Apps.

use crate::directory::{AppId, AppRecord};
use crate::id::Realm;
use crate::im::Stores;

/// The cases of apps, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! apps_contract {
    ($make:path) => {
        $crate::contract_tests!($make, apps:
            apps_are_put_and_replaced,
            apps_are_listed_by_id,
            what_an_app_may_comes_back
        );
    };
}

fn app(id: &str, realm: &str, secret: &[u8]) -> AppRecord {
    AppRecord {
        id: AppId::parse(id).expect("an app id"),
        realm: Realm::parse(realm).expect("a realm"),
        name: format!("app {id} 名"),
        sealed_secret: secret.to_vec(),
        sealed_old_secret: None,
        disabled: false,
        rate: None,
    }
}

/// Nothing, then one, then another in its place.
pub async fn apps_are_put_and_replaced(stores: &Stores) {
    let apps = &stores.apps;
    let id = AppId::parse("shop").expect("an app id");
    assert_eq!(apps.app(&id).await.expect("app"), None);
    for record in [app("shop", "default", &[0, 255]), app("shop", "other", b"")] {
        apps.put_app(&record).await.expect("put");
        assert_eq!(apps.app(&id).await.expect("app"), Some(record));
    }
    assert_eq!(apps.apps().await.expect("apps").len(), 1);
}

/// All of them, in order.
pub async fn apps_are_listed_by_id(stores: &Stores) {
    assert!(stores.apps.apps().await.expect("apps").is_empty());
    let records = [
        app("a", "r2", b"1"),
        app("b", "r1", b"2"),
        app("c", "r1", b"3"),
    ];
    for at in [1, 2, 0] {
        stores.apps.put_app(&records[at]).await.expect("put");
    }
    assert_eq!(stores.apps.apps().await.expect("apps"), records);
}

/// A secret before, whether it is switched off, and its limit.
pub async fn what_an_app_may_comes_back(stores: &Stores) {
    let mut record = app("a", "r", b"new");
    record.sealed_old_secret = Some((b"old".to_vec(), 7));
    record.disabled = true;
    record.rate = Some(crate::send::rates::Rate {
        per_sec: 3,
        burst: 9,
    });
    stores.apps.put_app(&record).await.expect("put");
    assert_eq!(stores.apps.apps().await.expect("apps"), [record]);
}
