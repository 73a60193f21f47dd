//! Users and groups over `/v1`, for dialects without an interface of their own for that.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use crate::dialect::{Group, Login, Question, SITE};
use crate::target::{Questions, Target};

/// Members in one request.
const MEMBERS: usize = 1_000;

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// Gives users tokens of the server, which makes the users, too.
pub(in crate::dialect) async fn user_tokens(target: &Target, users: &mut [Login]) -> Result<()> {
    let answers = target.ask_all("users", tokens(target, users)).await?;
    for (user, answer) in users.iter_mut().zip(answers) {
        let Token { token } = serde_json::from_slice(&answer).context("a user's token")?;
        user.token = token;
    }
    Ok(())
}

fn tokens<'a>(target: &'a Target, users: &'a [Login]) -> Questions<'a> {
    Box::new(users.iter().map(move |user| {
        let url = target.url(SITE, &format!("/v1/users/{}/tokens", user.uid))?;
        Ok(Question::post(url, json!({}).to_string()))
    }))
}

/// Makes groups, the larger ones in several steps.
pub(in crate::dialect) async fn make_groups(target: &Target, groups: &[Group]) -> Result<()> {
    let first = first_members(target, groups);
    target.ask_all("groups", first).await?;
    let further = further_members(target, groups);
    target.ask_all("lists of members", further).await?;
    Ok(())
}

fn first_members<'a>(target: &'a Target, groups: &'a [Group]) -> Questions<'a> {
    Box::new(groups.iter().map(move |group| {
        let url = target.url(SITE, &format!("/v1/channels/group/{}", group.id))?;
        let first = group.members.chunks(MEMBERS).next().unwrap_or_default();
        let body = json!({"name": group.id, "members": first});
        Ok(Question::put(url, body.to_string()))
    }))
}

fn further_members<'a>(target: &'a Target, groups: &'a [Group]) -> Questions<'a> {
    Box::new(groups.iter().flat_map(move |group| {
        let chunks = group.members.chunks(MEMBERS).skip(1);
        chunks.map(move |members| {
            let url = format!("/v1/channels/group/{}/members", group.id);
            let body = json!({"members": members});
            Ok(Question::post(target.url(SITE, &url)?, body.to_string()))
        })
    }))
}
