//! Signatures: what is signed, and the digest (gyyx.md Q4-3, Q4-11, Q4-20).
//!
//! All of them are 16 bytes in lower-case hex. Comparing takes the same time
//! wherever the difference is. Nothing here knows the time, or which secret
//! belongs to which app.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

/// How an app signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SignMethod {
    /// HMAC-SHA256 with the secret as key, cut to 16 bytes.
    #[default]
    Hmac,
    /// MD5 of the text with the secret behind it: for business servers that
    /// sign themselves and cannot do better.
    Md5,
}

/// An app's secret and what it does with it.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// How it signs.
    pub method: SignMethod,
    /// Its secret.
    pub secret: &'a [u8],
}

impl Key<'_> {
    /// The signature of `text`, in lower-case hex.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        self.digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Whether `sign` is the signature of `text`, in hex of either case.
    #[must_use]
    pub fn is_signature(&self, text: &str, sign: &str) -> bool {
        let Some(given) = of_hex(sign) else {
            return false;
        };
        let difference = self
            .digest(text)
            .iter()
            .zip(given)
            .fold(0, |difference, (mine, given)| difference | (mine ^ given));
        std::hint::black_box(difference) == 0
    }

    fn digest(&self, text: &str) -> [u8; 16] {
        match self.method {
            SignMethod::Hmac => {
                let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.secret)
                    .expect("HMAC takes keys of any length");
                mac.update(text.as_bytes());
                let mut cut = [0; 16];
                cut.copy_from_slice(&mac.finalize().into_bytes()[..16]);
                cut
            }
            SignMethod::Md5 => Md5::new()
                .chain_update(text.as_bytes())
                .chain_update(self.secret)
                .finalize()
                .into(),
        }
    }
}

fn of_hex(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        for digit in digits {
            let digit = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    Some(bytes)
}

/// Parameters as they are signed: `name=value`, not encoded, sorted by name,
/// joined with `&`. Nothing if a value contains `&`: it could pass for
/// another parameter.
#[must_use]
pub fn canonical(parameters: &[(&str, &str)]) -> Option<String> {
    if parameters.iter().any(|(_, value)| value.contains('&')) {
        return None;
    }
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let pairs: Vec<String> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Some(pairs.join("&"))
}

/// What signs a 400 or 401, for [`Key`]; nothing if no signature can fit
/// (gyyx.md Q4-20). `role` and `room_id` are as the frame has them.
#[must_use]
pub fn queue_text(app_id: &str, room_id: &str, role: &str, user_id: &str) -> Option<String> {
    canonical(&[
        ("appId", app_id),
        ("roomId", room_id),
        ("role", role),
        ("userId", user_id),
    ])
}

/// Seconds for which a chat signature of ours is valid.
pub const CHAT_SIGN_SECS: i64 = 600;

/// Who may write to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatRight<'a> {
    /// The app.
    pub app_id: &'a str,
    /// Who writes.
    pub user_id: &'a str,
    /// To whom.
    pub receive_user_id: &'a str,
}

/// Why a chat signature does not count; the answer is always 132.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatSignError {
    /// It is empty.
    #[error("there is no chat signature")]
    Missing,
    /// It is not `<seconds>.<32 hex digits>`.
    #[error("the chat signature is malformed")]
    Malformed,
    /// It is somebody else's, or forged.
    #[error("the chat signature is wrong")]
    Wrong,
    /// It was right once.
    #[error("the chat signature has expired")]
    Expired,
}

impl ChatRight<'_> {
    /// `receiveSign`, valid until `expiry_secs` since 1970; always HMAC.
    /// Nothing if an id contains the bar that separates the signed values.
    #[must_use]
    pub fn sign(&self, secret: &[u8], expiry_secs: i64) -> Option<String> {
        let text = self.text(&expiry_secs.to_string())?;
        Some(format!("{expiry_secs}.{}", hmac(secret).sign(&text)))
    }

    /// Checks a `receiveSign` at `now_secs` since 1970.
    ///
    /// # Errors
    ///
    /// [`ChatSignError`] if it does not count.
    pub fn check(&self, secret: &[u8], sign: &str, now_secs: i64) -> Result<(), ChatSignError> {
        if sign.is_empty() {
            return Err(ChatSignError::Missing);
        }
        let (expiry, digest) = sign.split_once('.').ok_or(ChatSignError::Malformed)?;
        let expiry_secs: i64 = expiry.parse().map_err(|_| ChatSignError::Malformed)?;
        let text = self.text(expiry).ok_or(ChatSignError::Wrong)?;
        if !hmac(secret).is_signature(&text, digest) {
            return Err(ChatSignError::Wrong);
        }
        if expiry_secs < now_secs {
            return Err(ChatSignError::Expired);
        }
        Ok(())
    }

    fn text(&self, expiry: &str) -> Option<String> {
        let values = [self.app_id, self.user_id, self.receive_user_id, expiry];
        let is_clear = !values.iter().any(|value| value.contains('|'));
        is_clear.then(|| values.join("|"))
    }
}

fn hmac(secret: &[u8]) -> Key<'_> {
    Key {
        method: SignMethod::Hmac,
        secret,
    }
}
