//! Ways into a channel that need somebody's word: requests to join, invitations, and links.

use async_trait::async_trait;

use super::{ChannelKey, ChannelRef};
use crate::change::{ChannelName, JoinRequestView};
use crate::id::{ChannelNum, UserNum, UserRef};
use crate::store::StoreResult;
use std::sync::Arc;

/// For how long somebody may be answered, in ms: 30 days.
pub const REQUEST_LIFE_MS: i64 = 30 * 24 * 3_600_000;
/// For how long it is kept how somebody was answered, in ms: 90 days.
pub const REQUEST_KEPT_MS: i64 = 90 * 24 * 3_600_000;
/// Requests that are told of when all of a channel end; the others are only found so.
pub const MAX_ENDED: u32 = 1000;
/// How many requests of one channel may wait for an answer.
pub const MAX_WAITING_IN_CHANNEL: u32 = 10_000;
/// How many requests of and invitations to one user may wait for an answer.
pub const MAX_WAITING_OF_USER: u32 = 500;
/// How many links of one channel may be in use.
pub const MAX_LINKS: u32 = 100;
/// How many users may be asked, or asked for, at once. Each is kept by itself.
pub const MAX_ASKED: usize = 100;
/// The longest message of a request, characters.
pub const MAX_MESSAGE_CHARS: usize = 500;

/// The id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub i64);

/// What has become of a request. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinStatus {
    /// Nobody has answered.
    Pending = 0,
    /// The user has joined.
    Accepted = 1,
    /// Refused.
    Rejected = 2,
    /// Taken back.
    Cancelled = 3,
    /// Nobody has answered in time. Never stored: it follows from the time.
    Expired = 4,
}

impl JoinStatus {
    /// The status with a stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Accepted,
            2 => Self::Rejected,
            3 => Self::Cancelled,
            4 => Self::Expired,
            _ => Self::Pending,
        }
    }

    /// Its name in REST and in changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Accepted,
            Self::Rejected,
            Self::Cancelled,
            Self::Expired,
        ];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// Who answers a request. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    /// Those who moderate the channel: somebody wants to join.
    Moderators = 0,
    /// The user: somebody wants them to join.
    User = 1,
}

impl Decider {
    /// Its name in REST and in changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Moderators => "moderators",
            Self::User => "user",
        }
    }
}

/// A wish to join a channel, or an invitation to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRequest {
    /// Its id.
    pub id: RequestId,
    /// The channel's chat log.
    pub channel: Arc<ChannelRef>,
    /// Who would join.
    pub user: UserRef,
    /// Who has invited them; `None` = they ask by themselves, or the application invites.
    pub inviter: Option<UserRef>,
    /// Who answers.
    pub decider: Decider,
    /// What was said with it.
    pub message: String,
    /// What has become of it, as stored.
    pub status: JoinStatus,
    /// Who has answered; `None` = nobody yet, or the application.
    pub by: Option<UserRef>,
    /// When it was made, ms since 1970.
    pub created_at_ms: i64,
    /// When it was answered, ms since 1970; 0 = not yet.
    pub decided_at_ms: i64,
}

impl JoinRequest {
    /// What has become of it by now.
    #[must_use]
    pub fn status_at(&self, now_ms: i64) -> JoinStatus {
        if self.status == JoinStatus::Pending && now_ms >= self.expires_at_ms() {
            JoinStatus::Expired
        } else {
            self.status
        }
    }

    /// Until when it may be answered, ms since 1970.
    #[must_use]
    pub fn expires_at_ms(&self) -> i64 {
        self.created_at_ms.saturating_add(REQUEST_LIFE_MS)
    }

    /// It as changes show it.
    #[must_use]
    pub fn view(&self, now_ms: i64) -> JoinRequestView {
        let text = |user: &Option<UserRef>| {
            let user = user.as_ref();
            user.map_or(String::new(), |user| user.uid.as_str().to_owned())
        };
        JoinRequestView {
            id: self.id.0.to_string(),
            channel: ChannelName::of(&self.channel.key),
            user: self.user.uid.as_str().to_owned(),
            inviter: text(&self.inviter),
            decider: self.decider.name().to_owned(),
            message: self.message.clone(),
            status: self.status_at(now_ms).name().to_owned(),
            by: text(&self.by),
            created_at_ms: self.created_at_ms,
        }
    }
}

