//! What the word lists make of what is said: of all that a receiver of any dialect is shown,
//! which is more than its content means. Clients of the author's own dialect get the author's
//! bytes, with members that no other has a place for.

use bytes::Bytes;
use crosstalk_core::content::Content;
use crosstalk_core::message::{Body, Draft, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::send::words::{Verdict, Words};
use serde_json::Value;

use crate::content::meaning;
use crate::registry;
use crate::reserved::is_the_servers;

/// How the names of members end that hold ids, addresses and the like.
const TECHNICAL: [&str; 16] = [
    "id", "ids", "from", "to", "url", "type", "action", "key", "no", "version", "device", "cover",
    "logo", "mention", "mentions", "waveform",
];
/// From this length on, in bytes, what is written without a space in base64's letters is a
/// picture or a key, and no words.
const BLOB_BYTES: usize = 128;
/// How deep JSON is looked for in strings of JSON.
const MAX_INNER: usize = 3;

/// Has the word lists judge what a user's draft says: it is refused in its place among the
/// rules, or says something else. What only the server says is refused, too.
pub fn moderate(words: &Words, draft: &mut Draft) {
    if draft.fault.is_none() && is_the_servers(&draft.body) {
        draft.fault = Some(Refusal::Forbidden);
    }
    if words.is_empty() || draft.fault.is_some() || draft.body.origin == Origin::CHANGE {
        return;
    }
    let content = meaning(&draft.body);
    if matches!(content, Content::Command { .. }) {
        return;
    }
    let judgement = words.judge(&shown(&draft.body, &content));
    if judgement.wants_review {
        if words.holds() {
            // What is found wrong besides says more.
            draft.fault = Some(Refusal::HeldForReview);
        } else {
            draft.body.flags.review = true;
        }
    }
    match judgement.verdict {
        Verdict::Pass => {}
        Verdict::Reject => draft.fault = Some(Refusal::SensitiveWord),
        Verdict::Mask(_) => match reworded(words, &draft.body, &content) {
            Some(body) => draft.body = body,
            // What cannot be said in other words is not said at all.
            None => draft.fault = Some(Refusal::SensitiveWord),
        },
    }
}

/// All that anybody is shown of a body, a line each.
fn shown(body: &Body, content: &Content) -> String {
    let mut all = content.all_words();
    // What the parties of a call tell each other is for their clients.
    if matches!(content, Content::Call { .. }) {
        return all;
    }
    let text = match content {
        Content::Text { text, .. } => text,
        _ => "",
    };
    let mut add = |said: &mut String| {
        if said != text {
            all.push('\n');
            all.push_str(said);
        }
    };
    for json in [Some(&body.payload), extra(body)].into_iter().flatten() {
        if let Ok(mut json) = serde_json::from_slice(json) {
            each_string("", &mut json, 0, &mut add);
        }
    }
    all
}

fn extra(body: &Body) -> Option<&Bytes> {
    body.extra.as_ref().filter(|_| registry::shows_extra(body))
}

/// The strings of a JSON value that may be shown. Of strings that are JSON themselves those
/// in it; changes there are lost.
fn each_string(name: &str, value: &mut Value, inner: usize, visit: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(said) => {
            if is_technical(name, said) {
                return;
            }
            if inner < MAX_INNER
                && said.trim_start().starts_with(['{', '['])
                && let Ok(mut json) = serde_json::from_str(said)
            {
                each_string(name, &mut json, inner + 1, visit);
            }
            visit(said);
        }
        Value::Array(items) => {
            for item in items {
                each_string(name, item, inner, visit);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                each_string(name, member, inner, visit);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a string is nothing that people read.
fn is_technical(name: &str, said: &str) -> bool {
    let is_one_sign = said.bytes().all(|byte| byte.is_ascii_graphic());
    let is_named_so = || {
        let name = name.to_ascii_lowercase();
        TECHNICAL.iter().any(|end| name.ends_with(end))
    };
    if is_one_sign && (said.contains("://") || is_named_so()) {
        return true;
    }
    let is_blob = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_:;,.".contains(&byte);
    said.len() >= BLOB_BYTES && said.bytes().all(is_blob)
}

/// A body whose text, and all that is shown with it, says something else; `None` for what
/// cannot be said in other words.
fn reworded(words: &Words, body: &Body, content: &Content) -> Option<Body> {
    let Content::Text { text, .. } = content else {
        return None;
    };
    let mut reworded = body.clone();
    if let Verdict::Mask(masked) = words.judge(text).verdict {
        reworded.payload = with_text(body, content, masked)?;
    }
    // A text that stands for itself is no JSON.
    if let Some(json) = masked(words, &reworded.payload) {
        reworded.payload = json;
    }
    if let Some(json) = extra(body).and_then(|extra| masked(words, extra)) {
        reworded.extra = Some(json);
    }
    // What is left stands where nothing can be put in its place.
    let left = words.judge(&shown(&reworded, &meaning(&reworded)));
    (left.verdict == Verdict::Pass).then_some(reworded)
}

/// JSON with the words in its strings covered, if it has any.
fn masked(words: &Words, json: &[u8]) -> Option<Bytes> {
    let mut json = serde_json::from_slice(json).ok()?;
    let mut changed = false;
    each_string("", &mut json, MAX_INNER, &mut |said: &mut String| {
        if let Verdict::Mask(masked) = words.judge(said).verdict {
            *said = masked;
            changed = true;
        }
    });
    let json = changed.then(|| serde_json::to_vec(&json));
    json?.ok().map(Bytes::from)
}

/// The payload of a text that says something else, in its author's dialect.
fn with_text(body: &Body, content: &Content, text: String) -> Option<Bytes> {
    if body.origin != Origin::REST {
        return registry::reworded(body, &text);
    }
    let mut content = content.clone();
    if let Content::Text { text: said, .. } = &mut content {
        *said = text;
    }
    serde_json::to_vec(&content).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests;
