//! Channels and their settings.

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::{
    ChannelChange, ChannelKey, ChannelKind, ChannelRecord, HistoryFrom, MemberChange, MemberRole,
};
use crosstalk_core::id::{Realm, Uid, UserRef};
use crosstalk_core::im::{HistoryQuery, Im, Viewer};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Segments};
use super::openapi::{Denials, Missing, Oversize};
use super::problem::Problem;
use super::view::KindName;
use crate::http::state::ApiState;

/// The longest name of a channel, characters.
const NAME_CHARS: usize = 200;
/// Members read at once.
const READ: u32 = 1000;

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel, example = json!({
    "kind": "group",
    "id": "team",
    "name": "The team",
    "ban": false,
    "disband": false,
    "send_ban": false,
    "large": false,
    "allow_stranger": false,
    "history": "all",
    "member_count": 2,
}))]
pub(super) struct ChannelView {
    /// The kind.
    #[schema(value_type = KindName)]
    kind: &'static str,
    /// The id within its kind.
    id: String,
    /// What people call it.
    name: Option<String>,
    /// Nobody may send.
    ban: bool,
    /// Dissolved for good.
    disband: bool,
    /// Nobody but owner, administrators and system may send.
    send_ban: bool,
    /// A mark for clients that ask.
    large: bool,
    /// Whoever writes needs no place on the allow list.
    allow_stranger: bool,
    /// From where members may read.
    history: History,
    /// How many members it has.
    member_count: u32,
}

/// From where members may read a channel's history.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum History {
    /// Everything there is.
    All,
    /// Only what was said since they joined.
    SinceJoin,
}

/// A change of a channel. What is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChannelChange, example = json!({
    "name": "The team",
    "owner": "alice",
    "members": ["alice", "bob"],
}))]
pub(super) struct NewChannel {
    /// What people call it.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// The owner, who becomes a member; a former owner becomes an administrator.
    owner: Option<String>,
    /// All members. Those who are not named leave, but the owner stays.
    members: Option<Vec<String>>,
    /// Nobody may send.
    ban: Option<bool>,
    /// Dissolved for good.
    disband: Option<bool>,
    /// Nobody but owner, administrators and system may send.
    send_ban: Option<bool>,
    /// A mark for clients that ask.
    large: Option<bool>,
    /// Whoever writes needs no place on the allow list.
    allow_stranger: Option<bool>,
    /// From where members may read.
    history: Option<History>,
}

impl From<HistoryFrom> for History {
    fn from(from: HistoryFrom) -> Self {
        match from {
            HistoryFrom::All => Self::All,
            HistoryFrom::SinceJoin => Self::SinceJoin,
        }
    }
}

impl From<History> for HistoryFrom {
    fn from(history: History) -> Self {
        match history {
            History::All => Self::All,
            History::SinceJoin => Self::SinceJoin,
        }
    }
}

impl From<ChannelRecord> for ChannelView {
    fn from(record: ChannelRecord) -> Self {
        let settings = record.settings;
        Self {
            kind: record.channel.key.kind.name(),
            id: record.channel.key.id.to_string(),
            name: settings.name,
            ban: settings.ban,
            disband: settings.disband,
            send_ban: settings.send_ban,
            large: settings.large,
            allow_stranger: settings.allow_stranger,
            history: settings.history.into(),
            member_count: record.member_count,
        }
    }
}

/// A channel that has settings and members: any but a direct one.
pub(super) fn with_members(realm: &Realm, kind: &str, id: &str) -> Result<ChannelKey, Problem> {
    let address = input::address(kind, id)?;
    if address.kind == ChannelKind::DIRECT {
        let why = "kind: a direct channel has no settings and no members";
        return Err(Problem::new(Refusal::UnsupportedChannelKind, why));
    }
    Ok(ChannelKey {
        realm: realm.clone(),
        kind: address.kind,
        id: address.id,
    })
}

