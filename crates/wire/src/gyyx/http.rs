//! The bodies of the HTTP routes `/im/sign`, `/im/chat-sign` and
//! `/im/video/upload` (gyyx.md Q4-1, Q4-11, Q4-23).
//!
//! Who may ask, is not decided here.

use serde::Serialize;

use crate::lenient::{self, members, query};

use super::DEFAULT_VERSION;

/// What `/im/sign` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignRequest {
    /// `appId`.
    pub app_id: String,
    /// `userId`.
    pub user_id: String,
    /// `version`; [`DEFAULT_VERSION`] if it is not said.
    pub version: String,
}

/// What `/im/chat-sign` is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatSignRequest {
    /// `appId`.
    pub app_id: String,
    /// `userId`.
    pub user_id: String,
    /// `receiveUserId`.
    pub receive_user_id: String,
}

/// What is wrong with a request; the answer is [`HttpError::BadRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// The body is no JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// A parameter is missing or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// Where a request's parameters stand.
#[derive(Debug, Clone, Copy)]
pub enum Parameters<'a> {
    /// In a query or a form.
    Form(&'a str),
    /// In a JSON object.
    Json(&'a str),
}

impl Parameters<'_> {
    /// The values of `names`, empty if they are not there or make no sense.
    fn read<const N: usize>(self, names: [&'static str; N]) -> Result<[String; N], RequestFault> {
        match self {
            Parameters::Form(form) => {
                Ok(names.map(|name| query::parameter(form, name).unwrap_or_default()))
            }
            Parameters::Json(json) => {
                let place = |name: &str| names.iter().position(|it| *it == name);
                let values: [Option<&str>; N] =
                    members(json, place).map_err(|_| RequestFault::NotJson)?;
                Ok(values.map(|raw| {
                    let text = raw.and_then(|raw| lenient::text(raw).ok().flatten());
                    text.unwrap_or_default().into_owned()
                }))
            }
        }
    }
}

fn demand(value: String, name: &'static str) -> Result<String, RequestFault> {
    if value.is_empty() {
        Err(RequestFault::Missing(name))
    } else {
        Ok(value)
    }
}

impl SignRequest {
    /// Reads the request.
    ///
    /// # Errors
    ///
    /// [`RequestFault`] says what is wrong.
    pub fn read(parameters: Parameters<'_>) -> Result<SignRequest, RequestFault> {
        let [app_id, user_id, version] = parameters.read(["appId", "userId", "version"])?;
        let version = match version.as_str() {
            "" => DEFAULT_VERSION.to_owned(),
            _ => version,
        };
        Ok(SignRequest {
            app_id: demand(app_id, "appId")?,
            user_id: demand(user_id, "userId")?,
            version,
        })
    }
}

impl ChatSignRequest {
    /// Reads the request.
    ///
    /// # Errors
    ///
    /// [`RequestFault`] says what is wrong.
    pub fn read(parameters: Parameters<'_>) -> Result<ChatSignRequest, RequestFault> {
        let names = ["appId", "userId", "receiveUserId"];
        let [app_id, user_id, receive_user_id] = parameters.read(names)?;
        Ok(ChatSignRequest {
            app_id: demand(app_id, names[0])?,
            user_id: demand(user_id, names[1])?,
            receive_user_id: demand(receive_user_id, names[2])?,
        })
    }
}

/// The form of the answer to `/im/sign`, the setting `gyyx.sign_answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SignShape {
    /// `data` is the URL.
    #[default]
    Data,
    /// `data` is an object with the URL.
    Object,
    /// The body is the URL, as plain text.
    Plain,
}

/// An answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBody {
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its text.
    pub text: String,
}

/// `Content-Type` of JSON.
const JSON: &str = "application/json; charset=utf-8";

/// `Content-Type` of plain text.
const PLAIN: &str = "text/plain; charset=utf-8";

#[derive(Serialize)]
struct Answer<'a, T> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    #[serde(flatten)]
    connect: Option<Connect<'a>>,
}

#[derive(Serialize, Clone, Copy)]
struct Connect<'a> {
    url: &'a str,
    heartbeat: u32,
}

fn json(answer: &impl Serialize) -> HttpBody {
    HttpBody {
        content_type: JSON,
        text: serde_json::to_string(answer).expect("strings and numbers are JSON"),
    }
}

fn success<T: Serialize>(data: T, connect: Option<Connect<'_>>) -> HttpBody {
    json(&Answer {
        code: 200,
        message: "success",
        data: Some(data),
        connect,
    })
}

/// The answer to `/im/sign`: where to connect, and how often to send a
/// heartbeat, in seconds.
#[must_use]
pub fn sign_answer(url: &str, heartbeat_secs: u32, shape: SignShape) -> HttpBody {
    let connect = Connect {
        url,
        heartbeat: heartbeat_secs,
    };
    match shape {
        SignShape::Data => success(url, Some(connect)),
        SignShape::Object => success(connect, Some(connect)),
        SignShape::Plain => HttpBody {
            content_type: PLAIN,
            text: url.to_owned(),
        },
    }
}

/// The answer to `/im/chat-sign`.
#[must_use]
pub fn chat_sign_answer(receive_sign: &str) -> HttpBody {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        receive_sign: &'a str,
    }
    success(Data { receive_sign }, None)
}

/// The answer to `/im/video/upload`.
#[must_use]
pub fn upload_answer(file_id: &str) -> HttpBody {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Data<'a> {
        file_id: &'a str,
    }
    success(Data { file_id }, None)
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HttpError {
    /// 400: a parameter is missing or makes no sense.
    BadRequest,
    /// 401: nobody is logged in.
    NotLoggedIn,
    /// 403: not this user, or not this app.
    Forbidden,
    /// 429: too many failed logins.
    TooMany,
    /// 503: nobody can say now.
    Unavailable,
}

impl HttpError {
    /// The code in the body, which is the HTTP status too.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            HttpError::BadRequest => 400,
            HttpError::NotLoggedIn => 401,
            HttpError::Forbidden => 403,
            HttpError::TooMany => 429,
            HttpError::Unavailable => 503,
        }
    }

    /// What a person is told.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            HttpError::BadRequest => "参数错误",
            HttpError::NotLoggedIn => "未登录",
            HttpError::Forbidden => "无权限",
            HttpError::TooMany => "请求过于频繁",
            HttpError::Unavailable => "服务不可用",
        }
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> HttpBody {
        json(&Answer::<()> {
            code: self.code(),
            message: self.text(),
            data: None,
            connect: None,
        })
    }
}
