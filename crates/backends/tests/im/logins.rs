//! Logins: with tokens of ours, with what a host application says, and what revoking and
//! banning make of both.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::directory::{App, AppId, UserChange};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Credential, Im, Login, LoginRequest, LoginScope, OpenSession};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignIdentity, ForeignLogin, ForeignLogins};
use parking_lot::Mutex;

use super::world::{PULLING, World, request};

const HOUR_SECS: i64 = 3600;

fn uid(text: &str) -> Uid {
    Uid::parse(text).expect("a uid")
}

fn realm(text: &str) -> Realm {
    Realm::parse(text).expect("a realm")
}

fn app_id(text: &str) -> AppId {
    AppId::parse(text).expect("an app id")
}

async fn app(im: &Im, id: &str, of: &str) -> App {
    im.apps()
        .put(&app_id(id), &realm(of), id)
        .await
        .expect("an app")
}

async fn token(im: &Im, app: &App, of: &str) -> String {
    let issued = im.issue_token(app, &uid(of), HOUR_SECS, None).await;
    issued.expect("a token").token
}

fn shows(scope: LoginScope, credentials: &[&str]) -> LoginRequest {
    let peer = IpAddr::from([203, 0, 113, 9]);
    LoginRequest {
        credentials: credentials.iter().map(|it| (*it).to_owned()).collect(),
        ..LoginRequest::new(scope, "dialect", "/login", peer)
    }
}

fn to_app(id: &str, credentials: &[&str]) -> LoginRequest {
    shows(LoginScope::App(app_id(id)), credentials)
}

fn claiming(who: &str, request: LoginRequest) -> LoginRequest {
    LoginRequest {
        claimed_uid: Some(uid(who)),
        ..request
    }
}

const REFUSED: Option<Refusal> = Some(Refusal::NotAuthenticated);

async fn refusal(im: &Im, request: &LoginRequest) -> Option<Refusal> {
    im.login(request).await.err()
}

