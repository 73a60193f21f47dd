//! The signed URL by which a client connects (S4-12, gyyx.md Q4-3, Q4-4).

use crate::lenient::query;

use super::{Base, Codes, Key, canonical};

/// The parameters of the URL: six that are signed (with the signature), and
/// two that a client may add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectQuery {
    /// `appId`.
    pub app_id: String,
    /// `msgType`: always `10`, which has nothing to do with the code 10.
    pub msg_type: String,
    /// `version`.
    pub version: String,
    /// `userId`.
    pub user_id: String,
    /// `sign`, hex.
    pub sign: String,
    /// `txNo`: when it was signed, ms since 1970, in decimal.
    pub tx_no: String,
    /// `codes`: the profile, if the client asks for one.
    pub codes: Option<Codes>,
    /// `first=1`: the client wants the newest messages at once.
    pub first: bool,
}

/// What is wrong with the URL. The client gets a frame 10 and the close code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFault {
    /// A parameter is missing or empty.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A parameter has a value that is never signed.
    #[error("the parameter {0} makes no sense")]
    Malformed(&'static str),
}

impl ConnectFault {
    /// The close code after the frame 10 (gyyx.md Q4-4).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            ConnectFault::Missing(_) => super::close_code::MISSING_PARAMETER,
            ConnectFault::Malformed(_) => super::close_code::REFUSED,
        }
    }
}

/// The version if nobody says one.
pub const DEFAULT_VERSION: &str = "1.10";

/// The parameter `msgType` of the URL.
const URL_MSG_TYPE: &str = "10";

impl ConnectQuery {
    /// Reads the query of the URL, without its question mark. Unknown
    /// parameters are ignored; of a repeated one the last wins. The signature
    /// is not checked.
    ///
    /// # Errors
    ///
    /// [`ConnectFault`] if a parameter is missing or cannot have been signed.
    pub fn parse(query: &str) -> Result<ConnectQuery, ConnectFault> {
        let read = |name| required(query, name);
        let parsed = ConnectQuery {
            app_id: read("appId")?,
            msg_type: read("msgType")?,
            version: read("version")?,
            user_id: read("userId")?,
            sign: read("sign")?,
            tx_no: read("txNo")?,
            codes: query::parameter(query, "codes").and_then(|name| Codes::of_name(&name)),
            first: query::parameter(query, "first").is_some_and(|value| value == "1"),
        };
        if parsed.tx_no_ms().is_none() {
            return Err(ConnectFault::Malformed("txNo"));
        }
        Ok(parsed)
    }

    /// A signed URL's parameters; nothing if a value cannot be signed.
    #[must_use]
    pub fn signed(
        app_id: &str,
        user_id: &str,
        version: &str,
        now_ms: i64,
        key: Key<'_>,
    ) -> Option<ConnectQuery> {
        let mut query = ConnectQuery {
            app_id: app_id.to_owned(),
            msg_type: URL_MSG_TYPE.to_owned(),
            version: version.to_owned(),
            user_id: user_id.to_owned(),
            sign: String::new(),
            tx_no: now_ms.to_string(),
            codes: None,
            first: false,
        };
        query.sign = key.sign(&query.signed_text()?);
        Some(query)
    }

    /// The text that is signed: five parameters, sorted. Nothing if a value
    /// contains `&`.
    #[must_use]
    pub fn signed_text(&self) -> Option<String> {
        canonical(&[
            ("appId", &self.app_id),
            ("msgType", &self.msg_type),
            ("txNo", &self.tx_no),
            ("userId", &self.user_id),
            ("version", &self.version),
        ])
    }

    /// Whether the signature is the app's.
    #[must_use]
    pub fn is_signed_by(&self, key: Key<'_>) -> bool {
        self.signed_text()
            .is_some_and(|text| key.is_signature(&text, &self.sign))
    }

    /// When it was signed, ms since 1970; nothing unless `txNo` is digits.
    #[must_use]
    pub fn tx_no_ms(&self) -> Option<i64> {
        let is_digits = self.tx_no.bytes().all(|byte| byte.is_ascii_digit());
        self.tx_no.parse().ok().filter(|_| is_digits)
    }

    /// The whole URL, in the order of the document; `root` is
    /// `ws://host:port`.
    #[must_use]
    pub fn url(&self, root: &str) -> String {
        let mut url = root.to_owned();
        let parameters = [
            ("?appId=", &self.app_id),
            ("&msgType=", &self.msg_type),
            ("&version=", &self.version),
            ("&userId=", &self.user_id),
            ("&sign=", &self.sign),
            ("&txNo=", &self.tx_no),
        ];
        for (name, value) in parameters {
            url.push_str(name);
            query::put(value, &mut url);
        }
        match self.codes {
            Some(Codes::Table) => url.push_str("&codes=table"),
            Some(Codes::Prose) => url.push_str("&codes=prose"),
            None => {}
        }
        if self.first {
            url.push_str("&first=1");
        }
        url
    }
}

/// What a query says of its sender, whether it can be used or not: the base
/// of the frame 10 that refuses it.
#[must_use]
pub fn base_of_query(query: &str, now_ms: i64) -> Base {
    let read = |name| query::parameter(query, name).unwrap_or_default();
    Base {
        app_id: read("appId"),
        user_id: read("userId"),
        version: read("version"),
        timestamp_ms: now_ms,
        ..Base::default()
    }
}

fn required(query: &str, name: &'static str) -> Result<String, ConnectFault> {
    query::parameter(query, name)
        .filter(|value| !value.is_empty())
        .ok_or(ConnectFault::Missing(name))
}
