//! Commands to a list of users instead of a channel (protocols/wukong.md §4.3). For those that
//! are stored a temporary channel stands for the list, the same one for the same users; the
//! others go to whoever is online, and nothing is made for them.

use crosstalk_core::channel::{Address, ChannelKey, ChannelKind, MemberChange};
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::message::Body;
use crosstalk_core::refusal::Refusal;
use sha2::{Digest, Sha256};

use super::answer::Failure;
use super::subscribers;
use crate::http::state::WukongApiState;

/// The channel in whose name commands go to whoever is online. There is no such channel.
const ONLINE_ID: &str = "systemcmdonline";

/// Where to send what is meant for exactly these users.
pub(super) async fn address(api: &WukongApiState, uids: &[Uid]) -> Result<Address, Failure> {
    let id = id(uids);
    let address = Address::parse(ChannelKind::TEMPORARY, &id)?;
    let key = ChannelKey {
        realm: api.realm.clone(),
        kind: ChannelKind::TEMPORARY,
        id: address.id.clone(),
    };
    let is_there = match api.im.channel(&key).await {
        // The id stands for the list: whoever is missing was cut off by a failure.
        Ok(record) => record.member_count as usize == uids.len(),
        Err(Refusal::NoSuchChannel) => false,
        Err(why) => return Err(why.into()),
    };
    if !is_there {
        let users = api.im.user_refs(&api.realm, uids).await?;
        let enter = users.into_iter().map(MemberChange::Enter);
        api.im.change_members(&key, enter.collect()).await?;
    }
    Ok(address)
}

/// Tells those of these users who are online.
pub(super) async fn push_online(
    api: &WukongApiState,
    sender: &UserRef,
    uids: &[Uid],
    body: Body,
) -> Result<(), Failure> {
    let key = ChannelKey {
        realm: api.realm.clone(),
        kind: ChannelKind::TEMPORARY,
        id: ONLINE_ID.into(),
    };
    let users = subscribers::known(api, uids).await?;
    api.im.push_online(key, sender, &users, body)?;
    Ok(())
}

/// The id of the channel for a list, whatever its order.
fn id(uids: &[Uid]) -> String {
    let mut sorted: Vec<&str> = uids.iter().map(Uid::as_str).collect();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for uid in sorted {
        hash.update(uid);
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_depends_on_the_users_and_not_on_their_order() {
        let uids = |texts: &[&str]| -> Vec<Uid> {
            texts
                .iter()
                .map(|text| Uid::parse(text).expect("a uid"))
                .collect()
        };
        let id_of = |texts: &[&str]| id(&uids(texts));
        assert_eq!(id_of(&["a", "b"]), id_of(&["b", "a"]));
        assert_ne!(id_of(&["a", "b"]), id_of(&["ab"]));
        assert_ne!(id_of(&["a", "b"]), id_of(&["a", "b", "c"]));
        assert!(Address::parse(ChannelKind::TEMPORARY, &id_of(&["a"])).is_ok());
    }
}
