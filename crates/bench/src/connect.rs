//! Opening and logging in many clients.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::BytesMut;
use futures_util::stream::{self, StreamExt};
use hdrhistogram::Histogram;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;

use crate::account::histogram;
use crate::clock::Clock;
use crate::dialect::{Dialect, Endpoint, Event, Login, Outbox, Peer};
use crate::link::Link;
use crate::progress::Progress;

/// Logins under way at once.
const CONCURRENCY: usize = 64;
/// How long one may take.
const DEADLINE: Duration = Duration::from_secs(20);
/// Files that the process has open besides its clients'.
const OTHER_FILES: u64 = 200;

/// A client that is logged in.
pub(crate) struct Client {
    pub(crate) index: u32,
    pub(crate) link: Link,
    pub(crate) peer: Box<dyn Peer>,
    /// What has come and was not a whole frame yet.
    pub(crate) input: BytesMut,
    pub(crate) out: Outbox,
}

/// What came of many logins.
pub(crate) struct Connected {
    pub(crate) clients: Vec<Client>,
    /// How long each took, connecting included.
    pub(crate) login: Histogram<u64>,
    pub(crate) failures: u64,
    pub(crate) first_failure: Option<anyhow::Error>,
}

/// How to connect.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) endpoint: Endpoint,
    /// How many clients there are, to spread them over source addresses.
    pub(crate) clients: u32,
    /// Bytes of a read buffer.
    pub(crate) chunk: usize,
    pub(crate) clock: Clock,
}

impl Connector {
    /// Logs all of them in. One that fails is counted and left out.
    pub(crate) async fn connect_all(&self, logins: &[Login], progress: &Progress) -> Connected {
        let all = logins.len();
        let mut connected = Connected {
            clients: Vec::with_capacity(all),
            login: histogram(),
            failures: 0,
            first_failure: None,
        };
        let mut attempts = stream::iter((0_u32..).zip(logins.iter().cloned()))
            .map(|(index, login)| {
                let connector = self.clone();
                // Tasks, so that all threads share the work of the key exchange.
                tokio::spawn(async move { connector.connect(&login, index).await })
            })
            .buffered(CONCURRENCY);
        while let Some(attempt) = attempts.next().await {
            match attempt.context("a login broke down").flatten() {
                Ok((client, took_ns)) => {
                    connected.login.saturating_record(took_ns);
                    connected.clients.push(client);
                }
                Err(error) => {
                    connected.failures += 1;
                    connected.first_failure.get_or_insert(error);
                }
            }
            progress.step(&format!("connected {} of {all}", connected.clients.len()));
        }
        connected
    }

    /// Logs one in; how many nanoseconds it took.
    pub(crate) async fn connect(&self, login: &Login, index: u32) -> Result<(Client, u64)> {
        let started_ns = self.clock.now_ns();
        let opening = async {
            let path = login.path.as_deref();
            let mut client = Client {
                index,
                link: Link::open(&self.endpoint, path, index, self.clients, self.chunk).await?,
                peer: self.dialect.peer(login, index)?,
                input: BytesMut::new(),
                out: Outbox::default(),
            };
            client.peer.open(&mut client.out)?;
            while !poll_fn(|cx| client.poll_login(cx)).await? {}
            anyhow::Ok(client)
        };
        let opened = timeout(DEADLINE, opening).await;
        let client = opened.with_context(|| format!("login of {} got no answer", login.uid))??;
        Ok((client, self.clock.now_ns() - started_ns))
    }
}

impl Client {
    /// Writes, then reads once; true when the login succeeded.
    fn poll_login(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        let mut is_open = false;
        if self.link.wants_write(&self.out) {
            ready!(self.link.poll_write(cx, &mut self.out))?;
        }
        if ready!(self.link.poll_read(cx, &mut self.input))? == 0 {
            return Poll::Ready(Err(anyhow::anyhow!(
                "the server closed the connection at login"
            )));
        }
        self.peer
            .receive(&mut self.input, &mut self.out, &mut |event| {
                is_open |= event == Event::Open;
            })?;
        Poll::Ready(Ok(is_open))
    }
}

/// Lets the process open as many files as it may, and says what to do if that
/// is too few for so many clients.
pub(crate) fn allow_files(clients: u64) -> Result<()> {
    let needed = clients + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let maximum = limit.maximum.unwrap_or(u64::MAX);
    if maximum < needed {
        bail!(
            "{clients} clients need {needed} open files and this process may have {maximum}; raise \
             the hard limit (ulimit -Hn), for the server, too"
        );
    }
    if limit.current.is_some_and(|current| current < maximum) {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).context("the limit of open files cannot be raised")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        allow_files(1).expect("a few files");
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        if limit.maximum.is_some() {
            let why = allow_files(u64::from(u32::MAX) << 8)
                .expect_err("too many")
                .to_string();
            assert!(why.contains("ulimit -Hn"), "{why}");
        }
    }
}
