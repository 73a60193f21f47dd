//! Runs a session from its first request until nobody can ask for it any more.

use std::pin::pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::endpoint::{Endpoint, NewSession};
use super::session::{Session, SessionTransport};
use super::sessions::Name;
use crate::conn::Abort;

/// Has the session forgotten however its task ends.
struct Known<'a> {
    endpoint: &'a Endpoint,
    name: Name,
    session: Arc<Session>,
}

impl Drop for Known<'_> {
    fn drop(&mut self) {
        self.endpoint.sessions().remove(&self.name, &self.session);
    }
}

impl NewSession {
    /// Has `serve` serve the session, and keeps it in place until its time is over: after its
    /// end, requests are told of that for a while.
    pub(super) async fn run<F: Future<Output = ()>>(
        self,
        endpoint: &Endpoint,
        stop: &CancellationToken,
        abort: &Abort,
        serve: impl FnOnce(SessionTransport) -> F,
    ) {
        // Until then it counts as a connection.
        let _admission = self.admission;
        let serving = serve(SessionTransport(Arc::clone(&self.session)));
        let keeping = async {
            let known = Known {
                endpoint,
                name: self.name,
                session: self.session,
            };
            abort.or(pin!(known.session.watch(stop))).await;
        };
        tokio::join!(serving, keeping);
    }
}
