//! The dialect's settings, from the configuration.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::{Context, Result};
use crosstalk_core::directory::AppId;
use crosstalk_core::id::Realm;
use crosstalk_core::im::Im;
use crosstalk_gateway::{MqttLimits, MqttSettings};
use crosstalk_wire::mqtt::im::{MsgType, TypeTable};

use crate::config::{Mqtt, TenantTypes};

const DAY_SECS: u32 = 24 * 3600;

/// The settings.
///
/// # Errors
/// When the numbers of a tenant's message types make no table.
pub(crate) fn settings(mqtt: &Mqtt, im: &Arc<Im>) -> Result<MqttSettings> {
    let realm = Realm::parse(&mqtt.realm).context("mqtt.realm")?;
    let mut settings = MqttSettings::new(Arc::downgrade(im), im.aliases().clone(), realm);
    settings.echo_sender = mqtt.echo_sender;
    settings.limits = MqttLimits {
        max_packet_bytes: mqtt.max_packet_bytes,
        max_payload_bytes: mqtt.max_payload_bytes,
        receive_maximum: mqtt.receive_maximum,
        max_keep_alive_secs: mqtt.max_keep_alive_secs,
        max_session_secs: match mqtt.session_days {
            0 => u32::MAX,
            days => days.saturating_mul(DAY_SECS),
        },
    };
    let mut types = HashMap::new();
    for TenantTypes { tenant, codes } in &mqtt.types {
        let table = table(codes).with_context(|| format!("mqtt.types.{tenant}"))?;
        let app = AppId::parse(tenant).with_context(|| format!("mqtt.types.{tenant}"))?;
        types.insert(app, table);
    }
    settings.types = Arc::new(types);
    settings.allowed_origins = mqtt.allowed_origins.clone().into();
    Ok(settings)
}

fn table(codes: &BTreeMap<String, i64>) -> Result<TypeTable> {
    let mut pairs = Vec::with_capacity(codes.len());
    for (name, code) in codes {
        let kind = MsgType::from_name(name).with_context(|| format!("`{name}` is no type"))?;
        pairs.push((kind, *code));
    }
    Ok(TypeTable::with_codes(&pairs)?)
}
