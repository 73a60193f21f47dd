//! Proptest strategies for frames.

use bytes::Bytes;
use crosstalk_wire::stomp::{Command, Escaping, Frame, Headers, Side};
use proptest::collection::vec;
use proptest::prelude::*;

/// Every escaping.
pub(crate) const ESCAPINGS: [Escaping; 3] = [Escaping::Literal, Escaping::V1_1, Escaping::V1_2];

/// Texts that `escaping` can write as a value.
fn value(escaping: Escaping) -> BoxedStrategy<String> {
    let pattern = match escaping {
        Escaping::Literal => r"[a-z:\\{ é中😀]{0,12}",
        Escaping::V1_1 => "[a-z:\\\\{\n é中😀]{0,12}",
        Escaping::V1_2 => "[a-z:\\\\{\r\n é中😀]{0,12}",
    };
    prop_oneof![pattern, "[a-z0-9/.-]{0,40}", Just(String::new())].boxed()
}

/// Texts that `escaping` can write as a name, and that no command takes for
/// something else.
fn name(escaping: Escaping) -> BoxedStrategy<String> {
    value(escaping)
        .prop_map(move |mut text| {
            text.insert(0, 'x');
            match escaping {
                Escaping::Literal => text.replace(':', ""),
                _ => text,
            }
        })
        .boxed()
}

fn body(command: Command) -> BoxedStrategy<Bytes> {
    if command.may_have_body() {
        let bytes = vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        prop_oneof![bytes, Just(Bytes::from_static(b"\0\n\0"))].boxed()
    } else {
        Just(Bytes::new()).boxed()
    }
}

/// A frame of `side` that `escaping` can write.
pub(crate) fn frame(side: Side, escaping: Escaping) -> impl Strategy<Value = Frame> {
    frame_of(move |command| command.side() == side, escaping)
}

/// A frame of a command that `wanted` has.
pub(crate) fn frame_of(
    wanted: impl Fn(&Command) -> bool,
    escaping: Escaping,
) -> impl Strategy<Value = Frame> {
    let commands: Vec<_> = Command::ALL.into_iter().filter(wanted).collect();
    proptest::sample::select(commands).prop_flat_map(move |command| {
        let escaping = match command.is_escaped() {
            true => escaping,
            false => Escaping::Literal,
        };
        let header = (name(escaping), value(escaping));
        (vec(header, 0..8), body(command)).prop_map(move |(pairs, body)| {
            let pairs = pairs.iter().map(|(name, value)| (&name[..], &value[..]));
            let headers: Headers = pairs.collect();
            Frame {
                command,
                headers,
                body,
            }
        })
    })
}

/// An escaping and frames that it can write.
pub(crate) fn conversation(side: Side) -> impl Strategy<Value = (Escaping, Vec<Frame>)> {
    proptest::sample::select(&ESCAPINGS[..])
        .prop_flat_map(move |escaping| (Just(escaping), vec(frame(side, escaping), 0..6)))
}
