//! The wukong machine: what one connection has agreed on, and what it says to what comes.

use std::array::from_fn;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crosstalk_core::id::Uid;
use crosstalk_core::im::{Credential, OpenSession};
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{
    Delivery, Displacement, Ending, Event, Offline, SendReply, Session, Ticket,
};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_matches};
use crosstalk_wire::wukong::binary::{
    Connack, Connect, Decoder, Disconnect, Flags, Packet, Send, Sendack, encode, negotiate,
};
use crosstalk_wire::wukong::reason::Reason;

use super::deliver::{Receiver, next_message, recvs};
use super::map;
use super::reasons::{login_reason, send_reason};
use super::settings::WukongSettings;
use super::unacked::Unacked;
use crate::protocol::{Close, Command, Now, Protocol, Seed, Turn, close_code};
use crate::registry::{Dialect, WUKONG_ORIGIN};

/// Silence before CONNECT (wukong.md §1.6).
const GREETING_MS: u64 = 2_000;
/// From CONNECT until the session is open.
const OPENING_MS: u64 = 4_000;
/// Silence on an open session.
const IDLE_MS: u64 = 180_000;
/// From a kick until the connection is closed (wukong.md §6.6).
const FAREWELL_MS: u64 = 2_000;
/// The packet type of CONNECT, the first byte's high nibble (wukong.md §1.2).
const CONNECT: u8 = 1;
/// The largest frame before the session is open: a CONNECT has four strings.
const MAX_GREETING: usize = 16 * 1024;

/// Frames that are written again in one go, bytes.
const RESEND_BATCH_BYTES: usize = 256 * 1024;

enum Phase {
    /// Waits for CONNECT.
    Greeting,
    /// Waits for the core's word on the CONNECT.
    Opening(Box<Agreement>),
    /// The session is open.
    Live(Box<Live>),
    /// Nothing is read or said any more.
    Over,
}

/// What CONNECT and CONNACK agree on.
struct Agreement {
    client_version: u8,
    client_timestamp_ms: i64,
    cipher: Cipher,
    server_key: String,
    salt: String,
}

struct Live {
    session: Arc<Session>,
    receiver: Receiver,
    next_ticket: u64,
    /// What SENDs in flight want echoed, oldest first.
    echoes: VecDeque<Echo>,
    unacked: Unacked,
    /// Acknowledged in this turn.
    acked: Vec<Arc<Message>>,
}

struct Echo {
    ticket: Ticket,
    client_seq: u32,
    flags: Flags,
}

pub(crate) struct Machine {
    settings: WukongSettings,
    peer: IpAddr,
    /// 32 bytes of key, 16 of salt.
    seed: Seed,
    decoder: Decoder,
    phase: Phase,
    /// When something was last received, or the phase began.
    since_mono_ms: u64,
}

impl Machine {
    pub(crate) fn new(settings: WukongSettings, peer: IpAddr, seed: &Seed, now: Now) -> Self {
        let mut decoder = Decoder::new(1);
        decoder.set_max_frame(MAX_GREETING);
        let since_mono_ms = now.mono_ms;
        Self {
            settings,
            peer,
            seed: *seed,
            decoder,
            phase: Phase::Greeting,
            since_mono_ms,
        }
    }

