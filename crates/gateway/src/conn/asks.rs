//! Answering a machine's questions, beside everything else that its connection does.

mod altering;
mod pages;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crosstalk_core::channel::{Address, ChannelKey};
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::{Uid, UserNum};
use crosstalk_core::im::{HistoryQuery, Im, Viewer};
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Session;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::timeout;

use crate::files::sign_answer;
use crate::protocol::{Answer, Ask, AskId, Target};

/// Unread messages that one question reads at most.
const MAX_UNREAD: u32 = 10_000;
/// Newest messages of a conversation among which is one that was not taken back, or none is shown.
const MAX_REVOKED: u32 = 20;

/// A question that waits for its answer.
struct Question {
    /// It changes something, whoever is there to hear that it has.
    changes: bool,
    answer: BoxFuture<'static, (AskId, Box<Answer>)>,
}

impl Future for Question {
    type Output = (AskId, Box<Answer>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.answer.as_mut().poll(cx)
    }
}

/// Questions that wait for their answers.
#[derive(Default)]
pub(super) struct Asks(
    /// None while nothing waits: an idle connection holds no memory for it.
    Option<FuturesUnordered<Question>>,
);

impl Asks {
    /// Asks. What can be done at once is begun at once, before anything that is sent later.
    pub(super) async fn ask(&mut self, im: &Arc<Im>, session: &Arc<Session>, id: AskId, ask: Ask) {
        let asker = Asker {
            im: Arc::clone(im),
            session: Arc::clone(session),
        };
        let changes = changes(&ask);
        let mut answer = async move {
            let mut answer = asker.answer(ask).await;
            sign_answer(&asker.im, asker.session.origin, &mut answer);
            (id, Box::new(answer))
        }
        .boxed();
        let first = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx)));
        let answer = match first.await {
            Poll::Ready(answered) => std::future::ready(answered).boxed(),
            Poll::Pending => answer,
        };
        let waiting = self.0.get_or_insert_default();
        waiting.push(Question { changes, answer });
    }

    /// The client has gone: what it wanted changed is changed all the same, if that takes no
    /// longer than this. Nobody waits for the other answers.
    pub(super) async fn finish(&mut self, patience: Duration) {
        let Some(waiting) = self.0.take() else {
            return;
        };
        let changes = waiting.into_iter().filter(|question| question.changes);
        let mut changes: FuturesUnordered<Question> = changes.collect();
        let all = async { while changes.next().await.is_some() {} };
        if timeout(patience, all).await.is_err() {
            tracing::warn!("what a client wanted before it left was given up: it took too long");
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, FuturesUnordered::len)
    }

    /// The next answer; pending, and not to be woken, while there is none to come.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(AskId, Box<Answer>)> {
        let Some(waiting) = &mut self.0 else {
            return Poll::Pending;
        };
        match Pin::new(waiting).poll_next(cx) {
            Poll::Ready(Some(answered)) => Poll::Ready(answered),
            Poll::Ready(None) => {
                self.0 = None;
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Whether a question is one in name only.
fn changes(ask: &Ask) -> bool {
    matches!(
        ask,
        Ask::Revoke { .. }
            | Ask::Edit { .. }
            | Ask::React { .. }
            | Ask::ReadMessage { .. }
            | Ask::ReadConversation(..)
            | Ask::Do(_)
    )
}

/// Who asks whom.
struct Asker {
    im: Arc<Im>,
    session: Arc<Session>,
}

impl Asker {
    async fn answer(&self, ask: Ask) -> Answer {
        match ask {
            Ask::Resolve(target) => Answer::Channel(self.channel(&target).await),
            Ask::Find { name, within } => Answer::Message(self.find(&name, within.as_ref()).await),
            Ask::Revoke { name, within } => Answer::Revoked(
                async {
                    let message = self.find(&name, within.as_ref()).await?;
                    let by = Operator::User(self.session.user.clone());
                    self.im.revoke(&self.session.realm, message.id, by).await
                }
                .await,
            ),
            Ask::Edit { name, within, body } => {
                Answer::Edited(altering::edit(self, &name, within.as_ref(), body).await)
            }
            Ask::React {
                name,
                within,
                emoji,
                removed,
            } => {
                let within = within.as_ref();
                Answer::Reacted(altering::react(self, &name, within, &emoji, removed).await)
            }
            Ask::Typing(target) => altering::typing(self, &target).await,
            Ask::ReadMessage { name, within } => Answer::Read(
                async {
                    let message = self.find(&name, within.as_ref()).await?;
                    let key = &message.channel.key;
                    let user = &self.session.user;
                    let row = self.im.read(user, key, Some(message.seq)).await?;
                    Ok((row, Some(message)))
                }
                .await,
            ),
            Ask::ReadConversation(target, seq) => Answer::Read(
                async {
                    let key = self.channel(&target).await?;
                    let row = self.im.read(&self.session.user, &key, seq).await?;
                    Ok((row, None))
                }
                .await,
            ),
            Ask::Pull { limit } => Answer::Pulled(self.im.pull(&self.session, limit).await),
            Ask::Unread { of, limit } => Answer::Messages(self.unread(of, limit).await),
            Ask::CountUnread(of) => Answer::Count(
                async {
                    let rows = self.conversations(of).await?;
                    Ok(rows.iter().map(ConversationRow::unread).sum())
                }
                .await,
            ),
            Ask::History(target, query) => Answer::Messages(
                async {
                    let key = self.channel(&target).await?;
                    self.history(&key, query).await
                }
                .await,
            ),
            Ask::Page { of, skip, limit } => {
                Answer::Messages(pages::page(self, &of, skip, limit).await)
            }
            Ask::Newest { limit } => Answer::Messages(self.newest(limit).await),
            Ask::Do(job) => Answer::Done(job.0.work().await),
            Ask::Membership(target) => Answer::Membership(self.is_member(&target).await),
            Ask::MeetDevice(device) => {
                Answer::Device(self.im.meet_device(&self.session, &device).await)
            }
        }
    }

    async fn channel(&self, target: &Target) -> Result<ChannelKey, Refusal> {
        let session = &self.session;
        let address: Address = match target {
            Target::Address(address) => address.clone(),
            Target::Named(name) => self.im.resolve(&session.realm, name).await?,
            Target::System => {
                let own = &session.user.uid;
                return Ok(ChannelKey::direct(&session.realm, own, &Uid::system()));
            }
        };
        address.key(&session.realm, &session.user.uid)
    }

    async fn is_member(&self, target: &Target) -> Result<bool, Refusal> {
        let key = self.channel(target).await?;
        let num = self.session.user.num;
        let before = Some(UserNum(num.0 - 1));
        let members = self.im.members(&key, before, 1).await?;
        Ok(members.iter().any(|member| member.user.num == num))
    }

    async fn find(&self, name: &str, within: Option<&Target>) -> Result<Message, Refusal> {
        let session = &self.session;
        let key = match within {
            Some(target) => Some(self.channel(target).await?),
            None => None,
        };
        self.im
            .find(&session.realm, &session.user, name, key.as_ref())
            .await
    }

    async fn history(
        &self,
        key: &ChannelKey,
        query: HistoryQuery,
    ) -> Result<Vec<Message>, Refusal> {
        let viewer = Viewer::User(self.session.user.clone());
        self.im.history(key, &viewer, query).await
    }

    /// The user's conversations, or the one asked for.
    async fn conversations(&self, of: Option<Target>) -> Result<Vec<ConversationRow>, Refusal> {
        let mut rows = self.im.conversations(&self.session.user).await?;
        if let Some(target) = of {
            let key = self.channel(&target).await?;
            rows.retain(|row| row.channel.key == key);
        }
        Ok(rows)
    }

    async fn unread(&self, of: Option<Target>, limit: u32) -> Result<Vec<Message>, Refusal> {
        let user = &self.session.user;
        let limit = limit.clamp(1, MAX_UNREAD);
        let mut unread = Vec::new();
        for row in self.conversations(of).await? {
            if row.unread() == 0 {
                continue;
            }
            let query = HistoryQuery {
                from: row.badge_seq + 1,
                to: row.head_seq,
                limit,
                newest: true,
            };
            let messages = self.history(&row.channel.key, query).await?;
            unread.extend(messages.into_iter().filter(|message| {
                message.sender.num != user.num
                    && message.body.flags.counts
                    && message.revoked.is_none()
                    && !message.is_concealed
            }));
            // As often as it doubles, so that no more is held however many conversations
            // there are.
            if unread.len() >= 2 * limit as usize {
                keep_newest(&mut unread, limit);
            }
        }
        keep_newest(&mut unread, limit);
        Ok(unread)
    }

    async fn newest(&self, limit: u32) -> Result<Vec<Message>, Refusal> {
        let rows = self.im.conversations(&self.session.user).await?;
        let logs: Vec<_> = rows
            .iter()
            .take(limit as usize)
            .map(|row| (Arc::clone(&row.channel), row.begins_after + 1))
            .collect();
        let viewer = Viewer::User(self.session.user.clone());
        let mut newest: Vec<_> = self.im.newest(&viewer, &logs, 1).await?;
        // Nothing is left of what was taken back: one of the few before it stands for it. One
        // conversation at a time, so that little is held.
        for (messages, log) in newest.iter_mut().zip(&logs) {
            if messages.iter().all(|message| message.revoked.is_none()) {
                continue;
            }
            let log = std::slice::from_ref(log);
            let before = self.im.newest(&viewer, log, MAX_REVOKED).await?;
            let left = before.into_iter().flatten();
            let left = left.filter(|message| message.revoked.is_none());
            messages.clear();
            messages.extend(left.max_by_key(|message| message.seq));
        }
        Ok(newest.into_iter().flatten().collect())
    }
}

/// Of these messages the newest, oldest first.
fn keep_newest(messages: &mut Vec<Message>, limit: u32) {
    messages.sort_unstable_by_key(|message| message.id);
    let over = messages.len().saturating_sub(limit as usize);
    messages.drain(..over);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn question(changes: bool, done: &Arc<AtomicBool>, steps: usize) -> Question {
        let done = Arc::clone(done);
        let answer = async move {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            done.store(true, Ordering::SeqCst);
            (AskId(0), Box::new(Answer::Count(Ok(0))))
        };
        Question {
            changes,
            answer: answer.boxed(),
        }
    }

    #[tokio::test]
    async fn what_was_to_be_changed_is_changed_though_the_client_has_gone() {
        let (changed, read) = (Arc::default(), Arc::default());
        let mut asks = Asks::default();
        let waiting = asks.0.get_or_insert_default();
        waiting.push(question(true, &changed, 10));
        waiting.push(question(false, &read, 0));
        asks.finish(Duration::from_secs(20)).await;
        assert!(changed.load(Ordering::SeqCst) && !read.load(Ordering::SeqCst));
        assert_eq!(asks.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_not_waited_for() {
        let answer = std::future::pending().boxed();
        let mut asks = Asks::default();
        let waiting = asks.0.get_or_insert_default();
        waiting.push(Question {
            changes: true,
            answer,
        });
        asks.finish(Duration::from_secs(2)).await;
        assert_eq!(asks.len(), 0);
    }
}
