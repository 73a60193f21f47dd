//! The dialects that are switched on, with their settings.

use std::sync::Arc;

#[cfg_attr(not(feature = "wukong"), allow(unused_imports))]
use anyhow::Context;
use anyhow::Result;
#[cfg_attr(not(feature = "wukong"), allow(unused_imports))]
use crosstalk_core::id::Realm;
use crosstalk_core::im::Im;
use crosstalk_gateway::net::TrustedProxies;
use crosstalk_gateway::{ConnectionLimits, Dialect, GatewaySettings};

use crate::config::{Config, Switch};

/// Whether a dialect is built in and switched on.
pub(super) fn is_on(config: &Config, dialect: Dialect) -> bool {
    let dialects = &config.dialects;
    let (is_built, Switch { enabled }) = match dialect {
        Dialect::Wukong => (cfg!(feature = "wukong"), &dialects.wukong),
        Dialect::Stomp => (cfg!(feature = "stomp"), &dialects.stomp),
        Dialect::Mqtt => (cfg!(feature = "mqtt"), &dialects.mqtt),
        Dialect::Gyyx => (cfg!(feature = "gyyx"), &dialects.gyyx),
        Dialect::Wg => (cfg!(feature = "wg"), &dialects.wg),
    };
    is_built && *enabled
}

/// The gateway's settings.
pub(super) fn gateway_settings(
    config: &Config,
    im: &Arc<Im>,
    trusted: &TrustedProxies,
) -> Result<GatewaySettings> {
    let mut settings = GatewaySettings {
        plugs: Vec::new(),
        limits: ConnectionLimits {
            total: config.limits.connections,
            per_address: config.limits.connections_per_address,
        },
        trusted_proxies: trusted.clone(),
    };
    for dialect in Dialect::ALL {
        if is_on(config, dialect) {
            settings = plug(settings, config, im, dialect)?;
        }
    }
    Ok(settings)
}

fn plug(
    settings: GatewaySettings,
    config: &Config,
    im: &Arc<Im>,
    dialect: Dialect,
) -> Result<GatewaySettings> {
    let _ = im;
    Ok(match dialect {
        #[cfg(feature = "wukong")]
        Dialect::Wukong => settings.with(
            dialect,
            crosstalk_gateway::WukongSettings {
                realm: Realm::parse(&config.wukong.realm).context("wukong.realm")?,
                node_id: config.server.node_id.into(),
                token_auth: config.wukong.token_auth,
                strict_users: config.wukong.strict_users,
                allowed_origins: config.wukong.allowed_origins.clone().into(),
            },
        ),
        #[cfg(feature = "stomp")]
        Dialect::Stomp => settings.with(dialect, crate::http::stomp::settings(&config.stomp)?),
        #[cfg(feature = "gyyx")]
        Dialect::Gyyx => settings.with(
            dialect,
            crosstalk_gateway::GyyxSettings::new(
                Arc::clone(im),
                config.gyyx.allowed_origins.clone().into(),
                crate::http::gyyx::behaviour(&config.gyyx),
            ),
        ),
        #[cfg(feature = "mqtt")]
        Dialect::Mqtt => settings.with(dialect, crate::http::mqtt::settings(&config.mqtt, im)?),
        #[cfg(feature = "wg")]
        Dialect::Wg => settings.with(dialect, crate::http::wg::settings(&config.wg, im)?),
        #[allow(unreachable_patterns)]
        _ => settings,
    })
}
