//! Who subscribes to what: filters as a tree of levels, so that finding those of a topic takes
//! a step per level and wildcard, however many there are.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::{Filter, SubscriptionOptions, Topic};

/// Somebody who is found, and how they subscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<K> {
    /// Who.
    pub who: K,
    /// How.
    pub options: SubscriptionOptions,
}

/// The subscriptions that a topic matches.
#[derive(Debug)]
pub struct Matches<'a, K> {
    /// One per subscription that is not shared, in no order: somebody may be among them more
    /// than once.
    pub single: Vec<Member<K>>,
    /// Of each group that shares a subscription its members, never empty. The next message is
    /// the first one's; who is chosen is to be told to [`Group::chosen`].
    pub groups: Vec<&'a mut Group<K>>,
}

/// The members of a shared subscription, the one whose turn it is first.
#[derive(Debug)]
pub struct Group<K> {
    name: Box<str>,
    members: Vec<Member<K>>,
}

impl<K: Copy> Group<K> {
    /// The members, the one whose turn it is first.
    #[must_use]
    pub fn members(&self) -> &[Member<K>] {
        &self.members
    }

    /// The member at a place got the message: the turn is at the one behind it.
    pub fn chosen(&mut self, at: usize) {
        let len = self.members.len();
        self.members.rotate_left((at + 1) % len);
    }
}

#[derive(Debug)]
struct Node<K> {
    children: FxHashMap<Box<str>, Node<K>>,
    single: FxHashMap<K, SubscriptionOptions>,
    groups: Vec<Group<K>>,
}

impl<K> Default for Node<K> {
    fn default() -> Self {
        Self {
            children: FxHashMap::default(),
            single: FxHashMap::default(),
            groups: Vec::new(),
        }
    }
}

impl<K> Node<K> {
    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.single.is_empty() && self.groups.is_empty()
    }
}

/// The subscriptions of one realm. `K` is who subscribes.
#[derive(Debug)]
pub struct TopicTree<K> {
    root: Node<K>,
    len: usize,
}

impl<K> Default for TopicTree<K> {
    fn default() -> Self {
        Self {
            root: Node::default(),
            len: 0,
        }
    }
}

impl<K: Copy + Eq + Hash> TopicTree<K> {
    /// How many subscriptions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without subscriptions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a subscription, or replaces its options. True if it is new.
    pub fn add(&mut self, filter: &Filter, who: K, options: SubscriptionOptions) -> bool {
        let mut node = &mut self.root;
        for level in filter.levels().split('/') {
            // Not `entry`: most levels are there, and need no copy.
            if !node.children.contains_key(level) {
                node.children.insert(level.into(), Node::default());
            }
            node = node.children.get_mut(level).expect("it was just made");
        }
        let is_new = match filter.group() {
            None => node.single.insert(who, options).is_none(),
            Some(name) => join(&mut node.groups, name, Member { who, options }),
        };
        self.len += usize::from(is_new);
        is_new
    }

    /// Removes a subscription. True if it was there.
    pub fn remove(&mut self, filter: &Filter, who: K) -> bool {
        let levels: Vec<&str> = filter.levels().split('/').collect();
        let was_there = remove(&mut self.root, &levels, filter.group(), who);
        self.len -= usize::from(was_there);
        was_there
    }

    /// The subscriptions that a topic matches. A wildcard at the beginning stands for no topic
    /// that begins with `$`.
    pub fn matches(&mut self, topic: &Topic) -> Matches<'_, K> {
        let levels: Vec<&str> = topic.as_str().split('/').collect();
        let mut found = Matches {
            single: Vec::new(),
            groups: Vec::new(),
        };
        let plain_only = topic.as_str().starts_with('$');
        collect(&mut self.root, &levels, plain_only, &mut found);
        found
    }
}

/// Adds a member to a group; its place in the turn stays if it was there.
fn join<K: Eq>(groups: &mut Vec<Group<K>>, name: &str, member: Member<K>) -> bool {
    let Some(group) = groups.iter_mut().find(|group| &*group.name == name) else {
        groups.push(Group {
            name: name.into(),
            members: vec![member],
        });
        return true;
    };
    match group.members.iter_mut().find(|m| m.who == member.who) {
        Some(there) => {
            there.options = member.options;
            false
        }
        None => {
            group.members.push(member);
            true
        }
    }
}

fn leave<K: Eq>(groups: &mut Vec<Group<K>>, name: &str, who: &K) -> bool {
    let Some(at) = groups.iter().position(|group| &*group.name == name) else {
        return false;
    };
    let members = &mut groups[at].members;
    let before = members.len();
    members.retain(|member| member.who != *who);
    let was_there = members.len() < before;
    if members.is_empty() {
        groups.swap_remove(at);
    }
    was_there
}

fn remove<K: Copy + Eq + Hash>(
    node: &mut Node<K>,
    levels: &[&str],
    group: Option<&str>,
    who: K,
) -> bool {
    let [level, rest @ ..] = levels else {
        return match group {
            None => node.single.remove(&who).is_some(),
            Some(name) => leave(&mut node.groups, name, &who),
        };
    };
    let Some(child) = node.children.get_mut(*level) else {
        return false;
    };
    let was_there = remove(child, rest, group, who);
    if child.is_empty() {
        node.children.remove(*level);
    }
    was_there
}

/// No deeper than a topic has levels, which is bounded.
fn collect<'a, K: Copy>(
    node: &'a mut Node<K>,
    levels: &[&str],
    plain_only: bool,
    found: &mut Matches<'a, K>,
) {
    let [level, rest @ ..] = levels else {
        take(&node.single, &mut node.groups, found);
        // `a/#` asks for `a` as well.
        if let Some(all) = node.children.get_mut("#") {
            take(&all.single, &mut all.groups, found);
        }
        return;
    };
    // Three different children: a topic's level is no wildcard.
    let [all, any, exact] = node.children.get_disjoint_mut(["#", "+", *level]);
    if let Some(all) = all.filter(|_| !plain_only) {
        take(&all.single, &mut all.groups, found);
    }
    if let Some(any) = any.filter(|_| !plain_only) {
        collect(any, rest, false, found);
    }
    if let Some(exact) = exact {
        collect(exact, rest, false, found);
    }
}

fn take<'a, K: Copy>(
    single: &FxHashMap<K, SubscriptionOptions>,
    groups: &'a mut [Group<K>],
    found: &mut Matches<'a, K>,
) {
    let member = |(who, options): (&K, &SubscriptionOptions)| Member {
        who: *who,
        options: *options,
    };
    found.single.extend(single.iter().map(member));
    found.groups.extend(groups);
}

#[cfg(test)]
mod tests;
