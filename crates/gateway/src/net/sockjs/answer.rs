//! What the answers of SockJS have in common: caching, CORS, content types
//! (stomp-sockjs-wire.md §2.6). Cookies are never read here, so that every origin that may
//! connect at all may do so with credentials.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use crosstalk_wire::sockjs::{CACHED, CACHED_SECS, NOT_CACHED, TEXT, allow_origin};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::SockJsBody;

/// Answers to one request.
pub(super) struct Answers<'r> {
    /// The request's headers.
    pub(super) asked: &'r HeaderMap,
    /// Wall time, ms since 1970.
    pub(super) now_ms: i64,
}

impl Answers<'_> {
    /// An answer that must not be kept.
    pub(super) fn fresh(
        &self,
        status: StatusCode,
        content_type: Option<&'static str>,
        body: SockJsBody,
    ) -> Response<SockJsBody> {
        let mut response = self.bare(status, content_type, body);
        set(&mut response, header::CACHE_CONTROL, NOT_CACHED);
        response
    }

    /// An answer in words.
    pub(super) fn text(&self, status: StatusCode, text: impl Into<Bytes>) -> Response<SockJsBody> {
        self.fresh(status, Some(TEXT), SockJsBody::whole(text))
    }

    /// A refusal that names the methods that there are.
    pub(super) fn wrong_method(&self, allow: &'static str) -> Response<SockJsBody> {
        let body = SockJsBody::whole(Bytes::new());
        let mut response = self.fresh(StatusCode::METHOD_NOT_ALLOWED, None, body);
        set(&mut response, header::ALLOW, allow);
        response
    }

    /// An answer that may be kept for a year.
    pub(super) fn cached(
        &self,
        status: StatusCode,
        content_type: Option<&'static str>,
        body: SockJsBody,
    ) -> Response<SockJsBody> {
        let mut response = self.bare(status, content_type, body);
        set(&mut response, header::CACHE_CONTROL, CACHED);
        let now = Duration::from_millis(self.now_ms.try_into().unwrap_or_default());
        let then = now + Duration::from_secs(u64::from(CACHED_SECS));
        if let Some(then) = SystemTime::UNIX_EPOCH.checked_add(then)
            && let Ok(then) = HeaderValue::try_from(httpdate::fmt_http_date(then))
        {
            response.headers_mut().insert(header::EXPIRES, then);
        }
        response
    }

    /// The answer to a browser that asks whether it may ask.
    pub(super) fn preflight(&self, methods: &'static str) -> Response<SockJsBody> {
        let body = SockJsBody::whole(Bytes::new());
        let mut response = self.cached(StatusCode::NO_CONTENT, None, body);
        set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, CACHED_SECS.into());
        let wanted = self.asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        response
    }

    /// What every answer has. None is to be taken for a program or a page that it is not.
    fn bare(
        &self,
        status: StatusCode,
        content_type: Option<&'static str>,
        body: SockJsBody,
    ) -> Response<SockJsBody> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        if let Some(content_type) = content_type {
            set(&mut response, header::CONTENT_TYPE, content_type);
        }
        set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(&mut response, header::VARY, "Origin");
        let origin = self.asked.get(header::ORIGIN);
        let allowed = allow_origin(origin.and_then(|origin| origin.to_str().ok()));
        let headers = response.headers_mut();
        if let Ok(origin) = HeaderValue::from_str(allowed.origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        if allowed.credentials {
            set(
                &mut response,
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                "true",
            );
        }
        response
    }
}

fn set(response: &mut Response<SockJsBody>, name: HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}
