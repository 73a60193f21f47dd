//! In whose name a request acts on a channel.

use crosstalk_core::channel::ChannelKey;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::UserRef;
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::input;
use super::problem::Problem;
use crate::http::state::ApiState;

/// In whose name a request without a body acts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Acting {
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself, which may everything; with a user token the user.
    pub(super) operator: Option<String>,
}

/// In whose name a request with nothing else in its body acts.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Operator, example = json!({"operator": "alice"}))]
pub(super) struct OperatorBody {
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself, which may everything; with a user token the user.
    pub(super) operator: Option<String>,
}

/// Who acts: with a user token always that user.
pub(super) async fn operator(
    api: &ApiState,
    caller: &Caller,
    named: Option<&str>,
) -> Result<Operator, Problem> {
    match (caller, named) {
        (Caller::User(identity), named) => {
            caller.reaches(named.unwrap_or(identity.user.uid.as_str()))?;
            Ok(Operator::User(identity.user.clone()))
        }
        (_, Some(named)) => {
            let user = existing(api, caller, "operator", named).await?;
            Ok(Operator::User(user))
        }
        (_, None) => {
            caller.app()?;
            Ok(Operator::Application)
        }
    }
}

/// Who acts where it can only be a user: the application names one.
pub(super) async fn acting_user(
    api: &ApiState,
    caller: &Caller,
    field: &str,
    named: Option<&str>,
) -> Result<UserRef, Problem> {
    match (caller, named) {
        (Caller::User(identity), named) => {
            caller.reaches(named.unwrap_or(identity.user.uid.as_str()))?;
            Ok(identity.user.clone())
        }
        (_, Some(named)) => existing(api, caller, field, named).await,
        (_, None) => Err(Problem::field(field, "is missing: it says who")),
    }
}

/// A user who exists.
pub(super) async fn existing(
    api: &ApiState,
    caller: &Caller,
    field: &str,
    named: &str,
) -> Result<UserRef, Problem> {
    let realm = caller.realm()?;
    let uid = input::uid(field, named)?;
    match api.im.user(realm, &uid).await {
        Ok(state) => Ok(state.record.user.clone()),
        Err(Refusal::NoSuchUser) => Err(Problem::new(
            Refusal::NoSuchUser,
            format!("{field}: there is no user {uid}"),
        )),
        Err(why) => Err(why.into()),
    }
}

/// Users whom an operator names: a user can name those who exist, the application anybody.
pub(super) async fn named_users(
    api: &ApiState,
    caller: &Caller,
    by: &Operator,
    field: &str,
    named: &[String],
    most: usize,
) -> Result<Vec<UserRef>, Problem> {
    let uids = input::uids(field, named)?;
    if by.user().is_none() {
        return Ok(api.im.user_refs(caller.realm()?, &uids).await?);
    }
    if uids.len() > most {
        return Err(Problem::field(
            field,
            format_args!("has at most {most} users"),
        ));
    }
    let mut users = Vec::with_capacity(uids.len());
    for (at, uid) in uids.iter().enumerate() {
        let field = format!("{field}[{at}]");
        users.push(existing(api, caller, &field, uid.as_str()).await?);
    }
    Ok(users)
}

/// Until when somebody is to be muted, of two fields that say so; `i64::MAX` = for good.
pub(super) fn muted_until(muted: Option<bool>, until: Option<i64>) -> Result<Option<i64>, Problem> {
    match (muted, until) {
        (Some(false), Some(_)) => {
            let wrong = "says when muting ends, and so excludes `muted: false`";
            Err(Problem::field("muted_until_at", wrong))
        }
        (_, Some(at)) if at <= 0 => Err(Problem::field(
            "muted_until_at",
            "must be a time, ms since 1970",
        )),
        (_, Some(at)) => Ok(Some(at)),
        (Some(true), None) => Ok(Some(i64::MAX)),
        (Some(false), None) => Ok(Some(0)),
        (None, None) => Ok(None),
    }
}

/// How a time until which somebody is muted is shown: whether they are, and until when if
/// that is not for good.
pub(super) fn muting(until_ms: i64, now_ms: i64) -> (bool, Option<i64>) {
    let muted = until_ms > now_ms;
    (muted, Some(until_ms).filter(|at| muted && *at != i64::MAX))
}

/// A text of at most `max` characters; lines may end in it.
pub(super) fn check_text(name: &str, text: &str, max: usize) -> Result<(), Problem> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t' && c != '\r';
    if text.chars().any(odd) {
        return Err(Problem::field(name, "has a control character"));
    }
    if text.chars().count() > max {
        let wrong = format_args!("has at most {max} characters");
        return Err(Problem::field(name, wrong));
    }
    Ok(())
}

/// Why users could not be brought into a channel, naming those who do not let `by` do it.
pub(super) async fn not_brought(
    api: &ApiState,
    key: &ChannelKey,
    by: Option<&UserRef>,
    users: &[UserRef],
    why: Refusal,
) -> Problem {
    let is_theirs = matches!(why, Refusal::Blocked | Refusal::NotAllowListed);
    let Some(by) = by.filter(|_| is_theirs) else {
        return why.into();
    };
    let unwilling = match api.im.unwilling(key, by, users).await {
        Ok(unwilling) => unwilling,
        Err(why) => return why.into(),
    };
    if unwilling.is_empty() {
        return why.into();
    }
    let users: Vec<_> = unwilling
        .iter()
        .map(|user| user.uid.as_str().to_owned())
        .collect();
    let detail = format!("not to be brought in by {}: {}", by.uid, users.join(", "));
    Problem {
        users,
        ..Problem::new(why, detail)
    }
}
