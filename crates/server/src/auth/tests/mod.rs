//! Against a host application of our own, on a free port.

mod hook;
mod host;
mod jwt;

use std::net::IpAddr;
use std::sync::Arc;

use crosstalk_core::clock::{Clock, ManualClock};
use crosstalk_core::directory::AppId;
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{
    ForeignHeaders, ForeignIdentity, ForeignLogin, ForeignLogins,
};

use super::AppLogins;
use crate::config::{AppAuth, Auth};

/// 2023-11-14, in ms since 1970.
const NOW_MS: i64 = 1_700_000_000_000;

struct Bed {
    clock: Arc<ManualClock>,
    logins: AppLogins,
}

impl Bed {
    /// The app `a` decides as these settings say.
    fn new(settings: AppAuth) -> Self {
        let clock = Arc::new(ManualClock::at_ms(NOW_MS));
        let logins = logins(settings, &clock).expect("settings that work");
        Self { clock, logins }
    }

    async fn identify(&self, login: &ForeignLogin) -> Result<ForeignIdentity, Refusal> {
        self.logins.identify(login).await
    }

    async fn uid(&self, login: &ForeignLogin) -> Result<String, Refusal> {
        let identity = self.identify(login).await?;
        Ok(identity.uid.as_str().to_owned())
    }
}

fn logins(settings: AppAuth, clock: &Arc<ManualClock>) -> anyhow::Result<AppLogins> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let sections = Auth::from([("a".to_owned(), settings)]);
    Ok(AppLogins::new(&sections, &clock)?.expect("a section"))
}

/// A login to the app `a` with this header `token`.
fn login(token: &str) -> ForeignLogin {
    ForeignLogin {
        dialect: "dialect",
        app_id: AppId::parse("a").expect("an id"),
        route: "/login".to_owned(),
        headers: ForeignHeaders {
            token: Some(token.to_owned()),
            authorization: None,
            cookie: None,
        },
        query: "q=1".to_owned(),
        credentials: Vec::new(),
        claimed_uid: None,
        ip: IpAddr::from([203, 0, 113, 9]),
        is_fresh: false,
    }
}

fn claiming(token: &str, uid: &str) -> ForeignLogin {
    ForeignLogin {
        claimed_uid: Some(Uid::parse(uid).expect("a uid")),
        ..login(token)
    }
}

#[test]
fn only_apps_with_a_section_decide() {
    let clock = Arc::new(ManualClock::at_ms(NOW_MS));
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let none = AppLogins::new(&Auth::new(), &shared).expect("nothing is wrong");
    assert!(none.is_none());
    let settings = hook::settings("http://127.0.0.1:1/");
    let logins = logins(settings, &clock).expect("a hook");
    assert!(logins.serves(&AppId::parse("a").expect("an id")));
    assert!(!logins.serves(&AppId::default()));
}
