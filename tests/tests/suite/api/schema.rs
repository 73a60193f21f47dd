//! The served description, tried by a program that makes up requests from it: none may end in a
//! failure of the server or in an answer that the description does not name.

use std::path::Path;
use std::process::Stdio;

use crosstalk_tests::Server;
use serde_json::json;
use tokio::process::Command;

/// Kept the same, so that a run that failed fails again.
const SEED: &str = "1";

async fn try_out(server: &Server, more: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/schemathesis");
    let program = folder.join(".venv/bin/st");
    assert!(program.exists(), "no schemathesis: `make test` installs it");
    let scratch = tempfile::tempdir().expect("a folder");
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_schema_conformance,response_headers_conformance";
    let mut run = Command::new(program);
    run.current_dir(scratch.path())
        .arg("run")
        .arg(format!("http://{}/openapi.json", server.listeners().http))
        .args(["--checks", checks, "--seed", SEED, "--max-examples", "15"])
        .args(["--continue-on-failure", "--generation-database", "none"])
        .args(more)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let done = run.output().await.expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout);
    let complained = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}\n{complained}");
    // All of it was tried, not nothing.
    let line = said.lines().find(|line| line.contains("generated,"));
    println!("{}", line.expect("how many cases there were"));
}

fn bearer(secret: &str) -> String {
    format!("Authorization: Bearer {secret}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_description_promises_the_admin_key_is_kept() {
    let server = Server::start().await;
    try_out(&server, &["-H", &bearer(server.admin_key())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_description_promises_a_user_is_kept() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    server.admin().put("/v1/users/bob", json!({})).await.ok();
    try_out(&server, &["-H", &bearer(&token)]).await;
}
