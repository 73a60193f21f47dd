//! Session ids: how long they hold, what voids them, and who is found online.

use crosstalk_core::clock::{ManualClock, SystemClock};
use crosstalk_core::id::{Realm, Uid, UserRef};

use super::*;

const HALF_AN_HOUR_MS: i64 = 30 * 60 * 1000;

fn logins(same_name: WgSameName) -> (Arc<WgLogins>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
    (WgLogins::new(clock.clone(), same_name), clock)
}

fn user(uid: &str, num: i64) -> UserRef {
    UserRef {
        num: UserNum(num),
        uid: Uid::parse(uid).expect("a uid"),
    }
}

fn login(uid: &str, num: i64) -> Login {
    Login {
        realm: Realm::default(),
        app: None,
        user: user(uid, num),
        expires_at_ms: None,
        proven_at_ms: 0,
        roles: Vec::new(),
    }
}

fn name(text: &str) -> ClientName {
    ClientName::parse(text).expect("a name")
}

#[test]
fn session_ids_are_unguessable_and_each_is_its_own() {
    let (logins, _) = logins(WgSameName::Replace);
    let one = logins.give(login("u1", 1), &name("web"));
    let other = logins.give(login("u1", 1), &name("app"));
    assert_ne!(one, other);
    for id in [&one, &other] {
        assert_eq!(id.len(), 32);
        assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(logins.find(id).is_some());
    }
    for wrong in ["", "zzz", &one[1..], &one.to_uppercase()] {
        assert!(logins.find(wrong).is_none() || wrong == one, "{wrong}");
    }
}

#[test]
fn a_session_id_holds_for_half_an_hour_and_again_after_its_channel() {
    let (logins, clock) = logins(WgSameName::Replace);
    let id = logins.give(login("u1", 1), &name("web"));
    clock.advance_ms(HALF_AN_HOUR_MS - 1);
    assert!(logins.find(&id).is_some());
    let session = Session::detached(user("u1", 1));
    let channel = logins.register(&id, &session).expect("it holds");
    clock.advance_ms(2 * HALF_AN_HOUR_MS);
    assert!(logins.find(&id).is_some(), "as long as the channel is open");
    drop(channel);
    clock.advance_ms(HALF_AN_HOUR_MS - 1);
    assert!(logins.find(&id).is_some());
    clock.advance_ms(1);
    assert!(logins.find(&id).is_none());
    let _ = logins.give(login("u2", 2), &name("web"));
    assert_eq!(logins.len(), 1, "what has expired is forgotten");
}

#[test]
fn a_new_login_voids_what_was_never_registered_and_a_registration_the_rest() {
    let (logins, _) = logins(WgSameName::Replace);
    let never = logins.give(login("u1", 1), &name("web"));
    let first = logins.give(login("u1", 1), &name("web"));
    assert!(logins.find(&never).is_none());
    let session = Session::detached(user("u1", 1));
    let channel = logins.register(&first, &session).expect("it holds");
    let second = logins.give(login("u1", 1), &name("web"));
    assert!(logins.find(&first).is_some(), "it is registered");
    let other = logins.give(login("u1", 1), &name("app"));
    let newer = logins.register(&second, &session).expect("it holds");
    assert!(logins.find(&first).is_none(), "replaced");
    drop(channel);
    assert!(logins.find(&first).is_none(), "and stays so");
    for id in [&second, &other] {
        assert!(logins.find(id).is_some());
    }
    logins.end(UserNum(1), &name("web"));
    assert!(logins.find(&second).is_none(), "logged out");
    assert!(logins.find(&other).is_some());
    drop(newer);
    assert!(logins.find(&second).is_none());
}

#[test]
fn clients_of_one_name_may_coexist_in_slots_of_their_own() {
    let (logins, _) = logins(WgSameName::Coexist);
    let ids: Vec<_> = (0..3)
        .map(|_| logins.give(login("u1", 1), &name("web")))
        .collect();
    let slots: Vec<_> = ids
        .iter()
        .map(|id| logins.find(id).expect("it holds").slot)
        .collect();
    assert_eq!(slots, [0, 1, 2]);
    let session = Session::detached(user("u1", 1));
    let _channel = logins.register(&ids[0], &session).expect("it holds");
    assert!(ids.iter().all(|id| logins.find(id).is_some()));
}

#[test]
fn nobody_fills_the_memory_with_logins() {
    // The manual clock's random numbers repeat too soon.
    let logins = WgLogins::new(Arc::new(SystemClock::new()), WgSameName::Replace);
    let first = logins.give(login("u1", 1), &name("c"));
    for at in 0..MAX_OF_USER {
        let _ = logins.give(login("u1", 1), &name(&format!("c{at}")));
    }
    assert_eq!(logins.len(), MAX_OF_USER);
    assert!(logins.find(&first).is_none(), "the oldest is forgotten");
}

#[test]
fn what_a_client_acknowledges_is_known_of_its_next_channel() {
    let (logins, _) = logins(WgSameName::Replace);
    let id = logins.give(login("u1", 1), &name("web"));
    let session = Session::detached(user("u1", 1));
    let channel = logins.register(&id, &session).expect("it holds");
    channel.acknowledges();
    drop(channel);
    assert!(logins.find(&id).expect("it holds").is_acking);
}

#[test]
fn whoever_is_online_is_found_in_each_way() {
    let (logins, _) = logins(WgSameName::Replace);
    let id = logins.give(login("u1", 1), &name("web"));
    let session = Session::detached(user("u1", 1));
    let channel = logins.register(&id, &session).expect("it holds");
    let found = |query: &str| {
        let query = OnlineQuery::parse(query).expect("a query");
        logins.online(&query).len()
    };
    let by_session = format!("sessionId={id}");
    for query in [
        "",
        "userId=u1",
        "userIds=u9,u1,u1",
        "channelId=0",
        &by_session,
    ] {
        assert_eq!(found(query), 1, "{query}");
    }
    for query in [
        "userId=u2",
        "clientName=app",
        "channelId=1",
        "channelId=x",
        "sessionId=zzz",
        "userId=u2&channelId=0",
    ] {
        assert_eq!(found(query), 0, "{query}");
    }
    let row = channel.row().expect("a row");
    assert_eq!(row.user_id, "u1");
    assert!(row.session_id.ends_with("****") && !row.session_id.contains(&id));
    drop(channel);
    assert_eq!(found(""), 0);
}
