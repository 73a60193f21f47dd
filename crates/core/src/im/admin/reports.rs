//! What users report, and what comes of it.

use super::super::{HistoryQuery, Im, Viewer};
use crate::admin::{BanTarget, NewBan, NewReport, Report, ReportKind, Resolution};
use crate::channel::{Address, ChannelKey, LogKind};
use crate::deliver::{Operator, Sender};
use crate::id::{MessageId, Realm, Uid, UserRef};
use crate::message::{Body, Draft, Flags, Message, OnReuse, Origin};
use crate::refusal::Refusal;

/// What somebody reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportAbout {
    /// A message that they can see.
    Message(MessageId),
    /// A user.
    User(Uid),
    /// A channel that they belong to.
    Channel(ChannelKey),
}

impl Im {
    /// Files a report.
    ///
    /// # Errors
    /// `NoSuchMessage`, `NoSuchUser`, `NotAMember` for what the reporter cannot see,
    /// `RateLimited` if they have filed too many today, or when the store fails.
    pub async fn file_report(
        &self,
        realm: &Realm,
        reporter: &UserRef,
        about: ReportAbout,
        reason: &str,
        text: &str,
    ) -> Result<Report, Refusal> {
        let mut said = None;
        let (kind, target, about) = match about {
            ReportAbout::Message(id) => {
                let message = self.seen_by(realm, reporter, id).await?;
                if message.revoked.is_none() {
                    said = Some(message.shown().evidence());
                }
                (
                    ReportKind::Message,
                    id.to_string(),
                    Some(message.sender.num),
                )
            }
            ReportAbout::User(uid) => {
                let user = self.user(realm, &uid).await?.record.user.clone();
                (ReportKind::User, uid.as_str().to_owned(), Some(user.num))
            }
            ReportAbout::Channel(key) => {
                let nothing = HistoryQuery {
                    from: u64::MAX,
                    to: u64::MAX,
                    limit: 1,
                    newest: true,
                };
                let viewer = Viewer::User(reporter.clone());
                self.history(&key, &viewer, nothing).await?;
                (
                    ReportKind::Channel,
                    format!("{}:{}", key.kind.name(), key.id),
                    None,
                )
            }
        };
        let report = NewReport {
            realm: realm.clone(),
            reporter: reporter.clone(),
            kind,
            target,
            about,
            reason: reason.to_owned(),
            text: text.to_owned(),
            said,
        };
        let filed = self.stores.admin.reports.file_report(&report).await?;
        filed.ok_or(Refusal::RateLimited)
    }

    /// A message as a user's conversation shows it.
    async fn seen_by(
        &self,
        realm: &Realm,
        user: &UserRef,
        id: MessageId,
    ) -> Result<Message, Refusal> {
        let message = self.stores.log.by_id(id).await?;
        let message = message
            .filter(|it| it.channel.key.realm == *realm && it.channel.log == LogKind::Chat)
            .ok_or(Refusal::NoSuchMessage)?;
        let only = HistoryQuery {
            from: message.seq,
            to: message.seq,
            limit: 1,
            newest: true,
        };
        let viewer = Viewer::User(user.clone());
        let seen = match self.history(&message.channel.key, &viewer, only).await {
            Err(Refusal::NotAMember) => None,
            seen => seen?.pop(),
        };
        let seen = seen.filter(|message| !message.is_concealed);
        seen.ok_or(Refusal::NoSuchMessage)
    }

    /// Reports of a realm that are open, or those that are resolved, after a number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn user_reports(
        &self,
        realm: &Realm,
        is_open: bool,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Report>, Refusal> {
        let reports = &self.stores.admin.reports;
        Ok(reports.list_reports(realm, is_open, after, limit).await?)
    }

    /// One report.
    ///
    /// # Errors
    /// `NotFound`, or when the store fails.
    pub async fn user_report(&self, realm: &Realm, num: i64) -> Result<Report, Refusal> {
        let found = self.stores.admin.reports.get_report(realm, num).await?;
        found.ok_or(Refusal::NotFound)
    }

    /// Resolves a report, and does what that says. A warning is a message of the system to
    /// whom it is about, with the note as text.
    ///
    /// # Errors
    /// `NotFound`, `WrongState` if it was resolved before, `InvalidArgument` for what cannot
    /// be done about it, or when the store fails.
    pub async fn resolve_report(
        &self,
        realm: &Realm,
        num: i64,
        action: Resolution,
        by: &str,
        note: &str,
    ) -> Result<Report, Refusal> {
        // Of two who resolve it at once the later one finds it resolved.
        let _one = self.deciding.lock().await;
        let report = self.user_report(realm, num).await?;
        if report.action.is_some() {
            return Err(Refusal::WrongState);
        }
        // What is done comes first; doing it again after a crash changes nothing.
        self.act_on(realm, &report, action, by, note).await?;
        let reports = &self.stores.admin.reports;
        if !reports.resolve_report(num, action, by, note).await? {
            return Err(Refusal::WrongState);
        }
        self.user_report(realm, num).await
    }

    async fn act_on(
        &self,
        realm: &Realm,
        report: &Report,
        action: Resolution,
        by: &str,
        note: &str,
    ) -> Result<(), Refusal> {
        let about = match report.report.about {
            Some(num) => Some(self.parts.users.state(num).await?.record.user.clone()),
            None => None,
        };
        match action {
            Resolution::None => {}
            Resolution::DeleteMessage => {
                if report.report.kind != ReportKind::Message {
                    return Err(Refusal::InvalidArgument);
                }
                let id = report
                    .report
                    .target
                    .parse()
                    .map_err(|_| Refusal::Internal)?;
                let deleted = self.delete(realm, MessageId(id), Operator::Application);
                match deleted.await {
                    Ok(_) | Err(Refusal::NoSuchMessage) => {}
                    Err(why) => return Err(why),
                }
            }
            Resolution::BanUser => {
                let user = about.ok_or(Refusal::InvalidArgument)?;
                let reason = if note.is_empty() {
                    &report.report.reason
                } else {
                    note
                };
                self.ban(NewBan {
                    realm: realm.clone(),
                    target: BanTarget::User(user.uid),
                    reason: reason.to_owned(),
                    until_ms: None,
                    by: by.to_owned(),
                })
                .await?;
            }
            Resolution::Warn => {
                let user = about.ok_or(Refusal::InvalidArgument)?;
                if note.is_empty() {
                    return Err(Refusal::InvalidArgument);
                }
                let number = format!("report-{}", report.num);
                self.warn(realm, &user, &number, note).await?;
            }
        }
        Ok(())
    }

    async fn warn(
        &self,
        realm: &Realm,
        user: &UserRef,
        number: &str,
        text: &str,
    ) -> Result<(), Refusal> {
        let system = self.user_ref(realm, &Uid::system()).await?;
        let content = serde_json::json!({"type": "text", "text": text});
        let draft = Draft {
            to: Address::direct(&user.uid),
            body: Body {
                client_no: number.into(),
                origin: Origin::REST,
                flags: Flags {
                    counts: true,
                    ..Flags::default()
                },
                payload: content.to_string().into(),
                ..Body::default()
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        };
        let sent = self.send_as(realm, Sender::Application(system), draft);
        sent.await.map_err(|refused| refused.why)?;
        Ok(())
    }
}
