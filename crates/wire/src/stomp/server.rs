//! Frames of the server, with what each command requires
//! (stomp-sockjs-wire.md §1.3, §1.5, §1.6, §1.9).

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    Command, Fault, Frame, FrameError, Headers, HeartBeat, RefusedFrame, SUPPORTED_VERSIONS, Side,
    Version,
};

/// A server's frame that holds what its command requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// CONNECTED.
    Connected(Connected),
    /// MESSAGE.
    Message(Message),
    /// RECEIPT.
    Receipt(Receipt),
    /// ERROR.
    Error(ErrorFrame),
}

/// CONNECTED: the answer to CONNECT (stomp.md Q2-5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The version that the session speaks. Always written: without it
    /// stompjs behaves as 1.0.
    pub version: Version,
    /// The server's heart-beat.
    pub heart_beat: HeartBeat,
    /// The user who has logged in.
    pub user_name: Option<String>,
    /// The server's name.
    pub server: Option<String>,
    /// The session's id.
    pub session: Option<String>,
}

/// MESSAGE: a message for a client, as the client reads it. A server with
/// several receivers writes it by [`SharedMessage`](super::SharedMessage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The destination as the client subscribed to it.
    pub destination: String,
    /// The client's id of the subscription; `None` only in 1.0.
    pub subscription: Option<String>,
    /// Unique within the connection.
    pub message_id: String,
    /// What an ACK of 1.2 names, if one is wanted.
    pub ack: Option<String>,
    /// The body's media type.
    pub content_type: Option<String>,
    /// The message; a slice of the input, as [`Frame::body`].
    pub body: Bytes,
}

/// RECEIPT: what the client asked to be told has been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The `receipt` of the client's frame.
    pub receipt_id: String,
}

/// ERROR: something is wrong; the server closes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorFrame {
    /// What is wrong in a few words; the only thing that most clients show.
    pub message: String,
    /// The `receipt` of the frame that was wrong.
    pub receipt_id: Option<String>,
    /// The versions the server speaks, if the client offered none of them.
    pub version: Option<String>,
    /// The body's media type.
    pub content_type: Option<String>,
    /// More about it.
    pub body: Bytes,
}

impl ServerFrame {
    /// Reads what `frame` means in `version`; before CONNECTED any version
    /// will do.
    ///
    /// # Errors
    ///
    /// When a required header is missing or cannot be used, or the command is
    /// a client's.
    pub fn read(frame: Frame, version: Version) -> Result<ServerFrame, RefusedFrame> {
        read(frame, version).map_err(|error| RefusedFrame {
            error,
            receipt: None,
        })
    }

    /// The frame.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        match self {
            ServerFrame::Connected(connected) => connected.to_frame(),
            ServerFrame::Message(message) => message.to_frame(),
            ServerFrame::Receipt(receipt) => {
                Frame::new(Command::Receipt).with("receipt-id", &receipt.receipt_id)
            }
            ServerFrame::Error(error) => error.to_frame(),
        }
    }
}

fn read(frame: Frame, version: Version) -> Result<ServerFrame, FrameError> {
    let Frame {
        command,
        headers,
        body,
    } = frame;
    if command.side() != Side::Server {
        return Err(FrameError::UnknownCommand);
    }
    let get = |name| headers.get(name).map(str::to_owned);
    let need = |header| get(header).ok_or(FrameError::MissingHeader { command, header });
    Ok(match command {
        Command::Connected => ServerFrame::Connected(Connected::read(&headers)?),
        Command::Message => ServerFrame::Message(Message {
            destination: need("destination")?,
            subscription: match version {
                Version::V1_0 => get("subscription"),
                _ => Some(need("subscription")?),
            },
            message_id: need("message-id")?,
            ack: get("ack"),
            content_type: get("content-type"),
            body,
        }),
        Command::Receipt => ServerFrame::Receipt(Receipt {
            receipt_id: need("receipt-id")?,
        }),
        // An ERROR is one whatever it says.
        _ => ServerFrame::Error(ErrorFrame {
            message: get("message").unwrap_or_default(),
            receipt_id: get("receipt-id"),
            version: get("version"),
            content_type: get("content-type"),
            body,
        }),
    })
}

