//! The server's two keys, kept in the data folder and readable by its owner only: the admin key
//! that people show to the REST interface, and the server key that seals app secrets at
//! rest and makes the aliases of users.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use crosstalk_core::clock::Clock;
use crosstalk_core::directory::{Aliases, Seal};

use crate::data_dir::write_atomically;

/// The admin key's file in the data folder.
pub const ADMIN_KEY_FILE: &str = "admin.key";
/// The server key's file in the data folder.
pub const SERVER_KEY_FILE: &str = "server.key";
/// The environment variable that replaces the admin key's file.
pub const ADMIN_KEY_VARIABLE: &str = "CROSSTALK_ADMIN_KEY";

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// The first byte of what is sealed, so that another method can follow one day.
const METHOD: u8 = 1;
/// Binds sealed bytes to their purpose.
const PURPOSE: &[u8] = b"crosstalk app secret";

/// The admin key and where it comes from.
#[derive(Clone)]
pub struct AdminKey {
    /// The key.
    pub key: Arc<str>,
    /// Whether the environment gave it.
    pub is_from_env: bool,
}

/// The admin key: the one from the environment, else the one in the data folder, which is made
/// at first start.
///
/// # Errors
/// When the file cannot be read or written, or is empty.
pub fn admin_key(folder: &Path, from_env: Option<&str>, clock: &dyn Clock) -> Result<AdminKey> {
    if let Some(key) = from_env.filter(|key| !key.is_empty()) {
        return Ok(AdminKey {
            key: key.into(),
            is_from_env: true,
        });
    }
    let path = folder.join(ADMIN_KEY_FILE);
    let bytes = read_or_make(&path, || URL_SAFE_NO_PAD.encode(random(clock)).into_bytes())?;
    let text = String::from_utf8(bytes);
    let text = text.with_context(|| format!("{} is no text", path.display()))?;
    let key = text.trim();
    ensure!(
        !key.is_empty(),
        "{} is empty; delete it to get a new one",
        path.display()
    );
    Ok(AdminKey {
        key: key.into(),
        is_from_env: false,
    })
}

/// Seals app secrets under the server key.
pub struct Sealer {
    cipher: ChaCha20Poly1305,
    clock: Arc<dyn Clock>,
}

impl Sealer {
    /// A sealer with the key in the data folder, which is made at first start.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is no key.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        let key = server_key(folder, &*clock)?;
        Ok(Self {
            cipher: ChaCha20Poly1305::new(&Key::from(key)),
            clock,
        })
    }
}

impl Seal for Sealer {
    fn seal(&self, secret: &str) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        self.clock.fill_random(&mut nonce);
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: PURPOSE,
        };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.expect("a secret is far below the cipher's limit");
        [&[METHOD], nonce.as_slice(), &sealed].concat()
    }

    fn open(&self, sealed: &[u8]) -> Option<String> {
        let (&METHOD, rest) = sealed.split_first()? else {
            return None;
        };
        let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).ok()?;
        let payload = Payload {
            msg: sealed,
            aad: PURPOSE,
        };
        let secret = self.cipher.decrypt(&Nonce::from(nonce), payload).ok()?;
        String::from_utf8(secret).ok()
    }
}

/// What computes the aliases of users, under the key in the data folder, which is made at first
/// start.
///
/// # Errors
/// When the file cannot be read or written, or is no key.
pub fn aliases(folder: &Path, clock: &dyn Clock) -> Result<Aliases> {
    Ok(Aliases::new(&server_key(folder, clock)?))
}

/// The key under which addresses of files are signed: the one in the data folder, which is made
/// at first start. What is made of it says for what it is.
///
/// # Errors
/// When the file cannot be read or written, or is no key.
pub fn file_url_key(folder: &Path, clock: &dyn Clock) -> Result<[u8; KEY_BYTES]> {
    server_key(folder, clock)
}

fn server_key(folder: &Path, clock: &dyn Clock) -> Result<[u8; KEY_BYTES]> {
    let path = folder.join(SERVER_KEY_FILE);
    let bytes = read_or_make(&path, || random(clock).to_vec())?;
    match <[u8; KEY_BYTES]>::try_from(bytes) {
        Ok(key) => Ok(key),
        Err(_) => bail!(
            "{} must have {KEY_BYTES} bytes; restore it from a backup",
            path.display()
        ),
    }
}

fn random(clock: &dyn Clock) -> [u8; KEY_BYTES] {
    let mut bytes = [0; KEY_BYTES];
    clock.fill_random(&mut bytes);
    bytes
}

/// Reads a key file, or makes it. A file is there whole or not at all.
fn read_or_make(path: &Path, make: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>> {
    let shown = path.display();
    match fs::read(path) {
        Ok(bytes) => {
            let mode = fs::metadata(path).map_or(0, |it| it.mode());
            if mode & 0o077 != 0 {
                tracing::warn!("{shown} can be read by others; chmod 600 {shown}");
            }
            Ok(bytes)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = make();
            write_atomically(path, &bytes, 0o600)?;
            Ok(bytes)
        }
        Err(error) => Err(error).with_context(|| format!("{shown} cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_core::clock::{ManualClock, SystemClock};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").mode() & 0o777
    }

    #[test]
    fn keys_are_made_once_and_belong_to_their_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let first = admin_key(folder.path(), None, &*clock).expect("a key");
        let again = admin_key(folder.path(), Some(""), &*clock).expect("a key");
        assert_eq!(first.key, again.key);
        assert_eq!(first.key.len(), 43);
        let text = fs::read_to_string(folder.path().join(ADMIN_KEY_FILE)).expect("a file");
        assert_eq!(*first.key, text, "the file is the key, without a line end");
        let sealed = Sealer::open(folder.path(), clock.clone())
            .expect("a key")
            .seal("s");
        let sealer = Sealer::open(folder.path(), clock).expect("a key");
        assert_eq!(sealer.open(&sealed).as_deref(), Some("s"));
        for file in [ADMIN_KEY_FILE, SERVER_KEY_FILE] {
            assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = admin_key(folder.path(), Some("given"), &ManualClock::at_ms(0)).expect("a key");
        assert_eq!((&*key.key, key.is_from_env), ("given", true));
        assert!(!folder.path().join(ADMIN_KEY_FILE).exists());
    }

    #[test]
    fn damaged_keys_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at_ms(0));
        fs::write(folder.path().join(ADMIN_KEY_FILE), "\n").expect("a file");
        assert!(admin_key(folder.path(), None, &*clock).is_err());
        fs::write(folder.path().join(SERVER_KEY_FILE), "short").expect("a file");
        assert!(Sealer::open(folder.path(), clock).is_err());
    }

    #[test]
    fn what_is_sealed_opens_only_unchanged_and_with_its_key() {
        let sealer = |seed: u8| Sealer {
            cipher: ChaCha20Poly1305::new(&Key::from([seed; KEY_BYTES])),
            clock: Arc::new(ManualClock::at_ms(0)),
        };
        let one = sealer(1);
        let sealed = one.seal("a secret");
        assert_ne!(sealed, one.seal("a secret"), "each has its own nonce");
        assert_eq!(one.open(&sealed).as_deref(), Some("a secret"));
        assert_eq!(sealer(2).open(&sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(one.open(&changed), None, "byte {at}");
            assert_eq!(one.open(&sealed[..at]), None, "{at} bytes");
        }
    }
}
