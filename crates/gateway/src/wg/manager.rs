//! The channel manager (wg.md S0-49 to S0-59, Q0-28): who is online, and messages to channels
//! that nobody stores.

use std::sync::Arc;

use crosstalk_core::channel::ChannelKey;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Im, Login, LoginRequest};
use crosstalk_core::message::Body;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Ending, Session};
use crosstalk_wire::wg::{
    ClientName, Content as _, Envelope, Fault, OnlineClient, OnlineQuery, SYSTEM, SendTo,
};

use super::ORIGIN;
use super::deliver::Extra;
use super::logins::WgLogins;

/// Why a message goes to no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WgSendError {
    /// Its body does not fit its type, or no server sends that type.
    #[error("{0}")]
    Malformed(#[from] Fault),
    /// The messenger does not take it.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// See the module's words. Clones are the same manager.
#[derive(Clone)]
pub struct WgManager {
    im: Arc<Im>,
    realm: Realm,
    logins: Arc<WgLogins>,
}

impl WgManager {
    /// The manager of the channels of a realm.
    #[must_use]
    pub fn new(im: &Arc<Im>, realm: Realm, logins: &Arc<WgLogins>) -> Self {
        Self {
            im: Arc::clone(im),
            realm,
            logins: Arc::clone(logins),
        }
    }

    /// The realm of its channels.
    #[must_use]
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Gives a session id to whoever a login proves (wg.md S0-6 to S0-10).
    ///
    /// # Errors
    /// As [`Im::login`].
    pub async fn login(
        &self,
        request: &LoginRequest,
        client: &ClientName,
    ) -> Result<String, Refusal> {
        let login = self.im.login(request).await?;
        Ok(self.logins.give(login, client))
    }

    /// Voids the session ids of one of the clients of whoever a login proves, and closes its
    /// channels.
    ///
    /// # Errors
    /// As [`Im::login`].
    pub async fn logout(&self, request: &LoginRequest, client: &ClientName) -> Result<(), Refusal> {
        let Login { user, .. } = self.im.login(request).await?;
        self.logins.end(user.num, client);
        let is_of =
            |session: &Session| session.origin == ORIGIN && *session.device.id == *client.as_str();
        self.im.hub().end_of(user.num, Ending::Kicked, is_of);
        Ok(())
    }

    /// The clients that are online and fit a query.
    #[must_use]
    pub fn online(&self, query: &OnlineQuery) -> Vec<OnlineClient> {
        let found = self.logins.online(query).into_iter();
        found.map(|(row, _)| row).collect()
    }

    /// The online clients of one user.
    #[must_use]
    pub fn list_online_user(&self, user_id: &str) -> Vec<OnlineClient> {
        self.list_online_users(&[user_id.to_owned()])
    }

    /// That one online client; of several of one name the newest.
    #[must_use]
    pub fn get_online_user(&self, user_id: &str, client_name: &str) -> Option<OnlineClient> {
        let users = [user_id.to_owned()];
        self.list_online_users_named(&users, client_name).pop()
    }

    /// The online clients of several users.
    #[must_use]
    pub fn list_online_users(&self, user_ids: &[String]) -> Vec<OnlineClient> {
        if user_ids.is_empty() {
            return Vec::new();
        }
        self.online(&OnlineQuery {
            user_ids: user_ids.to_vec(),
            ..OnlineQuery::default()
        })
    }

    /// The online clients of several users, only with that name.
    #[must_use]
    pub fn list_online_users_named(
        &self,
        user_ids: &[String],
        client_name: &str,
    ) -> Vec<OnlineClient> {
        let mut rows = self.list_online_users(user_ids);
        rows.retain(|row| row.client_name == client_name);
        rows
    }

    /// The client of a session.
    #[must_use]
    pub fn get_online_user_by_session_id(&self, session_id: &str) -> Option<OnlineClient> {
        let query = OnlineQuery {
            session_id: Some(session_id.to_owned()),
            ..OnlineQuery::default()
        };
        self.online(&query).pop()
    }

    /// The client on a channel.
    #[must_use]
    pub fn get_online_user_by_channel_id(&self, channel_id: &str) -> Option<OnlineClient> {
        let query = OnlineQuery {
            channel_id: Some(channel_id.to_owned()),
            ..OnlineQuery::default()
        };
        self.online(&query).pop()
    }

    /// Sends one message to one channel; true if the channel is there.
    ///
    /// # Errors
    /// [`WgSendError`]; nothing was sent.
    pub async fn send_text(
        &self,
        channel_id: &str,
        message: &Envelope,
    ) -> Result<bool, WgSendError> {
        let to = SendTo::Channels(vec![channel_id.to_owned()]);
        Ok(self.send(&to, message).await? > 0)
    }

    /// Sends one message to several channels; returns to how many.
    ///
    /// # Errors
    /// [`WgSendError`]; nothing was sent.
    pub async fn send_group_text(
        &self,
        channel_ids: &[String],
        message: &Envelope,
    ) -> Result<usize, WgSendError> {
        let to = SendTo::Channels(channel_ids.to_vec());
        self.send(&to, message).await
    }

    /// Sends one message to some channels; returns to how many. Each receiver sees its own id
    /// in `to`, and the server's time.
    ///
    /// # Errors
    /// [`WgSendError`]; nothing was sent.
    pub async fn send(&self, to: &SendTo, message: &Envelope) -> Result<usize, WgSendError> {
        let content = message.content_of_server()?;
        let sessions = self.sessions(to);
        let from = message.from.clone().filter(|from| !from.is_empty());
        let is_system = message.is_system || from.is_none();
        let extra = Extra {
            to: None,
            from: Some(from.unwrap_or_else(|| SYSTEM.to_owned())),
            system: is_system,
        };
        let body = Body {
            client_no: message.id.as_str().into(),
            origin: ORIGIN,
            tag: content.kind().code().to_string().into(),
            payload: content.body().bytes(),
            extra: extra.encode(),
            ..Body::default()
        };
        let system = Uid::system();
        let sender = self.im.user_ref(&self.realm, &system).await?;
        let channel = ChannelKey::direct(&self.realm, &system, &system);
        Ok(self.im.push_to(&sessions, channel, &sender, body)?)
    }

    fn sessions(&self, to: &SendTo) -> Vec<Arc<Session>> {
        let found = match to {
            SendTo::Channels(ids) => {
                let mut seen = std::collections::HashSet::new();
                let ids = ids.iter().filter(|id| seen.insert(*id));
                let each = ids.flat_map(|id| {
                    self.logins.online(&OnlineQuery {
                        channel_id: Some(id.clone()),
                        ..OnlineQuery::default()
                    })
                });
                each.collect()
            }
            SendTo::Users {
                user_ids,
                client_name,
            } => self.logins.online(&OnlineQuery {
                user_ids: user_ids.clone(),
                client_name: client_name.clone(),
                ..OnlineQuery::default()
            }),
        };
        found.into_iter().map(|(_, session)| session).collect()
    }
}
