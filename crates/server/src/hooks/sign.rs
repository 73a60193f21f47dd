//! The signature by which a receiver knows who calls: `Crosstalk-Signature: t=<ms>,v1=<hex>`,
//! where hex is the HMAC-SHA256 of `<t>.<Crosstalk-Id>.<body>` under the hook's secret. Time
//! and id stand in it so that nobody can send an old request again as a new one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the signature.
pub(super) const SIGNATURE: &str = "crosstalk-signature";
/// The header with the id.
pub(super) const ID: &str = "crosstalk-id";
/// The header with the name of the event.
pub(super) const EVENT: &str = "crosstalk-event";
/// The header with the number of the try, from 1.
pub(super) const TRY: &str = "crosstalk-try";

/// The value of the header.
pub(super) fn signature(secret: &str, at_ms: i64, id: &str, body: &[u8]) -> String {
    let mut keyed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length is a key");
    keyed.update(at_ms.to_string().as_bytes());
    keyed.update(b".");
    keyed.update(id.as_bytes());
    keyed.update(b".");
    keyed.update(body);
    format!(
        "t={at_ms},v1={}",
        hex::encode(keyed.finalize().into_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_the_document_says() {
        // From: printf '1715000001234.741200000000000001.{"a":1}' | openssl dgst -sha256 -hmac secret
        let signed = signature(
            "secret",
            1_715_000_001_234,
            "741200000000000001",
            b"{\"a\":1}",
        );
        assert_eq!(signed, EXPECTED);
        assert_ne!(
            signed,
            signature(
                "secret",
                1_715_000_001_235,
                "741200000000000001",
                b"{\"a\":1}"
            )
        );
        assert_ne!(
            signed,
            signature(
                "secret",
                1_715_000_001_234,
                "741200000000000002",
                b"{\"a\":1}"
            )
        );
        assert_ne!(
            signed,
            signature(
                "secret",
                1_715_000_001_234,
                "741200000000000001",
                b"{\"a\":2}"
            )
        );
        assert_ne!(
            signed,
            signature(
                "other",
                1_715_000_001_234,
                "741200000000000001",
                b"{\"a\":1}"
            )
        );
    }

    const EXPECTED: &str =
        "t=1715000001234,v1=9659e1050d599b00d242d58a7ec297e9436dc29cd0f73210177f7ccab8389882";
}
