//! The contracts of all ports.

use std::sync::Arc;

use crosstalk_core::clock::ManualClock;
use crosstalk_core::contract::LogBed;
use crosstalk_core::id::Snowflake;
use crosstalk_core::im::Stores;

use crate::sqlite::{Sqlite, SqliteOptions};

async fn stores() -> Stores {
    let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
    let ids = Arc::new(Snowflake::new(clock.clone(), 1));
    let store = Arc::new(Sqlite::open(SqliteOptions::temporary(clock, ids)).unwrap());
    Stores {
        log: store.clone(),
        channels: store.clone(),
        inbox: store.clone(),
        directory: store.clone(),
        apps: store.clone(),
        relations: store,
    }
}

async fn log() -> LogBed {
    LogBed::of(&stores().await)
}

crosstalk_core::log_contract!(log);
crosstalk_core::channels_contract!(stores);
crosstalk_core::inbox_contract!(stores);
crosstalk_core::directory_contract!(stores);
crosstalk_core::apps_contract!(stores);
crosstalk_core::relations_contract!(stores);
