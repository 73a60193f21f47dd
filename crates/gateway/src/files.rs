//! Addresses of files in what is given to clients (interop.md G.3, media). Who reads the
//! author's own bytes gets them untouched; for everybody else each address of a file becomes
//! one that holds without a login, made anew each time it is given. It is done here, between
//! the messenger and the machines, since these know neither keys nor the time of day.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::im::Im;
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::session::Event;

use crate::protocol::Answer;

fn fresh(im: &Im, reader: Origin, message: &Message) -> Option<Message> {
    if message.shown().origin == reader {
        return None;
    }
    im.with_file_urls(message)
}

/// Does so with events on their way to a machine of the dialect `reader`.
pub(crate) fn sign_events(im: &Im, reader: Origin, events: &mut VecDeque<Event>) {
    for event in events {
        if let Event::Message(message) = event
            && let Some(fresh) = fresh(im, reader, message)
        {
            *message = Arc::new(fresh);
        }
    }
}

/// Does so with what a machine of the dialect `reader` has asked for.
pub(crate) fn sign_answer(im: &Im, reader: Origin, answer: &mut Answer) {
    let messages = match answer {
        Answer::Message(Ok(message)) => std::slice::from_mut(message),
        Answer::Messages(Ok(messages)) => messages.as_mut_slice(),
        _ => return,
    };
    sign_all(im, reader, messages);
}

/// The message as it is given to a reader of this dialect over HTTP.
#[must_use]
pub fn signed_for<'a>(im: &Im, reader: Origin, message: &'a Message) -> Cow<'a, Message> {
    fresh(im, reader, message).map_or(Cow::Borrowed(message), Cow::Owned)
}

/// Messages as they are given to a reader of this dialect over HTTP.
pub fn sign_all(im: &Im, reader: Origin, messages: &mut [Message]) {
    for message in messages {
        if let Some(fresh) = fresh(im, reader, message) {
            *message = fresh;
        }
    }
}
