//! WuKongIM's HTTP API: set-up and what clients ask (protocols/wukong.md §4).

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DEVICE_FLAG, DEVICE_LEVEL, GROUP, PERSONAL};
use crate::dialect::{
    Address, Ask, Conversation, Group, Known, Line, Login, Page, Past, Question, Readers,
};
use crate::target::{Bodies, Target};

/// The listener.
const LISTENER: &str = "wukong_api";
/// Subscribers in one request.
const SUBSCRIBERS: usize = 1_000;

/// Gives users their tokens.
pub(super) async fn make_users(target: &Target, users: &[Login]) -> Result<()> {
    let url = target.url(LISTENER, "/user/token")?;
    target
        .post_all(&url, "users", tokens(users), accepted)
        .await
}

fn tokens(users: &[Login]) -> Bodies<'_> {
    Box::new(users.iter().map(|user| {
        json!({"uid": user.uid, "token": user.token, "device_flag": DEVICE_FLAG,
               "device_level": DEVICE_LEVEL})
    }))
}

/// Makes groups, the larger ones in several steps.
pub(super) async fn make_groups(target: &Target, groups: &[Group]) -> Result<()> {
    let url = target.url(LISTENER, "/channel")?;
    let bodies = first_members(groups);
    target.post_all(&url, "groups", bodies, accepted).await?;
    let url = target.url(LISTENER, "/channel/subscriber_add")?;
    let bodies = further_members(groups);
    target
        .post_all(&url, "lists of members", bodies, accepted)
        .await
}

fn subscribers(group: &Group, members: &[String]) -> Value {
    json!({"channel_id": group.id, "channel_type": GROUP, "subscribers": members})
}

fn first_members(groups: &[Group]) -> Bodies<'_> {
    Box::new(groups.iter().map(|group| {
        let first = group.members.chunks(SUBSCRIBERS).next().unwrap_or_default();
        subscribers(group, first)
    }))
}

fn further_members(groups: &[Group]) -> Bodies<'_> {
    Box::new(groups.iter().flat_map(|group| {
        let chunks = group.members.chunks(SUBSCRIBERS).skip(1);
        chunks.map(move |chunk| subscribers(group, chunk))
    }))
}

/// Writes messages that raise what is unread.
pub(super) async fn make_past(target: &Target, past: &[Past]) -> Result<()> {
    let url = target.url(LISTENER, "/message/send")?;
    let bodies = to_groups(past);
    target
        .post_all(&url, "messages to groups", bodies, accepted)
        .await?;
    let url = target.url(LISTENER, "/message/sendbatch")?;
    let bodies = to_users(past);
    target
        .post_all(&url, "direct messages to all users", bodies, all_accepted)
        .await
}

fn to_groups(past: &[Past]) -> Bodies<'_> {
    repeated(past, |past, payload| match &past.to {
        Readers::Group(id) => Some(json!({"header": {"red_dot": 1}, "from_uid": past.from,
            "channel_id": id, "channel_type": GROUP, "payload": payload})),
        Readers::Users(_) => None,
    })
}

fn to_users(past: &[Past]) -> Bodies<'_> {
    repeated(past, |past, payload| match &past.to {
        Readers::Users(uids) => Some(json!({"header": {"red_dot": 1}, "from_uid": past.from,
            "subscribers": **uids, "payload": payload})),
        Readers::Group(_) => None,
    })
}

fn repeated(past: &[Past], body: fn(&Past, &str) -> Option<Value>) -> Bodies<'_> {
    Box::new(past.iter().flat_map(move |past| {
        let body = body(past, &STANDARD.encode(&past.content));
        body.into_iter()
            .flat_map(|body| std::iter::repeat_n(body, past.times as usize))
    }))
}

/// Some refusals come with 200 and a status within.
fn accepted(answer: &[u8]) -> Result<()> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    match answer.get("status").and_then(Value::as_u64) {
        None | Some(200) => Ok(()),
        Some(status) => bail!("status {status}"),
    }
}

