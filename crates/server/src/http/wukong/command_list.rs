//! Commands to a list of users instead of a channel (protocols/wukong.md §4.3): a temporary
//! channel stands for the list, the same one for the same users.

use crosstalk_core::channel::{Address, ChannelKey, ChannelKind, MemberChange, MemberRole};
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use sha2::{Digest, Sha256};

use super::answer::Failure;
use crate::http::state::WukongApiState;

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
        let joins = users
            .into_iter()
            .map(|user| MemberChange::Join(user, MemberRole::Member));
        api.im.change_members(&key, joins.collect()).await?;
    }
    Ok(address)
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
