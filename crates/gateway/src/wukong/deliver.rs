//! RECV frames: what messages look like to one wukong client (wukong.md §1.3, §6.1).

use std::array::from_fn;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::id::Uid;
use crosstalk_core::message::Message;
use crosstalk_core::session::{Event, Session};
use crosstalk_wire::wukong::binary::crypto::{Cipher, RecvSealer};
use crosstalk_wire::wukong::binary::{Flags, RecvParts, Setting, encode_recv};

use super::map::{
    WukongEnvelope, wukong_client_no, wukong_envelope, wukong_is_told, wukong_payload,
};
use super::presence::online_status;
use crate::protocol::Out;

/// Messages that are sealed together.
pub(super) const TOGETHER: usize = RecvSealer::LANES;

thread_local! {
    /// One for each thread that works, instead of one for each connection.
    static SEALER: RefCell<RecvSealer> = RefCell::default();
}

/// The receiving side of one connection.
pub(super) struct Receiver {
    pub(super) uid: Uid,
    pub(super) version: u8,
    pub(super) cipher: Cipher,
}

/// The next message; of what is none these clients are told who comes and goes, as one.
pub(super) fn next_message(
    events: &mut VecDeque<Event>,
    session: &Session,
) -> Option<Arc<Message>> {
    loop {
        let message = match events.pop_front()? {
            Event::Message(message) => Some(message),
            Event::Notice(notice) => online_status(&notice, session).map(Arc::new),
        };
        if let Some(message) = message.filter(|message| wukong_is_told(message)) {
            return Some(message);
        }
    }
}

/// Writes messages as one RECV each, and hands back those that are written. One that fits no
/// frame is not; it stays in the history, where there is no frame to exceed.
pub(super) fn recvs(
    messages: [Option<Arc<Message>>; TOGETHER],
    to: &Receiver,
    out: &mut Out,
    written: impl FnMut(Arc<Message>),
) {
    let is_written: [bool; TOGETHER] = {
        let views = messages
            .each_ref()
            .map(|message| message.as_deref().map(|m| View::of(m, &to.uid)));
        let plain = views
            .each_ref()
            .map(|view| view.as_ref().map(|view| view.parts(to)));
        SEALER.with_borrow_mut(|sealer| {
            sealer.seal(&to.cipher, plain.iter().flatten().copied());
            let is_written = from_fn(|lane| {
                plain[lane].is_some_and(|plain| write(&sealer.sealed(lane, plain), to.version, out))
            });
            sealer.shrink();
            is_written
        })
    };
    let messages = messages.into_iter().zip(is_written);
    messages
        .filter_map(|(message, is_written)| message.filter(|_| is_written))
        .for_each(written);
}

fn write(recv: &RecvParts<'_>, version: u8, out: &mut Out) -> bool {
    let written = out.frame(|out| encode_recv(recv, version, out));
    if let Err(error) = &written {
        tracing::warn!(%error, id = recv.message_id, "a message fits no frame");
    }
    written.is_ok()
}

/// A message in wukong's words.
struct View<'m> {
    message: &'m Message,
    envelope: WukongEnvelope,
    client_no: Cow<'m, str>,
    payload: Cow<'m, [u8]>,
}

impl<'m> View<'m> {
    fn of(message: &'m Message, viewer: &Uid) -> Self {
        Self {
            message,
            envelope: wukong_envelope(message),
            client_no: wukong_client_no(message),
            payload: wukong_payload(message, viewer.as_str()),
        }
    }

    /// The fields of its RECV for one receiver, not sealed yet.
    fn parts<'a>(&'a self, to: &'a Receiver) -> RecvParts<'a> {
        let Message {
            body,
            sender,
            channel,
            ..
        } = self.message;
        let flags = Flags {
            no_persist: body.flags.no_persist,
            // The sender's own other devices show no red dot.
            red_dot: body.flags.counts && sender.uid != to.uid,
            sync_once: self.envelope.sync_once,
            dup: false,
        };
        let from_uid = if sender.uid.is_system() {
            ""
        } else {
            sender.uid.as_str()
        };
        RecvParts {
            flags,
            setting: Setting(self.envelope.setting),
            msg_key: "",
            from_uid,
            channel_id: channel.key.id_for(to.uid.as_str()),
            channel_type: channel.key.kind.0,
            expire_secs: body.expire_secs,
            client_msg_no: &self.client_no,
            message_id: self.message.id.0,
            message_seq: self.message.seq,
            // The wire has 32 bits of seconds, which end in 2038.
            timestamp_secs: i32::try_from(self.message.sent_at_ms / 1000).unwrap_or(i32::MAX),
            topic: &self.envelope.topic,
            payload: &self.payload,
        }
    }
}
