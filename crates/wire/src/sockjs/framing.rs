//! What each transport puts around frames (stomp-sockjs-wire.md §2.3), and
//! when its response has carried enough (§2.5).

use bytes::{BufMut, BytesMut};

use super::escape::put_script_string;
use super::{Callback, Frame, Transport};

/// A streaming response ends after this many bytes, its prelude not counted,
/// since browsers keep all of it: 128 KiB.
pub const STREAM_BYTES: usize = 128 * 1024;

/// Bytes of the prelude of `xhr_streaming`, without its line end: some
/// browsers show nothing of a response before that much has come.
const XHR_PRELUDE_BYTES: usize = 2048;

/// Bytes of the page of `htmlfile` before its first frame, at least.
const HTML_PRELUDE_BYTES: usize = 1024;

/// Spaces for the prelude of `htmlfile`.
const SPACES: [u8; HTML_PRELUDE_BYTES] = [b' '; HTML_PRELUDE_BYTES];

/// How frames are written to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// One text message each.
    WebSocket,
    /// One line, and the response ends.
    Xhr,
    /// A line each.
    XhrStreaming,
    /// An event each.
    EventSource,
    /// A script each.
    HtmlFile(Callback),
    /// A script, and the response ends.
    Jsonp(Callback),
}

impl Framing {
    /// Appends what comes before the first frame of a response.
    pub fn prelude(&self, out: &mut BytesMut) {
        match self {
            Framing::WebSocket | Framing::Xhr | Framing::Jsonp(_) => {}
            Framing::XhrStreaming => {
                out.put_bytes(b'h', XHR_PRELUDE_BYTES);
                out.put_u8(b'\n');
            }
            // One more line end for Opera.
            Framing::EventSource => out.put_slice(b"\r\n"),
            Framing::HtmlFile(callback) => {
                let start = out.len();
                out.put_slice(HTML_HEAD.as_bytes());
                out.put_slice(callback.as_str().as_bytes());
                out.put_slice(HTML_TAIL.as_bytes());
                // The browser begins to look after that much.
                let written = out.len() - start;
                out.put_slice(&SPACES[written.min(SPACES.len())..]);
                out.put_slice(b"\r\n\r\n");
            }
        }
    }

    /// Appends one frame.
    pub fn write(&self, frame: &Frame<'_>, out: &mut BytesMut) {
        match self {
            Framing::WebSocket => frame.write(out),
            Framing::Xhr | Framing::XhrStreaming => {
                frame.write(out);
                out.put_u8(b'\n');
            }
            Framing::EventSource => {
                out.put_slice(b"data: ");
                frame.write(out);
                out.put_slice(b"\r\n\r\n");
            }
            Framing::HtmlFile(_) => {
                out.put_slice(b"<script>\np(");
                put_script(frame, out);
                out.put_slice(b");\n</script>\r\n");
            }
            Framing::Jsonp(callback) => {
                // The comment keeps the response from being taken for a
                // program of another kind.
                out.put_slice(b"/**/");
                out.put_slice(callback.as_str().as_bytes());
                out.put_u8(b'(');
                put_script(frame, out);
                out.put_slice(b");\r\n");
            }
        }
    }

    /// The transport.
    #[must_use]
    pub const fn transport(&self) -> Transport {
        match self {
            Framing::WebSocket => Transport::WebSocket,
            Framing::Xhr => Transport::Xhr,
            Framing::XhrStreaming => Transport::XhrStreaming,
            Framing::EventSource => Transport::EventSource,
            Framing::HtmlFile(_) => Transport::HtmlFile,
            Framing::Jsonp(_) => Transport::Jsonp,
        }
    }

    /// What one response may carry, with streams limited to `stream_bytes`
    /// (normally [`STREAM_BYTES`]).
    #[must_use]
    pub const fn budget(&self, stream_bytes: usize) -> ResponseBudget {
        let left = match self {
            Framing::WebSocket => usize::MAX,
            Framing::Xhr | Framing::Jsonp(_) => 1,
            Framing::XhrStreaming | Framing::EventSource | Framing::HtmlFile(_) => stream_bytes,
        };
        ResponseBudget { left }
    }
}

fn put_script(frame: &Frame<'_>, out: &mut BytesMut) {
    let mut text = BytesMut::new();
    frame.write(&mut text);
    put_script_string(&text, out);
}

const HTML_HEAD: &str = r#"<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent."#;

const HTML_TAIL: &str = r";
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>
";

/// What a response may still carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseBudget {
    left: usize,
}

impl ResponseBudget {
    /// Counts bytes of frames that were written, without the prelude. True if
    /// the response is to end now; the client asks again at once.
    #[must_use]
    pub fn spend(&mut self, bytes: usize) -> bool {
        // A WebSocket has no end.
        if self.left != usize::MAX {
            self.left = self.left.saturating_sub(bytes);
        }
        self.left == 0
    }
}
