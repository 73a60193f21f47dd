//! What requests are made of: path segments, query, JSON body, and the ids and names in them.
//! Whatever cannot be read is a problem that names the field.

use std::marker::PhantomData;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::refusal::Refusal;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::problem::Problem;
use super::wrong::in_words;

/// The segments of the path.
pub(super) struct Segments<T>(pub(super) T);

impl<S, T> FromRequestParts<S> for Segments<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(why) => Err(Problem::new(
                Refusal::UndecodableContent,
                wrong(&why.body_text(), "Invalid URL: "),
            )),
        }
    }
}

/// The query string.
pub(super) struct Params<T>(pub(super) T);

impl<S, T> FromRequestParts<S> for Params<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(why) => Err(Problem::new(
                Refusal::InvalidArgument,
                wrong(&why.body_text(), "Failed to deserialize query string: "),
            )),
        }
    }
}

/// A JSON object as body; none at all is read as `{}`. The media type is not looked at.
pub(super) struct Body<T>(pub(super) T);

/// What is read from an object, and from nothing else.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Object<T>(#[serde(deserialize_with = "object")] T);

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|why| unreadable(&why))?;
        let bytes = if bytes.is_empty() {
            Bytes::from_static(b"{}")
        } else {
            bytes
        };
        if let Err(why) = std::str::from_utf8(&bytes) {
            let why = format!("the body is no UTF-8: {why}");
            return Err(Problem::new(Refusal::UndecodableContent, why));
        }
        object_of(&bytes).map(Self)
    }
}

/// What a JSON object says.
///
/// # Errors
/// `undecodable_content`, `invalid_argument`.
pub(super) fn object_of<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    match Json::from_bytes(json) {
        Ok(Json(Object(body))) => Ok(body),
        Err(JsonRejection::JsonDataError(why)) => Err(Problem::new(
            Refusal::InvalidArgument,
            wrong(
                &why.body_text(),
                "Failed to deserialize the JSON body into the target type: ",
            ),
        )),
        Err(why) => {
            let why = why.body_text();
            let why = after(&why, "Failed to parse the request body as JSON: ");
            let why = format!("the body is no JSON: {why}");
            Err(Problem::new(Refusal::UndecodableContent, why))
        }
    }
}

/// What to say of a body that cannot be read.
pub(super) fn unreadable(why: &BytesRejection) -> Problem {
    let refusal = if why.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::TooLarge
    } else {
        Refusal::UndecodableContent
    };
    Problem::new(refusal, why.body_text())
}

fn after<'a>(text: &'a str, prefix: &str) -> &'a str {
    text.strip_prefix(prefix).unwrap_or(text)
}

/// What is wrong with what was read, in plain words that name the member.
fn wrong(text: &str, prefix: &str) -> String {
    in_words(after(text, prefix))
}

/// A line of text has no control characters: no screen shows them, not every store keeps them.
pub(super) fn check_line(name: &str, text: &str) -> Result<(), Problem> {
    if text.chars().any(char::is_control) {
        return Err(Problem::field(name, "has a control character"));
    }
    Ok(())
}

/// A name is a line of at most `max` characters.
pub(super) fn check_name(name: &str, text: &str, max: usize) -> Result<(), Problem> {
    check_line(name, text)?;
    if text.chars().count() > max {
        let wrong = format_args!("has at most {max} characters");
        return Err(Problem::field(name, wrong));
    }
    Ok(())
}

/// A user id out of the field `name`.
pub(super) fn uid(name: &str, text: &str) -> Result<Uid, Problem> {
    Uid::parse(text).map_err(|why| Problem::new(Refusal::InvalidUid, format!("{name}: {why}")))
}

/// User ids out of the list `name`, each once, in their order.
pub(super) fn uids(name: &str, texts: &[String]) -> Result<Vec<Uid>, Problem> {
    let mut seen = std::collections::HashSet::with_capacity(texts.len());
    let mut uids = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let uid = uid(&format!("{name}[{at}]"), text)?;
        if seen.insert(uid.clone()) {
            uids.push(uid);
        }
    }
    Ok(uids)
}

/// A kind of channel: its number or its name.
pub(super) fn kind(text: &str) -> Result<ChannelKind, Problem> {
    ChannelKind::parse(text).ok_or_else(|| {
        let why = format!("kind: there is no kind of channel {text:?}");
        Problem::new(Refusal::UnsupportedChannelKind, why)
    })
}

