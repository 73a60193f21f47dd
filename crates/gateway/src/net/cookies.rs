//! Whether a browser's cookies may be looked at: pages of foreign origins must not act in the
//! name of whoever is logged in elsewhere (contract.md §3).

use http::{HeaderMap, Uri, header};

/// True if the cookies of a request may go to an auth hook: it comes from no web page, or from
/// one of this very host, or of an origin that `allowed` names. `"*"` names none.
#[must_use]
pub fn cookies_may_go(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return true;
    };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else {
        return false;
    };
    let names = |it: &String| it != "*" && it.eq_ignore_ascii_case(origin);
    is_same(origin, headers) || allowed.iter().any(names)
}

/// Whether an origin is the host that was asked. A proxy may have taken off the TLS, so only
/// host and port are compared, where the origin's scheme says which port is the usual one.
fn is_same(origin: &str, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let (Ok(host), Ok(origin)) = (host.to_str(), origin.parse::<Uri>()) else {
        return false;
    };
    let usual = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    let Ok(host) = host.parse::<http::uri::Authority>() else {
        return false;
    };
    let named = |of: &http::uri::Authority| {
        let port = of.port_u16().unwrap_or(usual);
        (of.host().to_ascii_lowercase(), port)
    };
    origin
        .authority()
        .is_some_and(|it| named(it) == named(&host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn may_go(origin: Option<&'static str>, host: &'static str, allowed: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        headers.insert(header::HOST, HeaderValue::from_static(host));
        let allowed: Vec<String> = allowed.iter().map(|it| (*it).to_owned()).collect();
        cookies_may_go(&headers, &allowed)
    }

    #[test]
    fn cookies_go_only_where_their_owner_is_at_home() {
        assert!(may_go(None, "im.example", &[]), "no browser");
        for (origin, host) in [
            ("https://im.example", "im.example"),
            ("https://im.example", "IM.example:443"),
            ("http://im.example:8080", "im.example:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(may_go(Some(origin), host, &[]), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://evil.example", "im.example"),
            ("https://im.example:8443", "im.example"),
            ("http://im.example", "im.example:443"),
            ("https://im.example.evil", "im.example"),
            ("null", "im.example"),
            ("file://", "im.example"),
            ("", "im.example"),
            ("*", "im.example"),
        ] {
            assert!(!may_go(Some(origin), host, &["*"]), "{origin} {host}");
        }
        let listed = ["*", "https://app.example"];
        assert!(may_go(Some("https://app.example"), "im.example", &listed));
        assert!(!may_go(Some("http://app.example"), "im.example", &listed));
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        for origin in ["https://app.example", "https://evil.example"] {
            headers.append(header::ORIGIN, HeaderValue::from_static(origin));
        }
        assert!(!cookies_may_go(
            &headers,
            &["https://app.example".to_owned()]
        ));
    }
}
