//! Values with a form of their own: addresses to listen on, secrets.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where to listen, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Not at all.
    Off,
    /// At this address; port 0 is any free one.
    At(SocketAddr),
}

impl Listener {
    /// A port on 127.0.0.1.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self::At(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// The address, unless it is off.
    #[must_use]
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::At(address) => Some(address),
        }
    }

    /// Whether other machines may reach it.
    #[must_use]
    pub fn is_exposed(self) -> bool {
        self.address()
            .is_some_and(|address| !address.ip().to_canonical().is_loopback())
    }
}

impl FromStr for Listener {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse().map(Self::At).map_err(|_| {
            format!("`{text}` is no address; write one like 127.0.0.1:8080 or [::1]:8080, or off")
        })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl Serialize for Listener {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Listener {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that neither the log nor `config print` may show. Empty = not set.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret, if one is set.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(self.0.as_str())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "unset" } else { "***" })
    }
}
