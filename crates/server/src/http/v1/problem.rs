//! Errors as RFC 9457 problem details. A refusal becomes a status by one exhaustive table; its
//! name is the stable `code`, and `detail` says which field or id it is about.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Refused;
use crosstalk_core::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// The longest detail, characters: what is quoted in it is the caller's own.
const DETAIL_CHARS: usize = 1000;

/// The media type of every error.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// What a failed request is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Why it failed.
    pub(super) refusal: Refusal,
    pub(super) detail: Option<String>,
    /// Whom it is about, where one of several named users is in the way.
    pub(super) users: Vec<String>,
    /// When it may be tried again, of what came too often; 0 = in a second.
    pub(super) retry_after_secs: u64,
}

/// An error, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(
    as = Problem,
    example = json!({
        "type": "urn:crosstalk:problem:invalid_argument",
        "title": "a field is missing or wrong",
        "status": 422,
        "detail": "limit: must be between 1 and 200",
        "code": "invalid_argument",
    })
)]
pub(in crate::http) struct ProblemBody {
    /// Names the kind of problem: `urn:crosstalk:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means, the same for each occurrence.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this very request.
    detail: String,
    /// The stable name of the refusal.
    code: &'static str,
    /// Whom it is about, where some of several users who were named are in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    users: Vec<String>,
}

impl Problem {
    /// A refusal with words of its own about this request.
    pub(super) fn new(refusal: Refusal, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(DETAIL_CHARS) {
            detail.truncate(end);
            detail.push('…');
        }
        Self {
            detail: Some(detail),
            ..refusal.into()
        }
    }

    /// A field that is missing or wrong.
    pub(super) fn field(name: &str, wrong: impl std::fmt::Display) -> Self {
        Self::new(Refusal::InvalidArgument, format!("{name}: {wrong}"))
    }

    /// What is wrong, in words.
    pub(super) fn why(&self) -> String {
        let detail = self.detail.clone();
        detail.unwrap_or_else(|| title(self.refusal).to_owned())
    }