fn session(credential: Credential) -> OpenSession {
    OpenSession {
        credential,
        ..request("nobody", "phone", PULLING)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_ours_says_who_and_where() {
    let world = World::new().await;
    let im = world.im();
    let one = app(im, "one", "r1").await;
    app(im, "twin", "r1").await;
    app(im, "two", "r2").await;
    let alice = token(im, &one, "alice").await;
    let scopes = [
        LoginScope::App(app_id("one")),
        LoginScope::App(app_id("twin")),
        LoginScope::Realm(realm("r1")),
        LoginScope::Token(realm("r2")),
    ];
    for scope in scopes {
        let request = shows(scope, &["", "nothing of ours", &alice]);
        let login = im.login(&request).await.expect("granted");
        assert_eq!(login.user.uid, uid("alice"));
        assert_eq!(login.realm, realm("r1"));
        assert_eq!(login.app, Some(app_id("one")));
        let expires_at_ms = login.expires_at_ms.expect("it expires");
        assert_eq!(expires_at_ms, 1_700_000_000_000 + HOUR_SECS * 1000);
    }
    for scope in [
        LoginScope::App(app_id("two")),
        LoginScope::App(app_id("none")),
        LoginScope::Realm(realm("r2")),
    ] {
        assert_eq!(refusal(im, &shows(scope, &[&alice])).await, REFUSED);
    }
    assert_eq!(refusal(im, &to_app("one", &[])).await, REFUSED);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tokens_must_agree_and_the_claim_must_fit() {
    let world = World::new().await;
    let im = world.im();
    let one = app(im, "one", "r1").await;
    let (alice, bob) = (token(im, &one, "alice").await, token(im, &one, "bob").await);
    let again = token(im, &one, "alice").await;
    assert_eq!(refusal(im, &to_app("one", &[&alice, &again])).await, None);
    assert_eq!(refusal(im, &to_app("one", &[&alice, &bob])).await, REFUSED);
    let alias = im.aliases().of(&realm("r1"), &uid("alice"));
    for (claim, outcome) in [("alice", None), (alias.as_str(), None), ("bob", REFUSED)] {
        let request = claiming(claim, to_app("one", &[&alice]));
        assert_eq!(refusal(im, &request).await, outcome, "{claim}");
    }
    let elsewhere = im.aliases().of(&realm("r2"), &uid("alice"));
    let request = claiming(elsewhere.as_str(), to_app("one", &[&alice]));
    assert_eq!(refusal(im, &request).await, REFUSED);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_throttled_and_bans_hold() {
    let world = World::new().await;
    let im = world.im();
    let one = app(im, "one", "r1").await;
    let alice = token(im, &one, "alice").await;
    let guess = claiming("alice", to_app("one", &["wrong"]));
    for _ in 0..20 {
        assert_eq!(refusal(im, &guess).await, REFUSED);
    }
    let good = claiming("alice", to_app("one", &[&alice]));
    assert_eq!(refusal(im, &good).await, Some(Refusal::LoginThrottled));
    let opened = im.open_session(session(Credential::Login(Box::new(good.clone()))));
    assert_eq!(opened.await.err(), Some(Refusal::LoginThrottled));
    world.clock.advance_ms(60_001);
    assert_eq!(refusal(im, &good).await, None);
    let ban = UserChange {
        ban: Some(true),
        ..UserChange::default()
    };
    im.put_user(&realm("r1"), &uid("alice"), &ban)
        .await
        .expect("banned");
    assert_eq!(refusal(im, &good).await, Some(Refusal::UserBanned));
}

/// A host application: it knows the query `ok`, as this user.
struct Host {
    apps: Vec<AppId>,
    uid: Uid,
    asked: Mutex<Vec<ForeignLogin>>,
    /// When it says it vouched for the credential, and again if asked afresh.
    issued_at_ms: [i64; 2],
}

impl Host {
    fn of(apps: &[&str], issued_at_ms: [i64; 2]) -> Arc<Self> {
        Arc::new(Self {
            apps: apps.iter().map(|id| app_id(id)).collect(),
            uid: uid("carol"),
            asked: Mutex::default(),
            issued_at_ms,
        })
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.iter().map(|it| it.app_id.to_string()).collect()
    }
}

#[async_trait]
impl ForeignLogins for Host {
    fn serves(&self, app: &AppId) -> bool {
        self.apps.contains(app)
    }

    async fn identify(&self, login: &ForeignLogin) -> Result<ForeignIdentity, Refusal> {
        self.asked.lock().push(login.clone());
        match login.query.as_str() {
            "ok" => Ok(ForeignIdentity {
                uid: self.uid.clone(),
                issued_at_ms: self.issued_at_ms[usize::from(login.is_fresh)],
                expires_at_ms: Some(1_700_000_060_000),
                roles: vec!["vip".to_owned()],
            }),
            "down" => Err(Refusal::Unavailable),
            _ => Err(Refusal::NotAuthenticated),
        }
    }
}

fn asking(scope: LoginScope, query: &str) -> LoginRequest {
    LoginRequest {
        query: query.to_owned(),
        ..shows(scope, &[])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_application_is_asked_for_what_is_not_ours() {
    let world = World::new().await;
    let im = world.im();
    for (id, of) in [
        ("one", "r1"),
        ("two", "r2"),
        ("three", "r2"),
        ("four", "r2"),
    ] {
        app(im, id, of).await;
    }
    let host = Host::of(&["one", "two", "four"], [1_700_000_000_000; 2]);
    im.set_foreign_logins(host.clone());
    let login = im
        .login(&asking(LoginScope::Realm(realm("r2")), "ok"))
        .await;
    let login = login.expect("granted");
    assert_eq!(
        (login.user.uid.as_str(), login.roles.as_slice()),
        ("carol", &["vip".to_owned()][..])
    );
    assert_eq!(
        (login.realm, login.app),
        (realm("r2"), Some(app_id("four")))
    );
    assert_eq!(login.expires_at_ms, Some(1_700_000_060_000));
    assert!(
        im.user(&realm("r2"), &uid("carol")).await.is_ok(),
        "the user exists"
    );
    assert_eq!(host.asked(), ["four"]);
    let request = asking(LoginScope::Token(realm("r2")), "no");
    assert_eq!(refusal(im, &request).await, REFUSED);
    assert_eq!(
        host.asked(),
        ["four", "four", "two"],
        "those of the realm that decide"
    );
    let request = asking(LoginScope::App(app_id("three")), "ok");
    assert_eq!(
        refusal(im, &request).await,
        REFUSED,
        "this one does not decide"
    );
    let request = asking(LoginScope::App(app_id("one")), "down");
    assert_eq!(refusal(im, &request).await, Some(Refusal::Unavailable));
    let request = claiming("bob", asking(LoginScope::App(app_id("one")), "ok"));
    assert_eq!(refusal(im, &request).await, REFUSED);
    let before = host.asked().len();
    assert_eq!(refusal(im, &to_app("one", &[])).await, REFUSED);
    assert_eq!(host.asked().len(), before, "nothing was shown");
    world.clock.advance_ms(60_000);
    let request = asking(LoginScope::App(app_id("one")), "ok");
    assert_eq!(refusal(im, &request).await, REFUSED, "what it said is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_have_signed_is_ours_to_refuse() {
    let world = World::new().await;
    let im = world.im();
    let one = app(im, "one", "r1").await;
    let host = Host::of(&["one"], [1_700_000_000_000; 2]);
    im.set_foreign_logins(host.clone());
    let alice = token(im, &one, "alice").await;
    im.revoke_tokens(&realm("r1"), &uid("alice"))
        .await
        .expect("revoked");
    let mut request = to_app("one", &[&alice]);
    request.query = "ok".to_owned();
    assert_eq!(refusal(im, &request).await, REFUSED);
    assert!(host.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_voids_what_a_host_application_said_before() {
    let world = World::new().await;
    let im = world.im();
    app(im, "one", "r1").await;
    let now_ms = 1_700_000_000_000;
    let host = Host::of(&["one"], [now_ms, now_ms + 20_000]);
    im.set_foreign_logins(host.clone());
    let request = asking(LoginScope::App(app_id("one")), "ok");
    assert_eq!(refusal(im, &request).await, None);
    world.clock.advance_ms(10_000);
    im.revoke_tokens(&realm("r1"), &uid("carol"))
        .await
        .expect("revoked");
    assert_eq!(refusal(im, &request).await, None, "it says so again");
    let fresh: Vec<bool> = host.asked.lock().iter().map(|it| it.is_fresh).collect();
    assert_eq!(fresh, [false, false, true]);
    world.clock.advance_ms(20_000);
    im.revoke_tokens(&realm("r1"), &uid("carol"))
        .await
        .expect("revoked");
    assert_eq!(refusal(im, &request).await, REFUSED, "it has nothing newer");
}

async fn proven(im: &Im, request: &LoginRequest) -> Box<Login> {
    Box::new(im.login(request).await.expect("granted"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_those_of_their_login() {
    let world = World::new().await;
    let im = world.im();
    let one = app(im, "one", "r1").await;
    let alice = token(im, &one, "alice").await;
    let shown = to_app("one", &[&alice]);
    let login = proven(im, &shown).await;
    for credential in [
        Credential::Login(Box::new(shown.clone())),
        Credential::Proven(login.clone()),
    ] {
        let opened = im
            .open_session(session(credential))
            .await
            .expect("a session");
        assert_eq!(opened.user.uid, uid("alice"));
        assert_eq!(
            (&opened.realm, &opened.app),
            (&realm("r1"), &Some(app_id("one")))
        );
        assert_eq!(opened.expires_at_ms, login.expires_at_ms);
        im.close_session(&opened).await;
    }
    // A login lasts as long as its credential, and no longer than the next revocation.
    im.revoke_tokens(&realm("r1"), &uid("alice"))
        .await
        .expect("revoked");
    let opened = im.open_session(session(Credential::Proven(login))).await;
    assert_eq!(opened.err(), REFUSED);
    let login = proven(im, &to_app("one", &[&token(im, &one, "alice").await])).await;
    let opened = im
        .open_session(session(Credential::Proven(login.clone())))
        .await;
    im.close_session(&opened.expect("a session")).await;
    world.clock.advance_ms(HOUR_SECS * 1000 + 60_000);
    let opened = im.open_session(session(Credential::Proven(login))).await;
    assert_eq!(opened.err(), REFUSED, "it has expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_server_may_sign_its_own_tokens() {
    let world = World::new().await;
    let im = world.im();
    let one = app(im, "one", "r1").await;
    let signed = |claims: serde_json::Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(one.secret.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("a token")
    };
    let exp = 1_700_000_600;
    for (claims, outcome) in [
        (
            serde_json::json!({"sub": "alice", "exp": exp, "appId": "one"}),
            None,
        ),
        (
            serde_json::json!({"sub": "alice", "exp": exp, "appKey": "one"}),
            None,
        ),
        (
            serde_json::json!({"sub": "alice", "exp": exp, "appId": "one", "appKey": "x"}),
            None,
        ),
        (serde_json::json!({"sub": "alice", "exp": exp}), REFUSED),
        (
            serde_json::json!({"sub": "alice", "exp": exp, "appKey": "x"}),
            REFUSED,
        ),
        (serde_json::json!({"sub": "alice", "appId": "one"}), REFUSED),
    ] {
        let request = to_app("one", &[&signed(claims.clone())]);
        assert_eq!(refusal(im, &request).await, outcome, "{claims}");
    }
}
