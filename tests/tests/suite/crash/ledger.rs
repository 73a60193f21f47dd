//! What the writers know, compared with what the server has stored.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::Server;
use crosstalk_tests::wukong::{Outgoing, Received};
use serde_json::{Value, json};

/// The one who hears everything.
pub(crate) const READER: &str = "reader";

/// Acknowledged messages that a client sends again.
const ANSWERS_LOST: usize = 16;

/// The place of a message: its id and seq.
pub(crate) type Place = (i64, u64);

/// What one writer says to one channel: messages numbered from 0.
pub(crate) struct Line {
    /// The writer's uid.
    pub(crate) writer: String,
    /// As the writer names the channel.
    pub(crate) channel_id: String,
    pub(crate) channel_type: u8,
    /// The next number that was never sent.
    pub(crate) next: usize,
    /// Sent, but not acknowledged; ascending.
    pub(crate) pending: VecDeque<usize>,
    /// Acknowledged.
    pub(crate) acked: BTreeMap<usize, Place>,
}

impl Line {
    pub(crate) fn new(writer: &str, channel_id: &str, channel_type: u8) -> Line {
        Line {
            writer: writer.to_owned(),
            channel_id: channel_id.to_owned(),
            channel_type,
            next: 0,
            pending: VecDeque::new(),
            acked: BTreeMap::new(),
        }
    }

    /// The message with a number; the same each time.
    pub(crate) fn message(&self, number: usize) -> Outgoing {
        let text = format!("{} 的第 {number} 条", self.writer);
        Outgoing::text(&self.channel_id, self.channel_type, &text)
            .numbered(&format!("{}-{number}", self.writer))
    }

    /// A number that was never sent; it is pending from now on.
    pub(crate) fn next_number(&mut self) -> usize {
        let number = self.next;
        self.next += 1;
        self.pending.push_back(number);
        number
    }

    /// What a client sends again that has lost its connection: what is pending, and before it
    /// some of what is not, as if the answers had been lost.
    pub(crate) fn again(&self) -> Vec<usize> {
        let newest = self.acked.keys().rev().take(ANSWERS_LOST);
        let mut again: Vec<_> = newest.copied().chain(self.pending.clone()).collect();
        again.sort_unstable();
        again
    }

    /// Notes an acknowledgement. A second one of the same message says the same.
    pub(crate) fn acknowledged(&mut self, number: usize, place: Place) {
        self.pending.retain(|pending| *pending != number);
        let before = self.acked.insert(number, place);
        assert!(
            before.is_none_or(|before| before == place),
            "{} {number}: {place:?}, and before {before:?}",
            self.writer
        );
    }

    /// The channel as the reader names it.
    fn channel(&self) -> Channel {
        let id = if self.channel_type == 1 {
            &self.writer
        } else {
            &self.channel_id
        };
        (id.clone(), self.channel_type)
    }
}

/// A channel as the reader names it.
type Channel = (String, u8);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    client_msg_no: String,
    message_id: i64,
    payload: Vec<u8>,
}

/// The logs as they were seen after the last restart; the entry of seq n is at n - 1.
pub(crate) struct Ledger {
    lines: Vec<Line>,
    logs: BTreeMap<Channel, Vec<Entry>>,
    heard: Vec<(Channel, Place, String)>,
    heard_in_all: usize,
    /// Whether a line's messages are stored in the order of their numbers: not if some are
    /// refused and sent again.
    is_in_order: bool,
}

impl Ledger {
    pub(crate) fn new(lines: Vec<Line>) -> Ledger {
        let logs = lines
            .iter()
            .map(|line| (line.channel(), Vec::new()))
            .collect();
        Ledger {
            lines,
            logs,
            heard: Vec::new(),
            heard_in_all: 0,
            is_in_order: true,
        }
    }

    /// The same for writers who send again what is refused.
    pub(crate) fn in_any_order(mut self) -> Ledger {
        self.is_in_order = false;
        self
    }

    /// Hands out the lines to their writers.
    pub(crate) fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Takes a line back.
    pub(crate) fn put_line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Notes what the reader has been given.
    pub(crate) fn heard(&mut self, messages: Vec<Received>) {
        self.heard_in_all += messages.len();
        self.heard
            .extend(messages.into_iter().map(|Received { packet, .. }| {
                let channel = (packet.channel_id, packet.channel_type);
                (
                    channel,
                    (packet.message_id, packet.message_seq),
                    packet.client_msg_no,
                )
            }));
    }

