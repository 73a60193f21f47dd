//! The page on this dialect names calls that there are.

use super::*;

/// The calls in the tables of the page: method and path.
fn calls() -> Vec<(&'static str, String)> {
    let page = include_str!("../../../../../../docs/dialects/stomp.md");
    let call = |line: &'static str| {
        let (method, rest) = line.strip_prefix("| `")?.split_once(" /")?;
        let (path, _) = rest.split_once('`')?;
        let path = match path.strip_prefix("api/") {
            Some(path) => format!("/api/{path}"),
            None => format!("/api/im/{path}"),
        };
        let is_method = ["GET", "POST", "PUT", "DELETE"].contains(&method);
        is_method.then_some((method, path))
    };
    page.lines().filter_map(call).collect()
}

#[tokio::test]
async fn every_call_of_the_page_is_there() {
    let api = Api::start().await;
    let bearer = format!("Bearer {}", api.login("alice").await);
    let calls = calls();
    assert!(calls.len() > 100, "{} calls", calls.len());
    for (method, path) in calls {
        // Files come and go by routes of their own.
        if path.starts_with("/api/file/") {
            continue;
        }
        let filled = path.replace(['{', '}'], "");
        let headers = [("authorization", &*bearer)];
        let answer = api.ask(method, &filled, &headers, "{}").await;
        assert_ne!(answer.body["message"], "No such call", "{method} {path}");
        assert_ne!(answer.status, 405, "{method} {path}");
    }
}
