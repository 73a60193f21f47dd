//! A message as one client sees it: rewritten for its receiver (mqtt.md S3-12, S3-13, Q3-14),
//! for delivery and for HTTP alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use crosstalk_core::change::{Change, MessageName};
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::directory::{Aliases, AppId};
use crosstalk_core::id::{MessageId, Realm, Uid, UserRef};
use crosstalk_core::message::{Body, Message, Origin};
use crosstalk_wire::mqtt::im::background::Event;
use crosstalk_wire::mqtt::im::{MsgType, Outbound, SYSTEM, TypeForm, TypeTable, TypeValue};
use serde::{Deserialize, Serialize};

use super::changes::changed;
use super::habit::Habit;
use super::map;
use super::publish::GROUP_PREFIX;
use super::settings::MqttSettings;
use super::users;
use crate::content::content_for;
use crate::registry::Dialect;
use crate::reserved::is_forged;

/// What is kept beside the content: members of the envelope that must come back as they were
/// sent, and who is who in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Extra {
    /// `target` of a message to one user.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) target: String,
    /// The uids of the users whom the content names by account.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) users: BTreeMap<String, String>,
}

impl Extra {
    pub(super) fn of(body: &Body) -> Self {
        let extra = body.extra.as_ref().filter(|_| is_ours(body.origin));
        extra
            .and_then(|json| serde_json::from_slice(json).ok())
            .unwrap_or_default()
    }

    pub(super) fn encode(&self) -> Option<Bytes> {
        if *self == Self::default() {
            return None;
        }
        serde_json::to_vec(self).ok().map(Bytes::from)
    }
}

fn is_ours(origin: Origin) -> bool {
    origin == Dialect::Mqtt.origin()
}

/// Who looks at messages.
#[derive(Debug, Clone)]
pub struct MqttReader {
    aliases: Aliases,
    realm: Realm,
    uid: Uid,
    account: String,
    tenant_no: String,
    table: TypeTable,
    /// How `type` is written.
    pub form: TypeForm,
}

/// Between whom something is.
struct Parties {
    from: String,
    to: String,
    target: String,
}

/// What a client is told that is no message.
pub(super) struct Telling<'a> {
    pub(super) id: &'a str,
    pub(super) event: &'a Event,
    pub(super) at_ms: i64,
}

impl MqttReader {
    /// A user of a realm, as a client of an app.
    #[must_use]
    pub fn new(
        settings: &MqttSettings,
        realm: &Realm,
        user: &UserRef,
        app: Option<&AppId>,
    ) -> Self {
        let account = settings.aliases.of(realm, &user.uid).as_str().to_owned();
        let tenant_no = app.map_or_else(|| realm.as_str(), AppId::as_str);
        Self {
            aliases: settings.aliases.clone(),
            realm: realm.clone(),
            uid: user.uid.clone(),
            account,
            tenant_no: tenant_no.to_owned(),
            table: settings.table(app),
            form: TypeForm::default(),
        }
    }

    /// Writes `type` as the reader's device does, by what is kept with its registration.
    pub fn remember(&mut self, habit: &str) {
        if let Some(habit) = Habit::parse(habit) {
            self.form = habit.form;
        }
    }