impl Connected {
    fn read(headers: &Headers) -> Result<Connected, FrameError> {
        let bad = |header| FrameError::BadHeader {
            command: Command::Connected,
            header,
        };
        // 1.0 knows neither of the two.
        let version = headers
            .get("version")
            .map_or(Some(Version::V1_0), |text| Version::parse(text.trim()));
        let heart_beat = headers
            .get("heart-beat")
            .map_or(Ok(HeartBeat::default()), HeartBeat::parse);
        let get = |name| headers.get(name).map(str::to_owned);
        Ok(Connected {
            version: version.ok_or_else(|| bad("version"))?,
            heart_beat: heart_beat.map_err(|_| bad("heart-beat"))?,
            user_name: get("user-name"),
            server: get("server"),
            session: get("session"),
        })
    }

    /// The frame.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        Frame::new(Command::Connected)
            .with("version", self.version.as_str())
            .with("heart-beat", &self.heart_beat.to_string())
            .with_some("user-name", self.user_name.as_deref())
            .with_some("server", self.server.as_deref())
            .with_some("session", self.session.as_deref())
    }
}

impl Message {
    /// The frame.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        Frame::new(Command::Message)
            .with("destination", &self.destination)
            .with_some("subscription", self.subscription.as_deref())
            .with("message-id", &self.message_id)
            .with_some("ack", self.ack.as_deref())
            .with_some("content-type", self.content_type.as_deref())
            .with_body(self.body.clone())
    }
}

/// Whether a MESSAGE goes in a binary WebSocket message where there are such:
/// a body of bytes. Everything else goes as text (stomp-sockjs-wire.md §1.9).
#[must_use]
pub fn wants_binary(content_type: Option<&str>, body: &[u8]) -> bool {
    let media_type = content_type.map(|it| it.split(';').next().unwrap_or_default().trim());
    !body.is_empty()
        && media_type.is_some_and(|it| it.eq_ignore_ascii_case("application/octet-stream"))
}

impl ErrorFrame {
    /// An ERROR with a plain text as its body.
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>, text: impl Into<String>) -> ErrorFrame {
        ErrorFrame {
            message: message.into().into_owned(),
            receipt_id: None,
            version: None,
            content_type: Some("text/plain".to_owned()),
            body: Bytes::from(text.into()),
        }
    }

    /// The same ERROR, about the frame that asked for this receipt.
    #[must_use]
    pub fn about(mut self, receipt: Option<&str>) -> ErrorFrame {
        self.receipt_id = receipt.map(str::to_owned);
        self
    }

    /// The frame.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        Frame::new(Command::Error)
            .with("message", &self.message)
            .with_some("receipt-id", self.receipt_id.as_deref())
            .with_some("version", self.version.as_deref())
            .with_some("content-type", self.content_type.as_deref())
            .with_body(self.body.clone())
    }
}

impl From<FrameError> for ErrorFrame {
    fn from(error: FrameError) -> ErrorFrame {
        ErrorFrame::new(error.message(), error.to_string())
    }
}

impl From<&RefusedFrame> for ErrorFrame {
    fn from(refused: &RefusedFrame) -> ErrorFrame {
        ErrorFrame::from(refused.error).about(refused.receipt.as_deref())
    }
}

impl From<Fault> for ErrorFrame {
    fn from(fault: Fault) -> ErrorFrame {
        if fault != Fault::UnsupportedVersion {
            return ErrorFrame::new(fault.message(), fault.message());
        }
        let text = format!("Supported versions are {SUPPORTED_VERSIONS}");
        ErrorFrame {
            version: Some(SUPPORTED_VERSIONS.to_owned()),
            ..ErrorFrame::new(fault.message(), text)
        }
    }
}