/// A link by which users join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// What whoever joins shows.
    pub token: String,
    /// Where it leads.
    pub key: ChannelKey,
    /// Who made it; `None` = the application.
    pub by: Option<UserRef>,
    /// How often it may be used; 0 = as often as one likes.
    pub max_uses: u32,
    /// How often it was used.
    pub uses: u32,
    /// Until when it may be used, ms since 1970; 0 = always.
    pub expires_at_ms: i64,
    /// When it was made, ms since 1970.
    pub created_at_ms: i64,
}

impl InviteLink {
    /// Whether it may be used now.
    #[must_use]
    pub fn is_good(&self, now_ms: i64) -> bool {
        (self.max_uses == 0 || self.uses < self.max_uses)
            && (self.expires_at_ms == 0 || now_ms < self.expires_at_ms)
    }
}

/// The store of requests and links. Each change is durable when it returns.
#[async_trait]
pub trait Joining: Send + Sync + 'static {
    /// Keeps a request. If one that is like it (channel, user, who answers) waits still, that
    /// one gets the new message and inviter (but who asks by themselves is invited by nobody)
    /// and is returned. `None` if too many wait, of the
    /// channel ([`MAX_WAITING_IN_CHANNEL`]) or of the user ([`MAX_WAITING_OF_USER`]). What was
    /// made longer than [`REQUEST_KEPT_MS`] before it is forgotten.
    async fn keep_request(&self, request: &JoinRequest) -> StoreResult<Option<JoinRequest>>;

    /// A request.
    async fn request(&self, id: RequestId) -> StoreResult<Option<JoinRequest>>;

    /// The request of a user in a channel that waits for the answer of one, if it was made
    /// after `since_ms`.
    async fn waiting(
        &self,
        channel: ChannelNum,
        user: UserNum,
        decider: Decider,
        since_ms: i64,
    ) -> StoreResult<Option<JoinRequest>>;

    /// Answers a request that waits. False if it does not.
    async fn decide_request(
        &self,
        id: RequestId,
        status: JoinStatus,
        by: Option<UserNum>,
        at_ms: i64,
    ) -> StoreResult<bool>;

    /// Takes back all requests and invitations of a channel that wait. Returns the newest of
    /// them, at most [`MAX_ENDED`].
    async fn end_requests(
        &self,
        channel: ChannelNum,
        by: Option<UserNum>,
        at_ms: i64,
    ) -> StoreResult<Vec<JoinRequest>>;

    /// Requests of a channel below an id, newest first.
    async fn requests_of_channel(
        &self,
        channel: ChannelNum,
        before: Option<RequestId>,
        limit: u32,
    ) -> StoreResult<Vec<JoinRequest>>;

    /// Requests of and invitations to a user below an id, newest first.
    async fn requests_of_user(
        &self,
        user: UserNum,
        before: Option<RequestId>,
        limit: u32,
    ) -> StoreResult<Vec<JoinRequest>>;

    /// Keeps a link; false if there are too many of the channel ([`MAX_LINKS`]). Those that
    /// are over make room.
    async fn keep_link(&self, channel: ChannelNum, link: &InviteLink) -> StoreResult<bool>;

    /// A link.
    async fn link(&self, token: &str) -> StoreResult<Option<InviteLink>>;

    /// The links of a channel, newest first.
    async fn links(&self, channel: ChannelNum) -> StoreResult<Vec<InviteLink>>;

    /// Takes a link away. False if there is none.
    async fn remove_link(&self, channel: ChannelNum, token: &str) -> StoreResult<bool>;

    /// Uses a link once. False if it is not there, or is over at `now_ms`.
    async fn use_link(&self, token: &str, now_ms: i64) -> StoreResult<bool>;
}