    /// Reads what has been stored since the last check, and checks it.
    pub(crate) async fn check_new(&mut self, server: &Server) {
        for (channel, log) in &mut self.logs {
            let new = read_log(server, channel, log.len() as u64 + 1).await;
            log.extend(new);
        }
        for line in &self.lines {
            self.check_line(line);
        }
        for (channel, (id, seq), client_msg_no) in self.heard.drain(..) {
            let entry = usize::try_from(seq)
                .ok()
                .and_then(|seq| self.logs[&channel].get(seq - 1));
            let found = entry.map(|entry| (entry.message_id, &entry.client_msg_no));
            assert_eq!(
                found,
                Some((id, &client_msg_no)),
                "heard in {channel:?} at {seq}, and lost"
            );
        }
    }

    fn check_line(&self, line: &Line) {
        let places = self.places(line);
        for (number, place) in &line.acked {
            let stored = places.get(number);
            let who = &line.writer;
            assert_eq!(
                stored,
                Some(place),
                "{who}-{number} was acknowledged, and is lost"
            );
        }
        assert!(
            places.len() <= line.next,
            "{}: {} stored of {}",
            line.writer,
            places.len(),
            line.next
        );
    }

    /// Where a line's messages are stored: each once and as it was sent.
    fn places(&self, line: &Line) -> HashMap<usize, Place> {
        let log = &self.logs[&line.channel()];
        let prefix = format!("{}-", line.writer);
        let mut places = HashMap::new();
        for (entry, seq) in log.iter().zip(1..) {
            let Some(number) = entry.client_msg_no.strip_prefix(&prefix) else {
                continue;
            };
            let number: usize = number.parse().expect("a number that was sent");
            assert!(
                !self.is_in_order || number == places.len(),
                "{prefix}{number}: twice, missing or out of order at {seq}"
            );
            assert_eq!(
                entry.payload,
                line.message(number).payload,
                "{prefix}{number}"
            );
            let before = places.insert(number, (entry.message_id, seq));
            assert_eq!(before, None, "{prefix}{number}: twice");
        }
        places
    }

    /// What is pending was refused: nothing of it may be stored.
    ///
    /// # Panics
    /// When something is.
    pub(crate) fn check_refused_are_absent(&self) {
        for line in &self.lines {
            let places = self.places(line);
            for number in &line.pending {
                let stored = places.get(number);
                assert_eq!(stored, None, "{}-{number} was refused", line.writer);
            }
        }
    }

    /// Reads everything again: nothing may have changed, and nothing may be missing.
    pub(crate) async fn check_all(&self, server: &Server) {
        for (channel, log) in &self.logs {
            assert_eq!(read_log(server, channel, 1).await, *log, "{channel:?}");
        }
        for line in &self.lines {
            assert!(
                line.pending.is_empty(),
                "{}: {:?}",
                line.writer,
                line.pending
            );
            let log = &self.logs[&line.channel()];
            let prefix = format!("{}-", line.writer);
            let stored = log
                .iter()
                .filter(|it| it.client_msg_no.starts_with(&prefix))
                .count();
            assert_eq!(stored, line.next, "{}: everything once", line.writer);
        }
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored: usize = self.logs.values().map(Vec::len).sum();
        let acked: usize = self.lines.iter().map(|line| line.acked.len()).sum();
        let pending: usize = self.lines.iter().map(|line| line.pending.len()).sum();
        let heard = self.heard_in_all;
        write!(
            f,
            "{acked} acknowledged, {pending} pending, {stored} stored, {heard} heard"
        )
    }
}

/// A channel's log from a seq on; seqs must be contiguous.
async fn read_log(server: &Server, channel: &Channel, from: u64) -> Vec<Entry> {
    let mut entries = Vec::new();
    loop {
        let start = from + entries.len() as u64;
        let ask = json!({
            "login_uid": READER, "channel_id": channel.0, "channel_type": channel.1,
            "start_message_seq": start, "end_message_seq": 0, "limit": 1000, "pull_mode": 1,
        });
        let answer = server
            .wukong_api()
            .post("/channel/messagesync", ask)
            .await
            .ok();
        let messages = answer["messages"].as_array().expect("messages");
        for (message, seq) in messages.iter().zip(start..) {
            assert_eq!(
                message["message_seq"], seq,
                "{channel:?}: seqs are contiguous: {message}"
            );
            entries.push(entry(message));
        }
        if answer["more"] == 0 {
            return entries;
        }
    }
}

fn entry(message: &Value) -> Entry {
    let text = |name: &str| {
        message[name]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {message}"))
    };
    Entry {
        client_msg_no: text("client_msg_no").to_owned(),
        message_id: text("message_idstr").parse().expect("a decimal id"),
        payload: BASE64_STANDARD.decode(text("payload")).expect("base64"),
    }
}
