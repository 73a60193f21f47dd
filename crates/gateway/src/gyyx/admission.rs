//! From a signed URL to a connection (gyyx.md Q4-3, Q4-4).

use std::sync::Arc;

use crosstalk_core::directory::AppId;
use crosstalk_core::id::Uid;
use crosstalk_wire::gyyx::close_code;
use crosstalk_wire::gyyx::{Base, Codes, ConnectFault, ConnectQuery, Key, base_of_query};

use super::settings::{GyyxApp, GyyxSettings};

/// By how much a signer's clock may be ahead, ms.
const AHEAD_MS: i64 = 5 * 60 * 1000;
/// The longest version that is kept for answers, bytes.
const MAX_VERSION_BYTES: usize = 64;

/// A connection that may ask for its session.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) app: AppId,
    pub(super) uid: Uid,
    pub(super) version: String,
    pub(super) signed_ms: i64,
    pub(super) rules: GyyxApp,
    /// The app's secret, if messages need a chat signature.
    pub(super) chat_secret: Option<Arc<str>>,
    /// The code profile, if the app or the URL says one.
    pub(super) codes: Option<Codes>,
    /// The client wants the newest messages at once.
    pub(super) first: bool,
}

/// A connection that gets a frame 10 and is closed.
#[derive(Debug)]
pub(super) struct Turned {
    /// What the URL says of its sender.
    pub(super) base: Base,
    pub(super) why: String,
    pub(super) close: u16,
}

/// Judges the query of a URL at `now_ms`.
pub(super) fn admit(
    settings: &GyyxSettings,
    query: &str,
    now_ms: i64,
) -> Result<Admitted, Box<Turned>> {
    let turn = |why: String, close| {
        let base = base_of_query(query, now_ms);
        Box::new(Turned { base, why, close })
    };
    let refuse = |why: &str| turn(why.to_owned(), close_code::REFUSED);
    let parsed = ConnectQuery::parse(query)
        .map_err(|fault: ConnectFault| turn(fault.to_string(), fault.close_code()))?;
    let uid = Uid::parse(&parsed.user_id).map_err(|_| refuse("userId is no user id"))?;
    let app = AppId::parse(&parsed.app_id).map_err(|_| refuse("there is no such app"))?;
    let app = settings.im.apps().get(&app);
    let app = app.ok_or_else(|| refuse("there is no such app"))?;
    let rules = settings.behaviour.of_app(app.id.as_str()).clone();
    let key = Key {
        method: rules.sign,
        secret: app.secret.as_bytes(),
    };
    if parsed.version.len() > MAX_VERSION_BYTES {
        return Err(refuse("version is too long"));
    }
    if !parsed.is_signed_by(key) {
        return Err(refuse("the signature is wrong"));
    }
    let signed_ms = parsed.tx_no_ms().ok_or_else(|| refuse("txNo is no time"))?;
    let age_ms = now_ms.saturating_sub(signed_ms);
    if age_ms > settings.behaviour.url_holds_ms() || age_ms < -AHEAD_MS {
        return Err(refuse("the signature has expired"));
    }
    if let Some(once) = &settings.once
        && !once.takes(&parsed.sign, signed_ms, now_ms)
    {
        return Err(refuse("the signature was used before"));
    }
    Ok(Admitted {
        uid,
        version: parsed.version,
        signed_ms,
        chat_secret: rules.chat_sign.then(|| Arc::clone(&app.secret)),
        codes: rules.codes.or(parsed.codes),
        app: app.id,
        rules,
        first: parsed.first,
    })
}
