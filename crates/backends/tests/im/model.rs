//! Random histories against a simple model: what a device was not given comes, in order,
//! and what it has acknowledged does not come again unless a crash made the server forget.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crosstalk_core::channel::Address;
use crosstalk_core::delivered::Pulled;
use crosstalk_core::id::{ChannelNum, MessageId};
use crosstalk_core::session::Delivery;
use proptest::prelude::*;

use super::world::{Client, PULLING, PUSHED, World, to_group, to_user};

#[derive(Debug, Clone)]
enum Step {
    /// Somebody says something: in one of two groups, or to bob.
    Say {
        to: usize,
        times: usize,
    },
    /// Bob's client takes what is in its mailbox, and has read back as many parts.
    Take {
        parts: usize,
    },
    /// It acknowledges some of what it has: every `nth` of the first `count`.
    Ack {
        count: usize,
        nth: usize,
    },
    /// It asks for what waits, if it is one that asks.
    Pull {
        limit: u32,
    },
    /// It goes away and comes back.
    Reconnect,
    /// Bob leaves the second group, or joins it again.
    Leave,
    Join,
    /// What was given is written down.
    Write,
    Restart,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_usize, 1..7_usize).prop_map(|(to, times)| Step::Say { to, times }),
        6 => (0..4_usize).prop_map(|parts| Step::Take { parts }),
        5 => (1..9_usize, 1..3_usize).prop_map(|(count, nth)| Step::Ack { count, nth }),
        2 => (1..9_u32).prop_map(|limit| Step::Pull { limit }),
        2 => Just(Step::Reconnect),
        1 => Just(Step::Leave),
        1 => Just(Step::Join),
        2 => Just(Step::Write),
        1 => Just(Step::Restart),
        1 => Just(Step::Crash),
    ]
}

/// What bob's device should have got.
#[derive(Default)]
struct Model {
    /// What waits or was given; those of a group that he left are no longer due.
    due: BTreeMap<MessageId, usize>,
    /// What may be in the mailbox of the open session besides: it was given to it before he
    /// left.
    leftover: BTreeSet<MessageId>,
    /// Acknowledged: by the open session, and by earlier ones as far as the server knows.
    acked: BTreeSet<MessageId>,
    known: BTreeSet<MessageId>,
    /// Known, and safe from a crash.
    written: BTreeSet<MessageId>,
    /// Acknowledged at any time; the rest is to come again.
    ever_acked: BTreeSet<MessageId>,
}

struct Run {
    world: World,
    delivery: Delivery,
    client: Option<Client>,
    model: Model,
    /// Given to this session and not acknowledged yet.
    open: Vec<MessageId>,
    last_seq: HashMap<ChannelNum, u64>,
    /// The session missed something; it claims nothing from there on.
    behind: bool,
    is_member: bool,
}

impl Run {
    async fn new(delivery: Delivery) -> Self {
        let world = World::small(4).await;
        for group in ["g", "h"] {
            for uid in ["alice", "bob"] {
                world.join(group, uid).await;
            }
        }
        let client = Some(world.client("bob", "phone", delivery).await);
        let mut run = Self {
            world,
            delivery,
            client,
            model: Model::default(),
            open: Vec::new(),
            last_seq: HashMap::new(),
            behind: false,
            is_member: true,
        };
        // The device is known from now on, so that nothing is too old for it.
        run.take(0).await;
        run
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("it is connected")
    }

    async fn take(&mut self, parts: usize) {
        let mut left = parts;
        loop {
            let (mut messages, behind) = self.client().drain();
            self.client().pass_over(&mut messages, &self.world);
            self.behind = behind;
            for message in &messages {
                let last = self.last_seq.entry(message.channel.num).or_default();
                assert!(*last < message.seq, "in order, and once in a session");
                *last = message.seq;
                let leftover = self.model.leftover.contains(&message.id);
                assert!(leftover || self.model.due.contains_key(&message.id));
                self.got(message.id);
            }
            if !behind || left == 0 {
                return;
            }
            left -= 1;
            self.client().resync(&self.world).await;
        }
    }

    fn pulled(&mut self, page: Pulled) {
        let mut messages: Vec<_> = page.messages.into_iter().map(Arc::new).collect();
        self.client().pass_over(&mut messages, &self.world);
        for message in &messages {
            assert!(self.model.due.contains_key(&message.id), "he may see it");
            self.got(message.id);
        }
    }

