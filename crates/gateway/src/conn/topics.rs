//! A connection's hold on the plain topics: what its machine asks of them, and what comes out.
//! A connection that has nothing to do with topics has none of this.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crosstalk_core::im::Im;
use crosstalk_core::pubsub::{Attach, Attachment, Drained, PubSub, TopicError};
use crosstalk_core::session::Session;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Stream};

use crate::protocol::{AskId, TopicAnswer, TopicSession, TopicVerb};

/// Verbs that may wait for their answers; at this many the connection is not read.
pub(super) const MAX_WAITING: usize = 512;

type Waiting = FuturesUnordered<BoxFuture<'static, (AskId, TopicAnswer)>>;

/// See the module's words.
#[derive(Default)]
pub(super) struct Topics(Option<Box<Link>>);

struct Link {
    topics: Arc<PubSub>,
    attachment: Option<Arc<Attachment>>,
    /// Ready when there is something to drain.
    ready: Option<BoxFuture<'static, ()>>,
    waiting: Waiting,
}

/// What has happened.
pub(super) enum Woken {
    /// A verb was answered.
    Answer(AskId, Box<TopicAnswer>),
    /// There is something to drain.
    Ready,
}

impl Topics {
    /// Whether the connection has to do with topics.
    pub(super) fn is_used(&self) -> bool {
        self.0.is_some()
    }

    /// How many verbs wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.as_ref().map_or(0, |link| link.waiting.len())
    }

    /// Begins a verb. What it does is in its place among the others when this returns.
    pub(super) async fn run(
        &mut self,
        im: &Arc<Im>,
        session: &Session,
        id: AskId,
        verb: TopicVerb,
    ) {
        let link = self.0.get_or_insert_with(|| {
            Box::new(Link {
                topics: Arc::clone(im.topics()),
                attachment: None,
                ready: None,
                waiting: FuturesUnordered::new(),
            })
        });
        match verb {
            TopicVerb::Attach(wanted) => {
                let attached = link.attach(session, wanted).await;
                link.answered(id, TopicAnswer::Attached(attached));
            }
            TopicVerb::Detach(how, expiry_secs) => {
                link.ready = None;
                if let Some(attachment) = link.attachment.take() {
                    // A failure was reported; the connection ends all the same.
                    let _ = link.topics.detach(&attachment, how, expiry_secs).await;
                }
            }
            verb => link.begin(id, verb).await,
        }
    }

    /// Takes out what waits, of what must be settled no more than `room`.
    pub(super) fn drain(&self, room: usize) -> Option<Drained> {
        let attachment = self.0.as_ref()?.attachment.as_ref()?;
        Some(attachment.drain(room))
    }

    /// Reads on where a drain was behind.
    pub(super) async fn refill(&mut self) {
        let Some(link) = &mut self.0 else {
            return;
        };
        if let Some(attachment) = &link.attachment
            && let Err(error) = link.topics.refill(attachment).await
        {
            tracing::warn!(%error, "a queue of topics was not read");
        }
    }

    /// What happens next; pending, and not to be woken, while nothing can.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Woken> {
        let Some(link) = &mut self.0 else {
            return Poll::Pending;
        };
        if !link.waiting.is_empty()
            && let Poll::Ready(Some((id, answer))) = Pin::new(&mut link.waiting).poll_next(cx)
        {
            return Poll::Ready(Woken::Answer(id, Box::new(answer)));
        }
        let Some(attachment) = &link.attachment else {
            return Poll::Pending;
        };
        let ready = link.ready.get_or_insert_with(|| {
            let attachment = Arc::clone(attachment);
            async move { attachment.ready().await }.boxed()
        });
        if ready.as_mut().poll(cx).is_ready() {
            link.ready = None;
            return Poll::Ready(Woken::Ready);
        }
        Poll::Pending
    }
}

impl Link {
    async fn attach(
        &mut self,
        session: &Session,
        wanted: TopicSession,
    ) -> Result<(bool, Vec<crosstalk_core::pubsub::Subscription>), TopicError> {
        let attach = Attach {
            realm: session.realm.clone(),
            user: session.user.num,
            client_id: wanted.client_id.into(),
            clean: wanted.clean,
            expiry_secs: wanted.expiry_secs,
            will: wanted.will,
        };
        let attached = self.topics.attach(attach).await?;
        self.attachment = Some(attached.attachment);
        Ok((attached.present, attached.subscriptions))
    }

    fn answered(&mut self, id: AskId, answer: TopicAnswer) {
        self.waiting.push(std::future::ready((id, answer)).boxed());
    }

    async fn begin(&mut self, id: AskId, verb: TopicVerb) {
        let Some(attachment) = self.attachment.clone() else {
            let gone = Err(TopicError::Superseded);
            return self.answered(id, TopicAnswer::Done(gone));
        };
        let topics = Arc::clone(&self.topics);
        let mut work = async move {
            let at = &*attachment;
            let answer = match verb {
                TopicVerb::Subscribe(list) => {
                    TopicAnswer::Subscribed(topics.subscribe(at, list).await)
                }
                TopicVerb::Unsubscribe(list) => {
                    TopicAnswer::Unsubscribed(topics.unsubscribe(at, list).await)
                }
                TopicVerb::Publish(publication) => {
                    TopicAnswer::Published(topics.publish(at, *publication).await)
                }
                TopicVerb::Note(number) => {
                    TopicAnswer::Done(topics.note_received(at, number).await)
                }
                TopicVerb::Release(number) => TopicAnswer::Done(topics.release(at, number).await),
                TopicVerb::Settle(delivery, how) => {
                    TopicAnswer::Done(topics.settle(at, delivery, how).await)
                }
                TopicVerb::Attach(_) | TopicVerb::Detach(..) => TopicAnswer::Done(Ok(false)),
            };
            (id, answer)
        }
        .boxed();
        // Queues of jobs are fair: who has asked once keeps their place.
        let first = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx)));
        match first.await {
            Poll::Ready((id, answer)) => self.answered(id, answer),
            Poll::Pending => self.waiting.push(work),
        }
    }
}
