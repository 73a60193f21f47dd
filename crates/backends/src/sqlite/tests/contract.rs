//! The contracts of all ports, with the usual settings and with settings that make what is
//! rare happen all the time.

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::LogBed;
use crosstalk_core::id::Snowflake;
use crosstalk_core::im::Stores;
use crosstalk_core::pubsub::Subscribers;

use crate::sqlite::{Sqlite, SqliteOptions};

fn options() -> SqliteOptions {
    let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
    let ids = Arc::new(Snowflake::new(clock.clone(), 1));
    SqliteOptions::temporary(clock, ids)
}

fn stores_of(options: SqliteOptions) -> Stores {
    let store = Arc::new(Sqlite::open(options).unwrap());
    Stores::of(store)
}

mod usual {
    use super::*;

    async fn subscribers() -> Arc<dyn Subscribers> {
        Arc::new(Sqlite::open(options()).unwrap())
    }

    async fn stores() -> Stores {
        stores_of(options())
    }

    async fn log() -> LogBed {
        LogBed::of(&stores().await)
    }

    crosstalk_core::log_contract!(log);
    crosstalk_core::channels_contract!(stores);
    crosstalk_core::joining_contract!(stores);
    crosstalk_core::inbox_contract!(stores);
    crosstalk_core::receipts_contract!(stores);
    crosstalk_core::marks_contract!(stores);
    crosstalk_core::search_contract!(stores);
    crosstalk_core::directory_contract!(stores);
    crosstalk_core::apps_contract!(stores);
    crosstalk_core::admin_contract!(stores);
    crosstalk_core::answered_contract!(stores);
    crosstalk_core::relations_contract!(stores);
    crosstalk_core::friends_contract!(stores);
    crosstalk_core::people_contract!(stores);
    crosstalk_core::registrations_contract!(stores);
    crosstalk_core::files_contract!(stores);
    crosstalk_core::mentions_contract!(stores);
    crosstalk_core::expiry_contract!(stores);
    crosstalk_core::schedule_contract!(stores);
    crosstalk_core::outbox_contract!(stores);
    crosstalk_core::hooks_contract!(stores);
    crosstalk_core::devices_contract!(stores);
    crosstalk_core::subscribers_contract!(subscribers);
}

/// Advances are written with every transaction, each is followed by a checkpoint, the
/// filters suspect everything and there is one reader.
mod eager {
    use super::*;

    async fn stores() -> Stores {
        stores_of(SqliteOptions {
            flush_every: Duration::ZERO,
            flush_rows: 1,
            filter_bytes: 1,
            wal_limit_bytes: 1,
            reader_threads: 1,
            ..options()
        })
    }

    async fn log() -> LogBed {
        LogBed::of(&stores().await)
    }

    crosstalk_core::log_contract!(log);
    crosstalk_core::channels_contract!(stores);
    crosstalk_core::inbox_contract!(stores);
    crosstalk_core::receipts_contract!(stores);
    crosstalk_core::marks_contract!(stores);
    crosstalk_core::search_contract!(stores);
}
