//! The HTTP client that asks host applications: one for the process, with its connections
//! kept. It follows no redirects, so that what it sends goes where the operator said and
//! nowhere else; and it takes no longer and reads no more than its limits.

use std::time::Duration;

use anyhow::{Result, bail};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::reach::{Reach, Resolver};

/// How long an answer may take, from first to last (protocols/README.md A14).
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Connections to one host that are kept for the next question, and for how long.
const IDLE_CONNECTIONS: usize = 16;
const IDLE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("no answer within {} ms", .0.as_millis())]
    Late(Duration),
    #[error("{0}")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the answer was cut off or too large: {0}")]
    CutOff(#[from] axum::Error),
    #[error("this address is not to be called")]
    Private,
}

/// The client. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Client {
    pool: Pool<HttpsConnector<HttpConnector<Resolver>>, Body>,
    reach: Reach,
}

impl Client {
    /// One that calls any address.
    pub(crate) fn new() -> Self {
        Self::with(Reach::Any)
    }

    /// One that calls nothing on this machine or in its own networks, whatever name it has.
    pub(crate) fn to_public_addresses() -> Self {
        Self::with(Reach::Public)
    }

    fn with(reach: Reach) -> Self {
        let mut http = HttpConnector::new_with_resolver(Resolver::new(reach));
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = match HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        {
            Ok(builder) => builder,
            Err(error) => {
                // Plain http still works, and https fails where it is tried.
                tracing::warn!(%error, "this machine has no root certificates for https");
                let provider = rustls::crypto::ring::default_provider();
                let roots = rustls::RootCertStore::empty();
                let config = rustls::ClientConfig::builder_with_provider(provider.into())
                    .with_safe_default_protocol_versions()
                    .expect("the provider has the usual versions")
                    .with_root_certificates(roots)
                    .with_no_client_auth();
                HttpsConnectorBuilder::new().with_tls_config(config)
            }
        };
        let connector = connector
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Self { pool, reach }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        request: Request<Body>,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        self.ask_within(request, TIMEOUT).await
    }

    /// The same, with a time of its own.
    pub(crate) async fn ask_within(
        &self,
        request: Request<Body>,
        within: Duration,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        // Names are looked at when they are resolved.
        if !self
            .reach
            .allows_host(request.uri().host().unwrap_or_default())
        {
            return Err(NoAnswer::Private);
        }
        let answer = async {
            let response = self.pool.request(request).await?;
            let status = response.status();
            let body = to_bytes(Body::new(response.into_body()), MAX_ANSWER_BYTES).await?;
            Ok((status, body))
        };
        timeout(within, answer)
            .await
            .unwrap_or(Err(NoAnswer::Late(within)))
    }
}

/// An address that can be asked.
///
/// # Errors
/// When it is none, or neither http nor https.
pub(crate) fn address(text: &str) -> Result<Uri> {
    let uri: Uri = text.parse()?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
        bail!("`{text}` is no address that can be asked; write https://host/path");
    }
    Ok(uri)
}
