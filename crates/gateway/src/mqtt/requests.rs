//! Having chores done, and what the client is told of them.

use std::sync::Arc;

use crosstalk_core::refusal::Refusal;

use super::chores::{Chore, Errand, Outcome};
use super::live::{Asked, Live};
use super::reasons::refused;
use crate::protocol::{Answer, Ask, AskId, Command, Job, Now, Turn};

impl Live {
    /// Has a chore done.
    pub(super) fn chore(&mut self, chore: Chore, asked: Asked, turn: &mut Turn) {
        let errand = Errand {
            im: self.settings.im.clone(),
            session: Arc::clone(&self.session),
            chore,
        };
        let id = self.ask_id(asked);
        turn.commands
            .push(Command::Ask(id, Ask::Do(Job(Arc::new(errand)))));
    }

    /// A chore is done.
    pub(super) fn done(&mut self, id: AskId, answer: &Answer, now: Now, turn: &mut Turn) {
        let asked = self.asked.remove(&id.0);
        let outcome = match answer {
            Answer::Done(done) => done.downcast_ref::<Outcome>().copied(),
            _ => None,
        };
        let outcome = outcome.unwrap_or(Err(Refusal::Internal));
        match (asked, outcome) {
            (Some(Asked::Chore(sent)), Ok(())) => self.accept(sent.slot, turn),
            (Some(Asked::Chore(sent)), Err(why)) => {
                let words = why.code().replace('_', " ");
                self.refuse(&sent, refused(why), &words, now, turn);
            }
            (_, Err(why)) => tracing::debug!(%why, "a chore was not done"),
            (_, Ok(())) => {}
        }
        self.rest();
    }
}
