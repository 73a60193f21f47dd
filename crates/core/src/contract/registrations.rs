//! Registered devices.

use crate::directory::registration::{MAX_REGISTRATIONS, token_digest};
use crate::directory::{
    AppId, DeviceReport, MAX_REPORTS, Registration, RegistrationChange, RegistrationKey,
};
use crate::id::{Realm, UserNum};
use crate::im::Stores;
use crate::message::Origin;

/// The cases of registrations, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! registrations_contract {
    ($make:path) => {
        $crate::contract_tests!($make, registrations:
            registrations_are_put_and_replaced,
            an_id_belongs_to_one_user_at_a_time,
            a_push_address_belongs_to_one_device,
            registrations_change_and_log_out,
            registrations_of_a_user_are_bounded,
            the_newest_reports_are_kept,
        );
    };
}

const DIALECT: Origin = Origin(3);

fn device(user: i64, id: &str, at_ms: i64) -> Registration {
    Registration {
        user: UserNum(user),
        realm: Realm::default(),
        origin: DIALECT,
        device_id: id.to_owned(),
        app: AppId::default(),
        os: -1,
        details: r#"{"brand":"名"}"#.to_owned(),
        vendor: "v".to_owned(),
        push_token: None,
        push_on: true,
        active: true,
        token_hash: token_digest(&format!("{user}-{id}-{at_ms}")),
        issued_at_ms: at_ms,
        expires_at_ms: at_ms + 1,
        habit: String::new(),
    }
}

async fn put(stores: &Stores, registration: &Registration) -> Vec<RegistrationKey> {
    let ended = stores.registrations.register(registration).await;
    ended.expect("register")
}

async fn get(stores: &Stores, of: &Registration) -> Option<Registration> {
    let found = stores.registrations.registration(&of.key()).await;
    found.expect("registration")
}

/// Found by name and by token; the older token is gone.
pub async fn registrations_are_put_and_replaced(stores: &Stores) {
    let (first, second) = (device(1, "d", 1), device(1, "d", 2));
    assert_eq!(get(stores, &first).await, None);
    for registration in [&first, &second] {
        assert_eq!(put(stores, registration).await, []);
        assert_eq!(get(stores, registration).await.as_ref(), Some(registration));
    }
    let by_token = async |of: &Registration| {
        let found = stores.registrations.by_token(&of.token_hash).await;
        found.expect("by token")
    };
    assert_eq!(by_token(&first).await, None);
    assert_eq!(by_token(&second).await, Some(second));
}

/// The other one is logged out and told; in another realm or dialect it is another device.
pub async fn an_id_belongs_to_one_user_at_a_time(stores: &Stores) {
    let mut first = device(1, "d", 1);
    first.push_token = Some("p".to_owned());
    put(stores, &first).await;
    let mut elsewhere = device(2, "d", 2);
    elsewhere.realm = Realm::parse("other").expect("a realm");
    assert_eq!(put(stores, &elsewhere).await, []);
    let mut other = device(3, "d", 3);
    other.origin = Origin(4);
    assert_eq!(put(stores, &other).await, []);
    assert_eq!(put(stores, &device(4, "d", 4)).await, [first.key()]);
    let left = get(stores, &first).await.expect("a record");
    assert!(!left.active && left.push_token.is_none());
    // It may come back.
    assert_eq!(put(stores, &first).await, [device(4, "d", 4).key()]);
    assert_eq!(get(stores, &first).await, Some(first));
}

