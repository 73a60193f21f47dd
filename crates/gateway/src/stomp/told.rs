//! By which names clients know what the server tells on `/user/queue/events` (stomp.md Q2-30).

/// Nobody but the server and the application says them.
pub(crate) const NAMES: &[&str] = &[
    "BLACKLIST",
    "CONVERSATION_UPDATED",
    "FRIEND_ACCEPTED",
    "FRIEND_DELETED",
    "FRIEND_REJECTED",
    "FRIEND_REQUEST",
    "FRIEND_UPDATED",
    "GROUP_CREATED",
    "GROUP_DISSOLVED",
    "GROUP_KICKED",
    "GROUP_LEFT",
    "GROUP_MEMBER_JOINED",
    "GROUP_MUTED",
    "GROUP_REQUEST",
    "GROUP_ROLE",
    "GROUP_UPDATED",
    "KICKED",
    "MESSAGES_DELETED",
    "MESSAGE_PINNED",
    "OFFLINE",
    "ONLINE",
    "PROFILE",
    "REACTION",
    "READ",
    "TOKEN_EXPIRING",
    "TYPING",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each event of the page on this dialect is one.
    #[test]
    fn what_the_server_tells_is_reserved() {
        let page = include_str!("../../../../docs/dialects/stomp.md");
        let (_, table) = page.split_once("| event | members").expect("the table");
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut count = 0;
        for row in rows {
            let name = row.split('`').nth(1).expect("a name");
            assert!(NAMES.contains(&name), "{name}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }
}
