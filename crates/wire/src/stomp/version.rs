//! Protocol versions and how two sides agree on one
//! (stomp-sockjs-wire.md §1.3, §1.9).

/// A version of the protocol; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// 1.0: no escapes, no `version`, optional subscription ids.
    V1_0,
    /// 1.1: escapes, heart-beats, required subscription ids.
    V1_1,
    /// 1.2: CRLF line ends, `ack` ids.
    V1_2,
}

/// The value of the `version` header of an ERROR that refuses all versions a
/// client offers (stomp-sockjs-wire.md §1.3).
pub const SUPPORTED_VERSIONS: &str = "1.0,1.1,1.2";

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Version; 3] = [Version::V1_0, Version::V1_1, Version::V1_2];

    /// The version's number as headers write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::V1_0 => "1.0",
            Version::V1_1 => "1.1",
            Version::V1_2 => "1.2",
        }
    }

    /// The version that headers write as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Version> {
        Version::ALL
            .into_iter()
            .find(|version| version.as_str() == text)
    }

    /// The version's WebSocket subprotocol.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Version::V1_0 => "v10.stomp",
            Version::V1_1 => "v11.stomp",
            Version::V1_2 => "v12.stomp",
        }
    }
}

/// The highest version that a client's `accept-version` names.
///
/// A client that does not send the header speaks 1.0. `None` means that there
/// is no common version: answer
/// [`Fault::UnsupportedVersion`](super::Fault::UnsupportedVersion).
#[must_use]
pub fn negotiate(accept_version: Option<&str>) -> Option<Version> {
    let Some(offered) = accept_version else {
        return Some(Version::V1_0);
    };
    offered
        .split(',')
        .filter_map(|text| Version::parse(text.trim()))
        .max()
}

/// The first subprotocol of a `Sec-WebSocket-Protocol` value that is known
/// here, as Spring chooses; it does not bind the version of CONNECT.
///
/// `None` means that the answer has no such header, and STOMP is spoken all
/// the same (stomp-sockjs-wire.md §1.9).
#[must_use]
pub fn choose_subprotocol(offered: &str) -> Option<&'static str> {
    let known = |name: &str| {
        Version::ALL
            .into_iter()
            .map(Version::subprotocol)
            .find(|known| *known == name)
    };
    offered.split(',').find_map(|name| known(name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_taken() {
        let cases = [
            (None, Some(Version::V1_0)),
            (Some("1.2"), Some(Version::V1_2)),
            (Some("1.2,1.1,1.0"), Some(Version::V1_2)),
            (Some("1.0,1.1"), Some(Version::V1_1)),
            (Some(" 1.0 , 1.1 "), Some(Version::V1_1)),
            (Some("2.0,1.0"), Some(Version::V1_0)),
            (Some("9.9"), None),
            (Some(""), None),
            (Some("1"), None),
            (Some("1.20"), None),
        ];
        for (offered, granted) in cases {
            assert_eq!(negotiate(offered), granted, "{offered:?}");
        }
    }

    #[test]
    fn the_first_known_subprotocol_of_the_client_is_taken() {
        let cases = [
            ("v12.stomp, v11.stomp", Some("v12.stomp")),
            ("v10.stomp,v12.stomp", Some("v10.stomp")),
            ("chat,v11.stomp", Some("v11.stomp")),
            ("chat", None),
            ("V12.STOMP", None),
            ("", None),
        ];
        for (offered, chosen) in cases {
            assert_eq!(choose_subprotocol(offered), chosen, "{offered}");
        }
    }

    #[test]
    fn the_list_of_versions_names_them_all() {
        let names: Vec<_> = Version::ALL.into_iter().map(Version::as_str).collect();
        assert_eq!(names.join(","), SUPPORTED_VERSIONS);
        for version in Version::ALL {
            assert_eq!(Version::parse(version.as_str()), Some(version));
        }
    }
}
