//! What users report to their application's moderators.

use async_trait::async_trait;

use crate::id::{Realm, UserNum, UserRef};
use crate::message::Body;
use crate::store::StoreResult;

/// How many reports a user may file in 24 hours.
pub const MAX_REPORTS_A_DAY: u32 = 20;

/// What a report is about. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// A message, by its id.
    Message = 0,
    /// A user, by uid.
    User = 1,
    /// A channel, as `kind:id`.
    Channel = 2,
}

impl ReportKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Message, Self::User, Self::Channel];

    /// The name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::User => "user",
            Self::Channel => "channel",
        }
    }

    /// The kind with a stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::User,
            2 => Self::Channel,
            _ => Self::Message,
        }
    }
}

/// What was done about a report. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Nothing.
    None = 0,
    /// The message was taken back.
    DeleteMessage = 1,
    /// The user was banned.
    BanUser = 2,
    /// The user was told.
    Warn = 3,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::DeleteMessage, Self::BanUser, Self::Warn];

    /// The name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::DeleteMessage => "delete_message",
            Self::BanUser => "ban_user",
            Self::Warn => "warn",
        }
    }

    /// The resolution with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// The resolution with a stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::DeleteMessage,
            2 => Self::BanUser,
            3 => Self::Warn,
            _ => Self::None,
        }
    }
}

/// A report to be filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// Where.
    pub realm: Realm,
    /// Who reports.
    pub reporter: UserRef,
    /// What it is about.
    pub kind: ReportKind,
    /// Which one.
    pub target: String,
    /// Whom it is about, if it is about somebody.
    pub about: Option<UserNum>,
    /// Why, a short name.
    pub reason: String,
    /// What else the reporter says.
    pub text: String,
    /// What the message said that it is about. Of what is too large nothing is kept.
    pub said: Option<Body>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub num: i64,
    /// What was reported.
    pub report: NewReport,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// What was done about it; `None` = it is open.
    pub action: Option<Resolution>,
    /// The moderator's words.
    pub note: Option<String>,
    /// Who has resolved it.
    pub resolved_by: Option<String>,
    /// When, ms since 1970.
    pub resolved_at_ms: Option<i64>,
}

/// The store of reports. Each change is durable when it returns.
#[async_trait]
pub trait Reports: Send + Sync + 'static {
    /// Files a report. `None` if the reporter has filed [`MAX_REPORTS_A_DAY`] in the last 24
    /// hours.
    async fn file_report(&self, report: &NewReport) -> StoreResult<Option<Report>>;

    /// Reports of a realm that are open, or those that are resolved, after a number.
    async fn list_reports(
        &self,
        realm: &Realm,
        is_open: bool,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<Report>>;

    /// One report.
    async fn get_report(&self, realm: &Realm, num: i64) -> StoreResult<Option<Report>>;

    /// Resolves a report that is open; false if it is not.
    async fn resolve_report(
        &self,
        num: i64,
        action: Resolution,
        by: &str,
        note: &str,
    ) -> StoreResult<bool>;
}
