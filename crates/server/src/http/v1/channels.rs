//! Channels and their settings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::channel::{ChannelKey, ChannelKind, ChannelRecord, MemberChange, MemberRole};
use crosstalk_core::deliver::{GroupVerb, Operator};
use crosstalk_core::id::{Realm, Uid, UserRef};
use crosstalk_core::im::{HistoryQuery, Im, Viewer};
use crosstalk_core::refusal::Refusal;

use super::acting::{Acting, existing, named_users, not_brought, operator};
use super::auth::Caller;
use super::channel_settings::{ChannelView, NewChannel, PatchChannel, PutChannel};
use super::input::{self, Body, Params, Segments};
use super::members::MOST_USERS;
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::KindName;
use crate::http::state::ApiState;

/// What cursors of a user's channels begin with.
const OF_USER: &str = "uc";

/// Random bytes in an id that is made here.
const ID_BYTES: usize = 12;

/// A channel as it is shown.
pub(super) async fn shown(
    api: &ApiState,
    key: &ChannelKey,
    record: ChannelRecord,
) -> Result<Json<ChannelView>, Problem> {
    let owner = api.im.owner(key).await?;
    let now_ms = api.im.clock().now_ms();
    Ok(Json(ChannelView::new(record, owner, now_ms)))
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
    let record = api.im.channel(&key).await?;
    shown(&api, &key, record).await
}

/// Create or change a channel
#[utoipa::path(
    put, path = "/v1/channels/{kind}/{id}", tag = "channels", request_body = PutChannel,
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
    Body(new): Body<PutChannel>,
) -> Result<Json<ChannelView>, Problem> {
    let realm = &caller.app()?.realm;
    let key = with_members(realm, &kind, &id)?;
    let mut change = new.change()?;
    if let Some(announcement) = &mut change.announcement {
        announcement.at_ms = api.im.clock().now_ms();
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
    shown(&api, &key, record).await
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
        None => members.extend(im.owner(key).await?),
    }
    im.keep_members(key, members.clone()).await?;
    let enter = members.into_iter().map(MemberChange::Enter).collect();
    im.change_members(key, enter).await.map(drop)
}

/// Create a channel
///
/// With a user token the user owns it. It is refused if there is one with that id.
#[utoipa::path(
    post, path = "/v1/channels", tag = "channels", request_body = NewChannel,
    responses(
        (status = 201, description = "The channel", body = ChannelView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn create_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewChannel>,
) -> Result<(StatusCode, Json<ChannelView>), Problem> {
    let realm = caller.realm()?;
    let kind = new.kind.as_deref().unwrap_or(ChannelKind::GROUP.name());
    let id = new.id.clone().unwrap_or_else(|| made_id(&api));
    let key = with_members(realm, kind, &id)?;
    let change = new.change()?;
    let by = operator(&api, &caller, None).await?;
    let owner = match (&by, &new.owner) {
        (Operator::User(user), named) => {
            caller.reaches(named.as_deref().unwrap_or(user.uid.as_str()))?;
            Some(user.clone())
        }
        (Operator::Application, Some(owner)) => {
            Some(existing(&api, &caller, "owner", owner).await?)
        }
        (Operator::Application, None) => None,
    };
    if by.user().is_some() && change.is_for_the_application() {
        let why = "ban, disband, send_ban, large and allow_stranger are the application's";
        return Err(Problem::new(Refusal::Forbidden, why));
    }
    let members = new.members.as_deref().unwrap_or_default();
    let mut members = named_users(&api, &caller, &by, "members", members, MOST_USERS).await?;
    members.retain(|member| Some(member) != owner.as_ref());
    let verb = GroupVerb::Create {
        change: Box::new(change),
        owner,
        members: members.clone(),
    };
    let user = by.user().cloned();
    match api.im.group(&key, by, verb).await {
        Ok(_) => {}
        Err(why @ Refusal::InvalidChannelId) => {
            let taken = "id: names of the server and forms of accounts are taken";
            return Err(Problem::new(why, taken));
        }
        Err(why) => return Err(not_brought(&api, &key, user.as_ref(), &members, why).await),
    }
    let record = api.im.channel(&key).await?;
    let channel = shown(&api, &key, record).await?;
    Ok((StatusCode::CREATED, channel))
}

fn made_id(api: &ApiState) -> String {
    let mut bytes = [0; ID_BYTES];
    api.im.clock().fill_random(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Change a channel's settings
///
/// Who may is said by the settings themselves: `edit_by` for name, picture and announcement,
/// the owner and administrators for the rest.
#[utoipa::path(
    patch, path = "/v1/channels/{kind}/{id}", tag = "channels", request_body = PatchChannel,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses(
        (status = 200, description = "The channel", body = ChannelView),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn patch_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(patch): Body<PatchChannel>,
) -> Result<Json<ChannelView>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, patch.operator.as_deref()).await?;
    let verb = GroupVerb::Update(Box::new(patch.change()?));
    api.im.group(&key, by, verb).await?;
    let record = api.im.channel(&key).await?;
    shown(&api, &key, record).await
}

/// Dissolve a channel
///
/// Nobody sends or joins afterwards; who belongs to it may still read. Only the owner and the
/// application may.
#[utoipa::path(
    delete, path = "/v1/channels/{kind}/{id}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        Acting,
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn dissolve_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(acting): Params<Acting>,
) -> Result<StatusCode, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    api.im.group(&key, by, GroupVerb::Dissolve).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user's channels
///
/// Those to which the user belongs, in the order in which they were made; direct ones are not
/// among them.
#[utoipa::path(
    get, path = "/v1/users/{uid}/channels", tag = "channels",
    params(("uid" = String, Path, description = "The user; with a user token also `me`"), Paging),
    responses(
        (status = 200, description = "Channels", body = Page<ChannelView>), Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_user_channels(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ChannelView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let limit = paging.limit()? as usize;
    let after = paging.after(OF_USER)?.map_or(i64::MIN, |[num]| num);
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let mut channels = api.im.channels_of(&user).await?;
    channels.retain(|channel| channel.num.0 > after);
    let is_more = channels.len() > limit;
    channels.truncate(limit);
    let last = channels.last().filter(|_| is_more);
    let next_cursor = last.map(|last| page::encode(OF_USER, [last.num.0]));
    let mut items = Vec::with_capacity(channels.len());
    for channel in channels {
        let record = api.im.channel(&channel.key).await?;
        let Json(view) = shown(&api, &channel.key, record).await?;
        items.push(view);
    }
    Ok(Json(Page { items, next_cursor }))
}
