//! Everything of a user, written down: one JSON object per line. First what is kept of them,
//! then what they said.

use super::super::Im;
use super::chores::{Piece, Render, failed};
use crate::admin::{Chore, ChoreKind, ChoreState, NewChore};
use crate::id::{MessageId, Realm, Uid};
use crate::refusal::Refusal;

impl Im {
    /// Writes down everything of a user, in the background.
    ///
    /// # Errors
    /// `NoSuchUser`, `TooMany`, or when the store fails.
    pub async fn export_user(&self, realm: &Realm, uid: &Uid, by: &str) -> Result<Chore, Refusal> {
        let state = self.user(realm, uid).await?;
        self.take_in(NewChore {
            realm: realm.clone(),
            kind: ChoreKind::Export,
            user: Some(state.record.user.clone()),
            spec: String::new(),
            total: 0,
            by: by.to_owned(),
        })
        .await
    }

    pub(super) async fn export_piece(
        &self,
        mut chore: Chore,
        render: &Render,
    ) -> Result<Piece, Refusal> {
        let Some(user) = chore.chore.user.clone() else {
            return Ok(failed(chore, "nobody knows whom it is about"));
        };
        // `n:after`: the place of the next piece of output, and how far the log was read.
        let (n, after) = match chore.place.split_once(':') {
            None => (0, None),
            Some((n, after)) => (n.parse().unwrap_or(0), after.parse().ok()),
        };
        let mut lines = Vec::new();
        let next = match after {
            None => {
                lines = self.stores.admin.census.rows_of(user.num).await?;
                Some(0)
            }
            Some(after) => {
                let scan = self.stores.admin.census.sent_by(user.num, MessageId(after));
                let scan = scan.await?;
                for id in scan.found {
                    if let Some(message) = self.stores.log.by_id(id).await? {
                        lines.push(render(&message));
                    }
                }
                scan.through.map(|through| through.0)
            }
        };
        chore.done += lines.len() as u64;
        chore.chore.total = chore.done;
        let n_next: u32 = if lines.is_empty() { n } else { n + 1 };
        match next {
            Some(after) => chore.place = format!("{n_next}:{after}"),
            None => chore.state = ChoreState::Done,
        }
        let mut piece = Piece::of(chore);
        if !lines.is_empty() {
            let mut text = lines.join("\n");
            text.push('\n');
            piece.output = Some((n, text.into_bytes()));
        }
        Ok(piece)
    }
}
