//! What can go wrong with a frame.
//!
//! A frame error ends the connection: STOMP has the server answer ERROR and
//! close, and after most of them frame boundaries are lost anyway. Encode
//! errors concern one frame and leave the connection usable.

use std::borrow::Cow;

use super::Command;

/// Why bytes are no frame, or a frame is not what its command demands. The
/// answer is an ERROR with [`message`](FrameError::message), then the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes where a command should be are no command.
    #[error("the frame does not begin with a command")]
    IllegalFrame,
    /// A command that no version has, or none of the sender's side.
    #[error("the command is unknown")]
    UnknownCommand,
    /// A header line has no name, no colon, a lone CR, a NUL, or is the
    /// body's JSON because the empty line before it is missing.
    #[error("a header line is not name:value; is the empty line before the body missing?")]
    IllegalHeader,
    /// A header line is not UTF-8.
    #[error("a header line is not UTF-8")]
    NotUtf8,
    /// A backslash that begins no escape of the version.
    #[error("illegal escape sequence at index {index} of a header's name or value")]
    IllegalEscape {
        /// Where the backslash is, in bytes.
        index: usize,
    },
    /// More header lines than allowed.
    #[error("more than {limit} headers")]
    TooManyHeaders {
        /// Header lines at most.
        limit: usize,
    },
    /// A header line is too long. Found before its end is waited for.
    #[error("a header line is longer than {limit} bytes")]
    HeaderLineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The header lines together are too long.
    #[error("the headers are longer than {limit} bytes")]
    HeadersTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// `content-length` is not an unsigned decimal number.
    #[error("content-length is not a number")]
    IllegalContentLength,
    /// No NUL where `content-length` says that the body ends.
    #[error("no NUL after a body of {length} bytes, as content-length has it")]
    WrongContentLength {
        /// What `content-length` says, in bytes.
        length: usize,
    },
    /// A body where the command allows none.
    #[error("{0} has no body")]
    UnexpectedBody(Command),
    /// The frame is too large. Found from its `content-length`, before the
    /// body is waited for, or when that much has come without a NUL.
    #[error("the frame is larger than {limit} bytes")]
    FrameTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A header that the command requires is missing.
    #[error("{command} needs the header {header}")]
    MissingHeader {
        /// The frame's command.
        command: Command,
        /// The header's name.
        header: &'static str,
    },
    /// A header's value is none of those the command allows.
    #[error("{command} has an unusable header {header}")]
    BadHeader {
        /// The frame's command.
        command: Command,
        /// The header's name.
        header: &'static str,
    },
}

impl FrameError {
    /// The `message` header of the ERROR that answers it; the error's own
    /// text is the body.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        let text = match self {
            FrameError::IllegalFrame => "Illegal frame",
            FrameError::UnknownCommand => "Unknown command",
            FrameError::IllegalHeader | FrameError::NotUtf8 => "Illegal header",
            FrameError::IllegalEscape { .. } => "Illegal escape sequence",
            FrameError::TooManyHeaders { .. } => "Too many headers",
            FrameError::HeaderLineTooLong { .. } => "Header line too long",
            FrameError::HeadersTooLarge { .. } => "Headers too large",
            FrameError::IllegalContentLength | FrameError::WrongContentLength { .. } => {
                "Wrong content-length"
            }
            FrameError::UnexpectedBody(_) => "Unexpected body",
            FrameError::FrameTooLarge { .. } => "Frame too large",
            FrameError::MissingHeader { header, .. } => {
                return Cow::Owned(format!("Missing header {header}"));
            }
            FrameError::BadHeader { header, .. } => {
                return Cow::Owned(format!("Illegal header {header}"));
            }
        };
        Cow::Borrowed(text)
    }

    /// The WebSocket close code after the ERROR: 1009 for a frame beyond the
    /// cap (README.md A12), 1002 for everything else.
    #[must_use]
    pub const fn close_code(&self) -> u16 {
        match self {
            FrameError::FrameTooLarge { .. } => 1009,
            _ => 1002,
        }
    }
}

/// Why a frame has no encoding. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A header's name is empty, would be read as a body, or has a character
    /// that the version cannot escape.
    #[error("a header name of {0} cannot be encoded")]
    Name(Command),
    /// A header's value has a character that the version cannot escape.
    #[error("a header value of {0} cannot be encoded")]
    Value(Command),
    /// A body where the command allows none.
    #[error("{0} has no body")]
    UnexpectedBody(Command),
}
