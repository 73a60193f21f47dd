//! Asking the server over HTTP.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::wait::within;

/// Characters of a body that messages show.
const BODY_CHARS: usize = 1000;

/// One of the server's HTTP interfaces, with the headers that every request carries.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    base: String,
    headers: HeaderMap,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What was asked, for messages.
    pub asked: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// A client that takes nothing from its surroundings. What encrypts has to be named once in a
/// process, although nothing here is encrypted.
///
/// # Panics
/// When there is none to be had.
#[must_use]
pub fn http_client() -> reqwest::Client {
    // The second time it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build();
    client.expect("an HTTP client")
}

impl Http {
    /// The interface at an address such as `127.0.0.1:8080`.
    ///
    /// # Panics
    /// When there is no HTTP client to be had.
    #[must_use]
    pub fn at(addr: &str) -> Http {
        let client = http_client();
        Http {
            client,
            base: format!("http://{addr}"),
            headers: HeaderMap::new(),
        }
    }

    /// The same with a header more.
    ///
    /// # Panics
    /// When it cannot be a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Http {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// The same with `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, secret: &str) -> Http {
        self.header("authorization", &format!("Bearer {secret}"))
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path, None).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.request(Method::POST, path, Some(body)).await
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.request(Method::PUT, path, Some(body)).await
    }

    /// `PATCH` with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.request(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.request(Method::DELETE, path, None).await
    }

    /// `POST` of text that need not be JSON, but says it is.
    ///
    /// # Panics
    /// When there is no answer in time.
    pub async fn post_text(&self, path: &str, body: &str) -> Reply {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        self.answer(format!("POST {path} {body}"), request).await
    }

    /// Any method, with a body that is written already and what kind it is.
    ///
    /// # Panics
    /// When the method is none, or there is no answer in time.
    pub async fn send(&self, method: &str, path: &str, body: Option<(&str, Vec<u8>)>) -> Reply {
        let named = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.client.request(named, format!("{}{path}", self.base));
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        self.answer(format!("{method} {path}"), request).await
    }

    /// Whether anybody answers `GET path` with success.
    pub async fn is_ok(&self, path: &str) -> bool {
        let request = self
            .client
            .get(format!("{}{path}", self.base))
            .headers(self.headers.clone());
        request
            .send()
            .await
            .is_ok_and(|response| response.status().is_success())
    }

    /// A number of `/metrics`, by its full name.
    ///
    /// # Panics
    /// When there is none of this name.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.text();
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once(' ')?;
            (key == name).then(|| value.parse().ok())?
        });
        value.unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let asked = match &body {
            Some(body) => format!("{method} {path} {:.BODY_CHARS$}", body.to_string()),
            None => format!("{method} {path}"),
        };
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.answer(asked, request).await
    }

    async fn answer(&self, asked: String, request: reqwest::RequestBuilder) -> Reply {
        let request = request.headers(self.headers.clone());
        let answer = within(&asked, async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, response.bytes().await?.to_vec()))
        });
        match answer.await {
            Ok((status, headers, body)) => Reply {
                asked,
                status,
                headers,
                body,
            },
            Err(error) => panic!("{asked}: {error:?}"),
        }
    }
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{}: {error} in {}", self.asked, self.text()),
        }
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of a success; null if it has no body.
    ///
    /// # Panics
    /// When the status is not 2xx.
    pub fn ok(self) -> Value {
        let is_success = (200..300).contains(&self.status);
        assert!(
            is_success,
            "{}: {} {}",
            self.asked,
            self.status,
            self.text()
        );
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// Checks that this is problem details (RFC 9457) with this status and code, and returns
    /// them.
    ///
    /// # Panics
    /// When it is anything else.
    pub fn problem(self, status: u16, code: &str) -> Value {
        let said = format!("{}: {} {}", self.asked, self.status, self.text());
        assert_eq!(self.status, status, "{said}");
        let kind = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let is_problem = kind.is_some_and(|kind| kind.starts_with("application/problem+json"));
        assert!(is_problem, "{said}: content type {kind:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{said}");
        assert_eq!(problem["status"], status, "{said}");
        problem
    }
}
