//! STOMP 1.0, 1.1 and 1.2 (stomp-sockjs-wire.md §1), and in [`im`] the JSON
//! that one messenger sends over it (stomp.md).
//!
//! ```text
//! COMMAND EOL · name ":" value EOL, any number · EOL · body · NUL · any EOLs
//! ```
//!
//! A connection is one byte stream whatever carries it: a WebSocket message
//! may hold several frames or a part of one, so feed everything received into
//! one buffer and let [`Decoder`] cut it.
//!
//! Reading order: [`Frame`] is what travels; [`ClientFrame`] and
//! [`ServerFrame`] say what each command means and requires; [`SharedMessage`]
//! writes one MESSAGE for many receivers. Versions, heart-beats and the key of
//! an ACK are pure functions beside them. The codec does not know whether a
//! frame is legal at this moment, who may do what, or any time.

mod ack;
mod client;
mod command;
mod decode;
mod encode;
mod error;
mod escape;
mod fault;
mod frame;
mod headers;
mod heart_beat;
pub mod im;
mod limits;
mod server;
mod shared_message;
mod version;

pub use ack::{AckKey, AckMode};
pub use client::{
    Ack, ClientFrame, Connect, RefusedFrame, Send, Subscribe, Transaction, Unsubscribe,
};
pub use command::{Command, Side};
pub use decode::Decoder;
pub use encode::{encode, encode_heart_beat};
pub use error::{EncodeError, FrameError};
pub use escape::Escaping;
pub use fault::Fault;
pub use frame::Frame;
pub use headers::Headers;
pub use heart_beat::{HeartBeat, Periods};
pub use limits::{Limits, MAX_FRAME_BYTES, MAX_MESSAGE_BODY_BYTES};
pub use server::{Connected, ErrorFrame, Message, Receipt, ServerFrame, wants_binary};
pub use shared_message::{Receiver, SharedMessage};
pub use version::{SUPPORTED_VERSIONS, Version, choose_subprotocol, negotiate};
