//! The encoder: writes frames straight into an output buffer
//! (stomp-sockjs-wire.md §1.1, §1.2).
//!
//! An encoding that fails has written nothing. `content-length` is written
//! last, for every command that may have a body and only for those, so that a
//! body may hold NULs. The encoder does not know which headers a command
//! requires.

use bytes::{BufMut, BytesMut};

use super::decode::looks_like_json;
use super::escape::Part;
use super::{Command, EncodeError, Escaping, Frame};

/// `content-length` and the line ends around it, at most, in bytes.
const LENGTH_BYTES: usize = 40;

/// Appends `frame` to `out`, with the escapes of `escaping`; commands that
/// are never escaped are written literally whatever it says.
///
/// # Errors
///
/// See [`EncodeError`]; `out` is untouched.
pub fn encode(frame: &Frame, escaping: Escaping, out: &mut BytesMut) -> Result<(), EncodeError> {
    whole(out, |out| {
        let command = frame.command;
        out.reserve(reserve_bytes(frame));
        put_command(command, out);
        for (name, value) in frame.headers.iter() {
            // The body says how long it is.
            if name != "content-length" {
                put_header(command, name, value, escaping, out)?;
            }
        }
        if command.may_have_body() {
            put_length(frame.body.len(), out);
        } else if !frame.body.is_empty() {
            return Err(EncodeError::UnexpectedBody(command));
        }
        put_body(&frame.body, out);
        Ok(())
    })
}

/// Appends a heart-beat: one line end.
pub fn encode_heart_beat(out: &mut BytesMut) {
    out.put_u8(b'\n');
}

/// What a frame takes if nothing needs escaping.
fn reserve_bytes(frame: &Frame) -> usize {
    let headers = frame.headers.text_bytes() + 2 * frame.headers.len();
    frame.command.as_str().len() + headers + LENGTH_BYTES + frame.body.len()
}

/// Runs `write`; if it fails, `out` is as it was.
pub(super) fn whole<E>(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), E>,
) -> Result<(), E> {
    let before = out.len();
    let written = write(out);
    if written.is_err() {
        out.truncate(before);
    }
    written
}

pub(super) fn put_command(command: Command, out: &mut BytesMut) {
    out.put_slice(command.as_str().as_bytes());
    out.put_u8(b'\n');
}

/// Appends a header line; on error `out` may have grown.
pub(super) fn put_header(
    command: Command,
    name: &str,
    value: &str,
    escaping: Escaping,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let escaping = if command.is_escaped() {
        escaping
    } else {
        Escaping::Literal
    };
    // A decoder takes such a name for a body.
    let is_json = command == Command::Send && looks_like_json(name);
    if name.is_empty() || is_json {
        return Err(EncodeError::Name(command));
    }
    escaping
        .escape(Part::Name, name, out)
        .map_err(|_| EncodeError::Name(command))?;
    out.put_u8(b':');
    escaping
        .escape(Part::Value, value, out)
        .map_err(|_| EncodeError::Value(command))?;
    out.put_u8(b'\n');
    Ok(())
}

pub(super) fn put_length(length: usize, out: &mut BytesMut) {
    out.put_slice(b"content-length:");
    put_number(length, out);
    out.put_u8(b'\n');
}

/// Appends the end of the headers, the body and its NUL.
pub(super) fn put_body(body: &[u8], out: &mut BytesMut) {
    out.put_u8(b'\n');
    out.put_slice(body);
    out.put_u8(0);
}

/// Decimal digits without a string in between.
fn put_number(mut number: usize, out: &mut BytesMut) {
    // 64 bits have 20 digits.
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 9, 10, 12_345, usize::MAX] {
            let mut out = BytesMut::new();
            put_number(number, &mut out);
            assert_eq!(out, number.to_string());
        }
    }
}
