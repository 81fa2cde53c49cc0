//! Who may use whom. Reads the `crate::` paths of every file and compares them with the table of docs/architecture.md.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each part with the parts that it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("value", &["error"]),
    ("expr", &["error", "value"]),
    ("graph", &["error", "value", "expr"]),
    ("formats", &["error", "value", "graph"]),
    ("backend", &["error", "value", "expr"]),
    (
        "ops",
        &["error", "value", "expr", "graph", "formats", "backend"],
    ),
    (
        "autodiff",
        &["error", "value", "expr", "graph", "formats", "ops"],
    ),
    (
        "plan",
        &[
            "error", "value", "expr", "graph", "formats", "backend", "ops",
        ],
    ),
    (
        "session",
        &[
            "error", "value", "expr", "graph", "formats", "backend", "ops", "plan",
        ],
    ),
    (
        "python",
        &[
            "error", "value", "expr", "graph", "formats", "backend", "ops", "autodiff", "plan",
            "session",
        ],
    ),
];

/// Macros are exported at the root of the crate: `bail!` and `ensure!` of error, `dispatch!` of value, `tiers!` of backend.
const MACROS: &[&str] = &["bail", "ensure", "dispatch", "tiers"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The part of the crate that a file belongs to: its folder, or its own name.
fn part_of(path: &Path) -> String {
    let inside = path.strip_prefix(source()).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The parts named after `crate::` in the code of a file, its unit tests and comments left out.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let mut found = BTreeSet::new();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for rest in line.split("crate::").skip(1) {
            let names = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or(list).split(',').collect(),
                None => vec![rest],
            };
            for name in names {
                let word = |c: char| c.is_alphanumeric() || c == '_';
                let name: String = name.trim().chars().take_while(|c| word(*c)).collect();
                if !name.is_empty() && !MACROS.contains(&name.as_str()) {
                    found.insert(name);
                }
            }
        }
    }
    found
}

#[test]
fn every_part_uses_only_what_lies_below_it() {
    let mut all = Vec::new();
    files(&source(), &mut all);
    assert!(all.len() > 50, "only {} files were found", all.len());
    let mut wrong = Vec::new();
    for path in all {
        let part = part_of(&path);
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
            assert_eq!(
                part, "lib",
                "{part} is in no table: see docs/architecture.md"
            );
            continue;
        };
        // What only tests use may reach further: a planner is tested with real ops.
        if path
            .file_stem()
            .is_some_and(|s| s == "testing" || s == "tests")
        {
            continue;
        }
        for name in used(&fs::read_to_string(&path).unwrap()) {
            if name != part && !allowed.contains(&name.as_str()) {
                wrong.push(format!(
                    "{part} may not use {name}; see docs/architecture.md ({})",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_use_of_a_higher_part_is_seen() {
    let text = "use crate::error::Result;\nuse crate::{bail, session};\nlet x = crate::plan::plan();\n// crate::python\n";
    let found: Vec<String> = used(text).into_iter().collect();
    assert_eq!(found, ["error", "plan", "session"]);
}

#[test]
fn no_folder_is_called_after_nothing() {
    let vague = ["utils", "common", "helpers", "base", "misc"];
    let mut all = Vec::new();
    files(&source(), &mut all);
    for path in all {
        for part in path.components() {
            let name = part.as_os_str().to_string_lossy();
            let name = name.trim_end_matches(".rs");
            assert!(!vague.contains(&name), "{} says nothing", path.display());
        }
    }
}

#[test]
fn files_are_split_before_they_have_800_lines() {
    let mut all = Vec::new();
    files(&source(), &mut all);
    let long: Vec<String> = all
        .iter()
        .filter(|path| !path.components().any(|c| c.as_os_str() == "generated"))
        .map(|path| (path, fs::read_to_string(path).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > 800)
        .map(|(path, lines)| format!("{} has {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
