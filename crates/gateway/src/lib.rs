//! Sockets and dialects. A dialect is a pure machine ([`protocol::Protocol`]); one driver
//! (`conn`) owns every connection and runs the machine over a transport (`net`).
//!
//! What it must not know: storage. It sees `wire` and `core`, which do not know each other;
//! conversion between the two lives only in `<dialect>/map.rs` and `<dialect>/reasons.rs`.
//! No dialect imports a sibling.

mod beside;
mod conn;
mod content;
mod editing;
mod examine;
mod files;
mod forward;
mod mentions;
mod moderation;
pub mod net;
pub mod protocol;
mod registry;
mod replying;
mod reserved;
mod search;
mod stats;

#[cfg(feature = "gyyx")]
mod gyyx;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(feature = "stomp")]
mod stomp;
#[cfg(feature = "wg")]
mod wg;
#[cfg(feature = "wukong")]
mod wukong;

pub use content::{content_of, content_of_body, may_be_edited};
pub use editing::{NewBody, edit_message};
pub use examine::{examine, is_bounded_content};
pub use files::{sign_all, signed_for};
pub use forward::{forwarded, meaning_of};
#[cfg(feature = "gyyx")]
pub use gyyx::settings::{GyyxApp, GyyxBehaviour, GyyxSettings};
pub use moderation::moderate;
#[cfg(feature = "mqtt")]
pub use mqtt::{
    MqttLimits, MqttReader, MqttSettings, foreign_address, mqtt_envelope, mqtt_error_code,
    mqtt_habit,
};
pub use net::gateway::{ConnectionLimits, Gateway, GatewaySettings, Listener};
pub use registry::{Dialect, WUKONG_ORIGIN};
pub use replying::note_reply;
pub use reserved::is_the_servers;
pub use search::{Searchable, searchable};
pub use stats::GatewayStats;
#[cfg(feature = "stomp")]
pub use stomp::reasons::{edit_failure as stomp_edit_failure, failure as stomp_failure};
#[cfg(feature = "stomp")]
pub use stomp::render::{conversation as stomp_conversation, view as stomp_message};
#[cfg(feature = "stomp")]
pub use stomp::sends::draft as stomp_draft;
#[cfg(feature = "stomp")]
pub use stomp::settings::StompSettings;
#[cfg(feature = "wg")]
pub use wg::handlers::{WgClaim, WgHandler};
#[cfg(feature = "wg")]
pub use wg::logins::{SESSION_SECS as WG_SESSION_SECS, WgLogins, WgSameName};
#[cfg(feature = "wg")]
pub use wg::manager::{WgManager, WgSendError};
#[cfg(feature = "wg")]
pub use wg::settings::{WgListTo, WgSettings};
#[cfg(feature = "wukong")]
pub use wukong::map::{
    WukongEnvelope, tag as wukong_tag, wukong_client_no, wukong_envelope, wukong_is_told,
    wukong_payload,
};
#[cfg(feature = "wukong")]
pub use wukong::reasons::reason_code as wukong_reason_code;
#[cfg(feature = "wukong")]
pub use wukong::settings::WukongSettings;