/// A channel as the path names it.
pub(super) fn address(kind_text: &str, id: &str) -> Result<Address, Problem> {
    let kind = kind(kind_text)?;
    Address::parse(kind, id).map_err(|why| Problem::new(why, no_channel_of("id", kind, id)))
}

/// What to say of an id in the field `name` that no channel of a kind can have.
pub(super) fn no_channel_of(name: &str, kind: ChannelKind, id: &str) -> String {
    format!("{name}: no channel of kind {kind:?} can have the id {id:?}")
}

/// A message id.
pub(super) fn message_id(text: &str) -> Result<MessageId, Problem> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0);
    id.map(MessageId)
        .ok_or_else(|| Problem::field("id", "a message id is a decimal number"))
}

/// A kind of channel in a JSON body: a number, or a string with a number or name.
pub(super) fn kind_in_body<'de, D: Deserializer<'de>>(from: D) -> Result<ChannelKind, D::Error> {
    struct Kind;

    impl Visitor<'_> for Kind {
        type Value = ChannelKind;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the number or name of a kind of channel")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ChannelKind, E> {
            ChannelKind::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<ChannelKind, E> {
            let kind = u8::try_from(number)
                .ok()
                .map(ChannelKind)
                .filter(|kind| kind.is_known());
            kind.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
        }
    }

    from.deserialize_any(Kind)
}

/// Something from a JSON object only: what is derived would be read from a list, too.
pub(super) fn object<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Members<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }

    from.deserialize_map(Members(PhantomData))
}

/// A field that may be absent (`None`), `null` (`Some(None)`) or there.
pub(super) fn nullable<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from)
        .map(Some)
        .map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        #[serde(deserialize_with = "kind_in_body")]
        kind: ChannelKind,
        #[serde(default, deserialize_with = "nullable")]
        name: Option<Option<String>>,
    }

    fn holder(json: &str) -> Result<Holder, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn kinds_are_numbers_or_names() {
        for json in [r#"{"kind":2}"#, r#"{"kind":"2"}"#, r#"{"kind":"group"}"#] {
            assert_eq!(
                holder(json).expect("a kind").kind,
                ChannelKind::GROUP,
                "{json}"
            );
        }
        for json in [
            r#"{"kind":0}"#,
            r#"{"kind":13}"#,
            r#"{"kind":"x"}"#,
            r#"{"kind":true}"#,
        ] {
            assert!(holder(json).is_err(), "{json}");
        }
    }

    #[test]
    fn absent_null_and_given_differ() {
        let name = |json| holder(json).expect("valid").name;
        assert_eq!(name(r#"{"kind":2}"#), None);
        assert_eq!(name(r#"{"kind":2,"name":null}"#), Some(None));
        assert_eq!(name(r#"{"kind":2,"name":"n"}"#), Some(Some("n".to_owned())));
    }

    #[test]
    fn only_objects_are_objects() {
        let read = |json| serde_json::from_str::<Object<Holder>>(json).map(|Object(it)| it.kind);
        assert_eq!(read(r#"{"kind":2}"#).ok(), Some(ChannelKind::GROUP));
        for json in ["[2]", "[2,null]", "null", "2", "\"x\""] {
            let why = read(json).expect_err(json).to_string();
            assert!(why.contains("expected an object"), "{why}");
        }
    }

    #[test]
    fn names_have_no_control_characters_and_an_end() {
        for text in ["", "The team", "团队 🎉", "xxxxxxxxxx"] {
            assert_eq!(check_name("name", text, 10), Ok(()), "{text:?}");
        }
        for text in ["a\0b", "a\nb", "\u{7f}", "\u{85}", "xxxxxxxxxxx"] {
            assert!(check_name("name", text, 10).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ids_name_their_field() {
        let texts = ["a".to_owned(), "b".to_owned(), "a".to_owned()];
        assert_eq!(uids("members", &texts).map(|uids| uids.len()), Ok(2));
        let wrong = uids("members", &["a".to_owned(), "b c".to_owned()]);
        assert_eq!(
            wrong.map_err(|problem| problem.refusal),
            Err(Refusal::InvalidUid)
        );
        for text in ["", "0", "-1", "1x", "99999999999999999999"] {
            assert!(message_id(text).is_err(), "{text}");
        }
        assert_eq!(
            message_id("741200000000000001"),
            Ok(MessageId(741_200_000_000_000_001))
        );
    }
}
