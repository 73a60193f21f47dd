//! Changes of a channel's members that keep the roles people have: naming a member again does
//! not make an ordinary one of an owner or administrator.

use std::collections::{HashMap, HashSet};

use crosstalk_core::channel::{ChannelKey, MemberChange, MemberRole};
use crosstalk_core::id::{UserNum, UserRef};
use crosstalk_core::im::Im;
use crosstalk_core::refusal::Refusal;

/// Members read at once.
const READ: u32 = 10_000;

/// What a list of members is to become.
pub(in crate::http) struct Wanted {
    /// The owner, if that is to change.
    pub(in crate::http) owner: Option<UserRef>,
    /// Everybody, if that is to change; the owner belongs to them anyway.
    pub(in crate::http) members: Option<Vec<UserRef>>,
}

/// Makes users ordinary members; those who are members already stay what they are. The channel
/// is created if there is none. Returns how many members it has then.
pub(in crate::http) async fn add(
    im: &Im,
    key: &ChannelKey,
    users: Vec<UserRef>,
) -> Result<u32, Refusal> {
    let present = roles(im, key).await?;
    let new = users
        .into_iter()
        .filter(|user| !present.contains_key(&user.num));
    let joins = new
        .map(|user| MemberChange::Join(user, MemberRole::Member))
        .collect();
    im.change_members(key, joins).await
}

/// Makes the members exactly what is wanted. A former owner who stays is an ordinary member.
/// The channel is created if there is none.
pub(in crate::http) async fn set(im: &Im, key: &ChannelKey, wanted: Wanted) -> Result<(), Refusal> {
    let present = roles(im, key).await?;
    let Wanted { owner, members } = wanted;
    let mut changes = Vec::new();
    let named: Option<HashSet<UserNum>> = members
        .as_ref()
        .map(|members| members.iter().map(|user| user.num).collect());
    for (num, (user, role)) in &present {
        let is_owner = *role == MemberRole::Owner;
        let is_new_owner = owner.as_ref().is_some_and(|new| new.num == *num);
        let stays = named.as_ref().is_none_or(|named| named.contains(num));
        if is_new_owner || is_owner && owner.is_none() {
            continue;
        }
        if !stays {
            changes.push(MemberChange::Leave(user.clone()));
        } else if is_owner {
            changes.push(MemberChange::Join(user.clone(), MemberRole::Member));
        }
    }
    let joins = members
        .into_iter()
        .flatten()
        .filter(|user| !present.contains_key(&user.num));
    changes.extend(joins.map(|user| MemberChange::Join(user, MemberRole::Member)));
    changes.extend(owner.map(|owner| MemberChange::Join(owner, MemberRole::Owner)));
    im.change_members(key, changes).await.map(drop)
}

/// All members with their roles; none if there is no channel.
async fn roles(
    im: &Im,
    key: &ChannelKey,
) -> Result<HashMap<UserNum, (UserRef, MemberRole)>, Refusal> {
    let mut all = HashMap::new();
    let mut after = None;
    loop {
        let page = match im.members(key, after, READ).await {
            Ok(page) => page,
            Err(Refusal::NoSuchChannel) => return Ok(all),
            Err(why) => return Err(why),
        };
        let is_last = page.len() < READ as usize;
        after = page.last().map(|member| member.user.num);
        all.extend(page.into_iter().map(|m| (m.user.num, (m.user, m.role))));
        if is_last {
            return Ok(all);
        }
    }
}
