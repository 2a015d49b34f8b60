//! Everything in one go: closed loops on every store, the knee, every profile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Origin, Sheet, json, page, save, write};
use crate::bench;
use crate::lab::{self, Profile};
use crate::process::{Durability, Shape, Store};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The gateway.
    pub gateway: PathBuf,
    /// Where profiles are.
    pub profiles: PathBuf,
    /// Where reports go.
    pub out: PathBuf,
    /// How long each profile lasts at most.
    pub seconds: f64,
    /// Seconds of each phase of the closed loops.
    pub bench_seconds: f64,
    /// Leaves out what needs Redis and PostgreSQL.
    pub embedded_only: bool,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Suite {
    /// Machine, commit, command.
    pub origin: Origin,
    /// Closed loops.
    pub benches: Vec<bench::Report>,
    /// The search for the knee, on the embedded store.
    pub knee: Sheet,
    /// Every profile, on the embedded store.
    pub sheets: Vec<Sheet>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A closed loop.
    #[error(transparent)]
    Bench(#[from] bench::Error),
    /// A profile that cannot be read.
    #[error(transparent)]
    Profile(#[from] lab::ProfileError),
    /// A profile that cannot be played.
    #[error("{profile} could not be played")]
    Lab {
        /// Which.
        profile: String,
        /// Why.
        source: lab::Error,
    },
    /// Files.
    #[error(transparent)]
    Write(#[from] super::Error),
    /// The folder of profiles.
    #[error("cannot list {path}")]
    List {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// The profile whose knee is looked for.
const STEADY: &str = "steady";
const KNEE_STEP_SECONDS: f64 = 8.0;
const CEILING_SECONDS: f64 = 3.0;
/// Those of `bench`, so that its numbers are the same.
const CONNECTIONS: usize = 512;
const CONVERSATIONS: u32 = 20_000;
const REQUESTS: usize = 1_000_000;

/// Measures one after the other, and writes each report when it is there.
///
/// # Errors
/// When something cannot be played or written.
pub fn run(plan: &Plan) -> Result<Suite, Error> {
    let origin = Origin::here();
    let benches = shapes(plan).into_iter().map(|shape| closed_loop(plan, shape));
    let benches = benches.collect::<Result<Vec<_>, _>>()?;
    let mut profile = Profile::read(&plan.profiles.join(STEADY).with_extension("toml"))?;
    profile.phases[0].seconds = KNEE_STEP_SECONDS;
    let knee = play(plan, "knee".to_owned(), profile, true)?;
    let mut sheets = Vec::new();
    for path in profiles(&plan.profiles)? {
        let mut profile = Profile::read(&path)?;
        if profile.seconds() > plan.seconds {
            profile.last(plan.seconds);
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        sheets.push(play(plan, name, profile, false)?);
    }
    let suite = Suite { origin, benches, knee, sheets };
    save(plan.out.join("suite.json"), &json(&suite)?)?;
    let all: Vec<&Sheet> = std::iter::once(&suite.knee).chain(&suite.sheets).collect();
    save(plan.out.join("index.html"), &page::index(&all))?;
    Ok(suite)
}

fn shape(plan: &Plan, store: Store, durability: Durability) -> Shape {
    Shape {
        gateway: plan.gateway.clone(),
        nodes: 1,
        store,
        primaries: 1,
        durability,
        settings: BTreeMap::new(),
    }
}

fn shapes(plan: &Plan) -> Vec<Shape> {
    let mut shapes = vec![shape(plan, Store::Embedded, Durability::Fsync)];
    if !plan.embedded_only {
        shapes.push(shape(plan, Store::Redis, Durability::Everysec));
        shapes.push(shape(plan, Store::Redis, Durability::Fsync));
    }
    shapes
}

fn closed_loop(plan: &Plan, shape: Shape) -> Result<bench::Report, Error> {
    tracing::info!(store = ?shape.store, durability = ?shape.durability, "closed loop");
    Ok(bench::run(&bench::Plan {
        shape,
        seconds: plan.bench_seconds,
        connections: CONNECTIONS,
        conversations: CONVERSATIONS,
        known: CONVERSATIONS,
        zipf: false,
        hold_records: false,
        requests: REQUESTS,
    })?)
}

fn play(plan: &Plan, name: String, profile: Profile, find_knee: bool) -> Result<Sheet, Error> {
    tracing::info!(name, "profile");
    let origin = Origin::here();
    let shape = shape(plan, Store::Embedded, Durability::Fsync);
    let lab = lab::Plan { profile, shape, find_knee, ceiling_seconds: CEILING_SECONDS };
    let report = lab::run(&lab).map_err(|source| Error::Lab { profile: name.clone(), source })?;
    let sheet = Sheet { name, origin, report };
    write(&plan.out, &sheet)?;
    Ok(sheet)
}

/// The files of a folder, in the order of their names.
fn profiles(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::List { path: folder.to_owned(), source };
    let entries =
        std::fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    Ok(paths)
}
