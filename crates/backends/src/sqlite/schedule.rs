//! Messages that are to be sent later.

use async_trait::async_trait;
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::directory::AppId;
use crosstalk_core::id::{MessageId, Realm, UserNum};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::schedule::{
    Change, Closed, Saying, Schedule, Scheduled, ScheduledQuery, State,
};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Row, params};

use super::error::DbResult;
use super::work::Tx;
use super::{Shared, Sqlite, rows};

const COLUMNS: &str = "id, realm, sender, by_application, kind, to_id, payload, silent, \
     expire_secs, carried, send_at, created_at, state, done_at, message, seq, reason, \
     app, receipt";

const OPEN: i64 = 0;
const SENT: i64 = 1;
const FAILED: i64 = 2;
const CANCELLED: i64 = 3;

/// The statement of what is due.
pub(super) fn due_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM scheduled WHERE state = 0 AND send_at <= ?1 \
         AND (send_at, id) > (?2, ?3) ORDER BY send_at, id LIMIT ?4"
    )
}

#[async_trait]
impl Schedule for Sqlite {
    async fn schedule(&self, item: &Scheduled, max_open: u64) -> StoreResult<bool> {
        let item = item.clone();
        self.write(move |tx| insert(tx, &item, max_open)).await
    }

    async fn scheduled(&self, id: MessageId) -> StoreResult<Option<Scheduled>> {
        self.read(move |conn, shared| one(conn, shared, id)).await
    }

    async fn scheduled_of(&self, query: ScheduledQuery) -> StoreResult<Vec<Scheduled>> {
        self.read(move |conn, shared| {
            let whose = if query.sender.is_some() {
                "AND sender = ?2"
            } else {
                "AND ?2 IS NULL"
            };
            let state = match query.open {
                Some(true) => "AND state = 0",
                Some(false) => "AND state <> 0",
                None => "",
            };
            let sql = format!(
                "SELECT {COLUMNS} FROM scheduled WHERE realm = ?1 {whose} {state} AND id > ?3 \
                 ORDER BY id LIMIT ?4"
            );
            let mut find = conn.prepare_cached(&sql)?;
            let sender = query.sender.map(|sender| sender.0);
            let realm = query.realm.as_str();
            let mut found = find.query(params![realm, sender, query.after.0, query.limit])?;
            let mut items = Vec::new();
            while let Some(row) = found.next()? {
                items.extend(read(conn, shared, row)?);
            }
            Ok(items)
        })
        .await
    }

    async fn scheduled_due(
        &self,
        now_ms: i64,
        after: Option<(i64, MessageId)>,
        limit: u32,
    ) -> StoreResult<Vec<Scheduled>> {
        let after = after.map_or((i64::MIN, i64::MIN), |(at, id)| (at, id.0));
        self.read(move |conn, shared| {
            let mut find = conn.prepare_cached(&due_sql())?;
            let mut found = find.query([now_ms, after.0, after.1, i64::from(limit)])?;
            let mut items = Vec::new();
            while let Some(row) = found.next()? {
                items.extend(read(conn, shared, row)?);
            }
            Ok(items)
        })
        .await
    }

    async fn reschedule(&self, id: MessageId, change: Change) -> StoreResult<Closed> {
        self.write(move |tx| {
            let Some(mut item) = one(tx.conn, tx.shared, id)? else {
                return Ok(Closed::Nothing);
            };
            if item.state != State::Open {
                return Ok(Closed::Over(Box::new(item)));
            }
            item.send_at_ms = change.send_at_ms.unwrap_or(item.send_at_ms);
            if let Some(saying) = &change.saying {
                item.saying = saying.clone();
            }
            let sql = "UPDATE scheduled SET payload = ?2, silent = ?3, expire_secs = ?4, \
                       carried = ?5, send_at = ?6, receipt = ?7 WHERE id = ?1";
            let saying = &item.saying;
            tx.conn.prepare_cached(sql)?.execute(params![
                id.0,
                &saying.payload[..],
                saying.is_silent,
                saying.expire_secs,
                saying.carried.as_deref().and_then(rows::carried),
                item.send_at_ms,
                saying.asks_receipt,
            ])?;
            Ok(Closed::Is(Box::new(item)))
        })
        .await
    }

    async fn close_scheduled(
        &self,
        id: MessageId,
        state: State,
        at_ms: i64,
    ) -> StoreResult<Closed> {
        self.write(move |tx| close(tx, id, state, at_ms)).await
    }

    async fn forget_scheduled(&self, before_ms: i64, limit: u32) -> StoreResult<u64> {
        self.write(move |tx| {
            let sql = "DELETE FROM scheduled WHERE id IN (SELECT id FROM scheduled \
                       WHERE state <> 0 AND done_at < ?1 ORDER BY done_at LIMIT ?2)";
            let mut forget = tx.conn.prepare_cached(sql)?;
            Ok(forget.execute([before_ms, i64::from(limit)])? as u64)
        })
        .await
    }
}

