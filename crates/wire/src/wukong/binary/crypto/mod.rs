//! Payload encryption and message keys (wukong.md §2).
//!
//! [`KeyPair`] agrees on a secret with the peer, [`Cipher`] seals and opens
//! payloads and signs packets with it. All randomness comes in from the caller
//! as bytes, so every function is deterministic. Secrets are wiped when
//! dropped and never shown by `Debug`. The module does not know when
//! encryption is switched on, nor which reason code a failure becomes.
//!
//! The scheme is the protocol's, not ours: the initialisation vector is fixed
//! for a connection and the key is an MD5 digest, so it hides payloads from
//! onlookers at best. TLS is what protects a connection.

mod cipher;
mod keys;
mod md5_lanes;
mod recvs;
mod sealing;

pub use cipher::{Cipher, MSG_KEY_BYTES, msg_key_matches, msg_key_text};
pub use keys::{KeyPair, SharedKey};
pub use recvs::RecvSealer;

/// Why key agreement or decryption failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The peer's public key is not the padded standard base64 of 32 bytes.
    #[error("public key is not the base64 of 32 bytes")]
    BadPublicKey,
    /// The peer's public key is a point of small order, so that the shared
    /// secret would be zero and known to everyone.
    #[error("public key makes the shared secret zero")]
    WeakPublicKey,
    /// The salt is not 16 ASCII characters.
    #[error("salt is not 16 ASCII characters")]
    BadSalt,
    /// The ciphertext is not padded standard base64.
    #[error("ciphertext is not base64")]
    BadBase64,
    /// The ciphertext is not whole blocks, or its padding is wrong.
    #[error("ciphertext has the wrong length or padding")]
    BadCiphertext,
}
