//! Addresses under which files are served without a login, for a while: they carry when they
//! end and a keyed digest of what they allow.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::FileId;
use super::id::places;
use crate::id::MessageId;

/// Keeps what is made of the key here apart from what is made of it elsewhere.
const PURPOSE: &[u8] = b"crosstalk file url\0";
/// Bytes of the digest that stand in an address.
const SIGNATURE_BYTES: usize = 18;
/// What may stand in an address besides letters and digits. Quotes, blanks and what is no
/// ASCII end it; a backslash only before a slash, as some write them in JSON.
const IN_ADDRESS: &[u8] = b"-._~:/?#@!$&*+,;=%";

/// What an address allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The file.
    pub file: FileId,
    /// When it ends, ms since 1970.
    pub until_ms: i64,
    /// Only the small picture that fits a square of this many pixels; `None` = the file.
    pub thumbnail: Option<u32>,
    /// As long as this message shows the file; `None` = whoever asked may read it.
    pub shown_by: Option<MessageId>,
}

/// Makes and checks addresses of files.
#[derive(Clone)]
pub struct FileUrls {
    keyed: Hmac<Sha256>,
    base: String,
    ttl_ms: i64,
}

impl FileUrls {
    /// Addresses below `base` (`https://host`, without a slash at its end) under a key; those
    /// that are given out with messages end after `ttl_ms`.
    #[must_use]
    pub fn new(key: &[u8; 32], base: &str, ttl_ms: i64) -> Self {
        let mut keyed =
            Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
        keyed.update(PURPOSE);
        Self {
            keyed,
            base: base.trim_end_matches('/').to_owned(),
            ttl_ms,
        }
    }

    /// What every address begins with, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// How long addresses hold that are given out with messages, ms.
    #[must_use]
    pub fn ttl_ms(&self) -> i64 {
        self.ttl_ms
    }

    /// The address for a grant.
    #[must_use]
    pub fn address(&self, grant: &Grant) -> String {
        let Grant {
            file,
            until_ms,
            thumbnail,
            shown_by,
        } = grant;
        let signature = URL_SAFE_NO_PAD.encode(&self.digest(grant)[..SIGNATURE_BYTES]);
        let small = thumbnail.map_or_else(String::new, |side| format!("&t={side}"));
        let shown_by = shown_by.map_or_else(String::new, |message| format!("&m={message}"));
        let base = &self.base;
        format!("{base}/f/{file}?e={until_ms}&s={signature}{small}{shown_by}")
    }

    /// Whether a signature is the one of a grant that still holds. The time this takes tells
    /// nothing of the right one.
    #[must_use]
    pub fn holds(&self, grant: &Grant, signature: &str, now_ms: i64) -> bool {
        let Ok(offered) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        let is_right = self
            .keyed_with(grant)
            .verify_truncated_left(&offered)
            .is_ok();
        offered.len() == SIGNATURE_BYTES && is_right && now_ms < grant.until_ms
    }

    fn digest(&self, grant: &Grant) -> [u8; 32] {
        self.keyed_with(grant).finalize().into_bytes().into()
    }

    fn keyed_with(&self, grant: &Grant) -> Hmac<Sha256> {
        let mut keyed = self.keyed.clone();
        let side = grant.thumbnail.unwrap_or(0);
        let message = grant.shown_by.map_or(0, |message| message.0);
        let Grant { file, until_ms, .. } = grant;
        keyed.update(format!("{file}\0{until_ms}\0{side}\0{message}").as_bytes());
        keyed
    }

    /// A message's payload in which every address of a file is one that holds from `now_ms` on
    /// without a login, as long as the message shows that file; `None` if it names none.
    /// Whether an address, a path or the bare id stands there makes no difference. Addresses
    /// have no character that JSON would escape.
    ///
    /// What a message names it need not show: its sender may not be allowed to pass it on. So
    /// it is asked again where the address is opened.
    #[must_use]
    pub fn signed(&self, message: MessageId, payload: &[u8], now_ms: i64) -> Option<Bytes> {
        let mut signed = Vec::new();
        let mut copied = 0;
        for (file, name) in places(payload) {
            if name.start < copied {
                continue;
            }
            let begin = copied + start_of_address(&payload[copied..name.start]);
            let end = name.end + length_of_address(&payload[name.end..]);
            let address = self.address(&Grant {
                file,
                until_ms: now_ms.saturating_add(self.ttl_ms),
                thumbnail: None,
                shown_by: Some(message),
            });
            signed.extend_from_slice(&payload[copied..begin]);
            signed.extend_from_slice(address.as_bytes());
            copied = end;
        }
        if copied == 0 {
            return None;
        }
        signed.extend_from_slice(&payload[copied..]);
        Some(signed.into())
    }
}

