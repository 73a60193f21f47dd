//! Who asks: a tenant, by its app's secret or access token, or a user, by the token of a
//! registration or any other that a login takes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use crosstalk_core::directory::{App, AppId, REGISTRATION_TOKEN_PREFIX, Registration};
use crosstalk_core::id::Uid;
use crosstalk_core::im::{Login, LoginRequest, LoginScope};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Session;
use crosstalk_core::session::foreign::ForeignHeaders;
use crosstalk_gateway::Dialect;
use crosstalk_gateway::net::cookies_may_go;
use sha2::{Digest, Sha256};

use super::MqttState;
use super::answer::Failure;
use super::app;
use crate::http::audit::asker::Asker;

const TENANT_TOKEN: HeaderName = HeaderName::from_static("x-tenant-token");
const TOKEN: HeaderName = HeaderName::from_static("token");

/// What a request shows of who sends it.
pub(super) struct Proof {
    peer: IpAddr,
    path: String,
    tenant_token: Option<String>,
    headers: ForeignHeaders,
    bearer: Option<String>,
    asker: Asker,
}

impl FromRequestParts<MqttState> for Proof {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &MqttState,
    ) -> Result<Self, Self::Rejection> {
        let text = |name: &HeaderName| {
            let value = parts.headers.get(name)?.to_str().ok()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let authorization = text(&header::AUTHORIZATION);
        let origins = &state.edge.config.mqtt.allowed_origins;
        let may_go = cookies_may_go(&parts.headers, origins);
        Ok(Self {
            asker: parts.extensions.get().cloned().unwrap_or_default(),
            peer: peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip()),
            path: parts.uri.path().to_owned(),
            tenant_token: text(&TENANT_TOKEN),
            bearer: authorization.as_deref().and_then(bearer).map(str::to_owned),
            headers: ForeignHeaders {
                token: text(&TOKEN),
                cookie: text(&header::COOKIE).filter(|_| may_go),
                authorization,
            },
        })
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// A user who asks, and the device if the token is a registration's.
pub(super) struct UserCaller {
    pub(super) login: Login,
    pub(super) registration: Option<Registration>,
}

impl Proof {
    /// The app whose backend asks; `None` if nothing says so.
    ///
    /// # Errors
    /// 401 if it is another one than `tenant_no`, or there is no such one.
    pub(super) fn tenant(
        &self,
        state: &MqttState,
        tenant_no: &str,
    ) -> Result<Option<App>, Failure> {
        let apps = state.edge.im.apps();
        let named = match tenant_no {
            "" => None,
            name => {
                let id = AppId::parse(name).map_err(|_| Refusal::NotAuthenticated)?;
                Some(apps.get(&id).ok_or(Refusal::NotAuthenticated)?)
            }
        };
        let is_admin = |secret: &str| {
            let key: &str = &state.edge.admin_key;
            !key.is_empty() && Sha256::digest(secret) == Sha256::digest(key)
        };
        let secrets = [&self.tenant_token, &self.bearer];
        for secret in secrets.into_iter().flatten() {
            if is_admin(secret) {
                let app = named.or_else(|| apps.get(&AppId::default()));
                let app = app.ok_or(Refusal::NotAuthenticated)?;
                self.asker.is(&app.realm, "admin".to_owned());
                return Ok(Some(app));
            }
            let now_ms = state.edge.im.clock().now_ms();
            let app = apps
                .by_secret(secret)
                .or_else(|| app::app_of(apps, secret, now_ms));
            if let Some(app) = app {
                return match named {
                    Some(named) if named.id != app.id => Err(Refusal::NotAuthenticated.into()),
                    _ => {
                        self.asker.is(&app.realm, format!("app:{}", app.id));
                        Ok(Some(app))
                    }
                };
            }
        }
        match self.tenant_token {
            // Whoever says so must be one.
            Some(_) if self.bearer.is_none() => Err(Refusal::NotAuthenticated.into()),
            _ => Ok(None),
        }
    }

    /// The app whose backend asks.
    ///
    /// # Errors
    /// 401 if it is none.
    pub(super) fn require_tenant(
        &self,
        state: &MqttState,
        tenant_no: &str,
    ) -> Result<App, Failure> {
        let tenant = self.tenant(state, tenant_no)?;
        Ok(tenant.ok_or(Refusal::NotAuthenticated)?)
    }

    /// The user who asks, who says to be `claimed`, of this tenant if there is one.
    ///
    /// # Errors
    /// As `Im::login`.
    pub(super) async fn login(
        &self,
        state: &MqttState,
        tenant_no: &str,
        claimed: Option<Uid>,
    ) -> Result<Login, Failure> {
        let scope = match tenant_no {
            "" => LoginScope::Token(state.settings.realm.clone()),
            name => LoginScope::App(AppId::parse(name).map_err(|_| Refusal::NotAuthenticated)?),
        };
        let mut request = LoginRequest::new(scope, Dialect::Mqtt.name(), &self.path, self.peer);
        request.claimed_uid = claimed;
        let tokens = [&self.headers.token, &self.bearer, &self.tenant_token];
        request.credentials = tokens.into_iter().flatten().cloned().collect();
        request.headers = self.headers.clone();
        Ok(state.edge.im.login(&request).await?)
    }

    /// The user who asks.
    ///
    /// # Errors
    /// As `Im::registered` and `Im::login`.
    pub(super) async fn user(&self, state: &MqttState) -> Result<UserCaller, Failure> {
        let tokens = [&self.bearer, &self.headers.token];
        let mut tokens = tokens.into_iter().flatten();
        let registered = tokens.find(|token| token.starts_with(REGISTRATION_TOKEN_PREFIX));
        if let Some(token) = registered {
            let (login, registration) = state.edge.im.registered(token).await?;
            return Ok(UserCaller {
                login,
                registration: Some(registration),
            });
        }
        let login = self.login(state, "", None).await?;
        Ok(UserCaller {
            login,
            registration: None,
        })
    }
}

impl UserCaller {
    /// The newest connection of the caller's device; of any device, if the token is no
    /// registration's.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn session(&self, state: &MqttState) -> Result<Option<Arc<Session>>, Failure> {
        let (realm, uid) = (&self.login.realm, &self.login.user.uid);
        let sessions = state.edge.im.sessions(realm, uid).await?;
        let device = self.registration.as_ref().map(|it| it.device_id.as_str());
        let is_its = |session: &&Arc<Session>| {
            session.origin == Dialect::Mqtt.origin()
                && device.is_none_or(|device| *session.device.id == *device)
        };
        Ok(sessions.iter().rev().find(is_its).cloned())
    }
}