    /// The user's account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    pub(super) fn uid(&self) -> &Uid {
        &self.uid
    }

    pub(super) fn realm(&self) -> &Realm {
        &self.realm
    }

    pub(super) fn tenant_no(&self) -> &str {
        &self.tenant_no
    }

    pub(super) fn table(&self) -> &TypeTable {
        &self.table
    }

    /// The account of a user.
    pub(super) fn account_of(&self, uid: &str) -> String {
        match Uid::parse(uid) {
            Ok(uid) if uid == self.uid => self.account.clone(),
            Ok(uid) => self.aliases.of(&self.realm, &uid).as_str().to_owned(),
            // What is no uid is the server itself.
            Err(_) => SYSTEM.to_owned(),
        }
    }

    /// What the reader calls a conversation: an account, or a group's id, with a prefix where
    /// it would pass for an account or the server.
    pub(super) fn name_of_channel(&self, channel: &ChannelKey) -> String {
        match channel.peer_of(self.uid.as_str()) {
            Some(peer) => self.account_of(peer),
            None if channel.looks_like_a_user() => format!("{GROUP_PREFIX}{}", channel.id),
            None => channel.id.to_string(),
        }
    }

    fn parties(&self, channel: &ChannelKey, actor: &str) -> Parties {
        let actor_account = self.account_of(actor);
        if channel.kind != ChannelKind::DIRECT {
            return Parties {
                from: self.name_of_channel(channel),
                to: self.account.clone(),
                target: actor_account,
            };
        }
        let is_own = actor == self.uid.as_str();
        let to = if is_own {
            self.account_of(channel.id_for(actor))
        } else {
            self.account.clone()
        };
        Parties {
            from: actor_account,
            to,
            target: String::new(),
        }
    }

    /// What happened in a channel, through whom.
    pub(super) fn happened(
        &self,
        channel: &ChannelKey,
        actor: &str,
        telling: &Telling<'_>,
    ) -> Bytes {
        let parties = self.parties(channel, actor);
        self.told(&parties, telling)
    }

    /// What the server itself has to say.
    pub(super) fn system(&self, telling: &Telling<'_>) -> Bytes {
        let parties = Parties {
            from: SYSTEM.to_owned(),
            to: self.account.clone(),
            target: String::new(),
        };
        self.told(&parties, telling)
    }

    fn told(&self, parties: &Parties, telling: &Telling<'_>) -> Bytes {
        let outbound = Outbound {
            id: telling.id,
            from: &parties.from,
            to: &parties.to,
            tenant_no: &self.tenant_no,
            target: &parties.target,
            kind: &MsgType::Background.into(),
            form: self.form,
            content: &telling.event.to_content(),
            timestamp_ms: telling.at_ms,
            is_background: true,
        };
        self.written(&outbound)
    }

    fn written(&self, outbound: &Outbound<'_>) -> Bytes {
        let mut out = BytesMut::with_capacity(outbound.content.len() + 256);
        outbound.write(&self.table, &mut out);
        out.freeze()
    }
}

/// A message's envelope for a reader; `None` if clients of this dialect are not shown it.
#[must_use]
pub fn mqtt_envelope(message: &Message, reader: &MqttReader) -> Option<Bytes> {
    if message.is_concealed {
        return None;
    }
    if let Some(change) = Change::of(message) {
        return changed(message, &change, reader);
    }
    let sender = message.sender.uid.as_str();
    let channel = &message.channel.key;
    if let Some(revocation) = &message.revoked {
        let by = revocation.by.as_ref().map_or("", |by| by.uid.as_str());
        let event = Event::Revoke {
            id: name(message).into_owned(),
            ids: Vec::new(),
            operator: reader.account_of(by),
        };
        let telling = Telling {
            id: &message.id.to_string(),
            event: &event,
            at_ms: revocation.at_ms,
        };
        return Some(reader.happened(channel, sender, &telling));
    }
    if is_forged(message) {
        return None;
    }
    let body = &message.body;
    let shown = message.shown();
    let (kind, json): (TypeValue, Cow<'_, str>) = if is_ours(shown.origin) {
        let kind = TypeValue::from_tag(&shown.tag);
        // Of a call the caller's other devices hear only how it ends.
        if kind == MsgType::Call.into() && message.sender.uid == reader.uid {
            return None;
        }
        (kind, String::from_utf8_lossy(&shown.payload))
    } else {
        let (kind, json) = map::payload(&users::by_account(
            content_for(message, Dialect::Mqtt.origin()),
            reader,
        ));
        (kind, json.into())
    };
    let mut parties = reader.parties(channel, sender);
    if channel.kind == ChannelKind::DIRECT {
        parties.target = Extra::of(body).target;
    }
    let outbound = Outbound {
        id: &name(message),
        from: &parties.from,
        to: &parties.to,
        tenant_no: &reader.tenant_no,
        target: &parties.target,
        kind: &kind,
        form: reader.form,
        content: &json,
        timestamp_ms: message.sent_at_ms,
        is_background: !body.flags.counts,
    };
    Some(reader.written(&outbound))
}

/// What clients of this dialect call a message: the number that its sender's client gave it,
/// if that was one of theirs and tells it from others.
pub(super) fn name(message: &Message) -> Cow<'_, str> {
    let body = &message.body;
    called(
        body.origin,
        &body.client_no,
        body.flags.number_taken,
        message.id,
    )
}

pub(super) fn name_of(name: &MessageName) -> Cow<'_, str> {
    called(
        Origin(name.origin),
        &name.client_no,
        name.number_taken,
        name.id,
    )
}

fn called(origin: Origin, client_no: &str, is_taken: bool, id: MessageId) -> Cow<'_, str> {
    if is_ours(origin) && !client_no.is_empty() && !is_taken {
        client_no.into()
    } else {
        id.to_string().into()
    }
}
