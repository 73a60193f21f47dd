//! What was asked for, as a report says it.

use std::collections::BTreeMap;

use super::{LoadOptions, Scenario};

impl Scenario {
    /// Its name in reports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Direct(_) => "direct",
            Self::Group(_) => "group",
            Self::Fanout(_) => "fanout",
            Self::Idle(_) => "idle",
            Self::Sync(_) => "sync",
            Self::Mixed(_) => "mixed",
            Self::Storm(_) => "storm",
        }
    }

    /// The numbers that were asked for.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<&'static str, u64> {
        let (settings, load) = match self {
            Self::Direct(it) => {
                let settings = vec![("pairs", it.pairs.into()), ("duplex", it.duplex.into())];
                (settings, Some(&it.load))
            }
            Self::Group(it) => {
                let settings = vec![
                    ("groups", it.groups.into()),
                    ("members", it.members.into()),
                    ("online", it.online.unwrap_or(it.members).into()),
                    ("senders", it.senders.into()),
                ];
                (settings, Some(&it.load))
            }
            Self::Fanout(it) => {
                let settings = vec![
                    ("members", it.members.into()),
                    ("online", it.online.into()),
                    ("senders", it.senders.into()),
                ];
                (settings, Some(&it.load))
            }
            Self::Idle(it) => {
                let settings = vec![
                    ("connections", it.connections.into()),
                    ("seconds", it.seconds),
                ];
                (settings, None)
            }
            Self::Sync(it) => {
                let settings = vec![
                    ("conversations", it.conversations.into()),
                    ("groups", it.group_count().into()),
                    ("messages", it.messages.into()),
                    ("users", it.users.into()),
                    ("rounds", it.rounds.into()),
                    ("at_once", it.at_once.into()),
                    ("page", it.page.into()),
                    ("recents", it.recents.into()),
                    ("payload", it.payload.into()),
                ];
                (settings, None)
            }
            Self::Mixed(it) => {
                let mut settings = vec![
                    ("users", it.users.into()),
                    ("members", it.members.into()),
                    ("rate", it.rate),
                    ("payload", it.payload.into()),
                    ("warmup", it.warmup),
                    ("seconds", it.seconds),
                ];
                settings.extend(it.shares());
                (settings, None)
            }
            Self::Storm(it) => {
                let settings = vec![
                    ("clients", it.clients.into()),
                    ("members", it.members.into()),
                    ("rate", it.rate),
                    ("at_once", it.at_once.unwrap_or(it.clients).into()),
                    ("payload", it.payload.into()),
                    ("before", it.before),
                    ("after", it.after),
                ];
                (settings, None)
            }
        };
        let mut settings: BTreeMap<_, _> = settings.into_iter().collect();
        settings.extend(load.into_iter().flat_map(LoadOptions::settings));
        settings
    }
}

impl LoadOptions {
    fn settings(&self) -> Vec<(&'static str, u64)> {
        let mut settings = vec![
            ("payload", self.payload.into()),
            ("warmup", self.warmup),
            ("seconds", self.measured_seconds()),
            match self.rate {
                Some(rate) => ("rate", rate),
                None => ("window", self.window.into()),
            },
        ];
        settings.extend(self.count.map(|count| ("count", count)));
        settings
    }
}
