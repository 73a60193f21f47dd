//! The page on this dialect names calls that there are.

use super::*;

/// The calls in the tables of the page: method and path.
fn calls() -> Vec<(&'static str, &'static str)> {
    let page = include_str!("../../../../../../docs/dialects/wukong.md");
    let call = |line: &'static str| {
        let (call, _) = line.strip_prefix("| `")?.split_once('`')?;
        let (method, path) = call.split_once(' ')?;
        let is_method = ["GET", "POST", "PUT", "DELETE"].contains(&method);
        is_method.then_some((method, path))
    };
    page.lines().filter_map(call).collect()
}

#[tokio::test]
async fn every_call_of_the_page_is_there() {
    let api = Api::start().await;
    let calls = calls();
    assert!(calls.len() > 80, "{} calls", calls.len());
    for (method, path) in calls {
        let filled = path.replace("{type}", "2").replace(['{', '}'], "");
        let answer = api.call(method, &filled, Value::Null).await;
        // What is there says something, be it that there is no such thing.
        let is_there = answer.status != 404 || !answer.body.is_null();
        assert!(is_there && answer.status != 405, "{method} {path}");
    }
}

#[test]
fn every_route_is_on_the_page() {
    let page = include_str!("../../../../../../docs/dialects/wukong.md");
    let sources = [
        include_str!("../mod.rs"),
        include_str!("../demo/mod.rs"),
        include_str!("../demo/channels.rs"),
        include_str!("../demo/friends.rs"),
        include_str!("../demo/groups.rs"),
        include_str!("../demo/users.rs"),
    ];
    let mut found = 0;
    for route in sources
        .iter()
        .flat_map(|text| text.split(".route(").skip(1))
    {
        let path = route.split('"').nth(1).expect("a path");
        let path = path.replace("{channel_", "{");
        // Routes of the same form are named by their ends alone.
        let end = path.rsplit('/').next().unwrap_or_default();
        let named = [format!(" {path}`"), format!("`{path}`")];
        let is_of_a_form = ["blacklist_", "whitelist_"]
            .iter()
            .any(|of| end.starts_with(of));
        let by_end = is_of_a_form && page.contains(&format!("`{end}`"));
        assert!(
            by_end || named.iter().any(|name| page.contains(name)),
            "{path}"
        );
        found += 1;
    }
    assert!(found > 80, "{found} routes");
}