    fn body(self) -> (StatusCode, ProblemBody) {
        let (status, code) = (status(self.refusal), self.refusal.code());
        let title = title(self.refusal);
        let body = ProblemBody {
            kind: format!("urn:crosstalk:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: self.detail.unwrap_or_else(|| title.to_owned()),
            code,
            users: self.users,
        };
        (status, body)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            detail: None,
            users: Vec::new(),
            retry_after_secs: 0,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        refused.why.into()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Refusal::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = HeaderValue::from(self.retry_after_secs.max(1));
        let (status, body) = self.body();
        // A problem is made of strings and a number: it cannot fail to be JSON.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = (status, json).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(header::RETRY_AFTER, retry_after);
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"crosstalk\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The HTTP status of each refusal.
pub(super) const fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::NotAuthenticated => StatusCode::UNAUTHORIZED,
        Refusal::Forbidden
        | Refusal::UserBanned
        | Refusal::NotAMember
        | Refusal::Blocked
        | Refusal::NotAllowListed
        | Refusal::ChannelBanned
        | Refusal::ChannelDisbanded
        | Refusal::SendBanned
        | Refusal::SensitiveWord
        | Refusal::DeviceBanned
        | Refusal::HookRefused
        | Refusal::HeldForReview
        | Refusal::Muted => StatusCode::FORBIDDEN,
        Refusal::NoSuchUser
        | Refusal::NoSuchChannel
        | Refusal::NoSuchMessage
        | Refusal::NoSuchRequest
        | Refusal::NoSuchFile
        | Refusal::NotFound
        | Refusal::NoSuchApp => StatusCode::NOT_FOUND,
        Refusal::UndecodableContent => StatusCode::BAD_REQUEST,
        Refusal::UnsupportedChannelKind
        | Refusal::InvalidChannelId
        | Refusal::InvalidUid
        | Refusal::InvalidArgument => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::LoginThrottled | Refusal::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Refusal::IdempotencyConflict
        | Refusal::Ambiguous
        | Refusal::AlreadyExists
        | Refusal::WrongState
        | Refusal::TooMany
        | Refusal::TooLate => StatusCode::CONFLICT,
        Refusal::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) const fn title(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotAuthenticated => "credentials are missing, wrong, expired or revoked",
        Refusal::LoginThrottled => "too many failed logins",
        Refusal::Forbidden => "the caller may not do this",
        Refusal::UserBanned => "the user is banned",
        Refusal::NoSuchUser => "the user does not exist",
        Refusal::NoSuchChannel => "the channel does not exist",
        Refusal::NoSuchMessage => "the message does not exist",
        Refusal::Ambiguous => "several messages are called so: give the id of one",
        Refusal::TooLate => "the time within which it could be done is over",
        Refusal::NoSuchApp => "the app does not exist",
        Refusal::NotAMember => "the user is not a member of the channel",
        Refusal::Blocked => "the sender is blocked",
        Refusal::NotAllowListed => "the sender is not on the allow list",
        Refusal::ChannelBanned => "the channel is banned",
        Refusal::ChannelDisbanded => "the channel is dissolved",
        Refusal::SendBanned => "the sender may not send anywhere",
        Refusal::Muted => "the sender is muted in this channel",
        Refusal::UnsupportedChannelKind => "the kind of channel does not exist or cannot do this",
        Refusal::InvalidChannelId => "the id cannot be one of a channel of this kind",
        Refusal::InvalidUid => "the id cannot be one of a user",
        Refusal::UndecodableContent => "the request cannot be read",
        Refusal::InvalidArgument => "a field is missing or wrong",
        Refusal::SensitiveWord => "the message has a word that may not be said",
        Refusal::TooLarge => "the message or request is too large",
        Refusal::RateLimited => "too many requests",
        Refusal::IdempotencyConflict => "the same key was used with other content",
        Refusal::NoSuchRequest => "the request or invitation does not exist",
        Refusal::NoSuchFile => "the file does not exist",
        Refusal::NotFound => "what is named does not exist",
        Refusal::AlreadyExists => "it is there already",
        Refusal::WrongState => "it is not in a state in which this could be done",
        Refusal::TooMany => "there may not be more of these",
        Refusal::DeviceBanned => "the device is banned",
        Refusal::HookRefused => "the application's own check does not let it pass",
        Refusal::HeldForReview => "a moderator looks at the message first",
        Refusal::Unavailable => "the server cannot do this now; nothing was changed",
        Refusal::Internal => "the server failed; nothing was changed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_status() {
        let expected = |refusal: Refusal| match refusal.code() {
            "undecodable_content" => 400,
            "not_authenticated" => 401,
            "no_such_user" | "no_such_channel" | "no_such_message" | "no_such_app"
            | "no_such_request" | "no_such_file" | "not_found" => 404,
            "idempotency_conflict"
            | "ambiguous"
            | "too_late"
            | "already_exists"
            | "wrong_state"
            | "too_many" => 409,
            "too_large" => 413,
            "unsupported_channel_kind"
            | "invalid_channel_id"
            | "invalid_uid"
            | "invalid_argument" => 422,
            "login_throttled" | "rate_limited" => 429,
            "internal" => 500,
            "unavailable" => 503,
            _ => 403,
        };
        for refusal in Refusal::ALL {
            assert_eq!(status(refusal).as_u16(), expected(refusal), "{refusal}");
        }
    }

    #[test]
    fn a_problem_has_all_members() {
        for refusal in Refusal::ALL {
            let (status, body) = Problem::from(refusal).body();
            let json = serde_json::to_value(&body).expect("a problem is JSON");
            assert_eq!(json["code"], refusal.code());
            assert_eq!(json["status"], status.as_u16());
            assert_eq!(json["type"], format!("urn:crosstalk:problem:{refusal}"));
            assert_eq!(json["title"], json["detail"]);
        }
        let (_, body) = Problem::field("limit", "must be a number").body();
        assert_eq!(body.detail, "limit: must be a number");
    }

    #[test]
    fn a_detail_has_an_end() {
        let detail = |chars: usize| {
            let (_, body) = Problem::new(Refusal::InvalidUid, "é".repeat(chars)).body();
            body.detail.chars().count()
        };
        assert_eq!(detail(1000), 1000);
        assert_eq!(detail(1_000_000), 1001, "and a sign that it was cut");
    }

    #[test]
    fn only_the_unauthenticated_are_challenged() {
        for refusal in Refusal::ALL {
            let response = Problem::from(refusal).into_response();
            let challenged = response.headers().contains_key(header::WWW_AUTHENTICATE);
            assert_eq!(
                challenged,
                refusal == Refusal::NotAuthenticated,
                "{refusal}"
            );
            assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        }
    }
}
