//! How much of this machine's disk uploads in parts take: what is there of each, and all of one
//! while it comes. What was announced and does not come takes nothing from anybody.

use std::collections::HashMap;

use crosstalk_core::file::FileId;
use crosstalk_core::id::UserNum;
use parking_lot::Mutex;

/// What part of all one user may have, unless it is a single upload.
const SHARE: u64 = 4;

/// Counts what uploads take.
pub(super) struct Room {
    /// How many bytes they may take together; 0 = any number.
    max_bytes: u64,
    /// Those of which something is there or comes: as many as uploads are under way, which the
    /// store bounds for each owner.
    held: Mutex<HashMap<FileId, Held>>,
}

/// What one upload takes.
struct Held {
    /// `None` = the application, or not known yet.
    owner: Option<UserNum>,
    bytes: u64,
}

impl Room {
    pub(super) fn new(max_bytes: u64) -> Self {
        Self {
            max_bytes,
            held: Mutex::default(),
        }
    }

    /// So much of one is there from an earlier run.
    pub(super) fn found(&self, id: FileId, bytes: u64) {
        let held = Held { owner: None, bytes };
        self.held.lock().insert(id, held);
    }

    /// Whose it is that was found.
    pub(super) fn belongs(&self, id: FileId, owner: Option<UserNum>) {
        if let Some(held) = self.held.lock().get_mut(&id) {
            held.owner = owner;
        }
    }

    /// Whether an upload of this size could come now.
    pub(super) fn has(&self, owner: Option<UserNum>, size: u64) -> bool {
        self.has_beside(&self.held.lock(), None, owner, size)
    }

    /// Something of an upload is about to come, up to its size. False if there is no room for
    /// that now.
    pub(super) fn take(&self, id: FileId, owner: Option<UserNum>, size: u64) -> bool {
        let mut held = self.held.lock();
        let fits = self.has_beside(&held, Some(id), owner, size);
        if fits {
            held.insert(id, Held { owner, bytes: size });
        }
        fits
    }

    /// Nothing more of it comes for now; so much of it is there.
    pub(super) fn settle(&self, id: FileId, bytes: u64) {
        if let Some(held) = self.held.lock().get_mut(&id) {
            held.bytes = bytes;
        }
    }

    /// Nothing of it is there any more.
    pub(super) fn leave(&self, id: FileId) {
        self.held.lock().remove(&id);
    }

    fn has_beside(
        &self,
        held: &HashMap<FileId, Held>,
        id: Option<FileId>,
        owner: Option<UserNum>,
        size: u64,
    ) -> bool {
        if self.max_bytes == 0 {
            return true;
        }
        let (mut all, mut own) = (0_u64, 0_u64);
        for (_, other) in held.iter().filter(|(other, _)| Some(**other) != id) {
            all = all.saturating_add(other.bytes);
            if owner.is_some() && other.owner == owner {
                own = own.saturating_add(other.bytes);
            }
        }
        let fits = all.saturating_add(size) <= self.max_bytes;
        // One user leaves room for others.
        fits && (own == 0 || own.saturating_add(size) <= self.max_bytes / SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_core::clock::ManualClock;

    const ALICE: Option<UserNum> = Some(UserNum(1));
    const BOB: Option<UserNum> = Some(UserNum(2));

    fn ids<const N: usize>() -> [FileId; N] {
        let clock = ManualClock::at_ms(0);
        std::array::from_fn(|_| FileId::new(&clock))
    }

    #[test]
    fn what_comes_counts_in_full_and_then_what_is_there() {
        let room = Room::new(100);
        let [one, two] = ids();
        assert!(room.has(ALICE, 100) && !room.has(ALICE, 101));
        assert!(room.take(one, ALICE, 90));
        assert!(!room.take(two, BOB, 20), "90 are coming");
        room.settle(one, 70);
        assert!(room.take(two, BOB, 20), "70 are there");
        assert!(!room.take(one, ALICE, 90), "there is no room to go on");
        room.leave(two);
        assert!(room.take(one, ALICE, 90));
        room.settle(two, 50);
        assert!(room.has(BOB, 10), "what has left is not counted again");
        assert!(Room::new(0).has(ALICE, u64::MAX));
    }

    #[test]
    fn one_user_leaves_room_for_others() {
        let room = Room::new(100);
        let [one, two, three] = ids();
        assert!(room.take(one, ALICE, 20));
        assert!(room.take(two, ALICE, 5) && !room.take(three, ALICE, 1));
        assert!(room.has(BOB, 60) && room.has(None, 60));
        room.found(three, 10);
        room.belongs(three, BOB);
        assert!(!room.has(BOB, 20) && room.has(None, 60));
    }
}
