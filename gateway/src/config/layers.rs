//! Where values come from: each key of the default file, overridden by a file, the environment, then flags.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{ConfigError, DEFAULT_FILE, Problem, Settings, check};

/// Variables that begin like ours and are read by the command line instead.
const NOT_SETTINGS: &[&str] = &["GATEWAY_CONFIG", "GATEWAY_URL", "GATEWAY_KEY"];
/// What variables for settings begin with.
const ENV_PREFIX: &str = "GATEWAY_";
/// Below this similarity a suggestion confuses more than it helps.
const SUGGESTION_THRESHOLD: f64 = 0.7;

/// Where settings are looked for. Handed in, so that a test needs no environment of its own.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// Environment variables; only `GATEWAY_…` matters.
    pub environment: Vec<(String, String)>,
    /// Flags.
    pub overrides: Overrides,
}

/// Flags as keys and values, such as `public.listen` = `0.0.0.0:80`.
pub type Overrides = Vec<(&'static str, String)>;

/// Which source set a value.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nobody: the built-in value.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// Checked settings with the origin of every value.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Every key in the order of the alphabet: value as written, origin.
    pub values: BTreeMap<String, (String, Origin)>,
}

/// Reads and checks all sources.
///
/// # Errors
/// Lists every unknown key, unreadable value and contradiction at once.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::defaults()?;
    if let Some(path) = &sources.file {
        layers.file(path);
    }
    layers.environment(&sources.environment);
    for (key, value) in &sources.overrides {
        layers.text(key, value, Origin::Flag);
    }
    layers.finish()
}

struct Layers {
    values: BTreeMap<String, (Value, Origin)>,
    problems: Vec<Problem>,
}

impl Layers {
    fn defaults() -> Result<Self, ConfigError> {
        let table: Table = DEFAULT_FILE.parse().map_err(|error: toml::de::Error| {
            ConfigError(vec![problem("config.default.toml", error.message(), None)])
        })?;
        let mut values = BTreeMap::new();
        flatten("", table, &mut |key, value| {
            values.insert(key, (value, Origin::Default));
        });
        Ok(Self { values, problems: Vec::new() })
    }

    fn file(&mut self, path: &Path) {
        let origin = Origin::File(path.to_owned());
        let table = std::fs::read_to_string(path)
            .map_err(|error| error.to_string())
            .and_then(|text| text.parse::<Table>().map_err(|error| error.to_string()));
        match table {
            Ok(table) => flatten("", table, &mut |key, value| self.set(&key, value, origin.clone())),
            Err(error) => {
                self.problems.push(problem(
                    &path.display().to_string(),
                    &format!("cannot be read: {error}"),
                    None,
                ));
            }
        }
    }

    fn environment(&mut self, variables: &[(String, String)]) {
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(ENV_PREFIX) else { continue };
            if NOT_SETTINGS.contains(&name.as_str()) {
                continue;
            }
            let key = rest.replace("__", ".").to_lowercase();
            let origin = Origin::Environment(name.clone());
            match key.strip_suffix("_file").filter(|base| self.values.contains_key(*base)) {
                None => self.text(&key, text, origin),
                Some(base) => match std::fs::read_to_string(text) {
                    Ok(secret) => self.text(base, secret.trim_end(), origin),
                    Err(error) => {
                        self.problems.push(problem(
                            base,
                            &format!("{text} cannot be read: {error}"),
                            Some(origin),
                        ));
                    }
                },
            }
        }
    }

    /// Sets a value from text, read as the type of the default.
    fn text(&mut self, key: &str, text: &str, origin: Origin) {
        let parsed = match self.values.get(key) {
            Some((Value::Integer(_), _)) => text.trim().parse().ok().map(Value::Integer),
            Some((Value::Float(_), _)) => text.trim().parse().ok().map(Value::Float),
            Some((Value::Boolean(_), _)) => text.trim().parse().ok().map(Value::Boolean),
            _ => Some(Value::String(text.to_owned())),
        };
        // Unreadable text is kept as text: `set` then reports it with the type that it should have.
        self.set(key, parsed.unwrap_or_else(|| Value::String(text.to_owned())), origin);
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) {
        let Some((current, from)) = self.values.get_mut(key) else {
            let detail = match suggestion(key, self.values.keys()) {
                Some(near) => format!("unknown key; did you mean `{near}`?"),
                None => "unknown key; `gateway config default` lists all".to_owned(),
            };
            self.problems.push(problem(key, &detail, Some(origin)));
            return;
        };
        let value = match (&*current, value) {
            (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
            (_, value) => value,
        };
        if !value.same_type(current) {
            let detail = format!("must be {}, not {}", type_name(current), type_name(&value));
            self.problems.push(problem(key, &detail, Some(origin)));
            return;
        }
        (*current, *from) = (value, origin);
    }

    fn finish(mut self) -> Result<Loaded, ConfigError> {
        let settings = self.typed();
        if let Some(settings) = &settings {
            for (key, detail) in check::contradictions(settings) {
                let origin = self.values.get(key).map(|(_, origin)| origin.clone());
                self.problems.push(problem(key, &detail, origin));
            }
        }
        match settings {
            Some(settings) if self.problems.is_empty() => {
                let shown = |(key, (value, origin)): (String, (Value, Origin))| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (key, (text, origin))
                };
                Ok(Loaded { settings, values: self.values.into_iter().map(shown).collect() })
            }
            _ => Err(ConfigError(self.problems)),
        }
    }

    /// The settings as types. A value that does not fit is reported and replaced by its default, so that one mistake
    /// does not hide the next.
    fn typed(&mut self) -> Option<Settings> {
        let overridden: Vec<String> = self
            .values
            .iter()
            .filter(|(_, (_, origin))| *origin != Origin::Default)
            .map(|(key, _)| key.clone())
            .collect();
        let defaults = Self::defaults().ok()?.values;
        for key in overridden {
            let Some(given) = self.values.get(&key).cloned() else { continue };
            let mut alone = defaults.clone();
            alone.insert(key.clone(), given.clone());
            if let Err(error) = nest(&alone).try_into::<Settings>() {
                self.problems.push(problem(&key, error.message(), Some(given.1)));
                if let Some(default) = defaults.get(&key) {
                    self.values.insert(key, default.clone());
                }
            }
        }
        nest(&self.values).try_into().ok()
    }
}

fn problem(key: &str, detail: &str, origin: Option<Origin>) -> Problem {
    Problem { key: key.to_owned(), detail: detail.trim().to_owned(), origin }
}

fn flatten(prefix: &str, table: Table, visit: &mut impl FnMut(String, Value)) {
    for (name, value) in table {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, visit),
            value => visit(key, value),
        }
    }
}

fn nest(values: &BTreeMap<String, (Value, Origin)>) -> Table {
    let mut root = Table::new();
    for (key, (value, _)) in values {
        match key.split_once('.') {
            None => {
                root.insert(key.clone(), value.clone());
            }
            Some((section, name)) => {
                let section = root.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(table) = section {
                    table.insert(name.to_owned(), value.clone());
                }
            }
        }
    }
    root
}

fn suggestion<'a>(key: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SUGGESTION_THRESHOLD)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.as_str())
}

const fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
