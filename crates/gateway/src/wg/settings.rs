//! How the dialect behaves.

use std::sync::Arc;

use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::Im;

use super::handlers::{WgClaim, WgHandler};
use super::logins::WgLogins;
use super::machine::Machine;
use crate::protocol::{Arrival, Now, Plug, Protocol, Seed};

/// What receivers of a message to a list see in `to` (wg.md Q0-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WgListTo {
    /// Their own id.
    #[default]
    Own,
    /// The list.
    AsSent,
}

/// Who is there; asked in the middle of a step, so it must answer at once.
pub(crate) trait People: Send + Sync {
    /// Whether a user has a client that is online, in whatever dialect.
    fn is_online(&self, realm: &Realm, user: &Uid) -> bool;
}

impl People for Im {
    fn is_online(&self, realm: &Realm, user: &Uid) -> bool {
        Self::is_online(self, realm, user)
    }
}

/// Settings of the wg dialect.
#[derive(Clone)]
pub struct WgSettings {
    /// The realm of its users.
    pub realm: Realm,
    /// What receivers of a message to a list see in `to`.
    pub list_to: WgListTo,
    /// The session ids that logins have given.
    pub logins: Arc<WgLogins>,
    /// Types that applications handle. The first claim of a type counts.
    pub claims: Arc<[WgClaim]>,
    /// Origins whose pages may connect; `*` = all.
    pub allowed_origins: Arc<[String]>,
    pub(crate) people: Arc<dyn People>,
}

impl WgSettings {
    /// Settings with which nothing is special.
    #[must_use]
    pub fn new(realm: Realm, im: &Arc<Im>, logins: Arc<WgLogins>) -> Self {
        Self {
            realm,
            list_to: WgListTo::default(),
            logins,
            claims: Arc::default(),
            allowed_origins: Arc::new(["*".to_owned()]),
            people: Arc::clone(im) as Arc<dyn People>,
        }
    }

    /// Who handles messages of this type, if it is not one of the document's.
    pub(super) fn handler(&self, code: i64) -> Option<&Arc<dyn WgHandler>> {
        let claim = self.claims.iter().find(|it| it.types.contains(&code));
        claim.map(|claim| &claim.handler)
    }
}

impl Plug for WgSettings {
    fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    fn machine(&self, arrival: Arrival, seed: &Seed, now: Now) -> Box<dyn Protocol> {
        Box::new(Machine::new(self.clone(), arrival.client, seed, now))
    }
}
