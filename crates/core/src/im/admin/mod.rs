//! What moderators and operators do: word lists, the review queue, bans, reports, users as a
//! whole, and work in the background.

mod bans;
mod broadcast;
mod census;
mod chores;
mod erasing;
mod exporting;
mod naming;
mod reports;
mod reviews;
mod wordlists;

pub use broadcast::{Audience, Broadcast, MAX_NAMED};
pub use census::{ImportUser, Imported, SessionFilter, Statistics};
pub(super) use chores::Bells;
pub use chores::{MAX_IDLE, Render};
pub use reports::ReportAbout;
pub use reviews::{Decision, Reviewed};
pub use wordlists::MAX_WORD_CHARS;

use std::sync::Arc;
use std::time::Duration;

use super::Im;
use crate::admin::Audit;
use crate::store::StoreResult;

/// How often it is looked which bans are over.
const BANS_SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Im {
    /// Reads what is looked at often, and begins to look which bans are over.
    pub(super) async fn begin_administration(self: &Arc<Self>) -> StoreResult<()> {
        for realm in self.stores.admin.words.worded_realms().await? {
            if let Err(why) = self.rebuild_words(&realm).await {
                tracing::error!(%why, %realm, "a realm's word lists cannot be used");
            }
        }
        for ban in self.stores.admin.bans.all_bans().await? {
            self.banned.add(&ban);
        }
        let im = Arc::downgrade(self);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            while stop
                .run_until_cancelled(tokio::time::sleep(BANS_SWEEP_EVERY))
                .await
                .is_some()
            {
                let Some(im) = im.upgrade() else { return };
                if let Err(why) = im.lift_due_bans().await {
                    tracing::error!(%why, "bans that are over stay for now");
                }
            }
        });
        Ok(())
    }

    /// Who did what.
    #[must_use]
    pub fn audit(&self) -> &Arc<dyn Audit> {
        &self.stores.admin.audit
    }
}
