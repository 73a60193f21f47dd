//! The commands of all versions, and which side may send them.

/// Who sends a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// A frame's command. Commands are case-sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Client: logs in.
    Connect,
    /// Client: the same as CONNECT, from 1.1 on.
    Stomp,
    /// Client: a message.
    Send,
    /// Client: subscribes.
    Subscribe,
    /// Client: ends a subscription.
    Unsubscribe,
    /// Client: has taken a message.
    Ack,
    /// Client: has not taken a message; from 1.1 on.
    Nack,
    /// Client: starts a transaction.
    Begin,
    /// Client: carries a transaction out.
    Commit,
    /// Client: drops a transaction.
    Abort,
    /// Client: says goodbye.
    Disconnect,
    /// Server: answers CONNECT.
    Connected,
    /// Server: a message.
    Message,
    /// Server: answers a `receipt` header.
    Receipt,
    /// Server: something is wrong; the connection ends.
    Error,
}

impl Command {
    /// Every command.
    pub const ALL: [Command; 15] = [
        Command::Connect,
        Command::Stomp,
        Command::Send,
        Command::Subscribe,
        Command::Unsubscribe,
        Command::Ack,
        Command::Nack,
        Command::Begin,
        Command::Commit,
        Command::Abort,
        Command::Disconnect,
        Command::Connected,
        Command::Message,
        Command::Receipt,
        Command::Error,
    ];

    /// The most bytes that a command has: `UNSUBSCRIBE`.
    pub(super) const MAX_BYTES: usize = 11;

    /// The command as frames write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Command::Connect => "CONNECT",
            Command::Stomp => "STOMP",
            Command::Send => "SEND",
            Command::Subscribe => "SUBSCRIBE",
            Command::Unsubscribe => "UNSUBSCRIBE",
            Command::Ack => "ACK",
            Command::Nack => "NACK",
            Command::Begin => "BEGIN",
            Command::Commit => "COMMIT",
            Command::Abort => "ABORT",
            Command::Disconnect => "DISCONNECT",
            Command::Connected => "CONNECTED",
            Command::Message => "MESSAGE",
            Command::Receipt => "RECEIPT",
            Command::Error => "ERROR",
        }
    }

    /// Which side sends it.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Command::Connected | Command::Message | Command::Receipt | Command::Error => {
                Side::Server
            }
            _ => Side::Client,
        }
    }

    /// Whether its frames may have a body (stomp-sockjs-wire.md §1.1).
    #[must_use]
    pub const fn may_have_body(self) -> bool {
        matches!(self, Command::Send | Command::Message | Command::Error)
    }

    /// Whether its headers are escaped in versions that escape
    /// (stomp-sockjs-wire.md §1.2).
    #[must_use]
    pub const fn is_escaped(self) -> bool {
        !matches!(self, Command::Connect | Command::Stomp | Command::Connected)
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Command> {
        Command::ALL
            .into_iter()
            .find(|command| command.as_str().as_bytes() == bytes)
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_by_its_name() {
        for command in Command::ALL {
            let name = command.as_str();
            assert_eq!(Command::parse(name.as_bytes()), Some(command));
            assert_eq!(Command::parse(name.to_lowercase().as_bytes()), None);
            assert!(name.len() <= Command::MAX_BYTES);
        }
    }
}
