//! The messenger as simply as possible: lists and sets, nothing cached, nothing computed
//! ahead. What it says is what the real one must say.

use std::collections::{BTreeMap, BTreeSet};

use crosstalk_core::id::MessageId;

/// A person, by number.
pub type Who = usize;
/// A channel, by number.
pub type Where = usize;

/// A message of a log; its seq is its place, from 1.
#[derive(Debug, Clone)]
pub struct Said {
    pub id: MessageId,
    pub by: Who,
    pub text: String,
    pub counts: bool,
    pub at_ms: i64,
    /// At which step.
    pub step: u64,
    pub recalled: bool,
    /// Retention has taken it away.
    pub dropped: bool,
    /// Who belonged to the channel when it was said.
    pub audience: BTreeSet<Who>,
}

/// One person's view of a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    pub read: u64,
    pub badge: u64,
    pub cleared: u64,
    pub hidden: u64,
    pub join: u64,
}

/// Who is in a channel, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of these two.
    Direct(Who, Who),
    /// Of its members.
    Group { since_join: bool },
}

/// A channel.
#[derive(Debug, Clone)]
pub struct Channel {
    pub kind: Kind,
    pub log: Vec<Said>,
    /// Of those who belong to it.
    pub views: BTreeMap<Who, View>,
    /// Of those who have left.
    pub left: BTreeMap<Who, View>,
    /// Everything up to this seq was dropped by retention.
    pub dropped_through: u64,
}

impl Channel {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            log: Vec::new(),
            views: BTreeMap::new(),
            left: BTreeMap::new(),
            dropped_through: 0,
        }
    }

    pub fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// Who gets what is said now.
    pub fn audience(&self) -> BTreeSet<Who> {
        match self.kind {
            Kind::Direct(a, b) => [a, b].into(),
            Kind::Group { .. } => self.views.keys().copied().collect(),
        }
    }

    pub fn may_send(&self, who: Who) -> bool {
        self.audience().contains(&who)
    }

    pub fn said(&self, seq: u64) -> Option<&Said> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.log.get(at)
    }

    /// How many messages above a seq count as unread.
    pub fn counting_after(&self, seq: u64) -> u64 {
        let from = usize::try_from(seq).expect("a small log");
        let counts = |said: &&Said| said.counts && !said.recalled && !said.dropped;
        self.log.iter().skip(from).filter(counts).count() as u64
    }

    pub fn unread(&self, view: &View) -> u64 {
        self.counting_after(view.badge)
    }

    /// History begins after this seq.
    pub fn begins_after(&self, view: &View) -> u64 {
        let join = match self.kind {
            Kind::Group { since_join: true } => view.join,
            Kind::Group { since_join: false } | Kind::Direct(..) => 0,
        };
        view.cleared.max(join).max(self.dropped_through)
    }

    /// The seqs of a stretch of history, ascending.
    pub fn history(&self, view: &View, from: u64, to: u64, limit: u32, newest: bool) -> Vec<u64> {
        let first = from.max(self.begins_after(view) + 1);
        let mut seqs: Vec<u64> = (first..=to.min(self.head())).collect();
        let limit = limit as usize;
        if seqs.len() > limit {
            if newest {
                seqs.drain(..seqs.len() - limit);
            } else {
                seqs.truncate(limit);
            }
        }
        seqs
    }

    pub fn say(&mut self, said: Said) {
        let by = said.by;
        self.log.push(said);
        let head = self.head();
        if let Kind::Direct(a, b) = self.kind {
            for who in [a, b] {
                self.views.entry(who).or_default();
            }
        }
        if let Some(view) = self.views.get_mut(&by) {
            (view.read, view.badge) = (head, head);
        }
    }

    pub fn read(&mut self, who: Who, to: Option<u64>) {
        let head = self.head();
        let to = to.unwrap_or(head).min(head);
        if let Some(view) = self.views.get_mut(&who) {
            view.read = view.read.max(to);
            view.badge = view.badge.max(to);
        }
    }

    /// The badge goes to the last place after which n count; to the one after which all count
    /// that the user can read, if there are fewer.
    pub fn set_unread(&mut self, who: Who, n: u64) {
        let Some(view) = self.views.get(&who) else {
            return;
        };
        let begin = self.begins_after(view);
        let n = n.min(self.counting_after(begin));
        let places = (begin..=self.head()).rev();
        let badge = places
            .into_iter()
            .find(|seq| self.counting_after(*seq) >= n);
        if let (Some(view), Some(badge)) = (self.views.get_mut(&who), badge) {
            view.badge = badge;
            view.read = view.read.max(badge);
        }
    }

    pub fn clear(&mut self, who: Who) {
        let head = self.head();
        if let Some(view) = self.views.get_mut(&who) {
            (view.cleared, view.read, view.badge) = (head, head, head);
        }
    }

    pub fn hide(&mut self, who: Who) {
        let head = self.head();
        if let Some(view) = self.views.get_mut(&who) {
            view.hidden = head;
        }
    }

    pub fn join(&mut self, who: Who) {
        if self.views.contains_key(&who) {
            return;
        }
        let head = self.head();
        let before = self.left.remove(&who).unwrap_or_default();
        let view = View {
            read: head,
            badge: head,
            join: head,
            ..before
        };
        self.views.insert(who, view);
    }

    pub fn leave(&mut self, who: Who) {
        let view = self.views.remove(&who);
        self.left.extend(view.map(|view| (who, view)));
    }

    /// Drops what has an id below this, from the front.
    pub fn retain(&mut self, before: MessageId) {
        while let Some(said) = self.said(self.dropped_through + 1)
            && said.id < before
        {
            let at = usize::try_from(self.dropped_through).expect("a small log");
            self.log[at].dropped = true;
            self.dropped_through += 1;
        }
    }

    pub fn is_hidden(&self, view: &View) -> bool {
        view.hidden > 0 && self.head() <= view.hidden
    }
}
