//! The options of each scenario, and what contradicts itself in them.

use clap::{Args, ValueEnum, value_parser};

use super::{
    LoadOptions, MAX_CLIENTS, MAX_CONTENT_BYTES, MAX_SECONDS, MAX_WARMUP_SECONDS, Scenario,
};
use crate::stamp::MIN_CONTENT_BYTES;

/// The most messages that a set-up writes.
const MAX_PAST_MESSAGES: u64 = 50_000_000;
/// The largest proportion of a kind of operation.
const MAX_SHARE: i64 = 1_000;

/// `direct`
#[derive(Debug, Clone, Args)]
pub struct DirectOptions {
    /// Pairs of users.
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64 / 2))]
    pub pairs: u32,
    /// Both of a pair write.
    #[arg(long)]
    pub duplex: bool,
    /// How much and how fast.
    #[command(flatten)]
    pub load: LoadOptions,
}

/// `group`
#[derive(Debug, Clone, Args)]
pub struct GroupOptions {
    /// Groups. No user is in two of them.
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = value_parser!(u32).range(1..=100_000))]
    pub groups: u32,
    /// Members of each group.
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = value_parser!(u32).range(2..=MAX_CLIENTS as i64))]
    pub members: u32,
    /// How many of them are online; by default all.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub online: Option<u32>,
    /// How many of the online members write.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub senders: u32,
    /// How much and how fast.
    #[command(flatten)]
    pub load: LoadOptions,
}

/// `fanout`
#[derive(Debug, Clone, Args)]
pub struct FanoutOptions {
    /// Members of the group.
    #[arg(long, value_name = "N", default_value_t = 10_000,
          value_parser = value_parser!(u32).range(2..=10 * MAX_CLIENTS as i64))]
    pub members: u32,
    /// How many of them are online.
    #[arg(long, value_name = "N", default_value_t = 1_000,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub online: u32,
    /// How many of the online members write.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub senders: u32,
    /// How much and how fast.
    #[command(flatten)]
    pub load: LoadOptions,
}

/// `idle`
#[derive(Debug, Clone, Args)]
pub struct IdleOptions {
    /// Connections, each of a user of its own.
    #[arg(long, value_name = "N", default_value_t = 2_000,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub connections: u32,
    /// How long they stay once all are there.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u64).range(1..=MAX_SECONDS))]
    pub seconds: u64,
}

/// `sync`
#[derive(Debug, Clone, Args)]
pub struct SyncOptions {
    /// Conversations of each user.
    #[arg(long, value_name = "N", default_value_t = 2_000,
          value_parser = value_parser!(u32).range(1..=100_000))]
    pub conversations: u32,
    /// How many of them are groups; by default one in four. All users are in each of them.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(0..=100_000))]
    pub groups: Option<u32>,
    /// Messages in each conversation.
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = value_parser!(u32).range(1..=10_000))]
    pub messages: u32,
    /// Users who ask.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = value_parser!(u32).range(1..=10_000))]
    pub users: u32,
    /// How often each asks for everything.
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = value_parser!(u32).range(1..=100_000))]
    pub rounds: u32,
    /// How many of them ask at the same time.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = value_parser!(u32).range(1..=1_000))]
    pub at_once: u32,
    /// Conversations in one answer.
    #[arg(long, value_name = "N", default_value_t = 500,
          value_parser = value_parser!(u32).range(1..=500))]
    pub page: u32,
    /// Messages of each conversation in the answer, where the API lets a client choose; the SDKs
    /// ask for 200.
    #[arg(long, value_name = "N", default_value_t = 200,
          value_parser = value_parser!(u32).range(1..=200))]
    pub recents: u32,
    /// Bytes of a message's content.
    #[arg(long, value_name = "BYTES", default_value_t = 100,
          value_parser = value_parser!(u32).range(MIN_CONTENT_BYTES as i64..=MAX_CONTENT_BYTES as i64))]
    pub payload: u32,
    /// Which API is asked.
    #[arg(long, value_enum, default_value_t = SyncApi::Native)]
    pub api: SyncApi,
}

impl SyncOptions {
    /// How many of the conversations are groups.
    #[must_use]
    pub fn group_count(&self) -> u32 {
        self.groups.unwrap_or(self.conversations / 4)
    }
}

/// Which API is asked for conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SyncApi {
    /// The dialect's own.
    Native,
    /// `/v1/users/{uid}/conversations`; its pages hold 200 at most.
    Rest,
}

/// `mixed`
#[derive(Debug, Clone, Args)]
pub struct MixedOptions {
    /// Users, all online; each writes to the one beside it. An even number.
    #[arg(long, value_name = "N", default_value_t = 400,
          value_parser = value_parser!(u32).range(2..=MAX_CLIENTS as i64 / 2))]
    pub users: u32,
    /// Members of each group; each user is in one, and one more client writes to it.
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub members: u32,
    /// Operations per second, whether or not the server keeps up.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 1_000,
          value_parser = value_parser!(u64).range(1..=1_000_000))]
    pub rate: u64,
    /// Direct messages.
    #[arg(long, value_name = "SHARE", default_value_t = 60,
          value_parser = value_parser!(u64).range(0..=MAX_SHARE as u64))]
    pub direct: u64,
    /// Messages to groups.
    #[arg(long, value_name = "SHARE", default_value_t = 10,
          value_parser = value_parser!(u64).range(0..=MAX_SHARE as u64))]
    pub group: u64,
    /// Conversations marked as read.
    #[arg(long, value_name = "SHARE", default_value_t = 15,
          value_parser = value_parser!(u64).range(0..=MAX_SHARE as u64))]
    pub reads: u64,
    /// Lists of conversations.
    #[arg(long, value_name = "SHARE", default_value_t = 4,
          value_parser = value_parser!(u64).range(0..=MAX_SHARE as u64))]
    pub syncs: u64,
    /// Pages of history.
    #[arg(long, value_name = "SHARE", default_value_t = 10,
          value_parser = value_parser!(u64).range(0..=MAX_SHARE as u64))]
    pub histories: u64,
    /// Clients that leave and come back.
    #[arg(long, value_name = "SHARE", default_value_t = 1,
          value_parser = value_parser!(u64).range(0..=MAX_SHARE as u64))]
    pub reconnects: u64,
    /// Bytes of a message's content.
    #[arg(long, value_name = "BYTES", default_value_t = 100,
          value_parser = value_parser!(u32).range(MIN_CONTENT_BYTES as i64..=MAX_CONTENT_BYTES as i64))]
    pub payload: u32,
    /// How long to measure.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u64).range(1..=MAX_SECONDS))]
    pub seconds: u64,
    /// How long to go on before measuring.
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = value_parser!(u64).range(0..=MAX_WARMUP_SECONDS))]
    pub warmup: u64,
}