    /// Takes whole packets, as far as there are any.
    fn packets(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn) {
        while !input.is_empty() {
            if matches!(self.phase, Phase::Over) {
                return input.clear();
            }
            // Whatever does not begin as a CONNECT need not be waited for to its end.
            if matches!(self.phase, Phase::Greeting) && input[0] >> 4 != CONNECT {
                input.clear();
                return self.close(now, close_code::PROTOCOL, turn);
            }
            // What follows a CONNECT in the same breath waits for the session.
            if matches!(self.phase, Phase::Opening(_)) {
                return;
            }
            match self.decoder.decode(input) {
                Ok(Some(packet)) => self.packet(packet, now, turn),
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(%error, peer = %self.peer, "malformed packet");
                    let code = match error {
                        crosstalk_wire::wukong::binary::DecodeError::Oversized { .. } => {
                            close_code::TOO_BIG
                        }
                        _ => close_code::PROTOCOL,
                    };
                    return self.close(now, code, turn);
                }
            }
        }
    }

    fn packet(&mut self, packet: Packet, now: Now, turn: &mut Turn) {
        match (&mut self.phase, packet) {
            (Phase::Greeting, Packet::Connect(connect)) => self.connect(&connect, now, turn),
            (Phase::Live(live), Packet::Send(send)) => live.send(&send, &self.settings, turn),
            (Phase::Live(live), Packet::Recvack(ack)) => {
                let acked = live.unacked.acked(ack.message_id);
                if live.session.acks_matter() {
                    live.acked.extend(acked);
                }
            }
            (Phase::Live(_), Packet::Ping) => say(&Packet::Pong, 1, turn),
            // A client may answer a ping that it takes ours to be; the original ignores SUB.
            (Phase::Live(_), Packet::Pong | Packet::Sub(_)) => {}
            _ => self.close(now, close_code::PROTOCOL, turn),
        }
    }

    fn close(&mut self, now: Now, code: u16, turn: &mut Turn) {
        self.phase = Phase::Over;
        turn.close_now(now, code);
    }

    fn connect(&mut self, connect: &Connect, now: Now, turn: &mut Turn) {
        let Ok(uid) = Uid::parse(&connect.uid) else {
            return self.close(now, close_code::POLICY, turn);
        };
        self.since_mono_ms = now.mono_ms;
        let version = connect.version;
        self.decoder.set_version(negotiate(version));
        let Some(agreement) = self.agree(connect) else {
            let time_diff_ms = now.wall_ms.saturating_sub(connect.client_timestamp_ms);
            return self.refuse(version, Reason::ClientKeyIsEmpty, time_diff_ms, now, turn);
        };
        self.phase = Phase::Opening(Box::new(agreement));
        let realm = self.settings.realm.clone();
        let credential = if self.settings.token_auth {
            Credential::Token {
                realm,
                uid,
                token: connect.token.clone(),
                dialect: Dialect::Wukong.name(),
            }
        } else {
            Credential::Unchecked { realm, uid }
        };
        turn.commands.push(Command::Open(OpenSession {
            credential,
            origin: WUKONG_ORIGIN,
            device_id: connect.device_id.as_str().into(),
            device_flag: connect.device_flag,
            delivery: Delivery {
                presence: true,
                ..Delivery::plain(Offline::Sync, true)
            },
            sync_own: true,
            max_sessions: 0,
            peer: self.peer,
        }));
    }

    /// The keys of this connection; `None` when the client's is missing or no key.
    fn agree(&mut self, connect: &Connect) -> Option<Agreement> {
        let (secret, salt) = self.seed.split_at(32);
        let pair = KeyPair::from_secret(secret.try_into().ok()?);
        let salt: String = salt.iter().map(|byte| printable(*byte)).collect();
        let cipher = Cipher::new(&pair.agree(&connect.client_key).ok()?, &salt).ok()?;
        let server_key = pair.public_base64();
        self.seed = [0; 48];
        Some(Agreement {
            client_version: connect.version,
            client_timestamp_ms: connect.client_timestamp_ms,
            cipher,
            server_key,
            salt,
        })
    }

    fn refuse(
        &mut self,
        client_version: u8,
        reason: Reason,
        time_diff_ms: i64,
        now: Now,
        turn: &mut Turn,
    ) {
        self.connack(
            client_version,
            reason,
            time_diff_ms,
            (String::new(), String::new()),
            turn,
        );
        self.close(now, close_code::POLICY, turn);
    }

    fn connack(
        &self,
        client_version: u8,
        reason: Reason,
        time_diff_ms: i64,
        (server_key, salt): (String, String),
        turn: &mut Turn,
    ) {
        let version = negotiate(client_version);
        let connack = Connack {
            server_version: (client_version > 3).then_some(version),
            time_diff_ms,
            reason: reason.code(),
            server_key,
            salt,
            node_id: (version >= 4).then_some(self.settings.node_id),
        };
        say(&Packet::Connack(connack), version, turn);
    }
}