fn insert(tx: &Tx<'_>, item: &Scheduled, max_open: u64) -> DbResult<bool> {
    let sql = "SELECT count(*) FROM scheduled WHERE state = 0 AND sender = ?1 \
               AND by_application = ?2";
    let mut open = tx.conn.prepare_cached(sql)?;
    let whose = params![item.sender.num.0, item.by_application];
    let open = open.query_row(whose, |row| rows::count(row, 0))?;
    if open >= max_open {
        return Ok(false);
    }
    let (state, message, seq, reason) = columns(item.state);
    let sql = format!(
        "INSERT INTO scheduled ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, \
         ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
    );
    let saying = &item.saying;
    tx.conn.prepare_cached(&sql)?.execute(params![
        item.id.0,
        item.realm.as_str(),
        item.sender.num.0,
        item.by_application,
        item.kind.0,
        &*item.to,
        &saying.payload[..],
        saying.is_silent,
        saying.expire_secs,
        saying.carried.as_deref().and_then(rows::carried),
        item.send_at_ms,
        item.created_at_ms,
        state,
        item.done_at_ms,
        message,
        seq,
        reason,
        item.app.as_ref().map(AppId::as_str),
        saying.asks_receipt,
    ])?;
    Ok(true)
}

fn close(tx: &Tx<'_>, id: MessageId, state: State, at_ms: i64) -> DbResult<Closed> {
    let Some(mut item) = one(tx.conn, tx.shared, id)? else {
        return Ok(Closed::Nothing);
    };
    if item.state != State::Open {
        return Ok(Closed::Over(Box::new(item)));
    }
    item.state = state;
    item.done_at_ms = at_ms;
    item.saying = Saying::default();
    let (state, message, seq, reason) = columns(state);
    let sql = "UPDATE scheduled SET payload = X'', carried = NULL, state = ?2, done_at = ?3, \
               message = ?4, seq = ?5, reason = ?6 WHERE id = ?1";
    // From the file, too: what was sent may be revoked, what was taken back is gone.
    tx.conn.pragma_update(None, "secure_delete", true)?;
    let closed = tx
        .conn
        .prepare_cached(sql)
        .and_then(|mut close| close.execute(params![id.0, state, at_ms, message, seq, reason]));
    tx.conn.pragma_update(None, "secure_delete", false)?;
    closed?;
    Ok(Closed::Is(Box::new(item)))
}

/// How a state stands in its columns.
fn columns(state: State) -> (i64, Option<i64>, Option<i64>, Option<&'static str>) {
    match state {
        State::Open => (OPEN, None, None, None),
        State::Sent { message, seq } => (SENT, Some(message.0), Some(rows::seq(seq)), None),
        State::Failed(why) => (FAILED, None, None, Some(why.code())),
        State::Cancelled => (CANCELLED, None, None, None),
    }
}

fn one(conn: &Connection, shared: &Shared, id: MessageId) -> DbResult<Option<Scheduled>> {
    let sql = format!("SELECT {COLUMNS} FROM scheduled WHERE id = ?1");
    let mut find = conn.prepare_cached(&sql)?;
    let mut found = find.query([id.0])?;
    match found.next()? {
        Some(row) => read(conn, shared, row),
        None => Ok(None),
    }
}

/// `None` if its sender is not known any more.
fn read(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<Option<Scheduled>> {
    let Some(sender) = shared.names.user(conn, UserNum(row.get(2)?))? else {
        return Ok(None);
    };
    let realm: String = row.get(1)?;
    let Ok(realm) = Realm::parse(&realm) else {
        return Ok(None);
    };
    let state = match row.get::<_, i64>(12)? {
        SENT => State::Sent {
            message: MessageId(row.get::<_, Option<i64>>(14)?.unwrap_or(0)),
            seq: rows::count(row, 15)?,
        },
        FAILED => {
            let code: Option<String> = row.get(16)?;
            let why = Refusal::ALL
                .into_iter()
                .find(|refusal| Some(refusal.code()) == code.as_deref());
            State::Failed(why.unwrap_or(Refusal::Internal))
        }
        CANCELLED => State::Cancelled,
        _ => State::Open,
    };
    let carried: Option<String> = row.get(9)?;
    let app: Option<String> = row.get(17)?;
    Ok(Some(Scheduled {
        id: MessageId(row.get(0)?),
        realm,
        sender,
        by_application: row.get(3)?,
        app: app.and_then(|app| AppId::parse(&app).ok()),
        kind: ChannelKind(row.get(4)?),
        to: row.get::<_, String>(5)?.into(),
        saying: Saying {
            payload: row.get::<_, Vec<u8>>(6)?.into(),
            is_silent: row.get(7)?,
            asks_receipt: row.get(18)?,
            expire_secs: row.get(8)?,
            carried: carried.as_deref().and_then(rows::read_carried),
        },
        send_at_ms: row.get(10)?,
        created_at_ms: row.get(11)?,
        state,
        done_at_ms: row.get(13)?,
    }))
}
