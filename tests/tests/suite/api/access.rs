//! Who may call which route: the served description names all of them, `routes` says what each
//! caller is to be told, and a route without such a row is a failure.

use std::collections::BTreeSet;

use crosstalk_tests::Server;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::fixture::{CALLERS, Realm, Scene};
use super::routes::{Route, routes};

/// Requests at a time.
const AT_ONCE: usize = 8;

/// What a caller is told, as one letter of a row.
fn letter(status: u16) -> char {
    match status {
        200..=299 => '+',
        302 | 303 | 307 => '>',
        400 => 'b',
        401 => 'u',
        403 => 'f',
        404 => 'n',
        409 => 'w',
        422 => 'x',
        _ => '?',
    }
}

fn described(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = |(path, item): (&String, &Value)| {
        let verbs = ["get", "put", "post", "patch", "delete", "head", "options"];
        let item = item.as_object().expect("a path item").clone();
        let path = path.clone();
        let named = verbs
            .into_iter()
            .filter(move |verb| item.contains_key(*verb));
        named.map(move |verb| format!("{} {path}", verb.to_uppercase()))
    };
    paths.iter().flat_map(methods).collect()
}

#[tokio::test]
async fn every_route_is_judged() {
    let server = Server::start().await;
    let document = server.admin().get("/openapi.json").await.ok();
    let described = described(&document);
    let rows = routes();
    let judged: BTreeSet<String> = rows.iter().map(|row| row.route.to_owned()).collect();
    let unjudged: Vec<_> = described.difference(&judged).collect();
    assert!(unjudged.is_empty(), "routes without a row: {unjudged:#?}");
    let unknown: Vec<_> = judged.difference(&described).collect();
    assert!(unknown.is_empty(), "rows without a route: {unknown:#?}");
    assert_eq!(judged.len(), rows.len(), "a route has two rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_reaches_what_the_rules_allow_and_nothing_else() {
    let server = Server::start_with(super::fixture::SETTINGS).await;
    let realm = Realm::new(&server).await;
    let rows = routes();
    let asks = rows
        .iter()
        .flat_map(|row| (0..CALLERS.len()).map(move |caller| (row, caller)));
    let wrong: Vec<String> = stream::iter(asks)
        .map(|(row, caller)| ask(&realm, row, caller))
        .buffer_unordered(AT_ONCE)
        .filter_map(|wrong| async { wrong })
        .collect()
        .await;
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Asks in a scene of its own, so that nobody sees what another has done. Returns what is wrong
/// with the answer.
async fn ask(realm: &Realm, row: &Route, caller: usize) -> Option<String> {
    let mut scene = Scene::new(realm);
    let (verb, _) = row.route.split_once(' ').expect("verb and path");
    let path = scene.fill(row.path).await;
    let body = match row.body {
        Some(body) => Some(scene.fill(body).await),
        None => None,
    };
    let expected = row.expect.chars().nth(caller).expect("a letter per caller");
    let reply = scene.send(caller, verb, &path, body.as_deref()).await;
    scene.tidy(caller, verb, &path, &reply).await;
    let told = letter(reply.status);
    let is_problem = reply.status < 400 || verb == "HEAD" || {
        let problem: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        problem["code"].is_string() && problem["status"] == reply.status
    };
    (told != expected || !is_problem).then(|| {
        format!(
            "{} as {}: expected {expected}, got {told} ({}) {}",
            row.route,
            CALLERS[caller],
            reply.status,
            reply.text().chars().take(200).collect::<String>()
        )
    })
}
