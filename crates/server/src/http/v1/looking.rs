//! Whose view a request shows.

use crosstalk_core::channel::ChannelKey;
use crosstalk_core::im::Viewer;
use serde::Deserialize;
use utoipa::IntoParams;

use super::acting::acting_user;
use super::auth::Caller;
use super::channels::seen_by;
use super::problem::Problem;
use crate::http::state::ApiState;

/// Whose view is meant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Whose view is meant, with an app secret or the admin key; absent: everything. With a
    /// user token the user's.
    pub(super) user: Option<String>,
}

/// The view that a request means: with a user token the user's, that of the one named in the
/// field `user`, otherwise the application's, which sees everything in its realm.
pub(super) async fn viewer(
    api: &ApiState,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Viewer, Problem> {
    if named.is_none() && !matches!(caller, Caller::User(_)) {
        caller.app()?;
        return Ok(Viewer::Application);
    }
    let user = acting_user(api, caller, "user", named).await?;
    Ok(Viewer::User(user))
}

/// The channel that a path means, as the one who looks calls it.
pub(super) fn channel(
    caller: &Caller,
    viewer: &Viewer,
    kind: &str,
    id: &str,
) -> Result<ChannelKey, Problem> {
    let uid = match viewer {
        Viewer::Application => None,
        Viewer::User(user) => Some(&user.uid),
    };
    seen_by(caller.realm()?, uid, kind, id)
}