impl Live {
    fn send(&mut self, send: &Send, settings: &WukongSettings, turn: &mut Turn) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let echo = Echo {
            ticket,
            client_seq: send.client_seq,
            flags: send.flags,
        };
        self.echoes.push_back(echo);
        let draft = map::draft(send, self.open_payload(send), settings.strict_users);
        turn.commands.push(match draft {
            Ok(draft) => Command::Send(ticket, draft),
            Err(why) => Command::Refuse(ticket, why),
        });
    }

    /// Checks a SEND's signature and decrypts its payload; both fail with 9 (wukong.md §2.5).
    fn open_payload(&self, send: &Send) -> Result<Bytes, Refusal> {
        let expected = self.receiver.cipher.send_msg_key(
            send.client_seq,
            &send.client_msg_no,
            &send.channel_id,
            send.channel_type,
            &send.payload,
        );
        if !msg_key_matches(&expected, &send.msg_key) {
            return Err(Refusal::UndecodableContent);
        }
        let plain = self.receiver.cipher.decrypt(&send.payload);
        plain
            .map(Bytes::from)
            .map_err(|_| Refusal::UndecodableContent)
    }
}

impl Protocol for Machine {
    fn receive(&mut self, input: &mut BytesMut, now: Now, turn: &mut Turn) {
        // Before CONNECT only silence counts, so that nobody stays by trickling bytes.
        if matches!(self.phase, Phase::Live(_)) {
            self.since_mono_ms = now.mono_ms;
        }
        self.packets(input, now, turn);
        if let Phase::Live(live) = &mut self.phase
            && !live.acked.is_empty()
        {
            let acked = std::mem::take(&mut live.acked);
            turn.commands.push(Command::Acknowledge(acked));
        }
    }

    fn opened(&mut self, session: Result<&Arc<Session>, Refusal>, now: Now, turn: &mut Turn) {
        let Phase::Opening(agreement) = std::mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        let time_diff_ms = now.wall_ms.saturating_sub(agreement.client_timestamp_ms);
        let client_version = agreement.client_version;
        let session = match session {
            Ok(session) => session,
            Err(why) => {
                let reason = login_reason(why);
                return self.refuse(client_version, reason, time_diff_ms, now, turn);
            }
        };
        let Agreement {
            cipher,
            server_key,
            salt,
            ..
        } = *agreement;
        let keys = (server_key, salt);
        self.connack(client_version, Reason::Success, time_diff_ms, keys, turn);
        self.decoder.set_max_frame(usize::MAX);
        self.since_mono_ms = now.mono_ms;
        self.phase = Phase::Live(Box::new(Live {
            session: Arc::clone(session),
            receiver: Receiver {
                uid: session.user.uid.clone(),
                version: negotiate(client_version),
                cipher,
            },
            next_ticket: 0,
            echoes: VecDeque::new(),
            unacked: Unacked::default(),
            acked: Vec::new(),
        }));
    }

    fn reply(&mut self, ticket: Ticket, reply: SendReply, _now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        let Some(echo) = live.echoes.pop_front() else {
            return;
        };
        debug_assert_eq!(
            echo.ticket, ticket,
            "answers come in the order of the commands"
        );
        if live.echoes.is_empty() {
            live.echoes = VecDeque::new();
        }
        let (message_id, message_seq, reason) = match reply {
            Ok(accepted) => (accepted.id.0, accepted.seq, Reason::Success),
            Err(refused) => (refused.id.0, 0, send_reason(refused.why)),
        };
        let sendack = Sendack {
            flags: echo.flags,
            message_id,
            client_seq: echo.client_seq,
            message_seq,
            reason: reason.code(),
        };
        say(&Packet::Sendack(sendack), live.receiver.version, turn);
    }