/// The channel that `viewer` means by kind and id; the id of a direct one is the peer.
pub(super) fn seen_by(
    realm: &Realm,
    viewer: Option<&Uid>,
    kind: &str,
    id: &str,
) -> Result<ChannelKey, Problem> {
    if input::kind(kind)? != ChannelKind::DIRECT {
        return with_members(realm, kind, id);
    }
    let viewer =
        viewer.ok_or_else(|| Problem::field("user", "says whose direct channel is meant"))?;
    let peer = if id == Uid::SYSTEM {
        Uid::system()
    } else {
        input::uid("id", id)?
    };
    Ok(ChannelKey::direct(realm, viewer, &peer))
}

/// Refuses a user who does not belong to the channel.
pub(super) async fn must_belong(
    api: &ApiState,
    caller: &Caller,
    key: &ChannelKey,
) -> Result<(), Problem> {
    if let Caller::User(identity) = caller {
        let viewer = Viewer::User(identity.user.clone());
        let nothing = HistoryQuery {
            from: 1,
            to: 1,
            limit: 1,
            newest: false,
        };
        api.im.history(key, &viewer, nothing).await?;
    }
    Ok(())
}

/// A channel
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses((status = 200, description = "The channel", body = ChannelView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
) -> Result<Json<ChannelView>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    must_belong(&api, &caller, &key).await?;
    Ok(Json(api.im.channel(&key).await?.into()))
}

/// Create or change a channel
#[utoipa::path(
    put, path = "/v1/channels/{kind}/{id}", tag = "channels", request_body = NewChannel,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses((status = 200, description = "The channel", body = ChannelView), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn put_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(new): Body<NewChannel>,
) -> Result<Json<ChannelView>, Problem> {
    let realm = &caller.app()?.realm;
    let key = with_members(realm, &kind, &id)?;
    if let Some(name) = &new.name {
        input::check_name("name", name, NAME_CHARS)?;
    }
    let owner = new
        .owner
        .as_deref()
        .map(|owner| input::uid("owner", owner))
        .transpose()?;
    let members = new
        .members
        .as_deref()
        .map(|all| input::uids("members", all))
        .transpose()?;
    let change = ChannelChange {
        name: new.name,
        ban: new.ban,
        disband: new.disband,
        send_ban: new.send_ban,
        large: new.large,
        allow_stranger: new.allow_stranger,
        history: new.history.map(HistoryFrom::from),
    };
    let mut record = api.im.put_channel(&key, change).await?;
    if owner.is_some() || members.is_some() {
        let owner = match owner {
            Some(owner) => Some(api.im.user_ref(realm, &owner).await?),
            None => None,
        };
        if let Some(members) = members {
            let members = api.im.user_refs(realm, &members).await?;
            set_members(&api.im, &key, members, owner.as_ref()).await?;
        }
        if let Some(owner) = owner {
            let join = vec![MemberChange::Join(owner, MemberRole::Owner)];
            api.im.change_members(&key, join).await?;
        }
        record = api.im.channel(&key).await?;
    }
    Ok(Json(record.into()))
}

/// Makes the members exactly these and the owner, the new one if there is one. Whoever is a
/// member already keeps their role.
async fn set_members(
    im: &Im,
    key: &ChannelKey,
    mut members: Vec<UserRef>,
    new_owner: Option<&UserRef>,
) -> Result<(), Refusal> {
    match new_owner {
        Some(owner) => members.push(owner.clone()),
        None => members.extend(owner(im, key).await?),
    }
    im.keep_members(key, members.clone()).await?;
    let enter = members.into_iter().map(MemberChange::Enter).collect();
    im.change_members(key, enter).await.map(drop)
}

/// The channel's owner, if it has one.
async fn owner(im: &Im, key: &ChannelKey) -> Result<Option<UserRef>, Refusal> {
    let mut after = None;
    loop {
        let page = im.members(key, after, READ).await?;
        if let Some(owner) = page.iter().find(|it| it.role == MemberRole::Owner) {
            return Ok(Some(owner.user.clone()));
        }
        match page.last() {
            Some(last) => after = Some(last.user.num),
            None => return Ok(None),
        }
    }
}
