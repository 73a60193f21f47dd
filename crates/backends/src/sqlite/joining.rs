//! Requests to join, invitations and links.

use async_trait::async_trait;
use crosstalk_core::channel::joining::{
    MAX_ENDED, MAX_LINKS, MAX_WAITING_IN_CHANNEL, MAX_WAITING_OF_USER, REQUEST_KEPT_MS,
    REQUEST_LIFE_MS,
};
use crosstalk_core::channel::{Decider, InviteLink, JoinRequest, JoinStatus, Joining, RequestId};
use crosstalk_core::id::{ChannelNum, UserNum, UserRef};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, Params, Row, params};

use super::error::{DbError, DbResult};
use super::work::Tx;
use super::{Shared, Sqlite};

#[async_trait]
impl Joining for Sqlite {
    async fn keep_request(&self, request: &JoinRequest) -> StoreResult<Option<JoinRequest>> {
        let request = request.clone();
        self.write(move |tx| keep(tx, &request)).await
    }

    async fn request(&self, id: RequestId) -> StoreResult<Option<JoinRequest>> {
        self.read(move |conn, shared| Ok(select(conn, shared, "id = ?1", [id.0])?.pop()))
            .await
    }

    async fn waiting(
        &self,
        channel: ChannelNum,
        user: UserNum,
        decider: Decider,
        since_ms: i64,
    ) -> StoreResult<Option<JoinRequest>> {
        self.read(move |conn, shared| {
            let of = [channel.0, user.0, decider as i64, since_ms];
            Ok(select(conn, shared, WAITING, of)?.pop())
        })
        .await
    }

    async fn decide_request(
        &self,
        id: RequestId,
        status: JoinStatus,
        by: Option<UserNum>,
        at_ms: i64,
    ) -> StoreResult<bool> {
        self.write(move |tx| {
            let sql = "UPDATE join_request SET status = ?2, decided_by = ?3, decided_at = ?4 \
                       WHERE id = ?1 AND status = 0";
            let by = by.map(|user| user.0);
            let mut update = tx.conn.prepare_cached(sql)?;
            Ok(update.execute(params![id.0, status as i64, by, at_ms])? > 0)
        })
        .await
    }

    async fn end_requests(
        &self,
        channel: ChannelNum,
        by: Option<UserNum>,
        at_ms: i64,
    ) -> StoreResult<Vec<JoinRequest>> {
        self.write(move |tx| end(tx, channel, by, at_ms)).await
    }

    async fn requests_of_channel(
        &self,
        channel: ChannelNum,
        before: Option<RequestId>,
        limit: u32,
    ) -> StoreResult<Vec<JoinRequest>> {
        self.read(move |conn, shared| {
            let rule = "channel = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
            select(conn, shared, rule, page(channel.0, before, limit))
        })
        .await
    }

    async fn requests_of_user(
        &self,
        user: UserNum,
        before: Option<RequestId>,
        limit: u32,
    ) -> StoreResult<Vec<JoinRequest>> {
        self.read(move |conn, shared| {
            let rule = "user = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
            select(conn, shared, rule, page(user.0, before, limit))
        })
        .await
    }

    async fn keep_link(&self, channel: ChannelNum, link: &InviteLink) -> StoreResult<bool> {
        let link = link.clone();
        self.write(move |tx| keep_link(tx, channel, &link)).await
    }

    async fn link(&self, token: &str) -> StoreResult<Option<InviteLink>> {
        let token = token.to_owned();
        self.read(move |conn, shared| Ok(links(conn, shared, "token = ?1", [token])?.pop()))
            .await
    }

    async fn links(&self, channel: ChannelNum) -> StoreResult<Vec<InviteLink>> {
        self.read(move |conn, shared| {
            let rule = "channel = ?1 ORDER BY created_at DESC, token";
            links(conn, shared, rule, [channel.0])
        })
        .await
    }

    async fn remove_link(&self, channel: ChannelNum, token: &str) -> StoreResult<bool> {
        let token = token.to_owned();
        self.write(move |tx| {
            let sql = "DELETE FROM invite_link WHERE token = ?1 AND channel = ?2";
            let mut delete = tx.conn.prepare_cached(sql)?;
            Ok(delete.execute(params![token, channel.0])? > 0)
        })
        .await
    }

