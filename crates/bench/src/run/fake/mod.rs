//! A small server to run against: WuKongIM's protocol, and the routes that set-up
//! and clients need. It keeps what is written in memory, and can be told to do
//! what a server must not.

mod http;
mod session;
mod state;

use std::fs;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::duplex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use state::State;

/// What the server gets wrong, counted in deliveries, messages, logins or
/// conversations shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mischief {
    /// Does not deliver one in so many.
    pub(super) drop_every: Option<u64>,
    /// Delivers one in so many twice.
    pub(super) repeat_every: Option<u64>,
    /// Delivers one in so many after the next one.
    pub(super) swap_every: Option<u64>,
    /// Signs one in so many wrongly.
    pub(super) forge_every: Option<u64>,
    /// Refuses one message in so many as too fast.
    pub(super) refuse_every: Option<u64>,
    /// Never answers after so many messages.
    pub(super) hang_after: Option<u64>,
    /// Answers one message in so many as accepted and does not keep it.
    pub(super) forget_every: Option<u64>,
    /// Does not answer this message until it is sent again.
    pub(super) mute_nth: Option<u64>,
    /// Refuses the logins from one number to another as too many.
    pub(super) throttle_logins: Option<(u64, u64)>,
    /// Hangs up on one login in so many.
    pub(super) reset_every: Option<u64>,
    /// Does not show one conversation in so many.
    pub(super) hide_every: Option<u64>,
    /// Shows one conversation in so many twice.
    pub(super) double_every: Option<u64>,
    /// Counts one message too many as unread in one conversation in so many.
    pub(super) miscount_every: Option<u64>,
    /// Shows the messages of one conversation in so many in the wrong order.
    pub(super) jumble_every: Option<u64>,
    /// Shows so many messages of a conversation at most, however many are asked for. No
    /// mischief: servers do.
    pub(super) recents_at_most: Option<usize>,
    /// Refuses one page of history in so many.
    pub(super) fail_every: Option<u64>,
}

/// Whether this is one in so many.
fn hits(number: u64, every: Option<u64>) -> bool {
    every.is_some_and(|every| number.is_multiple_of(every))
}

/// The server. Its tasks end with the runtime.
pub(super) struct Fake {
    pub(super) folder: TempDir,
    state: Arc<State>,
}

impl Fake {
    pub(super) async fn start(mischief: Mischief) -> Self {
        let state = Arc::new(State::new(mischief));
        let [site, api, tcp, ws] = [bind().await, bind().await, bind().await, bind().await];
        let address = |listener: &TcpListener| listener.local_addr().expect("bound").to_string();
        let listeners = json!({"http": address(&site), "wukong_api": address(&api),
            "wukong_tcp": address(&tcp), "wukong_ws": address(&ws)});
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("listeners.json"), listeners.to_string()).expect("a file");
        for listener in [site, api] {
            accept(listener, Arc::clone(&state), |stream, state| async move {
                http::serve(stream, &state).await;
            });
        }
        accept(tcp, Arc::clone(&state), |stream, state| {
            session::serve(stream, state)
        });
        accept(ws, Arc::clone(&state), |stream, state| async move {
            let (near, far) = duplex(1 << 16);
            tokio::join!(
                session::web_socket(stream, far),
                session::serve(near, state)
            );
        });
        Self { folder, state }
    }

    /// Cancels the token when so many messages have come.
    pub(super) fn cancel_after(&self, sends: u64, token: CancellationToken) {
        let mut seen = self.state.sends.subscribe();
        tokio::spawn(async move {
            // It does not fail while the server is there.
            if seen.wait_for(|count| *count >= sends).await.is_ok() {
                token.cancel();
            }
        });
    }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a listener")
}

fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    state: Arc<State>,
    serve: impl Fn(TcpStream, Arc<State>) -> F + Send + 'static,
) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&state)));
        }
    });
}
