//! Whether the store serves: what a readiness check asks.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use crosstalk_core::store::{Probe, StoreResult};

use super::Sqlite;

#[async_trait]
impl Probe for Sqlite {
    async fn probe(&self) -> StoreResult<()> {
        let sql = "SELECT one FROM meta";
        self.read(|conn, _| Ok(conn.query_row(sql, [], |_| Ok(()))?))
            .await?;
        if !self.shared.counters.writes_fail.load(Ordering::Relaxed) {
            return Ok(());
        }
        // Nobody else may write now, as it would fail: whether it still does, this tells.
        let sql = "UPDATE meta SET one = one";
        self.write(|tx| Ok(tx.conn.prepare_cached(sql)?.execute([]).map(drop)?))
            .await
    }
}
