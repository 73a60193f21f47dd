//! What a topic or filter means (mqtt.md Q3-6, Q3-33).

use crosstalk_wire::mqtt::TopicFilter;
use crosstalk_wire::mqtt::im::SEND_TOPIC;

/// What plain topics begin with.
const PLAIN: &str = "t/";

/// Where a client publishes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic<'a> {
    /// A plain topic.
    Plain,
    /// The messenger; what is published says to whom.
    Send,
    /// The messenger, and the topic says to whom, too.
    To(&'a str),
    /// A topic of the server's, to which nobody subscribes.
    Dollar,
}

/// What a topic means to a client with this account.
pub(super) fn topic<'a>(topic: &'a str, account: &str) -> Topic<'a> {
    if is_plain(topic) {
        return Topic::Plain;
    }
    if topic.starts_with('$') {
        return Topic::Dollar;
    }
    let own = topic.strip_suffix("/send") == Some(account);
    if own || topic == SEND_TOPIC {
        Topic::Send
    } else {
        Topic::To(topic)
    }
}

/// Whether a topic is a plain one.
pub(super) fn is_plain(topic: &str) -> bool {
    topic.starts_with(PLAIN)
}

/// What a client subscribes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Plain topics.
    Plain,
    /// Its own messages.
    Own,
    /// Something that is not for it.
    Foreign,
}

/// What a filter means to a client with this account.
pub(super) fn wanted(filter: &TopicFilter, account: &str) -> Wanted {
    let text = match filter.shared() {
        Ok(Some(shared)) if is_plain(shared.filter) => return Wanted::Plain,
        Ok(Some(_)) | Err(_) => return Wanted::Foreign,
        Ok(None) => filter.as_str(),
    };
    if is_plain(text) {
        Wanted::Plain
    } else if is_own(text, account) {
        Wanted::Own
    } else {
        Wanted::Foreign
    }
}

/// Whether a filter is one for the messages of this account.
pub(super) fn is_own(filter: &str, account: &str) -> bool {
    let rest = filter.strip_prefix(account);
    rest.is_some_and(|rest| matches!(rest, "" | "/#"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_go_where_they_mean() {
        let me = "aaaaaaaaaaaaa";
        assert_eq!(topic("t/x", me), Topic::Plain);
        assert_eq!(topic("im/send", me), Topic::Send);
        assert_eq!(topic("aaaaaaaaaaaaa/send", me), Topic::Send);
        assert_eq!(topic("bob/send", me), Topic::To("bob/send"));
        assert_eq!(topic("bob", me), Topic::To("bob"));
        assert_eq!(topic("$SYS/x", me), Topic::Dollar);
        assert_eq!(topic("t", me), Topic::To("t"));
    }

    #[test]
    fn only_plain_topics_and_ones_own_are_subscribed_to() {
        let me = "aaaaaaaaaaaaa";
        let of = |text: &str| wanted(&TopicFilter::new(text).expect("a filter"), me);
        for plain in ["t/x", "t/#", "t/+/y", "$share/g/t/#"] {
            assert_eq!(of(plain), Wanted::Plain, "{plain}");
        }
        for own in ["aaaaaaaaaaaaa", "aaaaaaaaaaaaa/#"] {
            assert_eq!(of(own), Wanted::Own, "{own}");
        }
        for foreign in [
            "#",
            "+",
            "+/#",
            "baaaaaaaaaaaa",
            "$share/x/y",
            "$SYS/#",
            "t",
            "aaaaaaaaaaaaa/x",
        ] {
            assert_eq!(of(foreign), Wanted::Foreign, "{foreign}");
        }
    }
}