    fn got(&mut self, id: MessageId) {
        assert!(!self.model.known.contains(&id), "it was acknowledged");
        self.open.push(id);
    }

    async fn take_all(&mut self) {
        for _ in 0..1000 {
            self.take(8).await;
            if !self.behind {
                return;
            }
        }
        panic!("it never ends");
    }

    /// What the open session has acknowledged is known to the server.
    fn settle(&mut self) {
        if !self.behind {
            self.model.known.append(&mut self.model.acked);
        }
    }

    async fn connect(&mut self) {
        self.model.acked.clear();
        self.model.leftover.clear();
        self.open.clear();
        self.last_seq.clear();
        self.behind = false;
        let client = self.world.client("bob", "phone", self.delivery).await;
        self.client = Some(client);
    }

    async fn run(&mut self, step: &Step) {
        match *step {
            Step::Say { to, times } => {
                let address: [Address; 3] = [to_group("g"), to_group("h"), to_user("bob")];
                let mut last = MessageId(0);
                for _ in 0..times {
                    last = self.world.say("alice", address[to].clone()).await;
                    if to != 1 || self.is_member {
                        self.model.due.insert(last, to);
                    }
                }
                self.world.handed_out(last).await;
                // Whether it fitted is seen when it is taken.
                self.behind = true;
            }
            Step::Take { parts } => self.take(parts).await,
            Step::Ack { count, nth } => {
                let first = self.open.len().min(count);
                let acked: Vec<_> = self.open[..first].iter().copied().step_by(nth).collect();
                self.open.retain(|id| !acked.contains(id));
                self.client().ack(&self.world, acked.iter().copied());
                self.model.ever_acked.extend(&acked);
                self.model.acked.extend(acked);
            }
            Step::Pull { limit } => {
                let pulled = self.world.im().pull(&self.client().session, limit).await;
                self.pulled(pulled.expect("pulled"));
            }
            Step::Reconnect => {
                self.settle();
                if let Some(client) = self.client.take() {
                    self.world.close(client).await;
                }
                self.connect().await;
            }
            Step::Leave => {
                self.world.leave("h", "bob").await;
                self.is_member = false;
                let left = self.model.due.iter().filter(|(_, to)| **to == 1);
                self.model.leftover.extend(left.map(|(id, _)| *id));
                self.model.due.retain(|_, to| *to != 1);
                self.behind = true;
            }
            Step::Join => {
                self.world.join("h", "bob").await;
                self.is_member = true;
                self.behind = true;
            }
            Step::Write => {
                self.settle();
                self.world.write().await;
                self.model.written.extend(&self.model.known);
            }
            Step::Restart => {
                self.settle();
                self.client = None;
                self.world.restart().await;
                self.model.written.extend(&self.model.known);
                self.connect().await;
            }
            Step::Crash => {
                self.client = None;
                self.world.crash().await;
                // Known to the process that is gone: it may come again.
                self.model.known.clone_from(&self.model.written);
                self.connect().await;
            }
        }
    }

    /// The device comes back once more and takes everything.
    async fn finish(&mut self) {
        self.run(&Step::Reconnect).await;
        self.take_all().await;
        if self.delivery == PULLING {
            loop {
                let pulled = self.world.im().pull(&self.client().session, 1000).await;
                let pulled = pulled.expect("pulled");
                let more = pulled.more;
                self.pulled(pulled);
                if !more {
                    break;
                }
            }
        }
        let given: BTreeSet<_> = self.open.iter().collect();
        for id in self.model.due.keys() {
            let done = self.model.ever_acked.contains(id);
            assert!(done || given.contains(id), "{id} was lost");
        }
        // Acknowledged now, nothing comes ever again.
        let open = std::mem::take(&mut self.open);
        self.client().ack(&self.world, open);
        self.world.restart().await;
        self.connect().await;
        self.open.clear();
        self.take_all().await;
        assert!(self.open.is_empty(), "{:?} came again", self.open);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_lost_and_little_repeated(
        is_pushed in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut run = Run::new(if is_pushed { PUSHED } else { PULLING }).await;
            for step in &steps {
                run.run(step).await;
            }
            run.finish().await;
        });
    }
}
