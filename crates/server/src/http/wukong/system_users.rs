//! System accounts, who pass all permission checks (protocols/wukong.md §4.1).

use axum::Json;
use axum::extract::State;
use crosstalk_core::admin::PersonFilter;
use crosstalk_core::directory::UserChange;
use crosstalk_core::id::UserNum;
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;

use super::answer::{Done, Failure};
use super::input::Body;
use super::{lenient, names};
use crate::http::state::WukongApiState;

/// Accounts that are read at once.
const PAGE: u32 = 1000;
/// Accounts that one request names, and that are listed, at most.
const MAX_ACCOUNTS: usize = 10_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Accounts {
    #[serde(deserialize_with = "lenient::texts")]
    uids: Vec<String>,
}

/// Who is a system account, beside the system sender itself.
pub(super) async fn list(State(api): State<WukongApiState>) -> Result<Json<Vec<String>>, Failure> {
    let filter = PersonFilter {
        system: Some(true),
        ..PersonFilter::default()
    };
    let (mut uids, mut after) = (Vec::new(), UserNum(0));
    while uids.len() < MAX_ACCOUNTS {
        let page = api.im.population(&api.realm, &filter, after, PAGE).await?;
        let users = page.iter().map(|person| &person.record.user);
        uids.extend(
            users
                .filter(|user| !user.uid.is_system())
                .map(|user| user.uid.as_str().to_owned()),
        );
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = last.record.user.num,
            _ => break,
        }
    }
    Ok(Json(uids))
}

/// Makes users system accounts; they exist from then on.
pub(super) async fn add(
    State(api): State<WukongApiState>,
    Body(accounts): Body<Accounts>,
) -> Result<Done, Failure> {
    let change = UserChange {
        system: Some(true),
        ..UserChange::exists()
    };
    for uid in named(&accounts)? {
        api.im.put_user(&api.realm, &uid, &change).await?;
    }
    Ok(Done)
}

/// Users are ordinary ones again. Who is not known was never anything else.
pub(super) async fn remove(
    State(api): State<WukongApiState>,
    Body(accounts): Body<Accounts>,
) -> Result<Done, Failure> {
    let change = UserChange {
        system: Some(false),
        ..UserChange::default()
    };
    for uid in named(&accounts)? {
        match api.im.change_user(&api.realm, &uid, &change).await {
            Ok(_) | Err(Refusal::NoSuchUser) => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok(Done)
}

fn named(accounts: &Accounts) -> Result<Vec<crosstalk_core::id::Uid>, Failure> {
    match accounts.uids.len() {
        0 => Err(Failure::new("uids must not be empty")),
        1..=MAX_ACCOUNTS => names::uids("uids", &accounts.uids),
        _ => Err(Failure::new(format!("uids: at most {MAX_ACCOUNTS}"))),
    }
}
