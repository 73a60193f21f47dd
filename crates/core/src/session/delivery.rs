//! How the sessions of a dialect are given messages, as the dialect says at opening.

/// What a dialect's clients do about messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The id of the device stays the same from login to login. Devices without a stable id
    /// share what they were given with all of their user and dialect (interop.md G.7).
    pub stable_device: bool,
    /// The client acknowledges each stored message. What it has not acknowledged comes
    /// again; without acknowledgements what was written to it is delivered
    /// ([`Mailbox::written`](super::Mailbox::written)).
    pub acks: bool,
    /// How a device gets what was sent while it was away.
    pub offline: Offline,
    /// Where what is pushed to a device begins that was never seen.
    pub begins: Beginning,
    /// What the session gets back of what it sends itself.
    pub echo: Echo,
    /// It is told when what its user sent was delivered.
    pub receipts: bool,
    /// It is told when those whom its user talks with come and go.
    pub presence: bool,
}

impl Delivery {
    /// The least: messages as they come, no echo, no notices.
    #[must_use]
    pub const fn plain(offline: Offline, acks: bool) -> Self {
        Self {
            stable_device: false,
            acks,
            offline,
            begins: Beginning::Newest,
            echo: Echo::Never,
            receipts: false,
            presence: false,
        }
    }
}

/// How a device gets what was sent while it was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offline {
    /// The client reads the channels' logs by itself, from the seqs that it has. What it was
    /// given is not kept.
    Sync,
    /// It asks (`Im::pull`); live messages come at once.
    Pull,
    /// It comes by itself, before anything that is sent meanwhile.
    Push,
}

/// Where what is pushed to a device begins that was never seen (data-model.md §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With the newest 1,000 messages of the last 30 days.
    Newest,
    /// With the opening of its first session: what was sent before is history. The device is
    /// known, durably, when that session is open.
    Opening,
}

/// What a session gets back of what it sends itself, in its place among what others send.
/// Only what is new: a retry is answered and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// Nothing.
    Never,
    /// Notes to oneself.
    Notes,
    /// Everything.
    Always,
}