impl MixedOptions {
    /// Proportions by the names of their options.
    #[must_use]
    pub fn shares(&self) -> [(&'static str, u64); 6] {
        [
            ("direct", self.direct),
            ("group", self.group),
            ("reads", self.reads),
            ("syncs", self.syncs),
            ("histories", self.histories),
            ("reconnects", self.reconnects),
        ]
    }

    /// What a proportion is per second.
    #[must_use]
    pub fn rate_of(&self, share: u64) -> u64 {
        let sum: u64 = self.shares().iter().map(|(_, share)| share).sum();
        self.rate * share / sum.max(1)
    }
}

/// `storm`
#[derive(Debug, Clone, Args)]
pub struct StormOptions {
    /// Clients that lose their connection.
    #[arg(long, value_name = "N", default_value_t = 2_000,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub clients: u32,
    /// How many of them are in a group with one client that stays and writes.
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub members: u32,
    /// Messages per second of all writers together.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 20,
          value_parser = value_parser!(u64).range(1..=1_000_000))]
    pub rate: u64,
    /// Logins under way at once; by default all.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=MAX_CLIENTS as i64))]
    pub at_once: Option<u32>,
    /// Bytes of a message's content.
    #[arg(long, value_name = "BYTES", default_value_t = 100,
          value_parser = value_parser!(u32).range(MIN_CONTENT_BYTES as i64..=MAX_CONTENT_BYTES as i64))]
    pub payload: u32,
    /// How long all is calm before.
    #[arg(long, value_name = "SECONDS", default_value_t = 2,
          value_parser = value_parser!(u64).range(0..=MAX_SECONDS))]
    pub before: u64,
    /// How long messages go on once all are back.
    #[arg(long, value_name = "SECONDS", default_value_t = 3,
          value_parser = value_parser!(u64).range(0..=MAX_SECONDS))]
    pub after: u64,
    /// How long to wait for all to be back.
    #[arg(long, value_name = "SECONDS", default_value_t = 120,
          value_parser = value_parser!(u64).range(1..=MAX_SECONDS))]
    pub deadline: u64,
}

impl StormOptions {
    /// Groups, and so writers.
    #[must_use]
    pub fn group_count(&self) -> u32 {
        self.clients.div_ceil(self.members)
    }
}

impl Scenario {
    /// What clap cannot check.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::Direct(_) | Self::Idle(_) | Self::Storm(_) => Ok(()),
            Self::Group(group) => {
                let online = group.online.unwrap_or(group.members);
                check_group(group.groups, group.members, online, group.senders)
            }
            Self::Fanout(it) => check_group(1, it.members, it.online, it.senders),
            Self::Sync(sync) => check_sync(sync),
            Self::Mixed(mixed) => check_mixed(mixed),
        }
    }
}

fn check_group(groups: u32, members: u32, online: u32, senders: u32) -> Result<(), String> {
    if online > members {
        return Err(format!(
            "--online {online} is more than --members {members}"
        ));
    }
    if senders > online {
        return Err(format!(
            "--senders {senders} is more than the {online} members who are online"
        ));
    }
    let clients = u64::from(groups) * u64::from(online);
    let all = u64::from(groups) * u64::from(members);
    if clients > MAX_CLIENTS || all > 10 * MAX_CLIENTS {
        return Err(format!("{clients} clients of {all} members are too many"));
    }
    Ok(())
}

fn check_sync(sync: &SyncOptions) -> Result<(), String> {
    let (groups, all) = (sync.group_count(), sync.conversations);
    if groups > all {
        return Err(format!(
            "--groups {groups} is more than --conversations {all}"
        ));
    }
    let direct = u64::from(all - groups) * u64::from(sync.users);
    let messages = (direct + u64::from(groups)) * u64::from(sync.messages);
    if messages > MAX_PAST_MESSAGES {
        return Err(format!("{messages} messages are too many to set up"));
    }
    Ok(())
}

fn check_mixed(mixed: &MixedOptions) -> Result<(), String> {
    if mixed.users % 2 == 1 {
        return Err(format!("--users {} is odd", mixed.users));
    }
    if mixed.direct + mixed.group == 0 {
        return Err("--direct and --group are both 0: nobody would write".to_owned());
    }
    for (name, share) in mixed.shares() {
        if share > 0 && mixed.rate_of(share) == 0 {
            return Err(format!(
                "--{name} {share} is less than one per second at --rate {}",
                mixed.rate
            ));
        }
    }
    Ok(())
}
