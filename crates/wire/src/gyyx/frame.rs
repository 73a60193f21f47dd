//! The one place where frames are written (S4-5): a frame is its field set,
//! written in the order of the fields.

use bytes::{BufMut, BytesMut};

use crate::lenient::{Json, put_number, put_text};

use super::room::{RoomEntry, put_rooms};
use super::{Base, Codes, Field, FieldSet, Form, Style, Unique};

/// A field's value, as it is written.
pub(super) enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// A number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// JSON as it is.
    Raw(&'a Json),
    /// JSON as a string.
    Quoted(&'a Json),
    /// A string, or the number it came as.
    Unique(&'a Unique),
    /// An array of rooms.
    Rooms(&'a [RoomEntry]),
}

/// What makes one kind of frame differ from another.
pub(super) trait Body {
    /// The number in `msgType`.
    fn msg_type(&self, codes: Codes) -> i64;

    /// All fields of the frame.
    fn fields(&self) -> FieldSet;

    /// The value of a field that is not the base's.
    fn value(&self, field: Field) -> Option<Value<'_>>;
}

/// Appends one frame. Where a field begins for which `is_hole` returns true,
/// nothing stands; it is told the place in `out`.
pub(super) fn put(
    base: &Base,
    body: &impl Body,
    style: Style,
    out: &mut BytesMut,
    mut is_hole: impl FnMut(Field, usize) -> bool,
) {
    let mut separator = b'{';
    for field in body.fields().fields() {
        out.put_u8(separator);
        separator = b',';
        out.put_u8(b'"');
        out.put_slice(field.name().as_bytes());
        out.put_slice(b"\":");
        if is_hole(field, out.len()) {
            continue;
        }
        if field == Field::MsgType {
            put_msg_type(body.msg_type(style.codes), style.form, out);
        } else if let Some(value) = body.value(field).or_else(|| base.value(field)) {
            put_value(&value, out);
        } else {
            out.put_slice(b"\"\"");
        }
    }
    out.put_u8(b'}');
}

pub(super) fn put_msg_type(number: i64, form: Form, out: &mut BytesMut) {
    match form {
        Form::Number => put_number(number, out),
        Form::Text => {
            out.put_u8(b'"');
            put_number(number, out);
            out.put_u8(b'"');
        }
    }
}

pub(super) fn put_value(value: &Value<'_>, out: &mut BytesMut) {
    match value {
        Value::Text(text) => put_text(text, out),
        Value::Number(number) => put_number(*number, out),
        Value::Flag(true) => out.put_slice(b"true"),
        Value::Flag(false) => out.put_slice(b"false"),
        Value::Raw(json) => json.put(out),
        Value::Quoted(json) => json.put_string(out),
        Value::Unique(unique) => match unique.digits() {
            Some(digits) => out.put_slice(digits.as_bytes()),
            None => put_text(unique.as_str(), out),
        },
        Value::Rooms(rooms) => put_rooms(rooms, out),
    }
}
