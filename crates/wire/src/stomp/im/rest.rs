//! The envelope of REST answers (stomp.md Q2-31).

use serde::Serialize;

use super::Code;

/// `{"code":200,"status":"0","data":…,"message":"success"}`; the code is the
/// HTTP status too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer<'a, T> {
    code: Code,
    status: &'static str,
    data: Option<T>,
    message: &'a str,
}

impl<T> Answer<'static, T> {
    /// It is done.
    #[must_use]
    pub const fn ok(data: T) -> Answer<'static, T> {
        Answer {
            code: Code::Ok,
            status: "0",
            data: Some(data),
            message: Code::Ok.text(),
        }
    }
}

impl<'a> Answer<'a, ()> {
    /// It is not done, for this reason; `code` is not [`Code::Ok`].
    #[must_use]
    pub const fn failed(code: Code, message: &'a str) -> Answer<'a, ()> {
        Answer {
            code,
            status: "1",
            data: None,
            message,
        }
    }
}

impl<T> Answer<'_, T> {
    /// The HTTP status.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        self.code.number()
    }
}

/// A part of a list, as an answer's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items.
    pub list: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
    /// Where the next part begins; `null` at the end.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is whole.
    #[must_use]
    pub const fn whole(list: Vec<T>) -> Self {
        Self {
            list,
            has_more: false,
            cursor: None,
        }
    }

    /// What was found, of which one more than the `limit` was asked for; `place` says where an
    /// item stands, `view` what is shown of it.
    pub fn of<F>(
        mut found: Vec<F>,
        limit: u32,
        place: impl FnOnce(&F) -> String,
        view: impl FnMut(F) -> T,
    ) -> Self {
        let limit = limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        Self {
            cursor: found.last().filter(|_| has_more).map(place),
            has_more,
            list: found.into_iter().map(view).collect(),
        }
    }
}

/// What became of each of several, as an answer's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcomes<T> {
    succeeded: Vec<T>,
    failed: Vec<Failed>,
}

/// One of several with which it did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Failed {
    id: String,
    code: Code,
    message: &'static str,
}

impl<T> Default for Outcomes<T> {
    fn default() -> Self {
        Self {
            succeeded: Vec::new(),
            failed: Vec::new(),
        }
    }
}

impl<T> Outcomes<T> {
    /// Notes what became of the one with this id.
    pub fn put(&mut self, id: &str, outcome: Result<T, (Code, &'static str)>) {
        match outcome {
            Ok(done) => self.succeeded.push(done),
            Err((code, message)) => self.failed.push(Failed {
                id: id.to_owned(),
                code,
                message,
            }),
        }
    }
}
