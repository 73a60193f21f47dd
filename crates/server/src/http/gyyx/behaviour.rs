//! The section `[gyyx]` as the dialect takes it.

use crosstalk_gateway::{GyyxApp, GyyxBehaviour};
use crosstalk_wire::gyyx::{Codes, SignMethod, Zone};

use crate::config::{Ack30, ChatSign, CodeProfile, Gyyx, ListForm, Sign};

/// How the dialect behaves.
#[must_use]
pub fn behaviour(gyyx: &Gyyx) -> GyyxBehaviour {
    let app = GyyxApp {
        sign: method(gyyx.sign),
        chat_sign: gyyx.chat_sign == ChatSign::Required,
        heartbeat_secs: gyyx.heartbeat_secs,
        codes: codes(gyyx.codes),
    };
    let apps = gyyx.apps.iter().map(|own| {
        let app = GyyxApp {
            sign: own.sign.map_or(app.sign, method),
            chat_sign: own
                .chat_sign
                .map_or(app.chat_sign, |it| it == ChatSign::Required),
            heartbeat_secs: own.heartbeat_secs.unwrap_or(app.heartbeat_secs),
            codes: own.codes.map_or(app.codes, codes),
        };
        (own.id.clone(), app)
    });
    GyyxBehaviour {
        apps: apps.collect(),
        app,
        url_ttl_ms: i64::from(gyyx.url_ttl_secs) * 1000,
        sign_once: gyyx.sign_once,
        ack30_always: gyyx.ack30 == Ack30::Always,
        list_as_array: gyyx.list == ListForm::Array,
        view_reply: gyyx.view_reply,
        error_detail: gyyx.error_detail,
        zone: Zone {
            offset_secs: gyyx.utc_offset_minutes * 60,
        },
    }
}

fn method(sign: Sign) -> SignMethod {
    match sign {
        Sign::Hmac => SignMethod::Hmac,
        Sign::Md5 => SignMethod::Md5,
    }
}

fn codes(profile: CodeProfile) -> Option<Codes> {
    match profile {
        CodeProfile::Auto => None,
        CodeProfile::Table => Some(Codes::Table),
        CodeProfile::Prose => Some(Codes::Prose),
    }
}
