//! Frames of the client, with what each command requires
//! (stomp-sockjs-wire.md §1.3, §1.5, §1.7).

use bytes::Bytes;

use super::{
    AckKey, AckMode, Command, Frame, FrameError, Headers, HeartBeat, Side, Version, negotiate,
};

/// A client's frame that holds what its command requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// CONNECT or STOMP.
    Connect(Connect),
    /// SEND.
    Send(Send),
    /// SUBSCRIBE.
    Subscribe(Subscribe),
    /// UNSUBSCRIBE.
    Unsubscribe(Unsubscribe),
    /// ACK.
    Ack(Ack),
    /// NACK.
    Nack(Ack),
    /// BEGIN.
    Begin(Transaction),
    /// COMMIT.
    Commit(Transaction),
    /// ABORT.
    Abort(Transaction),
    /// DISCONNECT.
    Disconnect {
        /// The receipt to answer before closing.
        receipt: Option<String>,
    },
}

/// A frame that does not hold what its command requires.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct RefusedFrame {
    /// What is wrong.
    pub error: FrameError,
    /// The `receipt` of the frame: the `receipt-id` of the ERROR.
    pub receipt: Option<String>,
}

/// CONNECT: a client introduces itself (stomp-sockjs-wire.md §1.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connect {
    /// The versions that the client speaks; see [`Connect::version`].
    pub accept_version: Option<String>,
    /// The virtual host; required by 1.1 and 1.2, but clients leave it out.
    pub host: Option<String>,
    /// The client's heart-beat; zeros if it says nothing.
    pub heart_beat: HeartBeat,
    /// All headers, those above included.
    pub headers: Headers,
}

/// SEND: a client's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Where to.
    pub destination: String,
    /// The body's media type.
    pub content_type: Option<String>,
    /// The transaction that it waits for.
    pub transaction: Option<String>,
    /// The receipt to answer.
    pub receipt: Option<String>,
    /// The message; a slice of the input, as [`Frame::body`].
    pub body: Bytes,
}

/// SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The client's id of the subscription; `None` only in 1.0.
    pub id: Option<String>,
    /// What it subscribes to.
    pub destination: String,
    /// How its messages are acknowledged.
    pub ack: AckMode,
    /// The receipt to answer.
    pub receipt: Option<String>,
}

/// UNSUBSCRIBE. At least one of id and destination is there; from 1.1 on it
/// is the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The client's id of the subscription.
    pub id: Option<String>,
    /// The destination of a subscription without an id.
    pub destination: Option<String>,
    /// The receipt to answer.
    pub receipt: Option<String>,
}

/// ACK or NACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// Which message.
    pub key: AckKey,
    /// The transaction that it waits for.
    pub transaction: Option<String>,
    /// The receipt to answer.
    pub receipt: Option<String>,
}

/// BEGIN, COMMIT or ABORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The client's id of the transaction.
    pub id: String,
    /// The receipt to answer.
    pub receipt: Option<String>,
}

impl ClientFrame {
    /// Reads what `frame` means in `version`; before CONNECT any version
    /// will do.
    ///
    /// # Errors
    ///
    /// When a required header is missing or cannot be used, or the command is
    /// a server's.
    pub fn read(frame: Frame, version: Version) -> Result<ClientFrame, RefusedFrame> {
        let receipt = frame.receipt().map(str::to_owned);
        read(frame, version, receipt.clone()).map_err(|error| RefusedFrame { error, receipt })
    }

    /// The frame, as a client of any version sends it. A CONNECT is written
    /// from its `headers` alone.
    #[must_use]
    pub fn to_frame(&self) -> Frame {
        match self {
            ClientFrame::Connect(connect) => Frame {
                headers: connect.headers.clone(),
                ..Frame::new(Command::Connect)
            },
            ClientFrame::Send(send) => Frame::new(Command::Send)
                .with("destination", &send.destination)
                .with_some("content-type", send.content_type.as_deref())
                .with_some("transaction", send.transaction.as_deref())
                .with_some("receipt", send.receipt.as_deref())
                .with_body(send.body.clone()),
            ClientFrame::Subscribe(subscribe) => Frame::new(Command::Subscribe)
                .with_some("id", subscribe.id.as_deref())
                .with("destination", &subscribe.destination)
                .with("ack", subscribe.ack.as_str())
                .with_some("receipt", subscribe.receipt.as_deref()),
            ClientFrame::Unsubscribe(unsubscribe) => Frame::new(Command::Unsubscribe)
                .with_some("id", unsubscribe.id.as_deref())
                .with_some("destination", unsubscribe.destination.as_deref())
                .with_some("receipt", unsubscribe.receipt.as_deref()),
            ClientFrame::Ack(ack) => ack.frame(Command::Ack),
            ClientFrame::Nack(ack) => ack.frame(Command::Nack),
            ClientFrame::Begin(transaction) => transaction.frame(Command::Begin),
            ClientFrame::Commit(transaction) => transaction.frame(Command::Commit),
            ClientFrame::Abort(transaction) => transaction.frame(Command::Abort),
            ClientFrame::Disconnect { receipt } => {
                Frame::new(Command::Disconnect).with_some("receipt", receipt.as_deref())
            }
        }
    }

