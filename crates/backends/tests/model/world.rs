//! Takes a step in both worlds and compares them.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crosstalk_core::channel::{
    Address, ChannelChange, ChannelKey, ChannelKind, HistoryFrom, MemberChange,
};
use crosstalk_core::clock::Clock;
use crosstalk_core::conversation::ConversationChange;
use crosstalk_core::deliver::{Operator, Sender};
use crosstalk_core::id::{MessageId, Realm, UserRef};
use crosstalk_core::im::{HistoryQuery, Viewer};
use crosstalk_core::message::{Accepted, Message, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{SendReply, Ticket};

use super::device::{DEVICES, Device};
use super::dice::Dice;
use super::model::{Channel, Kind, Said, Where, Who};
use super::real::{Real, draft, group, person, uid};

const PEOPLE: usize = 4;
const GROUPS: usize = 3;
/// Authors may recall for this long; the default.
const WINDOW_MS: i64 = 120_000;
/// Steps that a failure shows.
const SHOWN: usize = 30;

pub(crate) struct World {
    dice: Dice,
    real: Option<Real>,
    people: Vec<UserRef>,
    channels: Vec<Channel>,
    keys: Vec<ChannelKey>,
    devices: BTreeMap<(Who, usize), Device>,
    /// Where a message stands.
    places: HashMap<MessageId, (Where, u64)>,
    /// When somebody last left a channel or cleared it, by step.
    parted: BTreeMap<(Who, Where), u64>,
    /// When a message was recalled, by step.
    recalled: HashMap<MessageId, u64>,
    at: u64,
    said: u64,
    last_steps: VecDeque<String>,
    shows_all: bool,
}

impl World {
    pub(crate) async fn new(dice: Dice, eager: bool) -> Self {
        let real = Real::start(eager).await;
        let mut people = Vec::new();
        for who in 0..PEOPLE {
            people.push(person(&real.im, who).await);
        }
        let (mut channels, mut keys) = (Vec::new(), Vec::new());
        for n in 0..GROUPS {
            let since_join = n == 1;
            channels.push(Channel::new(Kind::Group { since_join }));
            keys.push(group(n));
            let history = if since_join {
                HistoryFrom::SinceJoin
            } else {
                HistoryFrom::All
            };
            let change = ChannelChange {
                history: Some(history),
                ..ChannelChange::default()
            };
            real.im
                .put_channel(&group(n), change)
                .await
                .expect("a group");
        }
        for a in 0..PEOPLE {
            for b in a + 1..PEOPLE {
                channels.push(Channel::new(Kind::Direct(a, b)));
                keys.push(ChannelKey::direct(&Realm::default(), &uid(a), &uid(b)));
            }
        }
        let mut world = Self {
            dice,
            real: Some(real),
            people,
            channels,
            keys,
            devices: BTreeMap::new(),
            places: HashMap::new(),
            parted: BTreeMap::new(),
            recalled: HashMap::new(),
            at: 0,
            said: 0,
            last_steps: VecDeque::new(),
            shows_all: std::env::var_os("CROSSTALK_MODEL_TRACE").is_some(),
        };
        for who in 0..PEOPLE {
            for number in 0..DEVICES.len() {
                world.devices.insert((who, number), Device::default());
                // Each is known from the first: one that comes later gets only what is new.
                world.connect(who, number).await;
            }
        }
        world
    }

    fn real(&self) -> &Real {
        self.real.as_ref().expect("it runs")
    }

    fn note(&mut self, step: &str) {
        if self.shows_all {
            println!("{}: {step}", self.at);
        }
        if self.last_steps.len() == SHOWN {
            self.last_steps.pop_front();
        }
        self.last_steps.push_back(format!("{}: {step}", self.at));
    }

    fn fail(&self, why: &str) -> ! {
        for step in &self.last_steps {
            eprintln!("{step}");
        }
        panic!("after step {}: {why}", self.at);
    }

    fn check(&self, holds: bool, why: impl FnOnce() -> String) {
        if !holds {
            self.fail(&why());
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        real: &T,
        model: &T,
        what: impl FnOnce() -> String,
    ) {
        self.check(real == model, || {
            format!("{}: is {real:?}, must be {model:?}", what())
        });
    }

    /// One step, and what it may have changed.
    pub(crate) async fn step(&mut self) {
        self.at += 1;
        let who = self.dice.index(PEOPLE);
        let near: Vec<Where> = (0..self.channels.len())
            .filter(|channel| self.concerns(who, *channel))
            .collect();
        let channel = near[self.dice.index(near.len())];
        let number = self.dice.index(DEVICES.len());
        match self.dice.below(200) {
            0..70 => self.send(who, channel, number).await,
            70..80 => self.read(who, channel).await,
            80..90 => self.set_unread(who, channel).await,
            90..93 => self.clear(who, channel).await,
            93..97 => self.hide(who, channel).await,
            97..107 => self.join(who, channel % GROUPS).await,
            107..111 => self.leave(who, channel % GROUPS).await,
            111..121 => self.recall(who, channel).await,
            121..122 => self.retain().await,
            122..132 => {
                let ms = i64::try_from(self.dice.below(20_000)).expect("a short time");
                self.real().clock.advance_ms(ms);
            }
            132..133 => {
                // Clocks step back, too.
                let now_ms = self.real().clock.now_ms();
                self.real().clock.set_ms(now_ms - 5_000);
            }
            133..145 => self.connect(who, number).await,
            145..151 => self.disconnect(who, number).await,
            151..170 => {
                self.drain(who, number).await;
            }
            170..182 => self.ack(who, number).await,
            182..188 => {
                self.pull(who, number).await;
            }
            188..193 => self.settle(who, number).await,
            193..197 => self.write_delivered().await,
            _ => self.restart().await,
        }
        if self.dice.once_in(100) {
            self.compare_all().await;
        } else {
            self.compare(channel).await;
        }
    }

    pub(crate) async fn finish(&mut self) {
        for who in 0..PEOPLE {
            for number in 0..DEVICES.len() {
                self.connect(who, number).await;
                self.settle(who, number).await;
            }
        }
        self.compare_all().await;
    }

    async fn send(&mut self, who: Who, channel: Where, number: usize) {
        let counts = !self.dice.once_in(4);
        self.said += 1;
        // Now and then the last one again, as after a lost answer.
        let again = self.dice.once_in(12);
        let text = format!("message {}", self.said);
        let to = self.address(who, channel);
        let client_no = format!("{who}-{}", self.said);
        let mut draft = draft(to, &text, counts, &client_no);
        // Now and then for some of them only.
        let all = self.channels[channel].audience();
        let some: BTreeSet<Who> = all.into_iter().filter(|_| self.dice.once_in(2)).collect();
        let is_directed = self.dice.once_in(6);
        if is_directed {
            let nums = some.iter().map(|who| self.people[*who].num);
            draft.body.audience = Some(nums.collect());
        }
        let seq = self.channels[channel].head() + 1;
        self.note(&format!("user{who} sends {channel}:{seq}"));
        let online = self.devices[&(who, number)].session.is_some();
        let by_session = online && self.dice.once_in(2);
        let reply = if by_session {
            self.send_by_session(who, number, draft.clone()).await
        } else {
            self.send_as(who, draft.clone()).await
        };
        let may = self.channels[channel].may_send(who);
        let accepted = match reply {
            Ok(accepted) => accepted,
            Err(refused) => {
                self.same(
                    &Some(refused.why),
                    &(!may).then_some(Refusal::NotAMember),
                    || "the refusal".to_owned(),
                );
                return;
            }
        };
        self.check(may, || "a stranger may send".to_owned());
        if again {
            let retry = self.send_as(who, draft).await.expect("a retry is answered");
            let first = Accepted {
                is_new: false,
                ..accepted
            };
            self.same(&retry, &first, || "the retry".to_owned());
        }
        let id = accepted.id;
        let log = &mut self.channels[channel];
        let mut audience = log.audience();
        if is_directed {
            audience.retain(|other| *other == who || some.contains(other));
        }
        log.say(Said {
            id,
            by: who,
            text,
            counts,
            at_ms: accepted.sent_at_ms,
            recalled: false,
            dropped: false,
            audience,
            is_directed,
            step: self.at,
        });
        let seq = log.head();
        self.same(&accepted.seq, &seq, || "the seq".to_owned());
        self.places.insert(id, (channel, seq));
        for device in self.devices.values_mut() {
            if let Some(connected) = &mut device.session {
                connected.is_settled = false;
            }
        }
        if by_session {
            let device = self.devices.get_mut(&(who, number)).expect("a device");
            device.own.insert(id);
        }
    }

    async fn send_as(&self, who: Who, draft: crosstalk_core::message::Draft) -> SendReply {
        let sender = Sender::User(self.people[who].clone());
        self.real()
            .im
            .send_as(&Realm::default(), sender, draft)
            .await
    }

    async fn send_by_session(
        &self,
        who: Who,
        number: usize,
        draft: crosstalk_core::message::Draft,
    ) -> SendReply {
        let connected = self.devices[&(who, number)]
            .session
            .as_ref()
            .expect("online");
        let session = &connected.session;
        self.real().im.send(session, Ticket(self.at), draft).await;
        let mut patience = 1_000_000;
        loop {
            if let Some((_, reply)) = session.mailbox.drain(true).replies.pop_front() {
                return reply;
            }
            patience -= 1;
            assert!(patience > 0, "no answer to a send");
            tokio::task::yield_now().await;
        }
    }

    fn address(&self, who: Who, channel: Where) -> Address {
        match self.channels[channel].kind {
            Kind::Direct(a, b) => Address::direct(&uid(if who == a { b } else { a })),
            Kind::Group { .. } => Address {
                kind: ChannelKind::GROUP,
                id: self.keys[channel].id.clone(),
            },
        }
    }

    /// One who is none of the two of a direct channel cannot even name it.
    fn concerns(&self, who: Who, channel: Where) -> bool {
        match self.channels[channel].kind {
            Kind::Direct(a, b) => who == a || who == b,
            Kind::Group { .. } => true,
        }
    }

    async fn change(&mut self, who: Who, channel: Where, change: ConversationChange) {
        self.note(&format!("user{who}: {change:?} in {channel}"));
        let user = &self.people[who];
        let key = &self.keys[channel];
        let changed = self.real().im.change_conversation(user, key, change).await;
        let has = self.channels[channel].views.contains_key(&who);
        self.same(&changed.is_ok(), &has, || {
            format!(
                "whether the change can be made ({:?})",
                changed.as_ref().err()
            )
        });
    }

    async fn read(&mut self, who: Who, channel: Where) {
        let head = self.channels[channel].head();
        let to = (!self.dice.once_in(3)).then(|| self.dice.below(head + 3));
        self.change(who, channel, ConversationChange::Read(to))
            .await;
        self.channels[channel].read(who, to);
    }

    async fn set_unread(&mut self, who: Who, channel: Where) {
        let n = self.dice.below(12);
        self.change(who, channel, ConversationChange::SetUnread(n))
            .await;
        self.channels[channel].set_unread(who, n);
    }

    async fn clear(&mut self, who: Who, channel: Where) {
        self.change(who, channel, ConversationChange::Clear).await;
        self.channels[channel].clear(who);
        self.parted.insert((who, channel), self.at);
    }

    async fn hide(&mut self, who: Who, channel: Where) {
        self.change(who, channel, ConversationChange::Hide).await;
        self.channels[channel].hide(who);
    }

    async fn join(&mut self, who: Who, channel: Where) {
        self.note(&format!("user{who} joins {channel}"));
        let change = MemberChange::Enter(self.people[who].clone());
        let key = &self.keys[channel];
        self.real()
            .im
            .change_members(key, vec![change])
            .await
            .expect("a member");
        self.channels[channel].join(who);
    }

    async fn leave(&mut self, who: Who, channel: Where) {
        self.note(&format!("user{who} leaves {channel}"));
        let change = MemberChange::Leave(self.people[who].clone());
        let key = &self.keys[channel];
        self.real()
            .im
            .change_members(key, vec![change])
            .await
            .expect("no member");
        self.channels[channel].leave(who);
        self.parted.insert((who, channel), self.at);
    }

    async fn recall(&mut self, who: Who, channel: Where) {
        let head = self.channels[channel].head();
        let back = self.dice.below(6);
        let Some(said) = self.channels[channel]
            .said(head.saturating_sub(back))
            .cloned()
        else {
            return;
        };
        let (by, operator) = if self.dice.once_in(4) {
            (None, Operator::Application)
        } else {
            (Some(who), Operator::User(self.people[who].clone()))
        };
        self.note(&format!("{by:?} recalls {} in {channel}", said.text));
        let age_ms = self.real().clock.now_ms() - said.at_ms;
        let expected = if said.dropped {
            Err(Refusal::NoSuchMessage)
        } else if by.is_none() {
            Ok(())
        } else if by == Some(said.by) {
            let late = age_ms > WINDOW_MS && !said.recalled;
            if late { Err(Refusal::TooLate) } else { Ok(()) }
        } else if said.is_directed && !said.audience.contains(&who) {
            // Who may not see it is not told that it is there.
            Err(Refusal::NoSuchMessage)
        } else if self.channels[channel].audience().contains(&who) {
            Err(Refusal::Forbidden)
        } else {
            Err(Refusal::NoSuchMessage)
        };
        let realm = Realm::default();
        let revoked = self.real().im.revoke(&realm, said.id, operator).await;
        if let Ok(taken) = &revoked {
            self.same(&taken.is_new, &!said.recalled, || {
                "whether it is new".to_owned()
            });
        }
        self.same(&revoked.map(|_| ()), &expected, || "the recall".to_owned());
        if expected.is_ok() {
            let at = usize::try_from(head.saturating_sub(back) - 1).expect("a small log");
            self.channels[channel].log[at].recalled = true;
            self.recalled.entry(said.id).or_insert(self.at);
        }
    }

    async fn retain(&mut self) {
        let age_ms = i64::try_from(self.dice.below(600_000)).expect("a short time");
        let before_ms = self.real().clock.now_ms() - age_ms;
        self.note(&format!("messages before {before_ms} are dropped"));
        self.real().im.retain(before_ms).await.expect("retention");
        // By id: an id keeps the time of those before it if the clock has stepped back.
        let before = MessageId::first_at_ms(before_ms);
        for channel in &mut self.channels {
            channel.retain(before);
        }
    }

    async fn connect(&mut self, who: Who, number: usize) {
        if self.devices[&(who, number)].session.is_some() {
            return;
        }
        self.note(&format!("device {number} of user{who} comes"));
        let im = Arc::clone(&self.real().im);
        let device = self.devices.get_mut(&(who, number)).expect("a device");
        device.connect(&im, who, number, self.at).await;
    }

    async fn disconnect(&mut self, who: Who, number: usize) {
        self.note(&format!("device {number} of user{who} goes"));
        let im = Arc::clone(&self.real().im);
        let device = self.devices.get_mut(&(who, number)).expect("a device");
        device.disconnect(&im).await;
    }

    /// Takes out what waits for a device; true if more may come.
    async fn drain(&mut self, who: Who, number: usize) -> bool {
        let im = Arc::clone(&self.real().im);
        let device = self.devices.get_mut(&(who, number)).expect("a device");
        let Some(connected) = &mut device.session else {
            return false;
        };
        let (messages, more) = connected.drain(&im).await;
        if !messages.is_empty() {
            let list = self.listed(messages.iter().map(|message| message.id));
            self.note(&format!("device {number} of user{who} gets {list}"));
        }
        for message in messages {
            self.given(who, number, &message, true);
        }
        more
    }

    /// Where messages stand, as `channel:seq`.
    fn listed(&self, ids: impl Iterator<Item = MessageId>) -> String {
        let place = |id| {
            self.places
                .get(&id)
                .map_or_else(String::new, |(c, s)| format!("{c}:{s} "))
        };
        ids.map(place).collect()
    }

    /// A device was given a message.
    fn given(&mut self, who: Who, number: usize, message: &Message, pushed: bool) {
        if message.body.origin == Origin::CHANGE {
            // It says what has changed; the model knows.
            return;
        }
        let Some(&(channel, seq)) = self.places.get(&message.id) else {
            self.fail("a message that nobody sent was given");
        };
        let label = || format!("message {seq} of {channel} to device {number} of user{who}");
        let key = (who, number);
        let since = self.devices[&key].session.as_ref().map_or(0, |c| c.since);
        let said = self.channels[channel]
            .said(seq)
            .expect("it was said")
            .clone();
        self.check(said.audience.contains(&who), || {
            format!("{} although not in the channel", label())
        });
        // Who came after parting is not given what was before it.
        let parted = self.parted.get(&(who, channel)).copied().unwrap_or(0);
        if since > parted {
            let view = self.channels[channel].views.get(&who);
            let from = view.map_or(u64::MAX, |view| view.join.max(view.cleared));
            self.check(seq > from, || {
                format!("{} although it left or cleared", label())
            });
        }
        if message.revoked.is_some() {
            self.check(message.body.payload.is_empty(), || {
                format!("{}: a full tombstone", label())
            });
        } else {
            let recalled = self.recalled.get(&message.id).copied();
            self.check(recalled.is_none_or(|step| step >= since), || {
                format!("{} although recalled before it came", label())
            });
            self.same(&&message.body.payload[..], &said.text.as_bytes(), label);
        }
        let device = self.devices.get_mut(&key).expect("a device");
        let again = device.settled.contains(&message.id);
        device.got.insert(message.id);
        // After a crash it may be given even that.
        let own = device.own.contains(&message.id) && said.step >= since;
        let connected = device.session.as_mut().expect("online");
        let mut in_order = true;
        if pushed {
            let last = connected.last.insert(channel, seq).unwrap_or(0);
            in_order = seq > last;
        }
        if DEVICES[number].acks {
            connected.unacked.push(message.id);
        }
        self.check(in_order, || format!("{} out of order", label()));
        self.check(!again, || format!("{} again", label()));
        self.check(!own, || format!("{} which it sent itself", label()));
    }

    async fn ack(&mut self, who: Who, number: usize) {
        let im = Arc::clone(&self.real().im);
        let count = self.dice.index(10);
        let device = self.devices.get_mut(&(who, number)).expect("a device");
        if let Some(connected) = &mut device.session {
            connected.ack(&im, count);
            self.note(&format!(
                "device {number} of user{who} acknowledges {count}"
            ));
        }
    }

    /// Pulls one page; true if there is more.
    async fn pull(&mut self, who: Who, number: usize) -> bool {
        let im = Arc::clone(&self.real().im);
        let limit = u32::try_from(1 + self.dice.below(20)).expect("a small number");
        let Some(connected) = &self.devices[&(who, number)].session else {
            return false;
        };
        let pulled = im.pull(&connected.session, limit).await.expect("a page");
        if !pulled.messages.is_empty() {
            let list = self.listed(pulled.messages.iter().map(|message| message.id));
            self.note(&format!("device {number} of user{who} pulls {list}"));
        }
        let ids: Vec<_> = pulled.messages.iter().map(|m| m.id).collect();
        self.check(ids.is_sorted(), || "a page is not in order".to_owned());
        for message in &pulled.messages {
            self.given(who, number, message, false);
        }
        pulled.more
    }

    /// Lets a device have all that there is for it: nothing may be missing then.
    async fn settle(&mut self, who: Who, number: usize) {
        if self.devices[&(who, number)].session.is_none() {
            return;
        }
        let mut patience = 100_000;
        while self.drain(who, number).await || self.pull(who, number).await {
            patience -= 1;
            self.check(patience > 0, || "a device never has all".to_owned());
        }
        let im = Arc::clone(&self.real().im);
        let device = self.devices.get_mut(&(who, number)).expect("a device");
        let connected = device.session.as_mut().expect("online");
        connected.ack(&im, usize::MAX);
        connected.is_settled = true;
        let device = &self.devices[&(who, number)];
        let own = &device.own;
        for (channel, log) in self.channels.iter().enumerate() {
            let Some(view) = log.views.get(&who) else {
                continue;
            };
            let from = view.join.max(view.cleared);
            for (said, seq) in log.log.iter().zip(1..) {
                let due = seq > from
                    && said.audience.contains(&who)
                    && !said.recalled
                    && !said.dropped
                    && !own.contains(&said.id);
                self.check(!due || device.got.contains(&said.id), || {
                    format!("message {seq} of {channel} never came to device {number} of user{who}")
                });
            }
        }
    }

    async fn write_delivered(&mut self) {
        self.note("what devices were given is written");
        self.real().im.write_delivered().await.expect("a write");
        self.devices.values_mut().for_each(Device::wrote);
    }

    async fn restart(&mut self) {
        let clean = self.dice.once_in(2);
        self.note(&format!(
            "restart, {}",
            if clean { "clean" } else { "crash" }
        ));
        if clean {
            let im = Arc::clone(&self.real().im);
            for device in self.devices.values_mut() {
                device.disconnect(&im).await;
                device.wrote();
            }
        } else {
            self.devices.values_mut().for_each(Device::crashed);
        }
        let real = self.real.take().expect("it runs");
        self.real = Some(real.restart(clean).await);
    }

    async fn compare_all(&self) {
        for channel in 0..self.channels.len() {
            self.compare(channel).await;
        }
        for who in 0..PEOPLE {
            self.compare_list(who).await;
        }
    }

    /// One channel as each person sees it.
    async fn compare(&self, channel: Where) {
        let log = &self.channels[channel];
        for who in (0..PEOPLE).filter(|who| self.concerns(*who, channel)) {
            let user = &self.people[who];
            let rows = self
                .real()
                .im
                .conversations(user)
                .await
                .expect("conversations");
            let row = rows
                .iter()
                .find(|row| row.channel.key == self.keys[channel]);
            let view = log.views.get(&who).filter(|view| !log.is_hidden(view));
            let shown = row.map(|row| (row.unread(), row.read_seq, row.head_seq, row.begins_after));
            let expected = view.map(|view| {
                (
                    log.unread(who, view),
                    view.read,
                    log.head(),
                    log.begins_after(view),
                )
            });
            self.same(&shown, &expected, || {
                format!("unread, read, head and begin of {channel} for user{who}")
            });
            self.compare_history(who, channel).await;
        }
    }

    async fn compare_history(&self, who: Who, channel: Where) {
        let log = &self.channels[channel];
        let head = log.head();
        let queries = [
            (1, head, 1000, true),
            (head / 2, head, 3, false),
            (1, head.saturating_sub(2), 4, true),
        ];
        for (from, to, limit, newest) in queries {
            let query = HistoryQuery {
                from,
                to,
                limit,
                newest,
            };
            let viewer = Viewer::User(self.people[who].clone());
            let page = self
                .real()
                .im
                .history(&self.keys[channel], &viewer, query)
                .await;
            let seqs = page.map(|page| {
                page.iter()
                    .for_each(|message| self.compare_message(who, channel, message));
                page.iter().map(|message| message.seq).collect::<Vec<_>>()
            });
            let expected = match log.views.get(&who) {
                Some(view) => Ok(log.history(view, from, to, limit, newest)),
                None if matches!(log.kind, Kind::Direct(..)) => Ok(Vec::new()),
                None => Err(Refusal::NotAMember),
            };
            self.same(&seqs, &expected, || {
                format!("{query:?} of {channel} for user{who}")
            });
        }
    }

    fn compare_message(&self, who: Who, channel: Where, message: &Message) {
        let said = self.channels[channel]
            .said(message.seq)
            .expect("it was said");
        let is_shown = said.is_shown_to(who);
        let is_left = is_shown && !said.recalled;
        let text = if is_left { &said.text } else { "" };
        self.same(&message.is_concealed, &!is_shown, || {
            format!("whether message {} of {channel} is concealed", message.seq)
        });
        let real = (
            message.id,
            message.sender.num,
            &message.body.payload[..],
            message.revoked.is_some(),
        );
        let expected = (
            said.id,
            self.people[said.by].num,
            text.as_bytes(),
            said.recalled && is_shown,
        );
        self.same(&real, &expected, || {
            format!("message {} of {channel}", message.seq)
        });
    }

    /// The list of conversations: which, and in which order.
    async fn compare_list(&self, who: Who) {
        let rows = self
            .real()
            .im
            .conversations(&self.people[who])
            .await
            .expect("conversations");
        let newest = |channel: Where| {
            let last = self.channels[channel].log.last();
            last.filter(|said| !said.dropped).map(|said| said.id)
        };
        let listed: Vec<Where> = rows
            .iter()
            .map(|row| {
                self.keys
                    .iter()
                    .position(|key| *key == row.channel.key)
                    .expect("a channel")
            })
            .collect();
        let mut expected: Vec<Where> = (0..self.channels.len())
            .filter(|channel| {
                let log = &self.channels[*channel];
                log.views.get(&who).is_some_and(|view| !log.is_hidden(view))
            })
            .collect();
        let order: Vec<_> = listed.iter().map(|channel| newest(*channel)).collect();
        self.check(order.is_sorted_by(|a, b| a >= b), || {
            format!("the list of user{who} is not in order")
        });
        let mut listed = listed;
        listed.sort_unstable();
        expected.sort_unstable();
        self.same(&listed, &expected, || {
            format!("the conversations of user{who}")
        });
    }
}
