//! Who talks to whom.
//!
//! A plan names the clients by index. Those who get what a client sends are
//! always neighbours, so that a range tells them.

mod plans;

#[cfg(test)]
mod tests;

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::dialect::{Address, Group, Login};
use crate::options::LoadOptions;

pub(crate) use plans::{direct, fanout, group, idle, mixed, storm};

/// Clients, groups and senders of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Who connects.
    pub(crate) logins: Vec<Login>,
    pub(crate) groups: Vec<Group>,
    pub(crate) flows: Vec<Flow>,
}

/// Senders who share a rate and a number of messages.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) speed: Speed,
    /// How many measured messages of all of them together.
    pub(crate) count: Option<u64>,
    pub(crate) senders: Vec<Sender>,
}

/// How fast a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// As fast as answers come, with so many unanswered per sender.
    Window(u32),
    /// So many per second of all senders together.
    Rate(u64),
}

impl Speed {
    /// What was asked for.
    pub(crate) fn of(load: &LoadOptions) -> Self {
        load.rate.map_or(Self::Window(load.window), Self::Rate)
    }
}

impl Plan {
    /// All senders of all flows.
    pub(crate) fn senders(&self) -> impl Iterator<Item = &Sender> {
        self.flows.iter().flat_map(|flow| &flow.senders)
    }

    /// Tells those who will connect which groups they are in.
    pub(crate) fn enrol(&mut self) {
        let logins = self.logins.iter_mut();
        let mut by_uid: FxHashMap<String, &mut Login> =
            logins.map(|login| (login.uid.clone(), login)).collect();
        for group in &self.groups {
            for uid in &group.members {
                if let Some(login) = by_uid.get_mut(uid) {
                    login.groups.push(group.id.clone());
                }
            }
        }
    }

    /// Messages per second, if every flow has a rate.
    pub(crate) fn rate(&self) -> Option<u64> {
        let rates = self.flows.iter().map(|flow| match flow.speed {
            Speed::Rate(rate) => Some(rate),
            Speed::Window(_) => None,
        });
        rates.sum()
    }
}

/// A client that sends.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) index: u32,
    pub(crate) to: Address,
    /// Who must get it, by index; the sender itself does not.
    pub(crate) audience: Range<u32>,
}

/// Names and secrets of one run's users, so that runs on the same server do
/// not meet.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) run: u32,
    pub(crate) secret: String,
}

impl Names {
    /// A client's user.
    pub(crate) fn uid(&self, index: u32) -> String {
        format!("b{:08x}-{index}", self.run)
    }

    /// A user who never connects.
    pub(crate) fn absent(&self, number: u32) -> String {
        format!("b{:08x}-away{number}", self.run)
    }

    /// A group.
    pub(crate) fn group(&self, number: u32) -> String {
        format!("b{:08x}-g{number}", self.run)
    }

    /// So many users who will connect.
    pub(crate) fn logins(&self, count: u32) -> Vec<Login> {
        let login = |index| Login {
            uid: self.uid(index),
            token: format!("{}-{index}", self.secret),
            ..Login::default()
        };
        (0..count).map(login).collect()
    }
}