    async fn use_link(&self, token: &str, now_ms: i64) -> StoreResult<bool> {
        let token = token.to_owned();
        self.write(move |tx| {
            let sql = "UPDATE invite_link SET uses = uses + 1 WHERE token = ?1 \
                       AND (max_uses = 0 OR uses < max_uses) \
                       AND (expires_at = 0 OR expires_at > ?2)";
            let mut update = tx.conn.prepare_cached(sql)?;
            Ok(update.execute(params![token, now_ms])? > 0)
        })
        .await
    }
}

const COLUMNS: &str = "id, channel, user, inviter, decider, message, status, decided_by, \
                       created_at, decided_at";
/// One that waits: of a channel, a user and who answers, made after a time.
const WAITING: &str = "channel = ?1 AND user = ?2 AND decider = ?3 AND status = 0 \
                       AND created_at > ?4 ORDER BY id";

fn page(of: i64, before: Option<RequestId>, limit: u32) -> [i64; 3] {
    [of, before.map_or(i64::MAX, |id| id.0), i64::from(limit)]
}

fn select(
    conn: &Connection,
    shared: &Shared,
    rule: &str,
    values: impl Params,
) -> DbResult<Vec<JoinRequest>> {
    let sql = format!("SELECT {COLUMNS} FROM join_request WHERE {rule}");
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(values)?;
    let mut requests = Vec::new();
    while let Some(row) = rows.next()? {
        requests.push(request(conn, shared, row)?);
    }
    Ok(requests)
}