    /// The receipt to answer once the frame is processed; a CONNECT has none.
    #[must_use]
    pub fn receipt(&self) -> Option<&str> {
        match self {
            ClientFrame::Connect(_) => None,
            ClientFrame::Send(it) => it.receipt.as_deref(),
            ClientFrame::Subscribe(it) => it.receipt.as_deref(),
            ClientFrame::Unsubscribe(it) => it.receipt.as_deref(),
            ClientFrame::Ack(it) | ClientFrame::Nack(it) => it.receipt.as_deref(),
            ClientFrame::Begin(it) | ClientFrame::Commit(it) | ClientFrame::Abort(it) => {
                it.receipt.as_deref()
            }
            ClientFrame::Disconnect { receipt } => receipt.as_deref(),
        }
    }
}

fn read(
    frame: Frame,
    version: Version,
    receipt: Option<String>,
) -> Result<ClientFrame, FrameError> {
    let Frame {
        command,
        headers,
        body,
    } = frame;
    if command.side() != Side::Client {
        return Err(FrameError::UnknownCommand);
    }
    let get = |name| headers.get(name).map(str::to_owned);
    let need = |header| get(header).ok_or(FrameError::MissingHeader { command, header });
    Ok(match command {
        Command::Connect | Command::Stomp => ClientFrame::Connect(Connect::read(command, headers)?),
        Command::Send => ClientFrame::Send(Send {
            destination: need("destination")?,
            content_type: get("content-type"),
            transaction: get("transaction"),
            receipt,
            body,
        }),
        Command::Subscribe => ClientFrame::Subscribe(Subscribe {
            destination: need("destination")?,
            id: match version {
                Version::V1_0 => get("id"),
                _ => Some(need("id")?),
            },
            ack: headers
                .get("ack")
                .map_or(Some(AckMode::Auto), AckMode::parse)
                .ok_or(FrameError::BadHeader {
                    command,
                    header: "ack",
                })?,
            receipt,
        }),
        Command::Unsubscribe => {
            let destination = get("destination");
            let id = match version {
                Version::V1_0 if destination.is_some() => get("id"),
                _ => Some(need("id")?),
            };
            ClientFrame::Unsubscribe(Unsubscribe {
                id,
                destination,
                receipt,
            })
        }
        Command::Ack | Command::Nack => {
            let ack = Ack {
                key: AckKey::read(command, &headers, version)?,
                transaction: get("transaction"),
                receipt,
            };
            match command {
                Command::Ack => ClientFrame::Ack(ack),
                _ => ClientFrame::Nack(ack),
            }
        }
        Command::Begin | Command::Commit | Command::Abort => {
            let transaction = Transaction {
                id: need("transaction")?,
                receipt,
            };
            match command {
                Command::Begin => ClientFrame::Begin(transaction),
                Command::Commit => ClientFrame::Commit(transaction),
                _ => ClientFrame::Abort(transaction),
            }
        }
        Command::Disconnect => ClientFrame::Disconnect { receipt },
        Command::Connected | Command::Message | Command::Receipt | Command::Error => {
            return Err(FrameError::UnknownCommand);
        }
    })
}

impl Connect {
    fn read(command: Command, headers: Headers) -> Result<Connect, FrameError> {
        let heart_beat = match headers.get("heart-beat") {
            Some(text) => HeartBeat::parse(text).map_err(|_| FrameError::BadHeader {
                command,
                header: "heart-beat",
            })?,
            None => HeartBeat::default(),
        };
        let get = |name| headers.get(name).map(|value| value.trim().to_owned());
        Ok(Connect {
            accept_version: get("accept-version"),
            host: get("host"),
            heart_beat,
            headers,
        })
    }

    /// The version that the session speaks; `None` if there is no common one.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        negotiate(self.accept_version.as_deref())
    }

    /// The user name of old clients; Crosstalk's tokens name their user.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        self.headers.get("login").map(str::trim)
    }

    /// Every token that the client shows, in the order `Authorization`,
    /// `token`, `X-Auth-Token`, `passcode`, without blanks around it and
    /// without the word `Bearer` (stomp.md Q2-2). Empty ones are left out.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        ["authorization", "token", "x-auth-token", "passcode"]
            .into_iter()
            .filter_map(|name| self.headers.get_ignoring_case(name))
            .map(|value| without_scheme(value.trim()))
            .filter(|token| !token.is_empty())
    }
}

fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        // The scheme with nothing behind it is no token.
        None if value.eq_ignore_ascii_case("bearer") => "",
        _ => value,
    }
}

impl Ack {
    fn frame(&self, command: Command) -> Frame {
        self.key
            .write(Frame::new(command))
            .with_some("transaction", self.transaction.as_deref())
            .with_some("receipt", self.receipt.as_deref())
    }
}

impl Transaction {
    fn frame(&self, command: Command) -> Frame {
        Frame::new(command)
            .with("transaction", &self.id)
            .with_some("receipt", self.receipt.as_deref())
    }
}
