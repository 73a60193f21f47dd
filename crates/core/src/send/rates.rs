//! How fast a channel and an app may be written to, by all together. Off unless it is set,
//! and then it costs one look.

use std::collections::HashMap;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use quick_cache::sync::Cache;

use super::limits::Budget;
use crate::channel::ChannelKey;
use crate::directory::{App, AppId};
use crate::id::Realm;

/// Messages per second, and how many may come at once before that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// Messages per second; 0 = no limit.
    pub per_sec: u32,
    /// Messages at once; 0 = as many as in a second.
    pub burst: u32,
}

impl Rate {
    /// A full budget of this rate; `None` if there is no limit.
    fn budget(self) -> Option<Arc<Budget>> {
        NonZeroU32::new(self.per_sec)?;
        Some(Arc::new(Budget::of_rate(self)))
    }
}

/// Channels whose budgets are remembered; the least used are forgotten first.
const REMEMBERED: usize = 100_000;

#[derive(Default)]
struct AppBudgets {
    by_id: HashMap<AppId, (Rate, Arc<Budget>)>,
    /// For what comes from nobody knows which app: the realm's first.
    by_realm: HashMap<Realm, AppId>,
}

/// The budgets of channels and apps.
pub struct Rates {
    channel: Rate,
    channels: Cache<ChannelKey, Arc<Budget>>,
    app: Rate,
    limits_apps: AtomicBool,
    apps: RwLock<AppBudgets>,
}

impl Rates {
    /// All budgets are full.
    #[must_use]
    pub fn new(channel: Rate, app: Rate) -> Self {
        let remembered = if channel.per_sec == 0 { 1 } else { REMEMBERED };
        Self {
            channel,
            channels: Cache::new(remembered),
            app,
            limits_apps: AtomicBool::new(false),
            apps: RwLock::default(),
        }
    }

    /// The apps and their limits are these now. What is left of a budget whose limit stays
    /// the same is kept.
    pub fn set_apps(&self, apps: &[App]) {
        let mut kept = self.apps.write();
        let mut fresh = AppBudgets::default();
        for app in apps {
            let rate = app.rate.unwrap_or(self.app);
            let same = kept.by_id.remove(&app.id).filter(|(old, _)| *old == rate);
            let budget = match same {
                Some((_, budget)) => Some(budget),
                None => rate.budget(),
            };
            if let Some(budget) = budget {
                fresh.by_id.insert(app.id.clone(), (rate, budget));
            }
            fresh
                .by_realm
                .entry(app.realm.clone())
                .or_insert_with(|| app.id.clone());
        }
        self.limits_apps
            .store(!fresh.by_id.is_empty(), Ordering::Release);
        *kept = fresh;
    }

    /// Takes one message out of an app's budget; false if there is none left. `None` = nobody
    /// knows which app of the realm.
    #[must_use]
    pub fn app(&self, app: Option<&AppId>, realm: &Realm) -> bool {
        if !self.limits_apps.load(Ordering::Acquire) {
            return true;
        }
        let apps = self.apps.read();
        let app = app.or_else(|| apps.by_realm.get(realm));
        let budget = app.and_then(|app| apps.by_id.get(app));
        budget.is_none_or(|(_, budget)| budget.take())
    }

    /// Takes one message out of a channel's budget; false if there is none left.
    #[must_use]
    pub fn channel(&self, key: &ChannelKey) -> bool {
        if self.channel.per_sec == 0 {
            return true;
        }
        let full = || Ok::<_, Infallible>(Arc::new(Budget::of_rate(self.channel)));
        match self.channels.get_or_insert_with(key, full) {
            Ok(budget) => budget.take(),
            Err(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelKind;

    fn app(id: &str, rate: Option<Rate>) -> App {
        App {
            rate,
            ..App::named(id)
        }
    }

    fn group(id: &str) -> ChannelKey {
        ChannelKey {
            realm: Realm::default(),
            kind: ChannelKind::GROUP,
            id: id.into(),
        }
    }

    const ONE: Rate = Rate {
        per_sec: 1,
        burst: 2,
    };

    #[test]
    fn nothing_is_limited_unless_it_is_said() {
        let rates = Rates::new(Rate::default(), Rate::default());
        rates.set_apps(&[app("a", None)]);
        let id = AppId::parse("a").expect("an id");
        assert!((0..1000).all(|_| rates.app(Some(&id), &Realm::default())));
        assert!((0..1000).all(|_| rates.channel(&group("g"))));
    }

    #[test]
    fn each_channel_has_its_budget() {
        let rates = Rates::new(ONE, Rate::default());
        let passed = |id: &str| (0..10).filter(|_| rates.channel(&group(id))).count();
        assert_eq!((passed("g"), passed("h"), passed("g")), (2, 2, 0));
    }

    #[test]
    fn an_app_has_the_usual_budget_or_its_own() {
        let rates = Rates::new(Rate::default(), ONE);
        let more = Rate {
            per_sec: 1,
            burst: 5,
        };
        let apps = [app("a", None), app("b", Some(more))];
        rates.set_apps(&apps);
        let realm = Realm::default();
        let passed = |id: Option<&str>| {
            let id = id.map(|id| AppId::parse(id).expect("an id"));
            (0..10).filter(|_| rates.app(id.as_ref(), &realm)).count()
        };
        assert_eq!((passed(Some("a")), passed(Some("b"))), (2, 5));
        // Nobody knows which: the first, and nothing is left of its budget.
        assert_eq!(passed(None), 0);
        rates.set_apps(&apps);
        assert_eq!(passed(Some("a")), 0, "it is kept");
        rates.set_apps(&[app("a", Some(Rate::default()))]);
        assert_eq!(passed(Some("a")), 10, "it has none any more");
    }
}
