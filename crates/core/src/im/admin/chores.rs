//! Work in the background: whoever owns the messenger has it done, one piece of each at a
//! time, so that long work does not hold up short work, nor one kind another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::super::Im;
use crate::admin::{Chore, ChoreKind, ChoreState, NewChore};
use crate::id::{Realm, Uid};
use crate::message::Message;
use crate::refusal::Refusal;

/// Work of a kind that goes on at the same time.
const AT_ONCE: u32 = 16;
/// For how long it waits for new work at most; and how long what was written down for
/// somebody is kept.
pub const MAX_IDLE: Duration = Duration::from_secs(60);
const OUTPUT_KEPT_MS: i64 = 7 * 24 * 3600 * 1000;
/// Pieces of work that may fail in a row before it is given up.
const MAX_FAILURES: u32 = 5;
/// The most jobs that may wait in the lanes while work goes on: users come first.
const MAX_QUEUED: usize = 2000;
/// How long it waits for them, and after a failure.
const PAUSE: Duration = Duration::from_millis(50);

/// How a message looks in an export: one line of JSON.
pub type Render = dyn Fn(&Message) -> String + Send + Sync;

/// Rung when there is new work, for each kind.
#[derive(Default)]
pub(in crate::im) struct Bells {
    broadcasts: Notify,
    erasures: Notify,
    exports: Notify,
}

impl Bells {
    fn of(&self, kind: ChoreKind) -> &Notify {
        match kind {
            ChoreKind::Broadcast => &self.broadcasts,
            ChoreKind::Erase => &self.erasures,
            ChoreKind::Export => &self.exports,
        }
    }
}

/// What became of a piece of work.
pub(super) struct Piece {
    /// The work as it is now.
    pub(super) chore: Chore,
    /// A piece of its output and the place of that.
    pub(super) output: Option<(u32, Vec<u8>)>,
    /// How long to wait before the next piece of it.
    pub(super) pause: Duration,
}

impl Im {
    /// Takes work in.
    ///
    /// # Errors
    /// `TooMany`, or when the store fails.
    pub(super) async fn take_in(&self, chore: NewChore) -> Result<Chore, Refusal> {
        let taken = self.stores.admin.chores.add_chore(&chore).await?;
        let taken = taken.ok_or(Refusal::TooMany)?;
        self.chores.of(chore.kind).notify_one();
        Ok(taken)
    }

