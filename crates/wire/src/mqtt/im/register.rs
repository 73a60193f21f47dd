//! Registration: a device says what it is and gets an account
//! (`mqtt.md` S3-36 to S3-53, Q3-7, E.c).

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{TypeForm, tolerant};

/// The body of `POST /im/v1/register`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// The tenant.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub tenant_no: String,
    /// Who uses the device. Needed.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub user_id: String,
    /// The device's unique code. Needed.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub device_id: String,
    /// The device's system.
    #[serde(default)]
    pub os: OsType,
    /// What is known of the device.
    #[serde(default)]
    pub device: Option<Device>,
    /// Whose push service reaches it.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub vendor: String,
    /// Its address there.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub push_token: String,
    /// How it wants `type` written; absent is as it writes it itself.
    #[serde(
        default,
        deserialize_with = "tolerant::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub type_format: Option<String>,
}

impl Register {
    /// The first member that is needed and empty.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        if self.user_id.is_empty() {
            Some("userId")
        } else if self.device_id.is_empty() {
            Some("deviceId")
        } else {
            None
        }
    }

    /// How the device wants `type` written, if it said so in words we know.
    #[must_use]
    pub fn type_form(&self) -> Option<TypeForm> {
        TypeForm::from_format(self.type_format.as_deref()?)
    }
}

/// What a device says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Who made it.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub brand: String,
    /// Its model.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub model: String,
    /// The version of its system.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub os_version: String,
    /// The version of the application.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub app_version: String,
}

/// A device's system. Read from its number or its name in any case; written as
/// the number (`mqtt.md` Q3-25).
#[repr(i8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OsType {
    /// None of these.
    #[default]
    Unknown = -1,
    /// iOS.
    Ios = 1,
    /// Android.
    Android = 2,
    /// A browser.
    Web = 3,
    /// Windows.
    Windows = 4,
}

impl OsType {
    /// Every system.
    pub const ALL: [OsType; 5] = [
        OsType::Unknown,
        OsType::Ios,
        OsType::Android,
        OsType::Web,
        OsType::Windows,
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The system with this number.
    #[must_use]
    pub fn from_code(code: i64) -> OsType {
        let known = OsType::ALL.into_iter().find(|os| os.code() == code);
        known.unwrap_or_default()
    }

    /// The system with this name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> OsType {
        let known = OsType::ALL
            .into_iter()
            .find(|os| os.name().eq_ignore_ascii_case(name));
        known.unwrap_or_default()
    }

    /// The name in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OsType::Unknown => "UNKNOWN",
            OsType::Ios => "IOS",
            OsType::Android => "ANDROID",
            OsType::Web => "WEB",
            OsType::Windows => "WINDOWS",
        }
    }
}

impl Serialize for OsType {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(self.code())
    }
}

impl<'de> Deserialize<'de> for OsType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<OsType, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::Number(number) => {
                tolerant::whole(&number).map_or_else(OsType::default, OsType::from_code)
            }
            Value::String(text) => match text.parse() {
                Ok(code) => OsType::from_code(code),
                Err(_) => OsType::from_name(&text),
            },
            _ => OsType::Unknown,
        })
    }
}

/// What a registration gives: `data` of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// The user's address in this dialect.
    #[serde(deserialize_with = "tolerant::text")]
    pub account: String,
    /// The password of CONNECT.
    #[serde(deserialize_with = "tolerant::text")]
    pub token: String,
    /// Until when it is good, in milliseconds since the Unix epoch.
    #[serde(rename = "expiresAt", default, deserialize_with = "tolerant::integer")]
    pub expires_at_ms: i64,
    /// Where to connect.
    pub server: ServerAddress,
    /// What to subscribe to.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub topic: String,
}

/// Where the MQTT service is. A listener that is off has the port `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerAddress {
    /// Name or address.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub host: String,
    /// TCP.
    #[serde(default)]
    pub port: Option<u16>,
    /// TLS.
    #[serde(default)]
    pub tls_port: Option<u16>,
    /// WebSocket.
    #[serde(default)]
    pub ws_port: Option<u16>,
    /// The path of the WebSocket.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub ws_path: String,
    /// The keep alive to ask for, in seconds.
    #[serde(rename = "keepAlive", default, deserialize_with = "tolerant::integer")]
    pub keep_alive_secs: i64,
}
