//! Sends that somebody has a last look at ([`Screen`]). Each session has a queue of its own for
//! them, worked off by a task, so that they keep their order and neither the connection nor a
//! lane waits.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Im;
use crate::channel::ChannelKey;
use crate::deliver::{Job, Lanes, SendJob, Sender};
use crate::id::{Realm, Snowflake};
use crate::message::Draft;
use crate::refusal::Refusal;
use crate::send::screen::{Screen, Screening, Verdict};
use crate::session::{Refused, Session};

/// Sends of one session that may wait for the last look; a further one makes the session wait.
const QUEUE: usize = 64;

/// Where a session's sends wait for the last look.
pub(crate) type Queue = mpsc::Sender<SendJob>;

impl Im {
    /// Has somebody look at what users send from now on, or nobody any more.
    pub fn set_screen(&self, screen: Option<Arc<dyn Screen>>) {
        self.screening.set(screen);
    }

    /// Gives a send to the session's own queue if somebody has a last look at it, or at one
    /// before it. Otherwise gives it back.
    pub(super) async fn hold(&self, session: &Arc<Session>, send: SendJob) -> Result<(), SendJob> {
        let queue = match session.screened.get() {
            Some(queue) => queue,
            None if self.screening.of(&session.realm).is_none() => return Err(send),
            None => session
                .screened
                .get_or_init(|| self.start_screening(session)),
        };
        // The task has ended only when everything stops.
        queue.send(send).await.map_err(|unsent| unsent.0)
    }

    fn start_screening(&self, session: &Session) -> Queue {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let screener = Screener {
            screening: Arc::clone(&self.screening),
            lanes: Arc::clone(&self.lanes),
            ids: Arc::clone(&self.parts.ids),
            realm: session.realm.clone(),
        };
        self.tasks.spawn(screener.run(waiting, self.stop.clone()));
        queue
    }

    /// What becomes of a draft of a user that a caller waits for.
    pub(super) async fn screen(
        &self,
        realm: &Realm,
        sender: &Sender,
        to: &ChannelKey,
        draft: &mut Draft,
    ) -> Result<(), Refusal> {
        if !matches!(sender, Sender::User(_)) {
            return Ok(());
        }
        match self.screening.of(realm) {
            Some(screen) => look(&*screen, sender, to, draft).await,
            None => Ok(()),
        }
    }
}

async fn look(
    screen: &dyn Screen,
    sender: &Sender,
    to: &ChannelKey,
    draft: &mut Draft,
) -> Result<(), Refusal> {
    match screen.look(sender.user(), to, &draft.body).await {
        Verdict::Allow => Ok(()),
        Verdict::Deny => Err(Refusal::HookRefused),
        Verdict::Unanswered => Err(Refusal::Unavailable),
        Verdict::Replace(body) => {
            draft.body = *body;
            Ok(())
        }
    }
}

/// Works off the queue of one session.
struct Screener {
    screening: Arc<Screening>,
    lanes: Arc<Lanes>,
    ids: Arc<Snowflake>,
    realm: Realm,
}

impl Screener {
    /// Ends when the session is gone and nothing waits, or when everything stops.
    async fn run(self, mut waiting: mpsc::Receiver<SendJob>, stop: CancellationToken) {
        while let Some(Some(send)) = stop.run_until_cancelled(waiting.recv()).await {
            self.pass_on(send).await;
        }
        waiting.close();
        while let Some(send) = waiting.recv().await {
            self.refuse(send, Refusal::Unavailable);
        }
    }

    async fn pass_on(&self, mut send: SendJob) {
        if let Some(screen) = self.screening.of(&self.realm)
            && let Err(why) = look(&*screen, &send.sender, &send.key, &mut send.draft).await
        {
            return self.refuse(send, why);
        }
        let key = send.key.clone();
        if let Err(Job::Send(send)) = self.lanes.put(&key, Job::Send(Box::new(send))).await {
            self.refuse(*send, Refusal::Unavailable);
        }
    }

    fn refuse(&self, send: SendJob, why: Refusal) {
        let id = self.ids.next();
        send.refuse(Refused { id, why });
    }
}
