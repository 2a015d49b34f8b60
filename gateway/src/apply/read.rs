//! From text to the shape of an apply file, with every mistake and its path.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::{Problem, file::ApplyFile};

/// Mistakes that are collected before reading gives up: more than anybody mends in one go.
const MAX_PROBLEMS: usize = 100;

/// Reads YAML, or TOML when the name ends so.
pub(super) fn read(path: &Path, text: &str) -> Result<(ApplyFile, Vec<Problem>), Problem> {
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let tree = if is_toml { toml_tree(text) } else { yaml_tree(text) };
    let tree = tree.map_err(|error| Problem::new("", format!("cannot be read: {error}")))?;
    Ok(typed(tree))
}

fn yaml_tree(text: &str) -> Result<Value, String> {
    // Only `true` and `false` are booleans: `language: no` is Norwegian.
    let options = serde_saphyr::options! { strict_booleans: true };
    match serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())? {
        Value::Null => Ok(Value::Object(Map::new())),
        tree => Ok(tree),
    }
}

fn toml_tree(text: &str) -> Result<Value, String> {
    text.parse::<toml::Table>()
        .map(|table| json_of(toml::Value::Table(table)))
        .map_err(|error| error.to_string())
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(key, value)| (key, json_of(value))).collect(),
    }
}

/// Reads as types. What does not fit is reported and taken out of the tree, then reading starts again.
fn typed<T: DeserializeOwned + Default>(mut tree: Value) -> (T, Vec<Problem>) {
    let mut problems = Vec::new();
    for _ in 0..MAX_PROBLEMS {
        let error = match serde_path_to_error::deserialize::<_, T>(&tree) {
            Ok(read) => return (read, problems),
            Err(error) => error,
        };
        let problem = Problem::new(error.path().to_string(), cure(&error.inner().to_string()));
        if !follows_from_earlier(&problem, &problems) {
            problems.push(problem);
        }
        let segments: Vec<Segment> = error.path().iter().cloned().collect();
        if !take_out(&mut tree, &segments) {
            break;
        }
    }
    (T::default(), problems)
}

/// A field that was taken out because it did not fit is missing afterwards: that is not a second mistake.
fn follows_from_earlier(problem: &Problem, earlier: &[Problem]) -> bool {
    let missing = problem.detail.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    missing.is_some_and(|field| {
        let path = format!("{}.{field}", problem.path);
        earlier.iter().any(|known| known.path.starts_with(&path))
    })
}

fn cure(message: &str) -> String {
    if message.contains("invalid type: integer") && message.contains("expected a string") {
        format!("{message}; put the number in quotes")
    } else {
        message.to_owned()
    }
}

/// Removes a key, or empties the list element that holds it. `false` at the root.
fn take_out(tree: &mut Value, path: &[Segment]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut node = &mut *tree;
    for segment in parents {
        let next = match segment {
            Segment::Seq { index } => node.get_mut(*index),
            Segment::Map { key } => node.get_mut(key.as_str()),
            Segment::Enum { variant } => node.get_mut(variant.as_str()),
            Segment::Unknown => None,
        };
        match next {
            Some(next) => node = next,
            None => return false,
        }
    }
    let removed = match (last, node) {
        (Segment::Map { key }, Value::Object(map)) => map.remove(key).is_some(),
        (Segment::Enum { variant }, Value::Object(map)) => map.remove(variant).is_some(),
        (Segment::Seq { index }, Value::Array(items)) => match items.get_mut(*index) {
            Some(item) if !item.is_null() => {
                *item = Value::Null;
                true
            }
            _ => false,
        },
        _ => false,
    };
    // A value inside an enum or a plain list cannot be taken out alone: its parent goes.
    removed || take_out(tree, parents)
}
