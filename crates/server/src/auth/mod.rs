//! Existing logins: credentials of host applications, checked by their own hook or by a rule
//! for their tokens (protocols/README.md A14). It knows no dialect; what it is asked for comes
//! from the messenger, app by app.

mod answers;
mod claims;
pub(crate) mod client;
mod hook;
mod jwks;
mod jwt;
mod reach;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use crosstalk_core::clock::Clock;
use crosstalk_core::directory::AppId;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignIdentity, ForeignLogin, ForeignLogins};

pub use crosstalk_gateway::net::cookies_may_go;

use self::answers::Answers;
use self::client::Client;
use self::hook::Hook;
use self::jwt::Rule;
use crate::config::Auth;

/// How one app decides.
enum Decider {
    /// It is asked.
    Hook(Box<Hook>),
    /// By a rule for its tokens.
    Jwt(Box<Rule>),
}

/// Decides on foreign credentials as the configuration says, app by app.
pub struct AppLogins {
    apps: HashMap<AppId, Decider>,
    answers: Answers,
}

impl AppLogins {
    /// From the sections `[auth.<app_id>]`; `None` if there is none.
    ///
    /// # Errors
    /// When a key cannot be read, or an address is none.
    pub fn new(sections: &Auth, clock: &Arc<dyn Clock>) -> Result<Option<Self>> {
        if sections.is_empty() {
            return Ok(None);
        }
        let client = Client::new();
        let mut apps = HashMap::new();
        for (name, section) in sections {
            let app = AppId::parse(name).with_context(|| format!("auth.{name}"))?;
            let decider = if section.hook.url.is_empty() {
                let rule = Rule::new(&section.jwt, client.clone(), Arc::clone(clock));
                Decider::Jwt(Box::new(rule.with_context(|| format!("auth.{name}.jwt"))?))
            } else {
                let hook = Hook::new(&section.hook, client.clone(), Arc::clone(clock));
                Decider::Hook(Box::new(hook.with_context(|| format!("auth.{name}.hook"))?))
            };
            apps.insert(app, decider);
        }
        Ok(Some(Self {
            apps,
            answers: Answers::new(Arc::clone(clock)),
        }))
    }
}

#[async_trait]
impl ForeignLogins for AppLogins {
    fn serves(&self, app: &AppId) -> bool {
        self.apps.contains_key(app)
    }

    async fn identify(&self, login: &ForeignLogin) -> Result<ForeignIdentity, Refusal> {
        let identity = match self.apps.get(&login.app_id) {
            None => return Err(Refusal::NotAuthenticated),
            Some(Decider::Jwt(rule)) => rule.identify(login).await?,
            Some(Decider::Hook(hook)) => {
                let question = Answers::key(login, hook::token_of(login));
                let known = self.answers.get(&question).filter(|_| !login.is_fresh);
                match known {
                    Some(identity) => identity,
                    None => {
                        let answer = hook.ask(login).await?;
                        self.answers.keep(question, &answer);
                        answer.identity
                    }
                }
            }
        };
        let claimed = login.claimed_uid.as_ref();
        if claimed.is_some_and(|claimed| *claimed != identity.uid) {
            return Err(Refusal::NotAuthenticated);
        }
        Ok(identity)
    }
}
