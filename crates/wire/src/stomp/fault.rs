//! What a client did wrong beyond its frames, with the ERROR that says so
//! (stomp.md Q2-2 to Q2-14, D.c). Each ends the connection.

/// Why a server ends a connection with an ERROR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// No token, a wrong one, or two tokens of different users.
    Unauthorized,
    /// The token has expired while the connection lived.
    TokenExpired,
    /// A frame before CONNECT.
    NotConnected,
    /// A second CONNECT.
    AlreadyConnected,
    /// None of the client's versions is known; the ERROR lists ours.
    UnsupportedVersion,
    /// A destination that clients may not send or subscribe to.
    Forbidden,
    /// COMMIT, ABORT or a frame names a transaction that was not begun.
    UnknownTransaction,
    /// A transaction is begun twice.
    DuplicateTransaction,
    /// The session's transactions hold more than they may.
    TransactionTooLarge,
    /// The session has more subscriptions than it may.
    TooManySubscriptions,
    /// The client was silent longer than its heart-beats allow.
    HeartBeatMissed,
    /// Another session has taken this one's place.
    Replaced,
    /// The server failed.
    Internal,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 13] = [
        Fault::Unauthorized,
        Fault::TokenExpired,
        Fault::NotConnected,
        Fault::AlreadyConnected,
        Fault::UnsupportedVersion,
        Fault::Forbidden,
        Fault::UnknownTransaction,
        Fault::DuplicateTransaction,
        Fault::TransactionTooLarge,
        Fault::TooManySubscriptions,
        Fault::HeartBeatMissed,
        Fault::Replaced,
        Fault::Internal,
    ];

    /// The `message` header of the ERROR, and its body.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Fault::Unauthorized => "Unauthorized",
            Fault::TokenExpired => "Token expired",
            Fault::NotConnected => "Not connected",
            Fault::AlreadyConnected => "Already connected",
            Fault::UnsupportedVersion => "Unsupported version",
            Fault::Forbidden => "Forbidden",
            Fault::UnknownTransaction => "Unknown transaction",
            Fault::DuplicateTransaction => "Duplicate transaction",
            Fault::TransactionTooLarge => "Transaction too large",
            Fault::TooManySubscriptions => "Too many subscriptions",
            Fault::HeartBeatMissed => "Session closed.",
            Fault::Replaced => "Session replaced",
            Fault::Internal => "Internal error",
        }
    }

    /// The WebSocket close code after the ERROR.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Fault::Unauthorized
            | Fault::TokenExpired
            | Fault::Forbidden
            | Fault::TransactionTooLarge
            | Fault::TooManySubscriptions
            | Fault::Replaced => 1008,
            Fault::NotConnected
            | Fault::AlreadyConnected
            | Fault::UnsupportedVersion
            | Fault::UnknownTransaction
            | Fault::DuplicateTransaction
            | Fault::HeartBeatMissed => 1002,
            Fault::Internal => 1011,
        }
    }
}
