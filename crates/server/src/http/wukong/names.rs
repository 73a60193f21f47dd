//! Users and channels as this API names them: a personal channel by the peer's uid together
//! with the acting user's, the system sender by a blank uid (protocols/wukong.md §4.0, §6.1).

use crosstalk_core::channel::{Address, ChannelKey, ChannelKind};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::refusal::Refusal;

use super::answer::Failure;

/// A user's id in the field `field`. The system sender's is refused.
pub(super) fn uid(field: &str, text: &str) -> Result<Uid, Failure> {
    if text.is_empty() {
        return Err(Failure::new(format!("{field} must not be empty")));
    }
    Uid::parse(text).map_err(|why| Failure::new(format!("{field}: {why}")))
}

/// The ids in the list `field`, each once.
pub(super) fn uids(field: &str, texts: &[String]) -> Result<Vec<Uid>, Failure> {
    let mut seen = std::collections::HashSet::with_capacity(texts.len());
    let mut uids = Vec::with_capacity(texts.len());
    for text in texts {
        let uid = uid(field, text)?;
        if seen.insert(uid.clone()) {
            uids.push(uid);
        }
    }
    Ok(uids)
}

/// A sender: blank is the system.
pub(super) fn sender(text: &str) -> Result<Uid, Failure> {
    if text.is_empty() {
        Ok(Uid::system())
    } else {
        user_or_system("from_uid", text)
    }
}

/// The uid that answers show: the system sender's is blank.
pub(super) fn shown(uid: &Uid) -> &str {
    if uid.is_system() { "" } else { uid.as_str() }
}

/// A user or the system sender.
pub(super) fn user_or_system(field: &str, text: &str) -> Result<Uid, Failure> {
    if text == Uid::SYSTEM {
        Ok(Uid::system())
    } else {
        uid(field, text)
    }
}

/// A kind of channel.
pub(super) fn kind(channel_type: i64) -> Result<ChannelKind, Failure> {
    let kind = u8::try_from(channel_type).ok().map(ChannelKind);
    kind.filter(|kind| kind.is_known())
        .ok_or_else(|| Failure::new(format!("channel_type: there is no type {channel_type}")))
}

/// A channel to send to.
pub(super) fn address(kind: ChannelKind, id: &str) -> Result<Address, Failure> {
    Address::parse(kind, id).map_err(|why| match why {
        _ if id.is_empty() => Failure::new("channel_id must not be empty"),
        Refusal::InvalidChannelId => Failure::new(format!(
            "channel_id: no channel of type {} can have the id {id:?}",
            kind.0
        )),
        other => other.into(),
    })
}

/// A channel that has settings and subscribers: any but a personal one.
pub(super) fn shared(realm: &Realm, kind: ChannelKind, id: &str) -> Result<ChannelKey, Failure> {
    if kind == ChannelKind::DIRECT {
        return Err(Failure::new(
            "channel_type: a personal channel has no subscribers",
        ));
    }
    let address = address(kind, id)?;
    Ok(ChannelKey {
        realm: realm.clone(),
        kind,
        id: address.id,
    })
}

/// A channel as `viewer` names it: a personal one by the peer, or by its internal id.
pub(super) fn seen_by(
    realm: &Realm,
    viewer: &str,
    kind: ChannelKind,
    id: &str,
) -> Result<ChannelKey, Failure> {
    if kind != ChannelKind::DIRECT {
        return shared(realm, kind, id);
    }
    if let Some((one, other)) = id.split_once('@') {
        let one = user_or_system("channel_id", one)?;
        let other = user_or_system("channel_id", other)?;
        return Ok(ChannelKey::direct(realm, &one, &other));
    }
    let viewer = user_or_system("login_uid", viewer)?;
    let peer = user_or_system("channel_id", id)?;
    Ok(ChannelKey::direct(realm, &viewer, &peer))
}

/// The id by which the original knows a channel itself (protocols/wukong.md §6.1): of a
/// personal one both uids, that with the larger checksum first.
pub(super) fn internal(key: &ChannelKey) -> String {
    let Some((low, high)) = key.pair() else {
        return key.id.to_string();
    };
    let checksum = |uid: &str| crc32fast::hash(uid.as_bytes());
    if checksum(low) > checksum(high) {
        format!("{low}@{high}")
    } else {
        format!("{high}@{low}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_refused() {
        for text in ["", "a@b", "a#b", "a&b", "____system", "____x", "a b"] {
            assert!(uid("uid", text).is_err(), "{text:?}");
        }
        assert_eq!(sender(""), Ok(Uid::system()));
        assert_eq!(sender("____system"), Ok(Uid::system()));
        assert!(sender("____manager").is_err());
        assert_eq!(shown(&Uid::system()), "");
    }

    #[test]
    fn a_personal_channel_has_three_names() {
        let realm = Realm::default();
        let key = |viewer, id| seen_by(&realm, viewer, ChannelKind::DIRECT, id);
        assert_eq!(key("alice", "bob"), key("bob", "alice"));
        assert_eq!(key("alice", "bob"), key("", "bob@alice"));
        assert_eq!(key("alice", "bob"), key("", "alice@bob"));
        assert!(key("alice", "____system").is_ok());
        assert!(key("", "bob").is_err());
        assert!(key("alice", "").is_err());
    }

    #[test]
    fn internal_ids_are_those_of_the_original() {
        let realm = Realm::default();
        for (one, other, id) in [
            ("alice", "bob", "bob@alice"),
            ("u2", "u1", "u2@u1"),
            ("10001", "10002", "10002@10001"),
        ] {
            let key = seen_by(&realm, one, ChannelKind::DIRECT, other).expect("a channel");
            assert_eq!(internal(&key), id);
            assert_eq!(seen_by(&realm, "", ChannelKind::DIRECT, id), Ok(key));
        }
        let group = shared(&realm, ChannelKind::GROUP, "g1").expect("a channel");
        assert_eq!(internal(&group), "g1");
    }

    #[test]
    fn types_are_the_twelve() {
        assert!(kind(1).is_ok());
        assert!(kind(12).is_ok());
        for number in [0, 13, 77, 256, -1, i64::MAX] {
            assert!(kind(number).is_err(), "{number}");
        }
        assert!(shared(&Realm::default(), ChannelKind::DIRECT, "bob").is_err());
        assert!(shared(&Realm::default(), ChannelKind::TOPIC, "c@t").is_ok());
    }
}
