//! The words with which the chat says who joins and who leaves, and whether they name somebody.

/// So much of a name stands in the chat, so that a line has at most 200 characters.
const CHARS_OF_NAME: usize = 28;
/// What stands between names.
const BETWEEN: &str = "、";
/// What stands between whoever does something and those whom it concerns.
const BRINGS: &str = " 邀请 ";
const REMOVES: &str = " 将 ";
/// What they do.
const JOINED: &str = " 加入了群聊";
const LEFT: &str = " 退出了群聊";
const REMOVED_BY: &str = " 移出了群聊";
const REMOVED: &str = " 被移出了群聊";
/// What stands behind names that are not all.
const AND_MORE: &str = "等";

/// A name as it stands in a line.
pub(super) fn short(name: &str) -> String {
    name.chars().take(CHARS_OF_NAME).collect()
}

/// Some names, of `count` users.
pub(super) fn listed(names: &[String], count: u32) -> String {
    let who = names.join(BETWEEN);
    if count as usize > names.len() {
        format!("{who}{AND_MORE}{count}人")
    } else {
        who
    }
}

/// That `who` joined, or left; `doer` is who made them, if they did not by themselves.
pub(super) fn line(who: &str, came: bool, doer: Option<&str>) -> String {
    match (doer, came) {
        (Some(name), true) => format!("{name}{BRINGS}{who}{JOINED}"),
        (Some(name), false) => format!("{name}{REMOVES}{who}{REMOVED_BY}"),
        (None, true) => format!("{who}{JOINED}"),
        (None, false) => format!("{who}{LEFT}"),
    }
}

/// That the application has removed `who`.
pub(super) fn removed(who: &str) -> String {
    format!("{who}{REMOVED}")
}

/// Whether a line names somebody who is called one of these.
pub(crate) fn names_one_of(text: &str, names: &[String]) -> bool {
    let ends = [REMOVED, REMOVED_BY, LEFT, JOINED];
    let Some(said) = ends.iter().find_map(|end| text.strip_suffix(end)) else {
        return false;
    };
    let begins = |before: &str| {
        before.is_empty()
            || [BETWEEN, BRINGS, REMOVES]
                .iter()
                .any(|it| before.ends_with(it))
    };
    let ends = |after: &str| {
        let marks = [BETWEEN, BRINGS, REMOVES, AND_MORE];
        after.is_empty() || marks.iter().any(|it| after.starts_with(it))
    };
    names.iter().map(|name| short(name)).any(|name| {
        !name.is_empty()
            && said
                .match_indices(&*name)
                .any(|(at, found)| begins(&said[..at]) && ends(&said[at + found.len()..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_those_of_whom_it_tells() {
        let zed = ["Zed".to_owned()];
        let both = listed(&["Bob".to_owned(), "Zed".to_owned()], 2);
        let many = listed(&["Zed".to_owned()], 9);
        for text in [
            line("Zed", true, None),
            line("Zed", false, None),
            removed("Zed"),
            removed(&both),
            line(&many, true, Some("Bob")),
            line("Bob", true, Some("Zed")),
            line("Bob", false, Some("Zed")),
        ] {
            assert!(names_one_of(&text, &zed), "{text}");
        }
        for text in [
            removed("Zeda"),
            removed("A Zed"),
            line("Bob", true, Some("Zeda")),
            "Zed said something".to_owned(),
        ] {
            assert!(!names_one_of(&text, &zed), "{text}");
        }
    }

    #[test]
    fn a_long_name_is_found_as_it_was_cut() {
        let name = "名".repeat(40);
        assert!(names_one_of(&removed(&short(&name)), &[name]));
    }
}
