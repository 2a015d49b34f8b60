//! What linters cannot see: file lengths, the direction of knowledge, boards that name metrics which do not exist,
//! README commands that do not exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// No Rust file is longer: beyond this nobody reads it in one go.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file below a folder that git would keep, with the ending.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn all(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&root(), ending, &mut found);
    assert!(!found.is_empty(), "no files ending in {ending}");
    found
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = all(".rs")
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{lines} {}", path.display()))
        .collect();
    assert!(long.is_empty(), "split by concern: {long:#?}");
}

#[test]
fn knowledge_points_one_way() {
    let order = ["protocol", "domain", "store", "runtime", "gateway"];
    let manifests = ["protocol", "actors/domain", "actors/store", "actors/runtime", "gateway"];
    for (level, manifest) in manifests.iter().enumerate() {
        let text = fs::read_to_string(root().join(manifest).join("Cargo.toml")).unwrap();
        for above in &order[level + 1..] {
            assert!(!text.contains(&format!("\n{above}.workspace")), "{manifest} must not know {above}");
        }
    }
    let load = fs::read_to_string(root().join("load-tests/Cargo.toml")).unwrap();
    for known in &order[1..] {
        assert!(!load.contains(&format!("\n{known}.workspace")), "load-tests must not know {known}");
    }
}

/// Metric names in a text: words that begin with `gateway_`.
fn metric_names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("gateway_"))
        .map(|word| {
            ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| word.strip_suffix(end))
                .unwrap_or(word)
                .to_owned()
        })
        .collect()
}

#[test]
fn boards_name_metrics_that_exist() {
    let metrics = gateway::metrics::Metrics::new().unwrap();
    runtime::Metrics::new(&metrics.registry).unwrap();
    let catalogue: BTreeSet<String> =
        metrics.registry.gather().iter().map(|family| family.name().to_owned()).collect();
    for path in all(".json").into_iter().filter(|path| path.starts_with(root().join("grafana"))) {
        let board: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut used = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                used.extend(metric_names(target["expr"].as_str().unwrap()));
            }
            if panel["type"] != "row" {
                let described = panel["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(described, "{}: `{}` has no description", path.display(), panel["title"]);
            }
        }
        assert!(!used.is_empty(), "{} queries nothing", path.display());
        let unknown: Vec<_> = used.difference(&catalogue).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?} are not metrics", path.display());
    }
}

#[test]
fn readme_verbs_exist() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let task = fs::read_to_string(root().join("task")).unwrap();
    let verbs: BTreeSet<&str> = readme
        .split("./task ")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next())
        .filter(|verb| !verb.is_empty())
        .collect();
    assert!(verbs.contains("test") && verbs.contains("demo"), "{verbs:?}");
    for verb in verbs {
        assert!(task.contains(&format!("verb_{verb}()")), "`./task {verb}` does not exist");
    }
}
