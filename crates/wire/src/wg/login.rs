//! The HTTP login that gives a session id (wg.md S0-6 to S0-10, Q0-1 to Q0-4).
//!
//! Who is logged in, and what a session is, is not decided here.

use serde::Serialize;

use crate::lenient::query;

/// Which of the two routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoginSide {
    /// `/api/…`: the back office.
    Api,
    /// `/app/…`: apps.
    App,
}

/// A client's name: one of a user's clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientName(String);

/// Not 1 to 64 ASCII letters, digits and `_ . -`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client name is malformed")]
pub struct BadClientName;

impl ClientName {
    /// Takes a name.
    ///
    /// # Errors
    ///
    /// [`BadClientName`] if it is none.
    pub fn parse(text: &str) -> Result<ClientName, BadClientName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(is_allowed) {
            Ok(ClientName(text.to_owned()))
        } else {
            Err(BadClientName)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Side and client name of a login's path; nothing if it is another path.
/// One slash at the end is tolerated (wg.md Q0-31).
#[must_use]
pub fn login_path(path: &str) -> Option<(LoginSide, Result<ClientName, BadClientName>)> {
    let (side, rest) = match path.strip_prefix("/api/") {
        Some(rest) => (LoginSide::Api, rest),
        None => (LoginSide::App, path.strip_prefix("/app/")?),
    };
    let name = rest.strip_prefix("websocket/client/login/")?;
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() || name.contains('/') {
        return None;
    }
    Some((side, ClientName::parse(&query::segment(name))))
}

/// The parameter `token` of a login's query (wg.md Q0-2).
#[must_use]
pub fn token_of_query(query: &str) -> Option<String> {
    query::parameter(query, "token")
}

/// The form of the login's answer, the setting `wg.login_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LoginShape {
    /// `data` is the session id.
    #[default]
    Text,
    /// `data` is an object with the session id.
    Object,
}

/// What a login gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Login<'a> {
    /// The session id.
    pub session_id: &'a str,
    /// Where to connect.
    pub url: &'a str,
    /// How long the session id can be registered, in seconds.
    #[serde(rename = "expiresIn")]
    pub expires_in_secs: u64,
}

#[derive(Serialize)]
struct Answer<'a, T> {
    code: u16,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    #[serde(flatten)]
    login: Option<Login<'a>>,
}

impl Login<'_> {
    /// The body of the answer, JSON.
    #[must_use]
    pub fn answer(&self, shape: LoginShape) -> String {
        match shape {
            LoginShape::Text => self.with_data(self.session_id),
            LoginShape::Object => self.with_data(self),
        }
    }

    fn with_data(&self, data: impl Serialize) -> String {
        json(&Answer {
            code: 200,
            msg: SUCCESS,
            data: Some(data),
            login: Some(*self),
        })
    }
}

/// What a person is told when a request worked.
const SUCCESS: &str = "成功";

/// The answer to a request that gives nothing but its success, JSON.
#[must_use]
pub fn done() -> String {
    plain(200, SUCCESS)
}

/// The answer to a `POST /api/websocket/send`, JSON: `data` is how many channels the message
/// went to.
#[must_use]
pub fn sent(channels: usize) -> String {
    json(&Answer {
        code: 200,
        msg: SUCCESS,
        data: Some(channels),
        login: None,
    })
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpError {
    /// 400: the client name is malformed.
    BadClientName,
    /// 400: the request is malformed.
    BadRequest,
    /// 401: nobody is logged in, or the token does not count.
    NotLoggedIn,
    /// 403: the user is banned.
    Banned,
    /// 404: no such route.
    NotFound,
    /// 405: not the route's method.
    MethodNotAllowed,
    /// 429: too many failed logins.
    TooMany,
    /// 500: the server failed.
    Internal,
    /// 503: who decides on the credential, or the store, cannot be asked now.
    Unavailable,
}

impl HttpError {
    /// The code in the body, which is the HTTP status too.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            HttpError::BadClientName | HttpError::BadRequest => 400,
            HttpError::NotLoggedIn => 401,
            HttpError::Banned => 403,
            HttpError::NotFound => 404,
            HttpError::MethodNotAllowed => 405,
            HttpError::TooMany => 429,
            HttpError::Internal => 500,
            HttpError::Unavailable => 503,
        }
    }

    /// What a person is told.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            HttpError::BadClientName => "客户端名称格式错误",
            HttpError::BadRequest => "参数错误",
            HttpError::NotLoggedIn => "未登录",
            HttpError::Banned => "账号已被封禁",
            HttpError::NotFound => "接口不存在",
            HttpError::MethodNotAllowed => "请求方式错误",
            HttpError::TooMany => "请求过于频繁",
            HttpError::Internal => "系统错误",
            HttpError::Unavailable => "服务暂不可用",
        }
    }

    /// The body, JSON.
    #[must_use]
    pub fn body(self) -> String {
        plain(self.code(), self.text())
    }
}

fn plain(code: u16, msg: &str) -> String {
    json(&Answer::<()> {
        code,
        msg,
        data: None,
        login: None,
    })
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("strings and numbers are JSON")
}
