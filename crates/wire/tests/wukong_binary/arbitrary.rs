//! Proptest strategies for every packet.

use bytes::Bytes;
use crosstalk_wire::wukong::binary::{
    Connack, Connect, Disconnect, Event, Flags, Packet, Recv, Recvack, Send, Sendack, Setting,
    StreamPart, Sub, Suback,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z0-9@#]{1,40}", "\\PC{0,20}"]
}

fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn flags() -> impl Strategy<Value = Flags> {
    any::<u8>().prop_map(Flags::from_bits)
}

fn setting() -> impl Strategy<Value = Setting> {
    any::<u8>().prop_map(Setting)
}

/// Sequences that the version can carry.
fn seq(version: u8) -> BoxedStrategy<u64> {
    if version >= 6 {
        any::<u64>().boxed()
    } else {
        any::<u32>().prop_map(u64::from).boxed()
    }
}

fn connect() -> impl Strategy<Value = Packet> {
    let fields = (any::<(u8, u8, i64)>(), text(), text(), text(), text());
    fields.prop_map(|((version, device_flag, at), device_id, uid, token, key)| {
        Packet::Connect(Connect {
            version,
            device_flag,
            device_id,
            uid,
            token,
            client_timestamp_ms: at,
            client_key: key,
        })
    })
}

fn connack() -> impl Strategy<Value = Packet> {
    let fields = (any::<(Option<u8>, i64, u8, Option<u64>)>(), text(), text());
    fields.prop_map(
        |((server_version, diff, reason, node_id), server_key, salt)| {
            Packet::Connack(Connack {
                server_version,
                time_diff_ms: diff,
                reason,
                server_key,
                salt,
                node_id,
            })
        },
    )
}

fn send() -> impl Strategy<Value = Packet> {
    let texts = (text(), text(), text(), text(), text());
    let fields = (
        flags(),
        setting(),
        any::<(u32, u8, u32)>(),
        texts,
        payload(),
    );
    fields.prop_map(|(flags, setting, numbers, texts, payload)| {
        let (client_seq, channel_type, expire_secs) = numbers;
        let (client_msg_no, stream_no, channel_id, msg_key, topic) = texts;
        Packet::Send(Send {
            flags,
            setting,
            client_seq,
            client_msg_no,
            stream_no,
            channel_id,
            channel_type,
            expire_secs,
            msg_key,
            topic,
            payload,
        })
    })
}

fn stream_part() -> impl Strategy<Value = Option<StreamPart>> {
    proptest::option::of(
        (any::<(u8, u64)>(), text()).prop_map(|((flag, stream_id), stream_no)| StreamPart {
            flag,
            stream_no,
            stream_id,
        }),
    )
}

fn recv(version: u8) -> impl Strategy<Value = Packet> {
    let texts = (text(), text(), text(), text(), text());
    let fields = (
        (flags(), setting(), stream_part(), seq(version)),
        any::<(u8, u32, i64, i32)>(),
        texts,
        payload(),
    );
    fields.prop_map(|(head, numbers, texts, payload)| {
        let (flags, setting, stream, message_seq) = head;
        let (channel_type, expire_secs, message_id, timestamp_secs) = numbers;
        let (msg_key, from_uid, channel_id, client_msg_no, topic) = texts;
        Packet::Recv(Recv {
            flags,
            setting,
            msg_key,
            from_uid,
            channel_id,
            channel_type,
            expire_secs,
            client_msg_no,
            stream,
            message_id,
            message_seq,
            timestamp_secs,
            topic,
            payload,
        })
    })
}

fn acks(version: u8) -> impl Strategy<Value = Packet> {
    let fields = (flags(), any::<(i64, u32, u8, bool)>(), seq(version));
    fields.prop_map(
        |(flags, (message_id, client_seq, reason, of_send), message_seq)| {
            if of_send {
                Packet::Sendack(Sendack {
                    flags,
                    message_id,
                    client_seq,
                    message_seq,
                    reason,
                })
            } else {
                Packet::Recvack(Recvack {
                    flags,
                    message_id,
                    message_seq,
                })
            }
        },
    )
}

fn subscriptions() -> impl Strategy<Value = Packet> {
    let fields = (setting(), any::<(u8, u8, bool)>(), text(), text(), text());
    fields.prop_map(
        |(setting, (channel_type, action, asks), sub_no, channel_id, param)| {
            if asks {
                Packet::Sub(Sub {
                    setting,
                    sub_no,
                    channel_id,
                    channel_type,
                    action,
                    param,
                })
            } else {
                Packet::Suback(Suback {
                    sub_no,
                    channel_id,
                    channel_type,
                    action,
                    reason: setting.0,
                })
            }
        },
    )
}

fn notices() -> impl Strategy<Value = Packet> {
    prop_oneof![
        Just(Packet::Ping),
        Just(Packet::Pong),
        (any::<u8>(), text())
            .prop_map(|(reason, text)| Packet::Disconnect(Disconnect { reason, text })),
        (text(), text(), any::<i64>(), payload()).prop_map(
            |(id, event_type, timestamp_ms, data)| Packet::Event(Event {
                id,
                event_type,
                timestamp_ms,
                data,
            })
        ),
    ]
}

/// Any packet that `version` can carry.
pub(crate) fn packet(version: u8) -> BoxedStrategy<Packet> {
    prop_oneof![
        connect(),
        connack(),
        send(),
        recv(version),
        acks(version),
        subscriptions(),
        notices(),
    ]
    .boxed()
}

/// A version and some packets of it.
pub(crate) fn conversation() -> impl Strategy<Value = (u8, Vec<Packet>)> {
    (1_u8..=6).prop_flat_map(|version| (Just(version), vec(packet(version), 1..12)))
}
