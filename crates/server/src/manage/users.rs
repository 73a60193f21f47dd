//! `crosstalk user …`

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::progress::{bar, follow};
use super::remote::Remote;
use super::{UserCommand, segment};
use crate::say::say;

/// Users that are sent at once.
const AT_ONCE: usize = 500;
/// Users on a page.
const PAGE: usize = 200;

pub(super) async fn run(command: UserCommand) -> Result<()> {
    match command {
        UserCommand::List {
            prefix,
            tag,
            banned,
            limit,
            at,
        } => {
            let mut query = String::new();
            for (name, text) in [("prefix", prefix), ("tag", tag)] {
                if let Some(text) = text {
                    query.push_str(&format!("&{name}={}", segment(&text)?));
                }
            }
            if banned {
                query.push_str("&ban=true");
            }
            list(&at.remote()?, &query, limit).await
        }
        UserCommand::Import { file, at } => import(&at.remote()?, &file).await,
        UserCommand::Ban {
            uid,
            reason,
            secs,
            at,
        } => {
            let until = secs.map(|secs| now_ms() + secs.saturating_mul(1000));
            let ban = json!({"user": uid, "reason": reason, "until_at": until});
            let ban = at.remote()?.call("POST", "/v1/bans", Some(ban)).await?;
            say!("{uid} is banned (ban {})", text(&ban, "id"));
            Ok(())
        }
        UserCommand::Unban { uid, at } => {
            let path = format!("/v1/users/{}/enable", segment(&uid)?);
            at.remote()?.call("POST", &path, None).await?;
            say!("{uid} is not banned any more");
            Ok(())
        }
        UserCommand::Erase { uid, yes, at } => {
            if !yes {
                confirm(&uid)?;
            }
            let remote = at.remote()?;
            let path = format!("/v1/users/{}", segment(&uid)?);
            remote.call("DELETE", &path, None).await?;
            let work = follow(&remote, &format!("{path}/erasure")).await?;
            say!("{uid} is erased: {} rows and messages", work["done"]);
            Ok(())
        }
        UserCommand::Export { uid, out, at } => {
            let remote = at.remote()?;
            let path = format!("/v1/users/{}", segment(&uid)?);
            let work = remote.call("POST", &format!("{path}/export"), None).await?;
            let path = format!("{path}/exports/{}", text(&work, "id"));
            follow(&remote, &path).await?;
            let out = out.unwrap_or_else(|| PathBuf::from(format!("export-{uid}.jsonl")));
            let bytes = remote.download(&format!("{path}/download"), &out).await?;
            say!("{} has {bytes} bytes", out.display());
            Ok(())
        }
    }
}

async fn list(remote: &Remote, query: &str, limit: usize) -> Result<()> {
    let mut cursor = String::new();
    let mut left = limit;
    while left > 0 {
        let path = format!("/v1/users?limit={}{query}{cursor}", left.min(PAGE));
        let page = remote.get(&path).await?;
        for user in page["items"].as_array().into_iter().flatten() {
            let tags = user["tags"].as_array().into_iter().flatten();
            let tags: Vec<_> = tags.filter_map(Value::as_str).collect();
            let ban = if user["ban"] == true { "banned" } else { "" };
            let (uid, name) = (text(user, "uid"), text(user, "name"));
            say!("{uid}\t{name}\t{ban}\t{}", tags.join(","));
            left = left.saturating_sub(1);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(())
}

async fn import(remote: &Remote, file: &str) -> Result<()> {
    let users = read(file)?;
    ensure!(!users.is_empty(), "{file} has no users");
    let bar = bar(users.len() as u64);
    let (mut created, mut updated, mut failed) = (0, 0, Vec::new());
    for some in users.chunks(AT_ONCE) {
        let body = json!({"users": some});
        let answer = remote.call("POST", "/v1/users/import", Some(body)).await?;
        for item in answer["items"].as_array().into_iter().flatten() {
            match item["state"].as_str() {
                Some("created") => created += 1,
                Some("updated") => updated += 1,
                _ => failed.push(format!(
                    "{}: {}: {}",
                    text(item, "uid"),
                    text(&item["error"], "code"),
                    text(&item["error"], "detail")
                )),
            }
        }
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    say!(
        "created {created}, updated {updated}, failed {}",
        failed.len()
    );
    for line in &failed {
        say!("{line}");
    }
    ensure!(failed.is_empty(), "not all users could be imported");
    Ok(())
}

fn read(file: &str) -> Result<Vec<Value>> {
    let input: Box<dyn BufRead> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file).with_context(|| file.to_owned())?;
        Box::new(std::io::BufReader::new(opened))
    };
    let mut users = Vec::new();
    for (at, line) in input.lines().enumerate() {
        let line = line.with_context(|| file.to_owned())?;
        if line.trim().is_empty() {
            continue;
        }
        let user: Value =
            serde_json::from_str(&line).with_context(|| format!("{file}, line {}", at + 1))?;
        ensure!(user["uid"].is_string(), "{file}, line {}: no uid", at + 1);
        users.push(user);
    }
    Ok(users)
}

fn confirm(uid: &str) -> Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("this cannot be undone; say --yes");
    }
    let mut out = std::io::stderr();
    let _ = write!(
        out,
        "Erase {uid} with all data? This cannot be undone. Type the id: "
    );
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    ensure!(line.trim() == uid, "nothing was done");
    Ok(())
}

fn text(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_default().to_owned()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or(Duration::ZERO).as_millis();
    i64::try_from(since).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_user_on_each_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("users");
        let path = file.to_str().expect("a path");
        let write = |text: &str| std::fs::write(&file, text).expect("a file");
        write("{\"uid\":\"a\"}\n\n{\"uid\":\"b\",\"tags\":[\"x\"]}\n");
        assert_eq!(read(path).expect("users").len(), 2);
        for (text, wrong) in [("{\"uid\":1}", "no uid"), ("a\n", "line 1")] {
            write(text);
            let error = format!("{:#}", read(path).expect_err("no users"));
            assert!(error.contains(wrong), "{error}");
        }
    }
}
