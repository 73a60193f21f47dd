//! `crosstalk broadcast`

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::BroadcastArgs;
use super::progress::follow;
use crate::say::say;

pub(super) async fn run(args: BroadcastArgs) -> Result<()> {
    let content = match (&args.text, &args.content) {
        (Some(text), _) => json!({"type": "text", "text": text}),
        (None, Some(content)) => serde_json::from_str(content).context("--content")?,
        (None, None) => bail!("say what with --text or --content"),
    };
    let mut body = json!({"to": to(&args.to)?, "content": content});
    if let Some(from) = &args.from {
        body["from"] = from.as_str().into();
    }
    let remote = args.at.remote()?;
    let begun = remote.call("POST", "/v1/broadcasts", Some(body)).await?;
    let id = begun["id"].as_str().unwrap_or_default().to_owned();
    let done = follow(&remote, &format!("/v1/broadcasts/{id}")).await?;
    let count = |member: &str| done[member].as_u64().unwrap_or(0);
    let failed = count("failed");
    let told = count("done").saturating_sub(failed);
    say!("broadcast {id}: {told} told, {failed} failed");
    Ok(())
}

/// To whom, as the interface has it.
fn to(text: &str) -> Result<Value> {
    match text.split_once(':') {
        None if text == "all" => Ok(json!("all")),
        Some(("tag", tag)) if !tag.is_empty() => Ok(json!({"tag": tag})),
        Some(("uids", uids)) if !uids.is_empty() => {
            let uids: Vec<_> = uids.split(',').map(str::trim).collect();
            Ok(json!({"uids": uids}))
        }
        _ => bail!("--to is all, tag:NAME or uids:A,B,…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_it_is_for() {
        assert_eq!(to("all").expect("all"), json!("all"));
        assert_eq!(to("tag:vip").expect("a tag"), json!({"tag": "vip"}));
        assert_eq!(to("uids:a, b").expect("uids"), json!({"uids": ["a", "b"]}));
        for wrong in ["", "tag:", "uids:", "everybody", "x:y"] {
            assert!(to(wrong).is_err(), "{wrong}");
        }
    }
}
