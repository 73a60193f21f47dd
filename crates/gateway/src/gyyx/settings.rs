//! How the dialect behaves: for all apps, and for single ones.

use std::collections::HashMap;
use std::sync::Arc;

use crosstalk_core::im::Im;
use crosstalk_wire::gyyx::{Codes, SignMethod, Zone};

use super::once::Once;

/// What can differ from app to app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GyyxApp {
    /// How its URLs are signed (gyyx.md Q4-3).
    pub sign: SignMethod,
    /// Messages need a chat signature (gyyx.md Q4-11).
    pub chat_sign: bool,
    /// Seconds between heartbeats, at least 1; who says nothing for three is gone
    /// (gyyx.md Q4-7).
    pub heartbeat_secs: u32,
    /// The code profile; `None` = what the client asks for or shows (gyyx.md F.a.3).
    pub codes: Option<Codes>,
}

impl Default for GyyxApp {
    fn default() -> Self {
        Self {
            sign: SignMethod::Hmac,
            chat_sign: false,
            heartbeat_secs: 30,
            codes: None,
        }
    }
}

/// How the dialect behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct GyyxBehaviour {
    /// What apps do of which nothing else is said.
    pub app: GyyxApp,
    /// What single apps do, by id.
    pub apps: HashMap<String, GyyxApp>,
    /// For how long a signed URL holds, ms (gyyx.md Q4-3).
    pub url_ttl_ms: i64,
    /// A signed URL can be used once only.
    pub sign_once: bool,
    /// A 30 also before the answers that 130, 190 and 198 have of their own (gyyx.md Q4-15).
    pub ack30_always: bool,
    /// Lists come as arrays in few frames instead of one frame per message (gyyx.md Q4-12).
    pub list_as_array: bool,
    /// 160 is answered with the newest messages (gyyx.md Q4-12).
    pub view_reply: bool,
    /// Frames 10 say why (gyyx.md Q4-25).
    pub error_detail: bool,
    /// The zone of `sendTimeDate`.
    pub zone: Zone,
}

/// For how long a URL holds that can be used once only, ms, at most.
const ONCE_TTL_MS: i64 = 5 * 60 * 1000;

impl Default for GyyxBehaviour {
    fn default() -> Self {
        Self {
            app: GyyxApp::default(),
            apps: HashMap::new(),
            url_ttl_ms: 24 * 3600 * 1000,
            sign_once: false,
            ack30_always: true,
            list_as_array: false,
            view_reply: true,
            error_detail: false,
            zone: Zone::SHANGHAI,
        }
    }
}

impl GyyxBehaviour {
    /// How this app behaves.
    #[must_use]
    pub fn of_app(&self, id: &str) -> &GyyxApp {
        self.apps.get(id).unwrap_or(&self.app)
    }

    /// For how long a signed URL holds, ms.
    pub(super) fn url_holds_ms(&self) -> i64 {
        if self.sign_once {
            self.url_ttl_ms.min(ONCE_TTL_MS)
        } else {
            self.url_ttl_ms
        }
    }
}

/// Settings of the gyyx dialect.
pub struct GyyxSettings {
    pub(super) im: Arc<Im>,
    pub(super) allowed_origins: Arc<[String]>,
    pub(super) behaviour: Arc<GyyxBehaviour>,
    /// The URLs that were used, if each can be used once only.
    pub(super) once: Option<Once>,
}

impl GyyxSettings {
    /// Settings of a server that starts now. Pages of `allowed_origins` may connect; `*` = all.
    #[must_use]
    pub fn new(im: Arc<Im>, allowed_origins: Arc<[String]>, behaviour: GyyxBehaviour) -> Self {
        let started_ms = im.clock().now_ms();
        let once = behaviour.sign_once;
        Self {
            once: once.then(|| Once::new(started_ms, behaviour.url_holds_ms())),
            im,
            allowed_origins,
            behaviour: Arc::new(behaviour),
        }
    }
}
