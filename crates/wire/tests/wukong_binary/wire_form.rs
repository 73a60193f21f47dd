//! What of a packet a version can carry: the value that comes back when a
//! packet is encoded and decoded. Written from the field tables of
//! wukong.md §1.3, independently of the codec.

use crosstalk_wire::wukong::binary::Packet;

/// `packet` reduced to what travels in `version`.
pub(crate) fn wire_form(mut packet: Packet, version: u8) -> Packet {
    match &mut packet {
        Packet::Connack(connack) => {
            let speaks = connack.server_version.unwrap_or(version);
            connack.node_id = (speaks >= 4).then(|| connack.node_id.unwrap_or(0));
        }
        Packet::Send(send) => {
            if !(2..5).contains(&version) || send.setting.0 & 0x02 == 0 {
                send.stream_no.clear();
            }
            if send.setting.0 & 0x08 == 0 {
                send.topic.clear();
            }
            if version < 3 {
                send.expire_secs = 0;
            }
        }
        Packet::Recv(recv) => {
            if version < 5 {
                recv.setting.0 &= !0x06;
            }
            if recv.setting.0 & 0x08 == 0 {
                recv.topic.clear();
            }
            if version < 3 {
                recv.expire_secs = 0;
            }
            recv.stream = None;
        }
        _ => {}
    }
    packet
}