    fn deliver(&mut self, events: &mut VecDeque<Event>, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &mut self.phase else {
            return events.clear();
        };
        while !events.is_empty() {
            let few = from_fn(|_| next_message(events, &live.session));
            recvs(few, &live.receiver, &mut turn.out, |message| {
                // What is not stored is not resent, and some clients do not acknowledge it.
                if message.seq > 0 {
                    live.unacked.given(message, now.mono_ms);
                }
            });
        }
    }

    fn ending(&mut self, why: Ending, now: Now, turn: &mut Turn) {
        let Phase::Live(live) = &self.phase else {
            return;
        };
        let kicked = match why {
            Ending::Displaced(Displacement::Kicked) => Some("login in other device"),
            Ending::Kicked => Some("kicked by the server"),
            // DISCONNECT means logout to some clients: never for anything but a kick.
            Ending::Displaced(Displacement::Replaced) | Ending::TooSlow | Ending::ShuttingDown => {
                None
            }
        };
        let version = live.receiver.version;
        if let Some(text) = kicked {
            let reason = Reason::ConnectKick.code();
            let disconnect = Disconnect {
                reason,
                text: text.to_owned(),
            };
            say(&Packet::Disconnect(disconnect), version, turn);
        }
        let (wait, code) = match why {
            Ending::Displaced(_) | Ending::Kicked => (FAREWELL_MS, close_code::NORMAL),
            Ending::TooSlow => (0, close_code::POLICY),
            Ending::ShuttingDown => (0, close_code::GOING_AWAY),
        };
        self.phase = Phase::Over;
        turn.close = Some(Close {
            at_mono_ms: now.mono_ms + wait,
            code,
        });
    }

    fn tick(&mut self, now: Now, turn: &mut Turn) {
        if let Phase::Live(live) = &mut self.phase {
            // The rest stays due and follows once this is written.
            while turn.out.bytes().len() < RESEND_BATCH_BYTES
                && let Some(message) = live.unacked.due(now.mono_ms)
            {
                let mut one = Some(message);
                recvs(from_fn(|_| one.take()), &live.receiver, &mut turn.out, drop);
            }
        }
        if now.mono_ms >= self.silence_ends() {
            let code = match self.phase {
                // Without a CONNACK: after one that is no success, clients stay away.
                Phase::Opening(_) => close_code::TRY_AGAIN,
                _ => close_code::NORMAL,
            };
            self.close(now, code, turn);
        }
    }

    fn next_deadline(&self) -> u64 {
        let silence = self.silence_ends();
        match &self.phase {
            Phase::Live(live) => live
                .unacked
                .next_due()
                .map_or(silence, |due| due.min(silence)),
            _ => silence,
        }
    }

    fn has_room(&self) -> bool {
        match &self.phase {
            Phase::Live(live) => live.unacked.has_room(),
            _ => false,
        }
    }
}

impl Machine {
    /// When the client will have been silent for too long.
    fn silence_ends(&self) -> u64 {
        let patience = match self.phase {
            Phase::Greeting => GREETING_MS,
            Phase::Opening(_) => OPENING_MS,
            Phase::Live(_) => IDLE_MS,
            Phase::Over => 0,
        };
        self.since_mono_ms + patience
    }
}

fn say(packet: &Packet, version: u8, turn: &mut Turn) {
    // Only our own short packets come here; they fit.
    if let Err(error) = turn.out.frame(|out| encode(packet, version, out)) {
        tracing::error!(%error, "a packet of our own could not be encoded");
    }
}

/// A letter or digit for a random byte.
fn printable(byte: u8) -> char {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char::from(LETTERS[usize::from(byte & 63)])
}
