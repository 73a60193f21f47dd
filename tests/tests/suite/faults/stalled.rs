//! A busy group in which many have stopped reading: the others do not notice, the server keeps
//! its memory, and who reads on misses nothing.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::wukong::{Link, Outgoing};
use crosstalk_tests::{Server, eventually, within};
use crosstalk_wire::wukong::binary::Packet;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;

/// Members of the group, all of them online.
const MEMBERS: usize = 1000;
/// Those who do not read.
const STALLED: usize = 100;
/// Fewer than a client may leave unacknowledged, which all but the sender do.
const MESSAGES: usize = 150;
const PAYLOAD_BYTES: usize = 1024;
/// How far the sender is ahead of the slowest of those who read.
const AHEAD: usize = 8;

/// What may wait for a session: more than the sender is ahead, less than there is for the stalled.
const MAILBOX_ITEMS: usize = 32;
const MAILBOX_BYTES: usize = 64 << 10;
/// The sockets' buffers between the server and the stalled.
const BUFFER_BYTES: u32 = 8 << 10;

/// Messages that are passed on and not stored, and their size: together far more than the server
/// may hold for those who do not read.
const PASSING: usize = 160;
const PASSING_BYTES: usize = 512 << 10;
/// By how much the server may grow beside what waits for the stalled: caches, and what is on its
/// way to those who read.
const SLACK_BYTES: u64 = 32 << 20;

/// A connection that takes nothing for 30 seconds is cut off. On a machine so slow that this would
/// come to pass, the stalled take so many messages this often: what the buffers hold.
const SIP_EVERY: Duration = Duration::from_secs(10);
const SIP: usize = 16;

/// Connections that are made at once.
const AT_ONCE: usize = 50;

fn numbered(at: usize) -> Outgoing {
    let mut payload = at.to_string().into_bytes();
    payload.resize(PAYLOAD_BYTES, b'.');
    Outgoing::bytes("busy", 2, payload).numbered(&format!("busy-{at}"))
}

/// One member's connection and the ids of what came, in order.
struct Listener {
    link: Link,
    ids: Vec<i64>,
}

impl Listener {
    /// Reads until there are so many messages: every one must come, in order. One that is
    /// repeated is the same one.
    async fn hear(&mut self, count: usize) {
        while self.ids.len() < count {
            let Some(packet) = self.link.read().await else {
                panic!("closed after {} messages", self.ids.len());
            };
            let Packet::Recv(recv) = packet else { continue };
            let Some(before) = (recv.message_seq as usize).checked_sub(1) else {
                continue; // not stored
            };
            if before == self.ids.len() {
                self.ids.push(recv.message_id);
            } else {
                let known = self.ids.get(before);
                assert_eq!(known, Some(&recv.message_id), "a gap before {before}");
            }
        }
    }

    /// Reads everything, and counts it in `heard`.
    async fn hear_all(mut self, heard: Arc<AtomicUsize>) -> Vec<i64> {
        for count in 1..=MESSAGES {
            self.hear(count).await;
            heard.fetch_add(1, Ordering::Relaxed);
        }
        self.ids
    }

    /// Reads nothing to speak of until told to, then everything.
    async fn stall(mut self, mut stalls: watch::Receiver<bool>) -> Vec<i64> {
        let mut sips = interval(SIP_EVERY);
        sips.tick().await;
        loop {
            tokio::select! {
                _ = stalls.changed() => break,
                _ = sips.tick() => self.hear((self.ids.len() + SIP).min(MESSAGES)).await,
            }
        }
        self.hear(MESSAGES).await;
        self.ids
    }
}

async fn connect(server: &Server, uids: &[String], is_narrow: bool) -> Vec<Listener> {
    let mut listeners = Vec::new();
    for some in uids.chunks(AT_ONCE) {
        let mut connecting = JoinSet::new();
        for uid in some {
            let login = server.login(uid);
            connecting.spawn(if is_narrow {
                login.narrow(BUFFER_BYTES).connect()
            } else {
                login.connect()
            });
        }
        while let Some(client) = connecting.join_next().await {
            let link = client.expect("a client that is let in").into_link();
            listeners.push(Listener {
                link,
                ids: Vec::new(),
            });
        }
    }
    listeners
}

