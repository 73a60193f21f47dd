//! The server under load: where it listens, and its HTTP interfaces.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::dialect::Question;
use crate::options::ServerOptions;
use crate::progress::Progress;

/// Requests under way at once.
const CONCURRENCY: usize = 64;
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);
/// The header of the WuKongIM API's manager token.
const MANAGER_TOKEN: HeaderName = HeaderName::from_static("token");
/// How much of an answer an error shows.
const SHOWN_CHARS: usize = 300;

/// Bodies of requests, made when they are sent.
pub(crate) type Bodies<'a> = Box<dyn Iterator<Item = Value> + Send + 'a>;

/// Requests, made when they are sent.
pub(crate) type Questions<'a> = Box<dyn Iterator<Item = Result<Question>> + Send + 'a>;

/// The server.
pub(crate) struct Target {
    listeners: BTreeMap<String, String>,
    folder: PathBuf,
    http: Client,
    progress: Progress,
}

impl Target {
    /// Reads where the server is and with which keys it is addressed.
    pub(crate) fn read(options: &ServerOptions, progress: Progress) -> Result<Self> {
        let path = &options.listeners;
        let text = fs::read_to_string(path).with_context(|| {
            format!(
                "{} cannot be read; a running server has it in its data folder: name it with \
                 --listeners",
                path.display()
            )
        })?;
        let listeners = serde_json::from_str(&text)
            .with_context(|| format!("{} is no list of listeners", path.display()))?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        // Nothing here is encrypted, but what would do it has to be named once in a process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .default_headers(headers(options, &folder)?)
            .timeout(REQUEST_DEADLINE)
            .no_proxy()
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            listeners,
            folder,
            http,
            progress,
        })
    }

    /// The folder of the server's data.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of a listener.
    pub(crate) fn listener(&self, name: &str) -> Result<SocketAddr> {
        let Some(address) = self.listeners.get(name) else {
            let known: Vec<&str> = self.listeners.keys().map(String::as_str).collect();
            bail!(
                "the server has no listener {name}; it has {}",
                known.join(", ")
            );
        };
        address
            .parse()
            .with_context(|| format!("listener {name}: {address} is no address"))
    }

    /// The URL of a path on an HTTP listener.
    pub(crate) fn url(&self, listener: &str, path: &str) -> Result<String> {
        Ok(format!("http://{}{path}", self.listener(listener)?))
    }

    /// Posts every body, many at a time; `what` they are is for the terminal.
    /// The first refusal ends it; `judge` sees the answers that are no HTTP
    /// errors.
    pub(crate) async fn post_all(
        &self,
        url: &str,
        what: &str,
        bodies: Bodies<'_>,
        judge: fn(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut answers = stream::iter(bodies)
            .map(|body| async move {
                let question = Question::post(url.to_owned(), body.to_string());
                let answer = self.ask(&question).await?;
                judge(&answer).with_context(|| failed(&question, &answer))
            })
            .buffer_unordered(CONCURRENCY);
        let mut done = 0_u64;
        while answers.try_next().await?.is_some() {
            done += 1;
            self.progress.step(&format!("set up {done} {what}"));
        }
        Ok(())
    }

    /// Asks every question, many at a time; the answers are in the order of the
    /// questions, and the first refusal ends it. `what` they make is for the
    /// terminal.
    pub(crate) async fn ask_all(&self, what: &str, questions: Questions<'_>) -> Result<Vec<Bytes>> {
        let mut asking = stream::iter(questions)
            .map(|question| async move { self.ask(&question?).await })
            .buffered(CONCURRENCY);
        let mut answers = Vec::new();
        while let Some(answer) = asking.try_next().await? {
            answers.push(answer);
            self.progress
                .step(&format!("set up {} {what}", answers.len()));
        }
        Ok(answers)
    }

    /// The answer to a request; anything but success is an error that shows it.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Bytes> {
        let mut request = self.http.request(question.method.clone(), &question.url);
        if let Some(body) = &question.body {
            let json = HeaderValue::from_static("application/json");
            request = request.header(CONTENT_TYPE, json).body(body.clone());
        }
        if let Some(token) = &question.bearer {
            // It stands in the place of the administrator's.
            request = request.bearer_auth(token);
        }
        let answer = request.send().await;
        let answer = answer.with_context(|| named(question))?;
        let status = answer.status();
        let body = answer.bytes().await.with_context(|| named(question))?;
        if !status.is_success() {
            bail!("{}: {status}: {}", named(question), shown(&body));
        }
        Ok(body)
    }
}

fn named(question: &Question) -> String {
    format!("{} {}", question.method, question.url)
}

fn failed(question: &Question, answer: &[u8]) -> String {
    format!("{}: {}", named(question), shown(answer))
}

fn shown(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    text.chars().take(SHOWN_CHARS).collect()
}

fn headers(options: &ServerOptions, folder: &Path) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = admin_key(options, folder)? {
        let value = HeaderValue::from_str(&format!("Bearer {key}"));
        let mut value = value.context("the admin key has characters that no header may have")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    if let Some(token) = &options.manager_token {
        let mut value = HeaderValue::from_str(token)
            .context("the manager token has characters that no header may have")?;
        value.set_sensitive(true);
        headers.insert(MANAGER_TOKEN, value);
    }
    Ok(headers)
}

/// The key that was given, or the one beside the listeners, if there is one.
fn admin_key(options: &ServerOptions, folder: &Path) -> Result<Option<String>> {
    if let Some(key) = &options.admin_key {
        return Ok(Some(key.clone()));
    }
    let beside = folder.join("admin.key");
    let path = match &options.admin_key_file {
        Some(path) => path,
        None if beside.exists() => &beside,
        None => return Ok(None),
    };
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("the admin key {} cannot be read", path.display()))?;
    Ok(Some(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::options::Options;

    #[test]
    fn listeners_are_read_and_missing_ones_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("listeners.json");
        fs::write(
            &file,
            r#"{"http":"127.0.0.1:8080","wukong_tcp":"127.0.0.1:5100"}"#,
        )
        .expect("a file");
        fs::write(folder.path().join("admin.key"), "secret\n").expect("a file");
        let shown = file.display().to_string();
        let options =
            Options::try_parse_from(["crosstalk-bench", "idle", "--listeners", shown.as_str()]);
        let options = options.expect("good options").server;

        assert_eq!(
            admin_key(&options, folder.path()).expect("read").as_deref(),
            Some("secret")
        );
        let target = Target::read(&options, Progress::silent()).expect("a target");
        assert_eq!(target.folder(), folder.path());
        assert_eq!(
            target.url("http", "/x").expect("a listener"),
            "http://127.0.0.1:8080/x"
        );
        let why = target
            .listener("wukong_ws")
            .expect_err("not there")
            .to_string();
        assert_eq!(
            why,
            "the server has no listener wukong_ws; it has http, wukong_tcp"
        );
    }
}
