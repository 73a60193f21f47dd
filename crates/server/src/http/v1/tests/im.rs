//! A messenger over a store in memory, for all tests of HTTP interfaces and of what works on a messenger.

use std::sync::Arc;

use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::clock::{Clock, ManualClock};
use crosstalk_core::directory::AppId;
use crosstalk_core::id::{Realm, Snowflake};
use crosstalk_core::im::{Im, Policy, Stores};
use crosstalk_core::store::Probe;

use crate::keys::Sealer;

/// When every test begins, ms since 1970.
pub(in crate::http) const START_MS: i64 = 1_715_000_001_234;

/// A messenger with the app `default`, its clock, which stands still, and its store.
pub(in crate::http) async fn start_with_store() -> (Arc<Im>, Arc<ManualClock>, Arc<dyn Probe>) {
    start_with_policy(Policy::default()).await
}

/// The same, with a policy.
pub(crate) async fn start_with_policy(
    policy: Policy,
) -> (Arc<Im>, Arc<ManualClock>, Arc<dyn Probe>) {
    let manual = Arc::new(ManualClock::at_ms(START_MS));
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&manual);
    let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
    let options = SqliteOptions {
        filter_bytes: 1 << 16,
        ..SqliteOptions::temporary(Arc::clone(&clock), Arc::clone(&ids))
    };
    let store = Arc::new(Sqlite::open(options).expect("a store in memory"));
    let stores = Stores::of(Arc::clone(&store));
    // The key is read once; its folder may go.
    let folder = tempfile::tempdir().expect("a folder");
    let seal = Sealer::open(folder.path(), Arc::clone(&clock)).expect("a key");
    let im = Im::start(stores, Arc::new(seal), ids, clock, policy).await;
    let im = im.expect("a messenger");
    let put = im
        .apps()
        .put(&AppId::default(), &Realm::default(), "default")
        .await;
    put.expect("the app default");
    (im, manual, store)
}
