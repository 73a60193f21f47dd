//! Who was not there when a message came: worked out when it is told, in chunks, so that
//! nothing of it is done when it is sent.

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{Uid, UserNum, UserRef};
use crosstalk_core::im::Im;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::DeviceLevel;

use super::bodies::OfflineData;
use super::data::json;
use super::event::Happened;

/// Members that are looked at for one event.
const CHUNK: u32 = 1000;

/// When somebody counts as being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// With any session.
    AnySession,
    /// With a session of a main device, as `WuKongIM` has it.
    MainDevice,
}

/// The events that say who was not there, one for each chunk in which somebody was not.
pub(super) async fn of_message(
    im: &Im,
    told: &Happened,
    presence: Presence,
) -> Result<Vec<Happened>, Refusal> {
    let Some(message) = told.message.as_deref() else {
        return Ok(Vec::new());
    };
    if message.channel.log != LogKind::Chat {
        return Ok(Vec::new());
    }
    let key = &message.channel.key;
    if let Some(peer) = key.peer_of(message.sender.uid.as_str()) {
        let peer = im.find_user(&key.realm, &Uid::from_store(peer)).await?;
        let peers: Vec<UserRef> = peer.into_iter().collect();
        return Ok(chunk(im, told, message, &peers, presence, 0)
            .into_iter()
            .collect());
    }
    let (mut all, mut after, mut n) = (Vec::new(), None, 0);
    loop {
        let members = match im.members(key, after, CHUNK).await {
            Ok(members) => members,
            // A channel that was never made has nobody.
            Err(Refusal::NoSuchChannel) => return Ok(all),
            Err(why) => return Err(why),
        };
        let Some(last) = members.last() else {
            return Ok(all);
        };
        after = Some(last.user.num);
        let users: Vec<UserRef> = members.into_iter().map(|member| member.user).collect();
        all.extend(chunk(im, told, message, &users, presence, n));
        n += 1;
    }
}

fn chunk(
    im: &Im,
    told: &Happened,
    message: &Message,
    users: &[UserRef],
    presence: Presence,
    n: u32,
) -> Option<Happened> {
    let absent: Vec<String> = users
        .iter()
        .filter(|user| {
            user.num != message.sender.num
                && message.is_for(user.num)
                && !is_there(im, user.num, presence)
        })
        .map(|user| user.uid.as_str().to_owned())
        .collect();
    if absent.is_empty() {
        return None;
    }
    Some(Happened {
        id: format!("{}-{n}", told.id),
        name: "message.offline".to_owned(),
        data: json(&OfflineData {
            message: told.data.clone(),
            users: absent.clone(),
        }),
        absent,
        ..told.clone()
    })
}

fn is_there(im: &Im, user: UserNum, presence: Presence) -> bool {
    match presence {
        Presence::AnySession => im.hub().is_online(user),
        Presence::MainDevice => {
            let mut is_there = false;
            im.hub().each_of(user, |session| {
                is_there |= session.device.level == DeviceLevel::Master;
            });
            is_there
        }
    }
}
