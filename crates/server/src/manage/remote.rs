//! The running server, by its REST interface.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::body::{Body, to_bytes};
use futures_util::StreamExt;
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::config::{Loaded, Sources, load};
use crate::data_dir::LISTENERS_FILE;
use crate::keys::{ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest answer that is read.
const MAX_BYTES: usize = 16 << 20;

/// The running server.
pub(crate) struct Remote {
    client: Client<HttpConnector, Body>,
    address: SocketAddr,
    key: String,
    app: Option<String>,
}

impl Remote {
    /// The server that runs on the data folder.
    ///
    /// # Errors
    /// When none does, or the admin key cannot be read.
    pub(crate) fn open(sources: &Sources) -> Result<Self> {
        let Loaded { config, .. } = load(sources)?;
        let folder = Path::new(&config.server.data_dir);
        let running = Self::running(sources, folder)?;
        running.ok_or_else(|| {
            anyhow!(
                "no server runs on the data folder {}; start it with `crosstalk serve`, or name \
                 its folder with --data-dir",
                folder.display()
            )
        })
    }

    /// The server that runs on a data folder, if one does.
    ///
    /// # Errors
    /// When the admin key cannot be read.
    pub(crate) fn running(sources: &Sources, folder: &Path) -> Result<Option<Self>> {
        let Ok(listeners) = fs::read_to_string(folder.join(LISTENERS_FILE)) else {
            return Ok(None);
        };
        let listeners: Value = serde_json::from_str(&listeners).context(LISTENERS_FILE)?;
        let Some(address) = listeners["http"].as_str() else {
            bail!("the server has no listener for HTTP (listen.http)");
        };
        let address: SocketAddr = address.parse().context(LISTENERS_FILE)?;
        let from_env = sources
            .env
            .iter()
            .find(|(name, _)| name == ADMIN_KEY_VARIABLE);
        let key = match from_env {
            Some((_, key)) => key.clone(),
            None => {
                let file = folder.join(ADMIN_KEY_FILE);
                let key = fs::read_to_string(&file);
                key.with_context(|| format!("the admin key in {}", file.display()))?
            }
        };
        Ok(Some(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            address: reachable(address),
            key: key.trim().to_owned(),
            app: None,
        }))
    }

    /// In the name of an app.
    pub(crate) fn of_app(mut self, app: String) -> Self {
        self.app = Some(app);
        self
    }

    /// What stands at a path.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call("GET", path, None).await
    }

    /// Has the server do something.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses: with its words.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value> {
        let asked = async {
            let response = self.client.request(self.request(method, path, body)?).await;
            let response = response.with_context(|| format!("asking {}", self.address))?;
            let status = response.status();
            let bytes = to_bytes(Body::new(response.into_body()), MAX_BYTES).await?;
            let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if status.is_success() {
                return Ok(answer);
            }
            Err(refusal(status.as_u16(), &answer))
        };
        let late = || anyhow!("{} does not answer", self.address);
        timeout(TIMEOUT, asked).await.map_err(|_| late())?
    }

    /// Writes what stands at a path into a file and returns how many bytes that was.
    ///
    /// # Errors
    /// As [`call`](Self::call), or when the file cannot be written.
    pub(crate) async fn download(&self, path: &str, to: &Path) -> Result<u64> {
        let response = self.client.request(self.request("GET", path, None)?);
        let response = response
            .await
            .with_context(|| format!("asking {}", self.address))?;
        let status = response.status();
        if !status.is_success() {
            let bytes = to_bytes(Body::new(response.into_body()), MAX_BYTES).await?;
            let answer = serde_json::from_slice(&bytes).unwrap_or_default();
            return Err(refusal(status.as_u16(), &answer));
        }
        let mut file = tokio::fs::File::create(to).await;
        let file = file
            .as_mut()
            .map_err(|why| anyhow!("{}: {why}", to.display()))?;
        let mut pieces = Body::new(response.into_body()).into_data_stream();
        let mut written = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            file.write_all(&piece).await?;
            written += piece.len() as u64;
        }
        file.flush().await?;
        Ok(written)
    }

    fn request(&self, method: &str, path: &str, body: Option<Value>) -> Result<Request<Body>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.key))
            .header("content-type", "application/json");
        if let Some(app) = &self.app {
            request = request.header("x-app-id", app);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        Ok(request.body(body)?)
    }
}

/// The server's own words, or the status.
fn refusal(status: u16, answer: &Value) -> anyhow::Error {
    let words = answer["detail"].as_str().or(answer["title"].as_str());
    match (words, answer["code"].as_str()) {
        (Some(words), Some(code)) => anyhow!("{words} ({code})"),
        _ => anyhow!("the server answers with {status}"),
    }
}

/// Where a listener can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn any_address_is_reached_on_this_machine() {
        let cases = [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ];
        for (bound, reached) in cases {
            let bound = bound.parse().expect("an address");
            assert_eq!(reachable(bound).to_string(), reached);
        }
    }

    #[test]
    fn a_refusal_says_what_the_server_said() {
        let answer = json!({"detail": "uid: is empty", "code": "invalid_uid"});
        assert_eq!(
            refusal(422, &answer).to_string(),
            "uid: is empty (invalid_uid)"
        );
        let none = refusal(502, &Value::Null).to_string();
        assert_eq!(none, "the server answers with 502");
    }
}
