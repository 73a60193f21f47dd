//! The order to end at once. All connections wait for it and it hardly ever comes, so that
//! waiting must cost nothing: neither a lock nor a write to memory that they share.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use tokio_util::sync::CancellationToken;

/// See the module's words.
#[derive(Debug, Default)]
pub(crate) struct Abort {
    is_ordered: AtomicBool,
    token: CancellationToken,
}

impl Abort {
    /// Gives the order, for good.
    pub(crate) fn order(&self) {
        self.is_ordered.store(true, Ordering::SeqCst);
        self.token.cancel();
    }

    /// Does some work; `None` if the order comes before it is done, or has come already. The
    /// work is pinned where it is, as moving it here would take its memory twice.
    pub(crate) async fn or<T>(&self, mut work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let mut ordered = pin!(self.token.cancelled());
        let mut known: Option<Waker> = None;
        poll_fn(|cx| {
            if self.is_ordered.load(Ordering::SeqCst) {
                return Poll::Ready(None);
            }
            // The token wakes whom it knows, which is enough to be asked once.
            if known
                .as_ref()
                .is_none_or(|waker| !waker.will_wake(cx.waker()))
            {
                if ordered.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                known = Some(cx.waker().clone());
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn work_is_done_unless_the_order_comes() {
        let abort = Arc::new(Abort::default());
        assert_eq!(abort.or(pin!(ready(1))).await, Some(1));

        // Woken for other reasons first, then by the order.
        let (wake, woken) = oneshot::channel::<()>();
        let (seen, sight) = oneshot::channel();
        let waiting = Arc::clone(&abort);
        let task = tokio::spawn(async move {
            let work = async {
                woken.await.expect("a sign");
                seen.send(()).expect("a reader");
                pending::<()>().await;
            };
            waiting.or(pin!(work)).await
        });
        wake.send(()).expect("a waiter");
        timeout(PATIENCE, sight)
            .await
            .expect("in time")
            .expect("a sign");
        abort.order();
        assert_eq!(
            timeout(PATIENCE, task)
                .await
                .expect("in time")
                .expect("no panic"),
            None
        );

        assert_eq!(abort.or(pin!(ready(1))).await, None, "it has come already");
    }
}
