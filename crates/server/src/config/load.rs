//! Gathers settings from file, environment and command line, and finds the one that is wrong.
//!
//! Settings are applied one by one, weakest source first. Whatever does not fit when it is
//! applied is reported with the place it came from; all problems are reported at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::auth;
use super::check;
use super::place::{Place, Problem, Problems};
use super::schema::Config;

/// The file that is read when none is named.
const FILE: &str = "crosstalk.toml";
/// What environment variables begin with.
const PREFIX: &str = "CROSSTALK_";

/// Where settings come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// The folder in which `crosstalk.toml` is read when no file is named.
    pub folder: PathBuf,
    /// The environment.
    pub env: Vec<(String, String)>,
    /// `--data-dir`.
    pub data_dir: Option<String>,
    /// `--set section.key=value`, in order.
    pub sets: Vec<String>,
}

/// A valid configuration and where it comes from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Where each setting that is not left at its default was made.
    pub places: BTreeMap<String, Place>,
    /// What is allowed but worth a word.
    pub warnings: Vec<String>,
}

struct Setting {
    key: String,
    value: Value,
    place: Place,
}

/// Reads all sources.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let mut gathered = Gathered::new();
    let file = sources.file.clone().or_else(|| {
        let path = sources.folder.join(FILE);
        path.exists().then(|| PathBuf::from(FILE))
    });
    if let Some(path) = &file {
        gathered.read_file(path, &sources.folder.join(path));
    }
    for (name, text) in &sources.env {
        gathered.read_variable(name, text);
    }
    if let Some(data_dir) = &sources.data_dir {
        gathered.put(Setting {
            key: "server.data_dir".to_owned(),
            value: Value::String(data_dir.clone()),
            place: Place::Flag("--data-dir".to_owned()),
        });
    }
    for set in &sources.sets {
        gathered.read_flag(set);
    }
    gathered.finish(file)
}

/// Every key with its default.
pub(super) fn flatten(config: &Config) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    flatten_into(&mut keys, "", to_table(config));
    keys
}

fn flatten_into(keys: &mut BTreeMap<String, Value>, prefix: &str, table: Table) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(table) => flatten_into(keys, &key, table),
            value => {
                keys.insert(key, value);
            }
        }
    }
}

fn to_table(config: &Config) -> Table {
    Table::try_from(config).expect("the configuration is made of what TOML has")
}

struct Gathered {
    known: BTreeMap<String, Value>,
    table: Table,
    config: Config,
    places: BTreeMap<String, Place>,
    warnings: Vec<String>,
    problems: Vec<Problem>,
}

impl Gathered {
    fn new() -> Self {
        let config = Config::default();
        Self {
            known: flatten(&config),
            table: to_table(&config),
            config,
            places: BTreeMap::new(),
            warnings: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn problem(&mut self, place: Place, key: &str, why: impl Into<String>) {
        self.problems.push(Problem {
            place,
            key: key.to_owned(),
            why: why.into(),
        });
    }

    fn read_file(&mut self, shown: &Path, path: &Path) {
        let at = |line| Place::File(shown.to_owned(), line);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problem(at(1), "", format!("cannot be read: {error}")),
        };
        let line_of = |byte: usize| 1 + text[..byte].matches('\n').count();
        let parsed = DeTable::parse(&text).and_then(|spans| Ok((spans, text.parse::<Table>()?)));
        let (spans, values) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(span.start));
                return self.problem(at(line), "", error.message());
            }
        };
        self.admit_apps(&values);
        let mut settings = Vec::new();
        collect(
            &self.known,
            "",
            spans.get_ref(),
            &values,
            &mut |key, value, byte| {
                settings.push(Setting {
                    key,
                    value,
                    place: at(line_of(byte)),
                });
            },
        );
        // In the order of the file, so that the problems are, too.
        settings.sort_by_key(|setting| match setting.place {
            Place::File(_, line) => line,
            _ => 0,
        });
        for setting in settings {
            self.put(setting);
        }
    }

    fn read_variable(&mut self, name: &str, text: &str) {
        let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| rest.contains("__")) else {
            return;
        };
        let key = rest.to_lowercase().replace("__", ".");
        self.put_text(&key, text, Place::Env(name.to_owned()));
    }

    fn read_flag(&mut self, set: &str) {
        match set.split_once('=') {
            Some((key, text)) => {
                self.put_text(key.trim(), text.trim(), Place::Flag(format!("--set {key}")));
            }
            None => {
                let place = Place::Flag(format!("--set {set}"));
                self.problem(place, "", "write it as --set section.key=value");
            }
        }
    }

    /// Sections of apps are settings as soon as somebody names them.
    fn admit_apps(&mut self, values: &Table) {
        let apps = values.get(auth::SECTION).and_then(Value::as_table);
        for (app, section) in apps.into_iter().flatten() {
            if section.is_table() {
                self.admit_app(app);
            }
        }
    }

    fn admit_app(&mut self, app: &str) {
        let prefix = format!("{}.{app}", auth::SECTION);
        flatten_into(&mut self.known, &prefix, auth::defaults());
        // With its own defaults it is there, even if nothing in it is set.
        let set_one = ("hook.url", Value::String(String::new()));
        if self.table[auth::SECTION].get(app).is_none() {
            auth::set(&mut self.table, app, set_one.0, set_one.1);
        }
    }

    fn put_text(&mut self, key: &str, text: &str, place: Place) {
        if let Some(app) = auth::app_of(key) {
            self.admit_app(app);
        }
        let value = match self.known.get(key) {
            Some(like) => match from_text(like, text) {
                Ok(value) => value,
                Err(why) => return self.problem(place, key, why),
            },
            None => Value::String(text.to_owned()),
        };
        self.put(Setting {
            key: key.to_owned(),
            value,
            place,
        });
    }

    fn put(&mut self, setting: Setting) {
        let Setting { key, value, place } = setting;
        if !self.known.contains_key(&key) {
            let why = match value {
                Value::Table(_) => unknown_section(&self.known, &key),
                _ => unknown(&self.known, &key),
            };
            return self.problem(place, &key, why);
        }
        let mut table = self.table.clone();
        set(&mut table, &key, value);
        match Config::deserialize_from(table.clone()) {
            Ok(config) => {
                self.table = table;
                self.config = config;
                self.places.insert(key, place);
            }
            Err(why) => self.problem(place, &key, why),
        }
    }

    fn finish(mut self, file: Option<PathBuf>) -> Result<Loaded, Problems> {
        let mut findings = check::Findings::default();
        check::check(&self.config, &mut findings);
        self.warnings.extend(findings.warnings);
        for (key, why) in findings.problems {
            let place = self.places.get(&*key).cloned().unwrap_or(Place::Default);
            self.problem(place, &key, why);
        }
        if !self.problems.is_empty() {
            return Err(Problems(self.problems));
        }
        let Self {
            config,
            places,
            warnings,
            ..
        } = self;
        Ok(Loaded {
            config,
            file,
            places,
            warnings,
        })
    }
}

