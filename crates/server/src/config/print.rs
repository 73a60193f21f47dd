//! Shows the configuration in force, with where each setting was made.

use std::collections::BTreeMap;
use std::fmt::Write;

use toml::Value;

use super::auth;
use super::load::{Loaded, flatten};
use super::schema::Config;

/// Settings whose values stay hidden.
const SECRETS: [&str; 3] = [
    "wukong.manager_token",
    "wg.custom_secret",
    "files.s3.secret_key",
];

/// The configuration as TOML; settings that are not defaults say where they were made, and
/// secrets are hidden.
#[must_use]
pub fn print(loaded: &Loaded) -> String {
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in flatten(&loaded.config) {
        let (section, name) = key.rsplit_once('.').unwrap_or(("", &key));
        let is_secret = SECRETS.contains(&key.as_str()) || auth::is_secret(&key);
        let is_hidden = is_secret && value.as_str().is_some_and(|it| !it.is_empty());
        let value = if is_hidden {
            Value::String("***".to_owned())
        } else {
            value
        };
        let mut line = format!("{name} = {value}");
        if let Some(place) = loaded.places.get(&key) {
            let _ = write!(line, "  # {place}");
        }
        sections.entry(section.to_owned()).or_default().push(line);
    }
    let mut text = String::new();
    for (section, lines) in sections {
        let title = auth::title(&section);
        let _ = write!(text, "[{title}]\n{}\n\n", lines.join("\n"));
    }
    text.truncate(text.trim_end().len());
    text
}

/// The keys in which two configurations differ.
#[must_use]
pub fn changed_keys(old: &Config, new: &Config) -> Vec<String> {
    let old = flatten(old);
    let changed = flatten(new)
        .into_iter()
        .filter(|(key, value)| old.get(key) != Some(value));
    changed.map(|(key, _)| key).collect()
}
