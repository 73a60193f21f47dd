//! Managing apps and making user tokens from the command line, on the data folder of a server
//! that does not run. A running server does both by its REST interface.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid};

use crate::compose::Core;
use crate::config::{Loaded, Sources, load};
use crate::data_dir::{DataDir, LISTENERS_FILE};

/// A user token to be made.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The app in whose name.
    pub app: String,
    /// The user that it speaks for.
    pub user: String,
    /// How long it is valid.
    pub ttl_secs: i64,
}

/// Creates an app.
///
/// # Errors
/// When it exists already, a name is not valid, a server runs, or the store fails.
pub async fn create(sources: &Sources, app_id: &str, realm: &str, name: &str) -> Result<App> {
    let id = AppId::parse(app_id).with_context(|| format!("the app id {app_id:?}"))?;
    let realm = Realm::parse(realm).with_context(|| format!("the realm {realm:?}"))?;
    let instead = format!("POST /v1/apps -d '{{\"app_id\":\"{id}\",\"realm\":\"{realm}\"}}'");
    let offline = Offline::open(sources, &instead).await?;
    let apps = offline.core.im.apps();
    let created = match apps.get(&id) {
        Some(_) => Err(anyhow!(
            "the app {id} exists; `crosstalk app rotate {id}` changes its secret"
        )),
        None => apps.put(&id, &realm, name).await.map_err(Into::into),
    };
    offline.close().await;
    created
}

/// Gives an app a new secret.
///
/// # Errors
/// When there is no such app, a server runs, or the store fails.
pub async fn rotate(sources: &Sources, app_id: &str) -> Result<App> {
    let id = AppId::parse(app_id).with_context(|| format!("the app id {app_id:?}"))?;
    let instead = format!("POST /v1/apps/{id}/secret");
    let offline = Offline::open(sources, &instead).await?;
    let apps = offline.core.im.apps();
    let rotated = match apps.get(&id) {
        Some(app) => apps
            .put(&id, &app.realm, &app.name)
            .await
            .map_err(Into::into),
        None => Err(no_such_app(&id)),
    };
    offline.close().await;
    rotated
}

/// All apps.
///
/// # Errors
/// When a server runs, or the store fails.
pub async fn list(sources: &Sources) -> Result<Vec<App>> {
    let offline = Offline::open(sources, "GET /v1/apps").await?;
    let all = offline.core.im.apps().all();
    offline.close().await;
    Ok(all)
}

/// Makes a user token.
///
/// # Errors
/// When there is no such app, the user id is not valid, a server runs, or the store fails.
pub async fn token(sources: &Sources, request: &TokenRequest) -> Result<String> {
    let id = AppId::parse(&request.app).with_context(|| format!("the app id {:?}", request.app))?;
    let uid = Uid::parse(&request.user).with_context(|| format!("the user {:?}", request.user))?;
    let instead = format!("POST /v1/users/{uid}/tokens -H 'X-App-Id: {id}' -d '{{}}'");
    let offline = Offline::open(sources, &instead).await?;
    let issued = match offline.core.im.apps().get(&id) {
        Some(app) => {
            let issued = offline
                .core
                .im
                .issue_token(&app, &uid, request.ttl_secs, None)
                .await;
            issued.map(|issued| issued.token).map_err(Into::into)
        }
        None => Err(no_such_app(&id)),
    };
    offline.close().await;
    issued
}

fn no_such_app(id: &AppId) -> anyhow::Error {
    anyhow!("there is no app {id}; `crosstalk app list` shows those that exist")
}

/// The messenger without its doors.
pub(crate) struct Offline {
    pub(crate) core: Core,
    _data_dir: DataDir,
}

impl Offline {
    /// Opens the data folder, or says how the running server does the same.
    pub(crate) async fn open(sources: &Sources, instead: &str) -> Result<Self> {
        let Loaded { config, .. } = load(sources)?;
        let path = Path::new(&config.server.data_dir);
        let Some(data_dir) = DataDir::take(path)? else {
            bail!(running(path, instead))
        };
        let core = Core::open(&config, &data_dir).await?;
        Ok(Self {
            core,
            _data_dir: data_dir,
        })
    }

    pub(crate) async fn close(self) {
        self.core.close().await;
    }
}

/// What to do while a server runs.
fn running(folder: &Path, instead: &str) -> String {
    let shown = folder.display();
    let stop = format!("a server runs on the data folder {shown}; stop it");
    let listeners = fs::read_to_string(folder.join(LISTENERS_FILE)).unwrap_or_default();
    let listeners: serde_json::Value = serde_json::from_str(&listeners).unwrap_or_default();
    let Some(http) = listeners["http"].as_str() else {
        return stop;
    };
    let (method, rest) = instead.split_once(' ').unwrap_or(("GET", instead));
    let (path, rest) = rest
        .split_once(' ')
        .map_or((rest, String::new()), |(path, rest)| {
            (path, format!(" -H 'Content-Type: application/json' {rest}"))
        });
    format!(
        "{stop}, or ask it:\n  curl -X {method} http://{http}{path} \
         -H \"Authorization: Bearer $(cat {shown}/admin.key)\"{rest}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_server_is_asked_instead() {
        let folder = tempfile::tempdir().expect("a folder");
        let alone = running(folder.path(), "GET /v1/apps");
        assert!(alone.ends_with("; stop it"), "{alone}");
        let listeners = r#"{"http":"127.0.0.1:4321"}"#;
        fs::write(folder.path().join(LISTENERS_FILE), listeners).expect("a file");
        let asked = running(folder.path(), "POST /v1/apps -d '{}'");
        assert!(
            asked.contains("curl -X POST http://127.0.0.1:4321/v1/apps -H \"Auth"),
            "{asked}"
        );
        assert!(
            asked.ends_with("-H 'Content-Type: application/json' -d '{}'"),
            "{asked}"
        );
    }
}