    /// Some work of a realm.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn chore(&self, realm: &Realm, kind: ChoreKind, num: i64) -> Result<Chore, Refusal> {
        let found = self.stores.admin.chores.chore(num).await?;
        let is_it = |it: &Chore| it.chore.realm == *realm && it.chore.kind == kind;
        found.filter(is_it).ok_or(Refusal::NotFound)
    }

    /// The newest work of a kind about a user.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn chore_about(
        &self,
        realm: &Realm,
        kind: ChoreKind,
        uid: &Uid,
    ) -> Result<Chore, Refusal> {
        let user = self.find_user(realm, uid).await?.ok_or(Refusal::NotFound)?;
        let found = self.stores.admin.chores.chore_about(kind, user.num).await?;
        found.ok_or(Refusal::NotFound)
    }

    /// Work of a realm and kind, newest first, older than a number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chores(
        &self,
        realm: &Realm,
        kind: ChoreKind,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Chore>, Refusal> {
        let chores = &self.stores.admin.chores;
        Ok(chores.chores(realm, kind, before, limit).await?)
    }

    /// Calls work off: what is done of it stays.
    ///
    /// # Errors
    /// `NotFound`, `WrongState` if it is over, or when the store fails.
    pub async fn cancel_chore(
        &self,
        realm: &Realm,
        kind: ChoreKind,
        num: i64,
    ) -> Result<Chore, Refusal> {
        self.chore(realm, kind, num).await?;
        if !self.stores.admin.chores.cancel_chore(num).await? {
            return Err(Refusal::WrongState);
        }
        self.chore(realm, kind, num).await
    }

    /// A piece of what work has written down; `None` after the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn chore_output(&self, num: i64, n: u32) -> Result<Option<Vec<u8>>, Refusal> {
        Ok(self.stores.admin.chores.output(num, n).await?)
    }

    /// Does what there is to be done, also what a stop or a crash has interrupted, for as
    /// long as it is called. Given up between two awaits nothing is lost.
    pub async fn work(self: &Arc<Self>, render: &Render) {
        tokio::join!(
            self.work_on(ChoreKind::Broadcast, render),
            self.work_on(ChoreKind::Erase, render),
            self.work_on(ChoreKind::Export, render),
        );
    }

    async fn work_on(self: &Arc<Self>, kind: ChoreKind, render: &Render) {
        loop {
            self.work_off_of(kind, render).await;
            if kind == ChoreKind::Export {
                self.forget_output().await;
            }
            // Whatever goes wrong, it looks again after a while.
            let _ = tokio::time::timeout(MAX_IDLE, self.chores.of(kind).notified()).await;
        }
    }

    async fn forget_output(&self) {
        let before_ms = self.parts.clock.now_ms() - OUTPUT_KEPT_MS;
        if let Err(error) = self.stores.admin.chores.drop_output(before_ms).await {
            tracing::warn!(%error, "old exports stay for now");
        }
    }

    /// Does all that there is to be done now.
    pub async fn work_off(self: &Arc<Self>, render: &Render) {
        tokio::join!(
            self.work_off_of(ChoreKind::Broadcast, render),
            self.work_off_of(ChoreKind::Erase, render),
            self.work_off_of(ChoreKind::Export, render),
        );
    }

    async fn work_off_of(self: &Arc<Self>, kind: ChoreKind, render: &Render) {
        let mut failures = 0;
        loop {
            let open = match self.stores.admin.chores.open_chores(kind, AT_ONCE).await {
                Ok(open) => open,
                Err(error) => {
                    tracing::error!(%error, "work in the background waits");
                    return;
                }
            };
            if open.is_empty() {
                return;
            }
            for chore in open {
                let num = chore.num;
                match self.go_on(chore, render).await {
                    Ok(pause) => {
                        failures = 0;
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                    }
                    Err(why) => {
                        failures += 1;
                        tracing::error!(%why, num, ?kind, "a piece of work failed");
                        if failures > MAX_FAILURES {
                            return;
                        }
                        tokio::time::sleep(PAUSE * failures).await;
                    }
                }
            }
        }
    }

    /// Does the next piece of some work, once the users leave room for it.
    async fn go_on(self: &Arc<Self>, chore: Chore, render: &Render) -> Result<Duration, Refusal> {
        while self.queued() > MAX_QUEUED {
            tokio::time::sleep(PAUSE).await;
        }
        let mut chore = chore;
        chore.state = ChoreState::Running;
        let mut piece = match chore.chore.kind {
            ChoreKind::Broadcast => self.broadcast_piece(chore).await?,
            ChoreKind::Erase => self.erase_piece(chore).await?,
            ChoreKind::Export => self.export_piece(chore, render).await?,
        };
        piece.chore.updated_at_ms = self.parts.clock.now_ms();
        let chores = &self.stores.admin.chores;
        // False: it was called off meanwhile.
        let _ = chores.save_chore(&piece.chore, piece.output).await?;
        Ok(piece.pause)
    }
}

impl Piece {
    /// A piece without output.
    pub(super) fn of(chore: Chore) -> Self {
        Self {
            chore,
            output: None,
            pause: Duration::ZERO,
        }
    }
}

/// Work that cannot be done.
pub(super) fn failed(mut chore: Chore, why: &str) -> Piece {
    chore.state = ChoreState::Failed;
    chore.note = why.to_owned();
    Piece::of(chore)
}
