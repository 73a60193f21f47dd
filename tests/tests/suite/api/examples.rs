//! The examples of `docs/api.md`, run as somebody would paste them.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crosstalk_tests::Server;
use tokio::process::Command;
use tokio::time::timeout;

/// More than a hundred requests, each a process of its own.
const ALL_OF_IT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_page_work_as_pasted() {
    let server = Server::start().await;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let blocks = page.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let script = blocks.collect::<Vec<_>>().join("\n");
    assert!(
        script.matches("\ncall ").count() > 50,
        "the page has examples"
    );
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-x", "-c", &script])
        .env("API", format!("http://{}", server.listeners().http))
        .env("ADMIN", server.admin_key())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let done = timeout(ALL_OF_IT, shell.output()).await;
    let done = done.expect("done in time").expect("bash and curl");
    let said = String::from_utf8_lossy(&done.stdout);
    let traced = String::from_utf8_lossy(&done.stderr);
    let end: Vec<&str> = traced.lines().rev().take(5).collect();
    assert!(
        done.status.success(),
        "{end:#?}\n{}",
        said.lines().last().unwrap_or_default()
    );
}
