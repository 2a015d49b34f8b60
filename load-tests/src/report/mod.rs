//! What a run leaves behind: JSON for programs, a page and its plots for people.

mod origin;
mod page;
mod plots;
pub mod readme;
pub mod suite;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::origin::Origin;

use crate::lab::Report;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or its folder.
    #[error("cannot write {path}")]
    Write {
        /// What.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A value that has no JSON; there is none.
    #[error("a report cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// A plot.
    #[error("cannot draw the plot {name}: {reason}")]
    Plot {
        /// Which.
        name: &'static str,
        /// Why.
        reason: String,
    },
}

/// A report with where it comes from: the contents of its JSON file.
#[derive(Clone, Debug, Serialize)]
pub struct Sheet {
    /// Short, for file names.
    pub name: String,
    /// Machine, commit, command.
    pub origin: Origin,
    /// What was measured.
    #[serde(flatten)]
    pub report: Report,
}

/// Writes `NAME.json`, `NAME.html` and `NAME-PLOT.svg` into a folder; answers with the page.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, sheet: &Sheet) -> Result<PathBuf, Error> {
    let path = |ending: &str| folder.join(format!("{}{ending}", sheet.name));
    save(path(".json"), &json(sheet)?)?;
    let plots = plots::all(&sheet.report)?;
    for plot in &plots {
        save(path(&format!("-{}.svg", plot.name)), &plot.svg)?;
    }
    save(path(".html"), &page::page(sheet, &plots))
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(value).map_err(Error::Json)
}

fn save(path: PathBuf, text: &str) -> Result<PathBuf, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
    written.map_err(|source| Error::Write { path: path.clone(), source })?;
    Ok(path)
}