fn request(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<JoinRequest> {
    let id = row.get(0)?;
    let channel = shared.names.channel(conn, ChannelNum(row.get(1)?))?;
    let user = shared.names.user(conn, UserNum(row.get(2)?))?;
    let lost = || DbError::Corrupt(format!("request {id} has no channel or no user"));
    Ok(JoinRequest {
        id: RequestId(id),
        channel: channel.ok_or_else(lost)?,
        user: user.ok_or_else(lost)?,
        inviter: user_at(conn, shared, row, 3)?,
        decider: if row.get::<_, i64>(4)? == Decider::User as i64 {
            Decider::User
        } else {
            Decider::Moderators
        },
        message: row.get(5)?,
        status: JoinStatus::from_number(row.get(6)?),
        by: user_at(conn, shared, row, 7)?,
        created_at_ms: row.get(8)?,
        decided_at_ms: row.get(9)?,
    })
}

fn user_at(
    conn: &Connection,
    shared: &Shared,
    row: &Row<'_>,
    at: usize,
) -> DbResult<Option<UserRef>> {
    let num: Option<i64> = row.get(at)?;
    let user = num.map(|num| shared.names.user(conn, UserNum(num)));
    Ok(user.transpose()?.flatten())
}

fn end(
    tx: &Tx<'_>,
    channel: ChannelNum,
    by: Option<UserNum>,
    at_ms: i64,
) -> DbResult<Vec<JoinRequest>> {
    let alive_since = at_ms.saturating_sub(REQUEST_LIFE_MS);
    let rule = "channel = ?1 AND status = 0 AND created_at > ?2 ORDER BY id DESC LIMIT ?3";
    let newest = [channel.0, alive_since, i64::from(MAX_ENDED)];
    let mut ended = select(tx.conn, tx.shared, rule, newest)?;
    let status = JoinStatus::Cancelled;
    let sql = "UPDATE join_request SET status = ?2, decided_by = ?3, decided_at = ?4 \
               WHERE channel = ?1 AND status = 0";
    let by_num = by.map(|user| user.0);
    let mut update = tx.conn.prepare_cached(sql)?;
    update.execute(params![channel.0, status as i64, by_num, at_ms])?;
    let by = by.map(|user| tx.shared.names.user(tx.conn, user));
    let by = by.transpose()?.flatten();
    for request in &mut ended {
        request.status = status;
        request.by.clone_from(&by);
        request.decided_at_ms = at_ms;
    }
    Ok(ended)
}

fn keep(tx: &Tx<'_>, request: &JoinRequest) -> DbResult<Option<JoinRequest>> {
    let (channel, user) = (request.channel.num.0, request.user.num.0);
    let now_ms = request.created_at_ms;
    let alive_since = now_ms.saturating_sub(REQUEST_LIFE_MS);
    // A few of the oldest: a channel may have very many.
    let forgotten = "DELETE FROM join_request WHERE created_at < ?2 AND id IN \
                     (SELECT id FROM join_request WHERE channel = ?1 ORDER BY id LIMIT 100)";
    let long_ago = now_ms.saturating_sub(REQUEST_KEPT_MS);
    tx.conn
        .prepare_cached(forgotten)?
        .execute([channel, long_ago])?;
    let inviter = request.inviter.as_ref().map(|user| user.num.0);
    let like_it = [channel, user, request.decider as i64, alive_since];
    if let Some(waiting) = select(tx.conn, tx.shared, WAITING, like_it)?.pop() {
        // What somebody asks by themselves, or the application offers, stays theirs.
        let inviter = waiting.inviter.as_ref().and(request.inviter.clone());
        let sql = "UPDATE join_request SET message = ?2, inviter = ?3 WHERE id = ?1";
        let num = inviter.as_ref().map(|user| user.num.0);
        let mut update = tx.conn.prepare_cached(sql)?;
        update.execute(params![waiting.id.0, request.message, num])?;
        return Ok(Some(JoinRequest {
            message: request.message.clone(),
            inviter,
            ..waiting
        }));
    }
    let counted = |column: &str, of: i64| -> DbResult<i64> {
        let sql = format!(
            "SELECT count(*) FROM join_request \
             WHERE {column} = ?1 AND status = 0 AND created_at > ?2"
        );
        let mut count = tx.conn.prepare_cached(&sql)?;
        Ok(count.query_row([of, alive_since], |row| row.get(0))?)
    };
    if counted("channel", channel)? >= i64::from(MAX_WAITING_IN_CHANNEL)
        || counted("user", user)? >= i64::from(MAX_WAITING_OF_USER)
    {
        return Ok(None);
    }
    let sql = format!(
        "INSERT INTO join_request ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, NULL, ?7, 0)"
    );
    let mut insert = tx.conn.prepare_cached(&sql)?;
    insert.execute(params![
        request.id.0,
        channel,
        user,
        inviter,
        request.decider as i64,
        request.message,
        request.created_at_ms,
    ])?;
    Ok(Some(request.clone()))
}

fn keep_link(tx: &Tx<'_>, channel: ChannelNum, link: &InviteLink) -> DbResult<bool> {
    let over = "DELETE FROM invite_link WHERE channel = ?1 AND ( \
                (max_uses > 0 AND uses >= max_uses) OR (expires_at > 0 AND expires_at <= ?2))";
    tx.conn
        .prepare_cached(over)?
        .execute([channel.0, link.created_at_ms])?;
    let sql = "SELECT count(*) FROM invite_link WHERE channel = ?1";
    let mut count = tx.conn.prepare_cached(sql)?;
    let there: i64 = count.query_row([channel.0], |row| row.get(0))?;
    if there >= i64::from(MAX_LINKS) {
        return Ok(false);
    }
    let sql = "INSERT INTO invite_link (token, channel, made_by, max_uses, uses, expires_at, \
               created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.conn.prepare_cached(sql)?.execute(params![
        link.token,
        channel.0,
        link.by.as_ref().map(|user| user.num.0),
        link.max_uses,
        link.uses,
        link.expires_at_ms,
        link.created_at_ms,
    ])?;
    Ok(true)
}

fn links(
    conn: &Connection,
    shared: &Shared,
    rule: &str,
    values: impl Params,
) -> DbResult<Vec<InviteLink>> {
    let sql = format!(
        "SELECT token, channel, made_by, max_uses, uses, expires_at, created_at \
         FROM invite_link WHERE {rule}"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let num = ChannelNum(row.get(1)?);
        let channel = shared.names.channel(conn, num)?;
        let channel =
            channel.ok_or_else(|| DbError::Corrupt(format!("a link leads to no channel {num}")))?;
        found.push(InviteLink {
            token: row.get(0)?,
            key: channel.key.clone(),
            by: user_at(conn, shared, row, 2)?,
            max_uses: row.get(3)?,
            uses: row.get(4)?,
            expires_at_ms: row.get(5)?,
            created_at_ms: row.get(6)?,
        });
    }
    Ok(found)
}