/// It moves to the newest, within the realm.
pub async fn a_push_address_belongs_to_one_device(stores: &Stores) {
    let with = |user, id: &str| Registration {
        push_token: Some("p".to_owned()),
        ..device(user, id, 1)
    };
    let elsewhere = Registration {
        realm: Realm::parse("other").expect("a realm"),
        ..with(9, "x")
    };
    for registration in [&elsewhere, &with(1, "a"), &with(1, "b"), &with(2, "c")] {
        put(stores, registration).await;
    }
    let address = async |of: &Registration| get(stores, of).await.and_then(|it| it.push_token);
    assert_eq!(address(&elsewhere).await.as_deref(), Some("p"));
    assert_eq!(address(&with(1, "a")).await, None);
    assert_eq!(address(&with(1, "b")).await, None);
    assert_eq!(address(&with(2, "c")).await.as_deref(), Some("p"));
}

/// What a change does not name stays.
pub async fn registrations_change_and_log_out(stores: &Stores) {
    let mut expected = device(1, "d", 1);
    expected.push_token = Some("p".to_owned());
    put(stores, &expected).await;
    let change = async |change: RegistrationChange| {
        let key = device(1, "d", 1).key();
        let changed = stores.registrations.change_registration(&key, &change);
        changed.await.expect("change")
    };
    expected.push_on = false;
    let off = RegistrationChange {
        push_on: Some(false),
        ..RegistrationChange::default()
    };
    assert_eq!(change(off).await.as_ref(), Some(&expected));
    expected.habit = "h".to_owned();
    let habit = RegistrationChange {
        habit: Some("h".to_owned()),
        ..RegistrationChange::default()
    };
    assert_eq!(change(habit).await.as_ref(), Some(&expected));
    expected.active = false;
    expected.push_token = None;
    let out = RegistrationChange {
        log_out: true,
        forget_push_token: true,
        ..RegistrationChange::default()
    };
    assert_eq!(change(out).await, Some(expected));
    let nobody = device(2, "d", 1).key();
    let none = RegistrationChange::default();
    let changed = stores.registrations.change_registration(&nobody, &none);
    assert_eq!(changed.await.expect("change"), None);
}

/// The oldest go, those that are logged out first.
pub async fn registrations_of_a_user_are_bounded(stores: &Stores) {
    let most = i64::from(MAX_REGISTRATIONS);
    for at in 0..most {
        put(stores, &device(1, &format!("d{at}"), at)).await;
    }
    let out = RegistrationChange {
        log_out: true,
        ..RegistrationChange::default()
    };
    let seventh = device(1, "d7", 7);
    let key = seventh.key();
    let logged_out = stores.registrations.change_registration(&key, &out);
    logged_out.await.expect("change");
    put(stores, &device(1, "new", most)).await;
    assert_eq!(get(stores, &seventh).await, None);
    put(stores, &device(1, "newer", most + 1)).await;
    assert_eq!(get(stores, &device(1, "d0", 0)).await, None);
    let all = stores.registrations.registrations(UserNum(1), DIALECT);
    let all = all.await.expect("registrations");
    assert_eq!(all.len(), usize::try_from(most).expect("few"));
    assert!(all.is_sorted_by_key(|it| it.issued_at_ms), "oldest first");
}

/// Newest first; what is not registered keeps none.
pub async fn the_newest_reports_are_kept(stores: &Stores) {
    let of = device(1, "d", 1);
    let report = |at_ms: i64| DeviceReport {
        at_ms,
        text: format!("r{at_ms}"),
    };
    let reports = &stores.registrations;
    reports.report(&of.key(), &report(0)).await.expect("report");
    assert_eq!(reports.reports(&of.key(), 9).await.expect("reports"), []);
    put(stores, &of).await;
    for at_ms in 1..=i64::from(MAX_REPORTS) + 2 {
        reports
            .report(&of.key(), &report(at_ms))
            .await
            .expect("report");
    }
    let newest = reports.reports(&of.key(), 2).await.expect("reports");
    let last = i64::from(MAX_REPORTS) + 2;
    assert_eq!(newest, [report(last), report(last - 1)]);
    let all = reports.reports(&of.key(), u32::MAX).await.expect("reports");
    assert_eq!(all.len(), usize::try_from(MAX_REPORTS).expect("few"));
}
