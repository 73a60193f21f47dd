//! `storageId`: which file it names, and what stands in its place for what is stored elsewhere
//! (mqtt.md Q3-23, interop.md G.3).
//!
//! A file of ours is named by its id. A foreign address becomes `x`, a few digits of its digest
//! and the address itself, in base 64: there is nothing to be kept for it, and whoever asks for
//! it is sent there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crosstalk_core::file::named_in;
use sha2::{Digest, Sha256};

/// Where files are.
const FILES: &str = "/im/v1/files/";
/// What the id of something elsewhere begins with.
const FOREIGN: char = 'x';
/// Digits of the digest.
const DIGITS: usize = 16;
/// The longest foreign address that becomes an id.
const MAX_ADDRESS_BYTES: usize = 1500;

fn digest(address: &str) -> String {
    let digest = Sha256::digest(address.as_bytes());
    digest
        .iter()
        .take(DIGITS / 2)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn is_web(address: &str) -> bool {
    let is_plain = |it: u8| it.is_ascii_graphic();
    (address.starts_with("https://") || address.starts_with("http://"))
        && address.len() <= MAX_ADDRESS_BYTES
        && address.bytes().all(is_plain)
}

/// The foreign address that an id stands for; `None` if it is of a file, or of nothing.
#[must_use]
pub fn foreign_address(storage_id: &str) -> Option<String> {
    let rest = storage_id.strip_prefix(FOREIGN)?;
    let (said, encoded) = rest.split_once('-')?;
    let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let address = String::from_utf8(bytes).ok()?;
    (is_web(&address) && digest(&address) == said).then_some(address)
}

/// What is stored at an address: a file, by its id; something elsewhere; or the address as it
/// is, if it is none of the web.
pub(super) fn storage_id(address: &str) -> String {
    if let [file] = named_in(address.as_bytes())[..] {
        return file.to_string();
    }
    if let Some(id) = address.strip_prefix(FILES) {
        return id.to_owned();
    }
    if !is_web(address) {
        return address.to_owned();
    }
    let encoded = URL_SAFE_NO_PAD.encode(address);
    format!("{FOREIGN}{}-{encoded}", digest(address))
}

/// The address of what is stored.
pub(super) fn url(storage_id: &str) -> String {
    if storage_id.is_empty() || is_address(storage_id) {
        return storage_id.to_owned();
    }
    foreign_address(storage_id).unwrap_or_else(|| format!("{FILES}{storage_id}"))
}

fn is_address(text: &str) -> bool {
    text.contains("://") || text.starts_with("data:") || text.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elsewhere_comes_back_as_it_was() {
        for address in ["https://x/y.png?a=b&c=%20", "http://h/"] {
            let id = storage_id(address);
            assert!(id.starts_with('x') && !id.contains("://"), "{id}");
            assert_eq!(foreign_address(&id).as_deref(), Some(address));
            assert_eq!(url(&id), address);
        }
    }

    #[test]
    fn nobody_is_sent_where_no_message_pointed() {
        let id = storage_id("https://x/y");
        let changed = id.replace('-', "0-");
        let script = format!(
            "x{}-{}",
            digest("javascript:1"),
            URL_SAFE_NO_PAD.encode("javascript:1")
        );
        for wrong in [
            "x",
            "x-",
            "xyz",
            "ctf_0",
            &changed,
            &script,
            &id[..id.len() - 4],
        ] {
            assert_eq!(foreign_address(wrong), None, "{wrong}");
        }
        assert_eq!(url("xyz"), "/im/v1/files/xyz");
    }

    #[test]
    fn a_file_of_ours_is_named_by_its_id_however_it_is_addressed() {
        let id = "ctf_000102030405060708090a0b0c0d0e0f";
        let signed = format!("https://h/f/{id}?e=1&s=abc");
        for address in [
            id,
            &signed,
            &format!("/im/v1/files/{id}"),
            &format!("/v1/files/{id}"),
        ] {
            assert_eq!(storage_id(address), id);
        }
        assert_eq!(url(id), format!("/im/v1/files/{id}"));
    }

    #[test]
    fn what_is_no_web_address_stays() {
        for same in ["", "data:image/png;base64,AA", "/pic/1", "ftp://x/y"] {
            assert_eq!(storage_id(same), same);
            assert_eq!(url(same), same);
        }
        let long = format!("https://x/{}", "y".repeat(2000));
        assert_eq!(storage_id(&long), long);
    }
}