/// As many connections as this are more than a shell usually lets a process have.
fn raise_file_limit() {
    let pid = std::process::id().to_string();
    let mut prlimit = Command::new("prlimit");
    let raised = prlimit.args(["--pid", &pid, "--nofile=4096:"]).status();
    assert!(raised.is_ok_and(|status| status.success()), "prlimit");
}

/// Passes on what only those who do not read would be given.
async fn pass(server: &Server) {
    let payload = BASE64_STANDARD.encode(vec![b'.'; PASSING_BYTES]);
    for _ in 0..PASSING {
        let message = json!({
            "from_uid": "member0", "channel_id": "silent", "channel_type": 2,
            "header": {"no_persist": 1}, "payload": payload,
        });
        server
            .wukong_api()
            .post("/message/send", message)
            .await
            .ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_readers_in_a_busy_group_hold_up_nobody_and_miss_nothing() {
    raise_file_limit();
    let items = format!("limits.mailbox_items={MAILBOX_ITEMS}");
    let bytes = format!("limits.mailbox_bytes={MAILBOX_BYTES}");
    let settings = [
        "limits.send_rate=0",
        "wukong.token_auth=false",
        &items,
        &bytes,
    ];
    let server = Server::start_with_faults(&settings).await;
    let uids: Vec<_> = (0..MEMBERS).map(|at| format!("member{at}")).collect();
    let members: Vec<_> = uids.iter().map(String::as_str).collect();
    server.group("busy", &members).await;
    server.group("silent", &members[..=STALLED]).await;
    server.faults().set_send_buffers(BUFFER_BYTES);
    let stalled = connect(&server, &uids[1..=STALLED], true).await;
    server.faults().set_send_buffers(0);
    let reading = connect(&server, &uids[STALLED + 1..], false).await;
    let mut sender = server.login(&uids[0]).connect().await;

    let heard = Arc::new(AtomicUsize::new(0));
    let count = reading.len();
    let all_have_heard = async |messages: usize| {
        let what = format!("message {messages} at those who read");
        eventually(what, async || {
            (heard.load(Ordering::Relaxed) >= messages * count).then_some(())
        })
        .await;
    };
    let mut hearing = JoinSet::new();
    for listener in reading {
        hearing.spawn(listener.hear_all(Arc::clone(&heard)));
    }
    let (stall, stalls) = watch::channel(true);
    let mut stalling = JoinSet::new();
    for listener in stalled {
        stalling.spawn(listener.stall(stalls.clone()));
    }
    sender.accepted(&numbered(1)).await;
    all_have_heard(1).await;
    let before = server.memory_bytes();
    for at in 2..=MESSAGES {
        // As fast as those who read can, and no faster.
        all_have_heard(at.saturating_sub(AHEAD)).await;
        let ack = sender.accepted(&numbered(at)).await;
        assert_eq!(ack.message_seq, at as u64);
    }
    all_have_heard(MESSAGES).await;
    pass(&server).await;
    let missed = server
        .rest()
        .metric("crosstalk_messages_missed_total")
        .await;
    assert!(
        missed >= (STALLED * (PASSING + 1)) as u64,
        "{missed} missed"
    );
    let waiting = (STALLED * MAILBOX_BYTES) as u64;
    let grown = server.memory_bytes().saturating_sub(before);
    println!("{missed} missed; {} KiB more than before", grown >> 10);
    // Once in the mailbox, and once as frames that are being written.
    assert!(grown < 2 * waiting + SLACK_BYTES, "grown by {grown} bytes");

    stall.send(false).expect("those who stall wait for it");
    let everything = within("the stalled reading on", stalling.join_all()).await;
    let expected = hearing.join_next().await.expect("a reader").expect("ids");
    assert_eq!(expected.len(), MESSAGES);
    assert!(everything.iter().all(|ids| *ids == expected));
    assert!(hearing.join_all().await.iter().all(|ids| *ids == expected));
}
