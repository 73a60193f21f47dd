//! The messenger as simply as possible: lists and sets, nothing cached, nothing computed
//! ahead. What it says is what the real one must say.

use std::collections::{BTreeMap, BTreeSet};

use crosstalk_core::id::MessageId;

/// A person, by number.
pub(crate) type Who = usize;
/// A channel, by number.
pub(crate) type Where = usize;

/// A message of a log; its seq is its place, from 1.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) id: MessageId,
    pub(crate) by: Who,
    pub(crate) text: String,
    pub(crate) counts: bool,
    pub(crate) at_ms: i64,
    /// At which step.
    pub(crate) step: u64,
    pub(crate) recalled: bool,
    /// Retention has taken it away.
    pub(crate) dropped: bool,
    /// Who may see it: who belonged to the channel when it was said, or some of them.
    pub(crate) audience: BTreeSet<Who>,
    /// It is for its audience only.
    pub(crate) is_directed: bool,
}

impl Said {
    /// Whether it counts, for this person.
    fn counts_for(&self, who: Who) -> bool {
        let is_for = !self.is_directed || self.by != who && self.audience.contains(&who);
        self.counts && is_for && !self.recalled && !self.dropped
    }

    /// Whether it is there for this person, and not only its place.
    pub(crate) fn is_shown_to(&self, who: Who) -> bool {
        !self.is_directed || self.audience.contains(&who)
    }
}

/// One person's view of a channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) read: u64,
    pub(crate) badge: u64,
    pub(crate) cleared: u64,
    pub(crate) hidden: Option<u64>,
    pub(crate) join: u64,
}

/// Who is in a channel, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of these two.
    Direct(Who, Who),
    /// Of its members.
    Group { since_join: bool },
}

/// A channel.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) kind: Kind,
    pub(crate) log: Vec<Said>,
    /// Of those who belong to it.
    pub(crate) views: BTreeMap<Who, View>,
    /// Of those who have left.
    pub(crate) left: BTreeMap<Who, View>,
    /// Everything up to this seq was dropped by retention.
    pub(crate) dropped_through: u64,
}

impl Channel {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            log: Vec::new(),
            views: BTreeMap::new(),
            left: BTreeMap::new(),
            dropped_through: 0,
        }
    }

    pub(crate) fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// Who gets what is said now.
    pub(crate) fn audience(&self) -> BTreeSet<Who> {
        match self.kind {
            Kind::Direct(a, b) => [a, b].into(),
            Kind::Group { .. } => self.views.keys().copied().collect(),
        }
    }

    pub(crate) fn may_send(&self, who: Who) -> bool {
        self.audience().contains(&who)
    }

    pub(crate) fn said(&self, seq: u64) -> Option<&Said> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.log.get(at)
    }

    /// How many messages above a seq count as unread for a person.
    pub(crate) fn counting_after(&self, who: Who, seq: u64) -> u64 {
        let from = usize::try_from(seq).expect("a small log");
        let counts = |said: &&Said| said.counts_for(who);
        self.log.iter().skip(from).filter(counts).count() as u64
    }

    pub(crate) fn unread(&self, who: Who, view: &View) -> u64 {
        self.counting_after(who, view.badge)
    }

    /// History begins after this seq.
    pub(crate) fn begins_after(&self, view: &View) -> u64 {
        let join = match self.kind {
            Kind::Group { since_join: true } => view.join,
            Kind::Group { since_join: false } | Kind::Direct(..) => 0,
        };
        view.cleared.max(join).max(self.dropped_through)
    }

    /// The seqs of a stretch of history, ascending.
    pub(crate) fn history(
        &self,
        view: &View,
        from: u64,
        to: u64,
        limit: u32,
        newest: bool,
    ) -> Vec<u64> {
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

    pub(crate) fn say(&mut self, said: Said) {
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

    pub(crate) fn read(&mut self, who: Who, to: Option<u64>) {
        let head = self.head();
        let to = to.unwrap_or(head).min(head);
        if let Some(view) = self.views.get_mut(&who) {
            view.read = view.read.max(to);
            view.badge = view.badge.max(to);
        }
    }

    /// The badge goes to the last place after which n count; to the one after which all count
    /// that the user can read, if there are fewer.
    pub(crate) fn set_unread(&mut self, who: Who, n: u64) {
        let Some(view) = self.views.get(&who) else {
            return;
        };
        let begin = self.begins_after(view);
        let n = n.min(self.counting_after(who, begin));
        let places = (begin..=self.head()).rev();
        let badge = places
            .into_iter()
            .find(|seq| self.counting_after(who, *seq) >= n);
        if let (Some(view), Some(badge)) = (self.views.get_mut(&who), badge) {
            view.badge = badge;
            view.read = view.read.max(badge);
        }
    }

    pub(crate) fn clear(&mut self, who: Who) {
        let head = self.head();
        if let Some(view) = self.views.get_mut(&who) {
            (view.cleared, view.read, view.badge) = (head, head, head);
        }
    }

    pub(crate) fn hide(&mut self, who: Who) {
        let head = self.head();
        if let Some(view) = self.views.get_mut(&who) {
            view.hidden = Some(head);
        }
    }

    pub(crate) fn join(&mut self, who: Who) {
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

    pub(crate) fn leave(&mut self, who: Who) {
        let view = self.views.remove(&who);
        self.left.extend(view.map(|view| (who, view)));
    }

    /// Drops what has an id below this, from the front.
    pub(crate) fn retain(&mut self, before: MessageId) {
        while let Some(said) = self.said(self.dropped_through + 1)
            && said.id < before
        {
            let at = usize::try_from(self.dropped_through).expect("a small log");
            self.log[at].dropped = true;
            self.dropped_through += 1;
        }
    }

    pub(crate) fn is_hidden(&self, view: &View) -> bool {
        view.hidden.is_some_and(|seq| self.head() <= seq)
    }
}
