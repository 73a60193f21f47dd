//! The messenger on its store, without doors.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use crosstalk_backends::sqlite::{Durability, Sqlite, SqliteOptions};
use crosstalk_core::clock::{Clock, SystemClock};
use crosstalk_core::directory::AppId;
use crosstalk_core::id::{Realm, Snowflake};
use crosstalk_core::im::{Im, Policy, Stores};
use crosstalk_core::send::limits::SendLimits;
use crosstalk_core::send::rates::Rate;
use crosstalk_core::send::strangers::FriendsOnly;
use crosstalk_core::send::words::Words;
use crosstalk_core::session::MailboxLimits;
use crosstalk_core::session::throttle::LoginLimits;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::auth::AppLogins;
use crate::config::{self, Config, Moderation, ReviewMode};
use crate::data_dir::{DataDir, STORE_FILE};
use crate::keys::{self, SERVER_KEY_FILE, Sealer};

/// How often and how long [`Core::close`] looks whether it is the last owner.
const LAST_OWNER_PAUSE: Duration = Duration::from_millis(10);
const LAST_OWNER_TRIES: usize = 200;

/// The messenger and what it stands on.
pub struct Core {
    /// The messenger.
    pub im: Arc<Im>,
    /// The store.
    pub store: Arc<Sqlite>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where message ids come from.
    pub ids: Arc<Snowflake>,
}

impl Core {
    /// Opens the store in the data folder and starts the messenger on it. The app `default`
    /// exists afterwards.
    ///
    /// # Errors
    /// When keys or store cannot be read or made.
    pub async fn open(config: &Config, data_dir: &DataDir) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let (key, db) = (data_dir.file(SERVER_KEY_FILE), data_dir.file(STORE_FILE));
        ensure!(
            key.exists() || !db.exists(),
            "{} is missing, and the app secrets in {} cannot be read without it; restore it from \
             a backup",
            key.display(),
            db.display()
        );
        let sealer = Sealer::open(data_dir.path(), Arc::clone(&clock))?;
        let ids = Arc::new(Snowflake::new(Arc::clone(&clock), config.server.node_id));
        let options = SqliteOptions {
            durability: match config.store.durability {
                config::Durability::Full => Durability::Full,
                config::Durability::Relaxed => Durability::Relaxed,
            },
            reader_threads: config.store.reader_threads,
            aliases: keys::aliases(data_dir.path(), &*clock)?,
            ..SqliteOptions::new(&db, Arc::clone(&clock), Arc::clone(&ids))
        };
        let store = spawn_blocking(move || Sqlite::open(options)).await?;
        let store = Arc::new(store.with_context(|| db.display().to_string())?);
        let stores = Stores::of(Arc::clone(&store));
        let im = Im::start(
            stores,
            Arc::new(sealer),
            Arc::clone(&ids),
            Arc::clone(&clock),
            policy(config, words(&config.moderation)?),
        );
        let im = im.await.with_context(|| db.display().to_string())?;
        if let Some(logins) = AppLogins::new(&config.auth, &clock)? {
            im.set_foreign_logins(Arc::new(logins));
        }
        let default = AppId::default();
        if im.apps().get(&default).is_none() {
            im.apps()
                .put(&default, &Realm::default(), "default")
                .await?;
        }
        Ok(Self {
            im,
            store,
            clock,
            ids,
        })
    }

    /// Lets the messenger finish what it has and closes the store.
    pub async fn close(self) {
        let Self { mut im, store, .. } = self;
        // Tasks that were just told to end may hold it for another moment.
        for _ in 0..LAST_OWNER_TRIES {
            match Arc::try_unwrap(im) {
                Ok(last) => {
                    last.finish().await;
                    return store.close().await;
                }
                Err(shared) => im = shared,
            }
            sleep(LAST_OWNER_PAUSE).await;
        }
        tracing::warn!("something still uses the messenger; closing the store under it");
        // A failure is reported where it happens.
        let _ = im.write_delivered().await;
        store.close().await;
    }
}

/// The word lists, from the configuration and the files that it names.
fn words(moderation: &Moderation) -> Result<Words> {
    let all = |words: &[String], file: &str, key: &str| -> Result<Vec<String>> {
        let mut all = words.to_vec();
        if !file.is_empty() {
            let text = std::fs::read_to_string(file);
            let text = text.with_context(|| format!("moderation.{key} = {file}"))?;
            all.extend(text.lines().map(str::to_owned));
        }
        Ok(all)
    };
    let reject = all(&moderation.reject, &moderation.reject_file, "reject_file")?;
    let mask = all(&moderation.mask, &moderation.mask_file, "mask_file")?;
    let review = all(&moderation.review, &moderation.review_file, "review_file")?;
    let holds = moderation.review_mode == ReviewMode::Before;
    let words = Words::new(&reject, &mask).context("moderation")?;
    words.reviewing(&review, holds).context("moderation")
}

fn policy(config: &Config, words: Words) -> Policy {
    let limits = &config.limits;
    Policy {
        send: SendLimits {
            rate_per_sec: limits.send_rate,
            burst: limits.send_burst,
            payload_bytes: limits.payload_bytes,
            channel: Rate {
                per_sec: limits.channel_rate,
                burst: limits.channel_burst,
            },
            app: Rate {
                per_sec: limits.app_rate,
                burst: limits.app_burst,
            },
        },
        login: LoginLimits {
            per_address: limits.login_failures_per_address,
            per_user: limits.login_failures_per_user,
        },
        mailbox: MailboxLimits {
            items: limits.mailbox_items,
            bytes: limits.mailbox_bytes,
            ..MailboxLimits::default()
        },
        words: Arc::new(words),
        friends_only: FriendsOnly {
            everywhere: config.im.friends_only,
            // Looked at when the configuration was read.
            realms: config
                .im
                .friends_only_realms
                .iter()
                .filter_map(|realm| Realm::parse(realm).ok())
                .collect(),
        },
        lanes: config.im.lanes,
        broadcast_per_sec: limits.broadcast_rate,
        revoke_window_ms: config.im.revoke_window_secs.saturating_mul(1000),
        edit_window_ms: config.im.edit_window_secs.saturating_mul(1000),
        members_pin: config.im.members_pin,
        ..Policy::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_parts() {
        let ours = policy(&Config::default(), Words::default());
        let theirs = Policy::default();
        assert_eq!(ours.send, theirs.send);
        assert_eq!(ours.login, theirs.login);
        assert_eq!(
            format!("{:?}", ours.mailbox),
            format!("{:?}", theirs.mailbox)
        );
        assert_eq!(
            (ours.friends_only, ours.lanes, ours.revoke_window_ms),
            (theirs.friends_only, theirs.lanes, theirs.revoke_window_ms)
        );
    }
}
