//! The apply file: tenants, numbers, people, templates, flows and prices, loaded idempotently.

mod credits;
mod file;
mod read;
mod resolve;
mod values;
mod write;

use std::path::Path;

pub use resolve::Resolved;
pub use write::{Report, write};

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where, such as `tenants[0].numbers[1].phone`; empty for the whole file.
    pub path: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Problem {
    fn new(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), detail: detail.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.path, self.detail)
        }
    }
}

/// Why a file was not applied. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file has mistakes: all of them.
    #[error("the apply file has {} problem(s):{}", .0.len(), .0.iter().map(|problem| format!("\n  {problem}")).collect::<String>())]
    Invalid(Vec<Problem>),
    /// The file could not be opened.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The records store failed.
    #[error("the file could not be stored")]
    Records(#[from] store::records::RecordsError),
    /// A document could not be written as JSON.
    #[error("a document could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Reads and resolves a file.
///
/// # Errors
/// Lists every mistake with its path.
pub fn read_file(path: &Path) -> Result<Resolved, ApplyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ApplyError::Unreadable { path: path.display().to_string(), source })?;
    parse(path, &text)
}

/// Reads and resolves text; `path` decides between YAML and TOML and where `…_file` paths begin.
///
/// # Errors
/// Lists every mistake with its path.
pub fn parse(path: &Path, text: &str) -> Result<Resolved, ApplyError> {
    let (file, mut problems) =
        read::read(path, text).map_err(|problem| ApplyError::Invalid(vec![problem]))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let resolved = resolve::resolve(file, folder, &mut problems);
    if problems.is_empty() { Ok(resolved) } else { Err(ApplyError::Invalid(problems)) }
}

#[cfg(test)]
mod tests;
