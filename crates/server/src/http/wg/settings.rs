//! The dialect's settings out of the configuration.

use std::sync::Arc;

use anyhow::{Context, Result};
use crosstalk_core::id::Realm;
use crosstalk_core::im::Im;
use crosstalk_gateway::{WgClaim, WgListTo, WgLogins, WgManager, WgSameName, WgSettings};

use super::custom::Callback;
use crate::auth::client::Client;
use crate::config::{ListTo, SameName, Wg};

/// The dialect as the configuration has it.
///
/// # Errors
/// When a realm, a range of types or an address is none.
pub(crate) fn settings(wg: &Wg, im: &Arc<Im>) -> Result<WgSettings> {
    let realm = Realm::parse(&wg.realm).context("wg.realm")?;
    let same_name = match wg.same_name {
        SameName::Replace => WgSameName::Replace,
        SameName::Coexist => WgSameName::Coexist,
    };
    let logins = WgLogins::new(Arc::clone(im.clock()), same_name);
    let manager = WgManager::new(im, realm.clone(), &logins);
    let mut settings = WgSettings::new(realm, im, logins);
    settings.list_to = match wg.list_to {
        ListTo::Own => WgListTo::Own,
        ListTo::AsSent => WgListTo::AsSent,
    };
    settings.allowed_origins = wg.allowed_origins.clone().into();
    if !wg.custom.is_empty() {
        let client = Client::new();
        let mut claims = Vec::new();
        for custom in &wg.custom {
            let types = custom.range().context("wg.custom.types")?;
            let secret = wg.custom_secret.get();
            let callback = Callback::new(&custom.url, secret, client.clone(), im, manager.clone());
            let handler = Arc::new(callback.context("wg.custom.url")?);
            claims.push(WgClaim { types, handler });
        }
        settings.claims = claims.into();
    }
    Ok(settings)
}