impl Config {
    fn deserialize_from(table: Table) -> Result<Self, String> {
        table
            .try_into()
            .map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

/// Calls `found` with every setting of a parsed file. Tables below a key that is no section
/// count as one setting, to be reported as such.
fn collect(
    known: &BTreeMap<String, Value>,
    prefix: &str,
    spans: &DeTable<'_>,
    values: &Table,
    found: &mut impl FnMut(String, Value, usize),
) {
    for (name, span) in spans {
        let name_text: &str = name.get_ref();
        let key = if prefix.is_empty() {
            name_text.to_owned()
        } else {
            format!("{prefix}.{name_text}")
        };
        let Some(value) = values.get(name_text) else {
            continue;
        };
        match (span.get_ref(), value) {
            (DeValue::Table(spans), Value::Table(values)) if is_section(known, &key) => {
                collect(known, &key, spans, values, found);
            }
            _ => found(key, value.clone(), name.span().start),
        }
    }
}

fn is_section(known: &BTreeMap<String, Value>, key: &str) -> bool {
    known.keys().any(|it| {
        it.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

fn set(table: &mut Table, key: &str, value: Value) {
    if let Some(app) = auth::app_of(key) {
        let setting = &key[auth::SECTION.len() + app.len() + 2..];
        return auth::set(table, app, setting, value);
    }
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            if let Some(Value::Table(inner)) = table.get_mut(section) {
                set(inner, rest, value);
            }
        }
    }
}

/// The value that a text from outside the file means, where the default is `like`.
fn from_text(like: &Value, text: &str) -> Result<Value, String> {
    let wrong = |what: &str| format!("`{text}` is no {what}");
    match like {
        Value::Integer(_) => text
            .parse()
            .map(Value::Integer)
            .map_err(|_| wrong("whole number")),
        Value::Boolean(_) => text
            .parse()
            .map(Value::Boolean)
            .map_err(|_| wrong("true or false")),
        Value::Array(_) if text.starts_with('[') => {
            let parsed = format!("v = {text}").parse::<Table>();
            let value = parsed.ok().and_then(|mut table| table.remove("v"));
            value.ok_or_else(|| wrong("list; write a,b or [\"a\", \"b\"]"))
        }
        Value::Array(_) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Ok(Value::Array(
                items.map(|item| Value::String(item.to_owned())).collect(),
            ))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

fn unknown(known: &BTreeMap<String, Value>, key: &str) -> String {
    if is_section(known, key) {
        return format!(
            "this is a section; its settings are {}",
            settings_of(known, key)
        );
    }
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let elsewhere = known.keys().find(|it| last(it) == last(key));
    let nearest = elsewhere.or_else(|| nearest(known.keys(), key));
    format!(
        "unknown setting; did you mean {}?",
        nearest.map_or("", String::as_str)
    )
}

fn unknown_section(known: &BTreeMap<String, Value>, key: &str) -> String {
    let sections: BTreeSet<String> = known
        .keys()
        .filter_map(|key| Some(key.rsplit_once('.')?.0.to_owned()))
        .collect();
    let nearest = nearest(sections.iter(), key);
    format!(
        "unknown section; did you mean [{}]?",
        nearest.map_or("", String::as_str)
    )
}

fn nearest<'a>(names: impl Iterator<Item = &'a String>, name: &str) -> Option<&'a String> {
    let close = |it: &String| strsim::normalized_damerau_levenshtein(it, name);
    names.max_by(|a, b| close(a).total_cmp(&close(b)))
}

fn settings_of(known: &BTreeMap<String, Value>, section: &str) -> String {
    let inside = |key: &&String| {
        key.strip_prefix(section)
            .is_some_and(|it| it.starts_with('.'))
    };
    known
        .keys()
        .filter(inside)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}
