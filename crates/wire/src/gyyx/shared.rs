//! A frame for many receivers: encoded once, with holes for what differs.

use bytes::{BufMut, Bytes, BytesMut};

use crate::lenient::{put_number, put_text};

use super::frame::{Body, put, put_msg_type};
use super::{Codes, Field, FieldSet, Outgoing, Style};

/// A frame whose receivers differ in a few fields. Cloning shares it.
///
/// `msgType` is always a hole, because each connection has its own style.
#[derive(Debug, Clone)]
pub struct Shared {
    text: Bytes,
    /// Where a field's value belongs, in order. At most one per field.
    holes: Vec<(usize, Field)>,
    msg_types: [i64; 2],
}

/// What one receiver is told where there are holes. Fields without a hole are
/// not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill<'a> {
    /// How the receiver is written to.
    pub style: Style,
    /// `appId`.
    pub app_id: &'a str,
    /// `receiveUserId`.
    pub receive_user_id: &'a str,
    /// `unique`.
    pub unique: &'a str,
    /// `userId`.
    pub user_id: &'a str,
    /// `version`.
    pub version: &'a str,
    /// `waitIndex`.
    pub wait_index: u32,
}

impl Shared {
    /// The fields that can be holes.
    pub const HOLES: FieldSet = FieldSet::of(&[
        Field::AppId,
        Field::MsgType,
        Field::ReceiveUserId,
        Field::Unique,
        Field::UserId,
        Field::Version,
        Field::WaitIndex,
    ]);

    /// Encodes `frame` with `holes`. Of these, those that the frame does not
    /// have or that are not in [`Shared::HOLES`] are no holes: their values
    /// are the frame's.
    #[must_use]
    pub fn new(frame: &Outgoing, holes: FieldSet) -> Shared {
        let wanted = holes.with(&[Field::MsgType]);
        let mut places = Vec::new();
        let mut out = BytesMut::new();
        put(
            &frame.base,
            &frame.body,
            Style::default(),
            &mut out,
            |field, at| {
                let is_hole = wanted.contains(field) && Shared::HOLES.contains(field);
                if is_hole {
                    places.push((at, field));
                }
                is_hole
            },
        );
        Shared {
            text: out.freeze(),
            holes: places,
            msg_types: [Codes::Table, Codes::Prose].map(|codes| frame.body.msg_type(codes)),
        }
    }

    /// Appends the frame for one receiver.
    pub fn put(&self, fill: &Fill<'_>, out: &mut BytesMut) {
        let [table, prose] = self.msg_types;
        let mut start = 0;
        for &(at, field) in &self.holes {
            out.put_slice(&self.text[start..at]);
            start = at;
            match field {
                Field::AppId => put_text(fill.app_id, out),
                Field::ReceiveUserId => put_text(fill.receive_user_id, out),
                Field::Unique => put_text(fill.unique, out),
                Field::UserId => put_text(fill.user_id, out),
                Field::Version => put_text(fill.version, out),
                Field::WaitIndex => put_number(fill.wait_index.into(), out),
                _ => {
                    let number = match fill.style.codes {
                        Codes::Table => table,
                        Codes::Prose => prose,
                    };
                    put_msg_type(number, fill.style.form, out);
                }
            }
        }
        out.put_slice(&self.text[start..]);
    }
}
