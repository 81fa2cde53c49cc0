//! Finds ops by name. Definitions are parsed when first asked for and live as long as the process.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::graph::{Graph, OpDef};

use super::{FAMILIES, Gradient, Op, Run};

/// An op with its parsed definition.
pub struct Entry {
    pub def: OpDef,
    pub gradient: Gradient,
    pub run: Run,
}

struct Lazy {
    op: &'static Op,
    entry: OnceLock<Entry>,
}

static REGISTRY: OnceLock<FxHashMap<&'static str, Lazy>> = OnceLock::new();

fn registry() -> &'static FxHashMap<&'static str, Lazy> {
    REGISTRY.get_or_init(|| {
        let all = FAMILIES.iter().flat_map(|family| family.iter());
        all.map(|op| {
            (
                op.name,
                Lazy {
                    op,
                    entry: OnceLock::new(),
                },
            )
        })
        .collect()
    })
}

/// What the op named `name` is.
pub fn find(name: &str) -> Option<&'static Entry> {
    let lazy = registry().get(name)?;
    Some(lazy.entry.get_or_init(|| {
        let def = lazy.op.parse().expect("a test parses every registration");
        Entry {
            def,
            gradient: lazy.op.gradient,
            run: lazy.op.run,
        }
    }))
}

/// The names of all ops that ferroflow knows, sorted.
pub fn all_names() -> Vec<&'static str> {
    let mut names: Vec<&str> = registry().keys().copied().collect();
    names.sort_unstable();
    names
}

/// A graph whose ops are those of this registry.
pub fn new_graph() -> Graph {
    Graph::new(
        |name| find(name).map(|entry| &entry.def),
        super::evaluate::evaluate_constant,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registration_can_be_parsed_and_is_the_only_one_of_its_name() {
        let mut names = std::collections::HashSet::new();
        for op in FAMILIES.iter().flat_map(|family| family.iter()) {
            op.parse().unwrap();
            assert!(names.insert(op.name), "{} is registered twice", op.name);
        }
    }
}