fn all_accepted(answer: &[u8]) -> Result<()> {
    #[derive(Deserialize)]
    struct Outcome {
        fail_uids: Vec<String>,
        #[serde(default)]
        reason: Vec<String>,
    }
    let Outcome { fail_uids, reason } = serde_json::from_slice(answer)?;
    ensure!(
        fail_uids.is_empty(),
        "not accepted for {} users, the first: {}",
        fail_uids.len(),
        reason.first().map_or("?", String::as_str)
    );
    Ok(())
}

fn parts(channel: &Address) -> (&str, u8) {
    match channel {
        Address::User(uid) => (uid, PERSONAL),
        Address::Group(id) => (id, GROUP),
    }
}

fn address(id: String, channel_type: u8) -> Address {
    if channel_type == PERSONAL {
        Address::User(id)
    } else {
        Address::Group(id)
    }
}

/// How something is asked.
pub(super) fn question(target: &Target, ask: &Ask<'_>) -> Result<Question> {
    let (path, body) = match *ask {
        Ask::Conversations {
            uid,
            size,
            recents,
            after,
        } => {
            let page: u32 = after.unwrap_or("1").parse().context("no page")?;
            let body = json!({"uid": uid, "version": 0, "last_msg_seqs": "",
                "msg_count": recents, "page": page, "page_size": size});
            ("/conversation/sync", body)
        }
        Ask::News {
            uid,
            recents,
            known,
        } => {
            let body = json!({"uid": uid, "version": 0, "last_msg_seqs": last_msg_seqs(known),
                "msg_count": recents});
            ("/conversation/sync", body)
        }
        Ask::History {
            uid,
            channel,
            from,
            limit,
        } => {
            let (id, channel_type) = parts(channel);
            let is_up = u8::from(from.is_some());
            let body = json!({"login_uid": uid, "channel_id": id, "channel_type": channel_type,
                "start_message_seq": from.unwrap_or(0), "end_message_seq": 0, "limit": limit,
                "pull_mode": is_up});
            ("/channel/messagesync", body)
        }
        Ask::Read { uid, channel } => {
            let (id, channel_type) = parts(channel);
            let body = json!({"uid": uid, "channel_id": id, "channel_type": channel_type});
            ("/conversations/clearUnread", body)
        }
    };
    Ok(Question::post(
        target.url(LISTENER, path)?,
        body.to_string(),
    ))
}

fn last_msg_seqs(known: &[Known]) -> String {
    let each = known.iter().map(|known| {
        let (id, channel_type) = parts(&known.channel);
        format!("{id}:{channel_type}:{}", known.place)
    });
    each.collect::<Vec<_>>().join("|")
}

#[derive(Deserialize)]
struct ConversationObject {
    channel_id: String,
    channel_type: u8,
    unread: u64,
    last_msg_seq: u64,
    recents: Vec<MessageObject>,
}

#[derive(Deserialize)]
struct MessageObject {
    message_seq: u64,
    payload: String,
}

impl MessageObject {
    fn line(self) -> Result<Line> {
        let content = STANDARD.decode(&self.payload).context("a payload")?;
        Ok(Line {
            place: self.message_seq,
            content,
        })
    }
}

/// Reads an answer of `/conversation/sync`.
pub(super) fn conversations(ask: &Ask<'_>, answer: &[u8]) -> Result<Page> {
    let all: Vec<ConversationObject> = serde_json::from_slice(answer).context("conversations")?;
    let next = match *ask {
        Ask::Conversations { size, after, .. } if all.len() as u64 >= size.into() => {
            let page: u32 = after.unwrap_or("1").parse().context("no page")?;
            Some((page + 1).to_string())
        }
        _ => None,
    };
    let mut conversations = Vec::with_capacity(all.len());
    for one in all {
        let lines = one.recents.into_iter().rev().map(MessageObject::line);
        let recents = lines.collect::<Result<Vec<Line>>>()?;
        ensure!(
            recents.is_sorted_by(|one, other| one.place < other.place),
            "recents of {} do not descend",
            one.channel_id
        );
        conversations.push(Conversation {
            channel: address(one.channel_id, one.channel_type),
            last_place: one.last_msg_seq,
            unread: one.unread,
            recents,
        });
    }
    Ok(Page {
        conversations,
        next,
    })
}

