//! The page that old browsers load to talk across domains
//! (stomp-sockjs-wire.md §2.1, §2.6). Its text is fixed but for the address
//! of the client's script.

use md5::{Digest, Md5};

const HEAD: &str = r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src=""#;

const TAIL: &str = r#""></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>"#;

/// The page with its tag; the same for all requests, so made once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IframePage {
    html: String,
    etag: String,
}

impl IframePage {
    /// The page that loads the client's script from `script_url`.
    #[must_use]
    pub fn new(script_url: &str) -> IframePage {
        let mut html = String::from(HEAD);
        for c in script_url.chars() {
            match c {
                '&' => html.push_str("&amp;"),
                '"' => html.push_str("&quot;"),
                '<' => html.push_str("&lt;"),
                _ => html.push(c),
            }
        }
        html.push_str(TAIL);
        let digest = Md5::digest(html.as_bytes());
        let number = digest
            .iter()
            .take(8)
            .fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        IframePage {
            etag: format!("\"{number:016x}\""),
            html,
        }
    }

    /// The body, to be sent as [`HTML`](super::HTML) and
    /// [`CACHED`](super::CACHED).
    #[must_use]
    pub fn html(&self) -> &str {
        &self.html
    }

    /// The `ETag`, quotes included. A request with the same `If-None-Match`
    /// gets 304 without body and content type.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }
}
