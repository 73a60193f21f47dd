//! The stores behind the messenger, one port each.

use std::sync::Arc;

use crate::admin::{AdminStores, Audit, Bans, Census, Chores, Reports, Reviews, WordLists};
use crate::answered::Answers;
use crate::channel::{Channels, Joining};
use crate::conversation::Inbox;
use crate::delivered::Devices;
use crate::directory::{Apps, Directory, People, Registrations};
use crate::expiry::Expiry;
use crate::file::{Files, Uploads};
use crate::hook::Hooks;
use crate::log::Log;
use crate::mark::Marks;
use crate::mention::Mentions;
use crate::outbox::Outbox;
use crate::pubsub::Subscribers;
use crate::receipt::Receipts;
use crate::relation::{Friends, Relations};
use crate::schedule::Schedule;
use crate::search::SearchIndex;

/// The stores behind the messenger.
#[derive(Clone)]
pub struct Stores {
    /// Messages.
    pub log: Arc<dyn Log>,
    /// Channels.
    pub channels: Arc<dyn Channels>,
    /// Conversations.
    pub inbox: Arc<dyn Inbox>,
    /// Users.
    pub directory: Arc<dyn Directory>,
    /// Apps.
    pub apps: Arc<dyn Apps>,
    /// Relations.
    pub relations: Arc<dyn Relations>,
    /// Friends.
    pub friends: Arc<dyn Friends>,
    /// What is known of many users.
    pub people: Arc<dyn People>,
    /// What devices were given.
    pub devices: Arc<dyn Devices>,
    /// Who has read what.
    pub receipts: Arc<dyn Receipts>,
    /// What finds messages by what they say.
    pub search: Arc<dyn SearchIndex>,
    /// Subscribers of topics.
    pub subscribers: Arc<dyn Subscribers>,
    /// Registered devices.
    pub registrations: Arc<dyn Registrations>,
    /// What moderators and operators keep.
    pub admin: AdminStores,
    /// Who was mentioned.
    pub mentions: Arc<dyn Mentions>,
    /// When messages end.
    pub expiry: Arc<dyn Expiry>,
    /// What is to be sent later.
    pub schedule: Arc<dyn Schedule>,
    /// Requests to join, invitations and links.
    pub joining: Arc<dyn Joining>,
    /// Files.
    pub files: Arc<dyn Files>,
    /// Uploads of files that come in parts.
    pub uploads: Arc<dyn Uploads>,
    /// What users put on messages.
    pub marks: Arc<dyn Marks>,
    /// Events, and where consumers are.
    pub outbox: Arc<dyn Outbox>,
    /// Hooks.
    pub hooks: Arc<dyn Hooks>,
    /// Answers that are kept under keys.
    pub answers: Arc<dyn Answers>,
}

impl Stores {
    /// All of them in one store.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: Log
            + Channels
            + Inbox
            + Directory
            + Apps
            + Relations
            + Friends
            + People
            + Devices
            + Receipts
            + SearchIndex
            + Subscribers
            + Registrations
            + Mentions
            + Expiry
            + Schedule
            + Joining
            + Files
            + Uploads
            + Marks
            + Outbox
            + Hooks
            + Answers
            + WordLists
            + Reviews
            + Bans
            + Reports
            + Audit
            + Chores
            + Census,
    {
        Self {
            log: Arc::<S>::clone(&store),
            channels: Arc::<S>::clone(&store),
            inbox: Arc::<S>::clone(&store),
            directory: Arc::<S>::clone(&store),
            apps: Arc::<S>::clone(&store),
            relations: Arc::<S>::clone(&store),
            friends: Arc::<S>::clone(&store),
            people: Arc::<S>::clone(&store),
            devices: Arc::<S>::clone(&store),
            receipts: Arc::<S>::clone(&store),
            search: Arc::<S>::clone(&store),
            subscribers: Arc::<S>::clone(&store),
            registrations: Arc::<S>::clone(&store),
            admin: AdminStores::of(Arc::clone(&store)),
            mentions: Arc::<S>::clone(&store),
            expiry: Arc::<S>::clone(&store),
            schedule: Arc::<S>::clone(&store),
            joining: Arc::<S>::clone(&store),
            files: Arc::<S>::clone(&store),
            uploads: Arc::<S>::clone(&store),
            marks: Arc::<S>::clone(&store),
            outbox: Arc::<S>::clone(&store),
            hooks: Arc::<S>::clone(&store),
            answers: store,
        }
    }
}
