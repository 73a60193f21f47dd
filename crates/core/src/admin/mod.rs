//! What moderators and operators keep: word lists, the review queue, bans, reports, the audit
//! log, tags and work in the background. One port each; what is done with them stands in
//! [`Im`](crate::im::Im).

pub mod audit;
pub mod banned;
pub mod bans;
pub mod census;
pub mod chores;
pub mod reports;
pub mod reviews;
pub mod wordlists;

use std::sync::Arc;

pub use audit::{Audit, AuditEntry, AuditQuery, AuditRecord};
pub use bans::{Ban, BanTarget, Bans, MAX_BANS, NewBan};
pub use census::{Census, DayCount, Forgotten, Person, PersonFilter, Purged, Scan, Totals, Traces};
pub use chores::{Chore, ChoreKind, ChoreState, Chores, NewChore};
pub use reports::{MAX_REPORTS_A_DAY, NewReport, Report, ReportKind, Reports, Resolution};
pub use reviews::{Held, Review, ReviewState, Reviews};
pub use wordlists::{MAX_WORDS, Word, WordAction, WordLists};

/// The stores of all this.
#[derive(Clone)]
pub struct AdminStores {
    /// Word lists.
    pub words: Arc<dyn WordLists>,
    /// What waits for a moderator.
    pub reviews: Arc<dyn Reviews>,
    /// Bans.
    pub bans: Arc<dyn Bans>,
    /// What users have reported.
    pub reports: Arc<dyn Reports>,
    /// Who did what.
    pub audit: Arc<dyn Audit>,
    /// Work in the background.
    pub chores: Arc<dyn Chores>,
    /// All users of a realm, and everything of one.
    pub census: Arc<dyn Census>,
}

impl AdminStores {
    /// All of them in one store.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: WordLists + Reviews + Bans + Reports + Audit + Chores + Census,
    {
        Self {
            words: Arc::<S>::clone(&store),
            reviews: Arc::<S>::clone(&store),
            bans: Arc::<S>::clone(&store),
            reports: Arc::<S>::clone(&store),
            audit: Arc::<S>::clone(&store),
            chores: Arc::<S>::clone(&store),
            census: store,
        }
    }
}
