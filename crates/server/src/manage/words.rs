//! `crosstalk words …`

use anyhow::Result;
use serde_json::json;

use super::WordsCommand;
use crate::say::say;

const PATH: &str = "/v1/moderation/words";
/// Words that are sent at once.
const AT_ONCE: usize = 1000;

pub(super) async fn run(command: WordsCommand) -> Result<()> {
    match command {
        WordsCommand::Add { words, action, at } => {
            let remote = at.remote()?;
            let mut added = 0;
            for some in words.chunks(AT_ONCE) {
                let body = json!({"words": some, "action": action});
                let answer = remote.call("POST", PATH, Some(body)).await?;
                added += answer["changed"].as_u64().unwrap_or(0);
            }
            say!("{added} words are new");
        }
        WordsCommand::Remove { words, at } => {
            let remote = at.remote()?;
            let mut removed = 0;
            for some in words.chunks(AT_ONCE) {
                let answer = remote.call("DELETE", PATH, Some(json!({"words": some})));
                removed += answer.await?["changed"].as_u64().unwrap_or(0);
            }
            say!("{removed} words removed");
        }
        WordsCommand::List { at } => {
            let remote = at.remote()?;
            let mut cursor = String::new();
            loop {
                let page = remote.get(&format!("{PATH}?limit=200{cursor}")).await?;
                for word in page["items"].as_array().into_iter().flatten() {
                    let text = |member: &str| word[member].as_str().unwrap_or_default().to_owned();
                    say!("{}\t{}", text("action"), text("word"));
                }
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
        }
    }
    Ok(())
}