fn is_in_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || IN_ADDRESS.contains(&byte)
}

/// Where the address begins that goes on to the end of these bytes.
fn start_of_address(before: &[u8]) -> usize {
    let mut start = before.len();
    while let Some(&byte) = before[..start].last() {
        let is_escape = byte == b'\\' && before.get(start) == Some(&b'/');
        if !is_escape && !is_in_address(byte) {
            break;
        }
        start -= 1;
    }
    // Words in front of it are none of it: it begins with a scheme, a slash or itself.
    let address = &before[start..];
    let scheme = [&b"https:"[..], b"http:"];
    let scheme = scheme
        .iter()
        .filter_map(|it| memchr::memmem::rfind(address, it))
        .max();
    if let Some(at) = scheme {
        return start + at;
    }
    let path = memchr::memchr2(b'/', b'\\', address);
    path.map_or(before.len(), |at| start + at)
}

/// How much of what follows a file's name still is of the address: a path, a query.
fn length_of_address(after: &[u8]) -> usize {
    if !matches!(after.first(), Some(b'?' | b'/' | b'\\')) {
        return 0;
    }
    let ends = |(at, byte): (usize, &u8)| {
        let is_escape = *byte == b'\\' && after.get(at + 1) == Some(&b'/');
        !is_escape && !is_in_address(*byte)
    };
    after
        .iter()
        .enumerate()
        .position(ends)
        .unwrap_or(after.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn urls() -> FileUrls {
        FileUrls::new(&[7; 32], "https://h/", 1000)
    }

    fn file() -> FileId {
        FileId::new(&ManualClock::at_ms(0))
    }

    fn signature(address: &str) -> &str {
        let (_, rest) = address.split_once("s=").expect("a signature");
        rest.split('&').next().expect("a part")
    }

    #[test]
    fn a_signature_is_good_for_what_it_was_made_for_until_it_ends() {
        let urls = urls();
        let grant = Grant {
            file: file(),
            until_ms: 5000,
            thumbnail: None,
            shown_by: None,
        };
        let address = urls.address(&grant);
        assert!(address.starts_with(&format!("https://h/f/{}?e=5000&s=", grant.file)));
        let good = signature(&address);
        assert!(urls.holds(&grant, good, 4999));
        assert!(!urls.holds(&grant, good, 5000), "it has ended");
        let others = [
            Grant {
                until_ms: 6000,
                ..grant
            },
            Grant {
                thumbnail: Some(128),
                ..grant
            },
            Grant {
                shown_by: Some(MessageId(1)),
                ..grant
            },
        ];
        for other in others {
            assert!(!urls.holds(&other, good, 0), "{other:?}");
        }
        let stranger = FileUrls::new(&[8; 32], "https://h", 1000);
        for wrong in ["", "A", &good[..4], signature(&stranger.address(&grant))] {
            assert!(!urls.holds(&grant, wrong, 0), "{wrong}");
        }
    }

    #[test]
    fn every_way_to_write_an_address_becomes_one_that_holds() {
        let (urls, id) = (urls(), file());
        let address = urls.address(&Grant {
            file: id,
            until_ms: 1000,
            thumbnail: None,
            shown_by: Some(MessageId(7)),
        });
        assert!(address.ends_with("&m=7"), "{address}");
        let signed = |text: String| {
            let signed = urls.signed(MessageId(7), text.as_bytes(), 0);
            signed.map(|bytes| String::from_utf8(bytes.to_vec()).expect("text"))
        };
        let written = [
            format!("{id}"),
            format!("/v1/files/{id}"),
            format!("/im/v1/files/{id}"),
            format!("https://other/f/{id}?e=3&s=abc_-&m=9"),
            format!(r"https:\/\/other\/api\/file\/{id}\/thumbnail"),
        ];
        for text in written {
            assert_eq!(signed(text.clone()), Some(address.clone()), "{text}");
            let json = format!(r#"{{"a":1,"url":"{text}","b":"é"}}"#);
            let expected = format!(r#"{{"a":1,"url":"{address}","b":"é"}}"#);
            assert_eq!(signed(json), Some(expected));
            let deeper = format!(r#"{{"content":"{{\"url\":\"{text}\"}}"}}"#);
            let expected = format!(r#"{{"content":"{{\"url\":\"{address}\"}}"}}"#);
            assert_eq!(signed(deeper), Some(expected));
        }
        assert_eq!(
            signed(format!("see {id}, and {id}")),
            Some(format!("see {address}, and {address}"))
        );
        assert_eq!(signed("no file https://x/y".to_owned()), None);
    }
}
