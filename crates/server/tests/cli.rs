//! The command line from outside: what scripts rely on.

use std::path::Path;
use std::process::{Command, Output};

fn crosstalk(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crosstalk"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the binary starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_version_is_the_packages() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = crosstalk(dir.path(), &["version"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_example_configuration_is_accepted() {
    let dir = tempfile::tempdir().expect("a directory");
    let example = crosstalk(dir.path(), &["config", "example"]);
    let file = dir.path().join("example.toml");
    std::fs::write(&file, &example.stdout).expect("written");
    let output = crosstalk(dir.path(), &["config", "check", "--config", "example.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_wrong_setting_is_bad_usage_and_names_key_and_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("wrong.toml");
    std::fs::write(&file, "[listen]\nhtpp = \"off\"\n").expect("written");
    let output = crosstalk(dir.path(), &["config", "check", "--config", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("wrong.toml:2") && said.contains("listen.http"),
        "{said}"
    );
}

#[test]
fn an_unknown_command_is_bad_usage() {
    let dir = tempfile::tempdir().expect("a directory");
    assert_eq!(crosstalk(dir.path(), &["nonsense"]).status.code(), Some(2));
}

#[test]
fn apps_and_tokens_are_made_without_a_server() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = ["--data-dir", "data"];
    let created = crosstalk(
        dir.path(),
        &[&["app", "create", "shop"], &data[..]].concat(),
    );
    assert_eq!(created.status.code(), Some(0), "{}", stderr(&created));
    let listed = crosstalk(dir.path(), &[&["app", "list"], &data[..]].concat());
    assert!(stdout(&listed).contains("shop"), "{}", stdout(&listed));
    let arguments = ["token", "--app", "shop", "--user", "alice"];
    let token = crosstalk(dir.path(), &[&arguments[..], &data[..]].concat());
    assert_eq!(token.status.code(), Some(0), "{}", stderr(&token));
    assert_eq!(
        stdout(&token).trim().split('.').count(),
        3,
        "{}",
        stdout(&token)
    );
}