/// Reads an answer of `/channel/messagesync`.
pub(super) fn history(answer: &[u8]) -> Result<Vec<Line>> {
    #[derive(Deserialize)]
    struct Stretch {
        messages: Vec<MessageObject>,
    }
    let stretch: Stretch = serde_json::from_slice(answer).context("messages")?;
    let lines = stretch.messages.into_iter().map(MessageObject::line);
    let lines = lines.collect::<Result<Vec<Line>>>()?;
    // Clients take a hole for something that they must ask for again (§7.6).
    let is_whole = lines
        .windows(2)
        .all(|pair| pair[0].place + 1 == pair[1].place);
    ensure!(is_whole, "messages are not in order, or some are missing");
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str) -> Address {
        Address::Group(id.to_owned())
    }

    fn payload(text: &str) -> String {
        STANDARD.encode(text)
    }

    #[test]
    fn what_a_client_knows_is_told_as_the_sdks_do() {
        let known = [
            Known {
                channel: Address::User("bob".to_owned()),
                place: 7,
            },
            Known {
                channel: group("g1"),
                place: 9,
            },
        ];
        assert_eq!(last_msg_seqs(&known), "bob:1:7|g1:2:9");
        assert_eq!(last_msg_seqs(&[]), "");
    }

    #[test]
    fn conversations_have_recents_the_oldest_first_and_a_next_page() {
        let answer = json!([{"channel_id": "g1", "channel_type": 2, "unread": 3,
            "last_msg_seq": 5, "timestamp": 1, "recents": [
                {"message_seq": 5, "payload": payload("new")},
                {"message_seq": 4, "payload": payload("old")}]}]);
        let answer = answer.to_string();
        let ask = |size, after| Ask::Conversations {
            uid: "u",
            size,
            recents: 2,
            after,
        };
        let page = conversations(&ask(1, None), answer.as_bytes()).expect("a page");
        let one = &page.conversations[0];
        assert_eq!(
            (&one.channel, one.unread, one.last_place),
            (&group("g1"), 3, 5)
        );
        let contents: Vec<_> = one.recents.iter().map(|line| &line.content[..]).collect();
        assert_eq!(contents, [b"old", b"new"]);
        assert_eq!(page.next.as_deref(), Some("2"));
        let next = |ask| conversations(&ask, answer.as_bytes()).expect("a page").next;
        assert_eq!(next(ask(1, Some("7"))).as_deref(), Some("8"));
        assert_eq!(next(ask(2, None)), None, "not full");

        let wrong = answer.replace("\"message_seq\":5", "\"message_seq\":3");
        let why = conversations(&ask(1, None), wrong.as_bytes()).expect_err("not in order");
        assert_eq!(why.to_string(), "recents of g1 do not descend");
    }

    #[test]
    fn a_hole_in_history_is_noticed() {
        let answer = |seqs: &[u64]| {
            let messages = seqs
                .iter()
                .map(|seq| json!({"message_seq": seq, "payload": payload("x")}));
            json!({"more": 0, "messages": messages.collect::<Vec<_>>()}).to_string()
        };
        let places = |seqs| {
            history(answer(seqs).as_bytes())
                .map(|lines| lines.iter().map(|line| line.place).collect::<Vec<_>>())
        };
        assert_eq!(places(&[4, 5, 6]).expect("whole"), [4, 5, 6]);
        assert_eq!(places(&[]).expect("empty"), [0_u64; 0]);
        for seqs in [&[4, 6][..], &[5, 4], &[4, 4]] {
            assert!(places(seqs).is_err(), "{seqs:?}");
        }
    }

    #[test]
    fn refusals_within_an_answer_are_seen() {
        assert!(accepted(br#"{"status":200}"#).is_ok());
        assert!(accepted(b"").is_ok());
        let why = accepted(br#"{"status":19}"#).expect_err("refused");
        assert_eq!(why.to_string(), "status 19");
        assert!(all_accepted(br#"{"fail_uids":[],"reason":[]}"#).is_ok());
        let why = all_accepted(br#"{"fail_uids":["a"],"reason":["no"]}"#).expect_err("refused");
        assert!(why.to_string().ends_with("the first: no"), "{why}");
    }
}
