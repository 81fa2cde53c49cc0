//! Finds ops by name. Definitions are parsed when first asked for and live as long as the process.
//!
//! Ops with an entry in a family are what ferroflow can run. All others of TensorFlow 1.15 are known by their signature
//! (`generated/signatures.txt`), so that any GraphDef can be read, written and pruned.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::graph::{Graph, OpDef};

use super::gpu::GpuKernel;
use super::{FAMILIES, Gradient, Op, Run};

/// An op with its parsed definition.
pub struct Entry {
    pub def: OpDef,
    pub gradient: Gradient,
    pub run: Run,
    pub gpu: Option<GpuKernel>,
    pub host_inputs: u32,
    pub ends: bool,
}

enum Source {
    Family(&'static Op),
    Signature(&'static str),
}

struct Lazy {
    source: Source,
    entry: OnceLock<Entry>,
}

static REGISTRY: OnceLock<FxHashMap<&'static str, Lazy>> = OnceLock::new();

/// One line an op: name, signature, attributes, flags.
const SIGNATURES: &str = include_str!("generated/signatures.txt");

fn registry() -> &'static FxHashMap<&'static str, Lazy> {
    REGISTRY.get_or_init(|| {
        let lazy = |source| Lazy {
            source,
            entry: OnceLock::new(),
        };
        let mut all = FxHashMap::default();
        for line in SIGNATURES.lines() {
            let name = line.split('\t').next().unwrap_or_default();
            all.insert(name, lazy(Source::Signature(line)));
        }
        for op in FAMILIES.iter().flat_map(|family| family.iter()) {
            all.insert(op.name, lazy(Source::Family(op)));
        }
        all
    })
}

/// What the op named `name` is.
pub fn find(name: &str) -> Option<&'static Entry> {
    let lazy = registry().get(name)?;
    Some(lazy.entry.get_or_init(|| match lazy.source {
        Source::Family(op) => Entry {
            def: op.parse().expect("a test parses every registration"),
            gradient: op.gradient,
            run: op.run,
            gpu: op.gpu,
            host_inputs: op.host_inputs,
            ends: op.ends,
        },
        Source::Signature(line) => parse_line(line).expect("a test parses every signature"),
    }))
}

fn parse_line(line: &str) -> Result<Entry> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, signature, attrs, flags] = columns[..] else {
        return Err(Error::internal(format!(
            "broken line of signatures: {line}"
        )));
    };
    let attrs: Vec<&str> = attrs.split(" ; ").filter(|a| !a.is_empty()).collect();
    let has = |flag: &str| flags.split(',').any(|f| f == flag);
    let mut def = OpDef::parse(name, signature, &attrs)?;
    def.is_stateful = has("stateful");
    def.allows_uninitialized_input = has("uninitialized");
    let gradient = match has("stop") {
        true => Gradient::Stop,
        false => Gradient::Missing,
    };
    Ok(Entry {
        def,
        gradient,
        run: Run::None,
        gpu: None,
        host_inputs: 0,
        ends: false,
    })
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
    fn every_signature_of_tensorflow_can_be_parsed() {
        for line in SIGNATURES.lines() {
            parse_line(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }

    #[test]
    fn every_registration_is_tensorflows_own() {
        let signatures: FxHashMap<&str, &str> = SIGNATURES
            .lines()
            .map(|line| (line.split('\t').next().unwrap(), line))
            .collect();
        let mut names = std::collections::HashSet::new();
        for op in FAMILIES.iter().flat_map(|family| family.iter()) {
            assert!(names.insert(op.name), "{} is registered twice", op.name);
            let ours = op.parse().unwrap();
            let theirs = parse_line(signatures[op.name]).unwrap();
            let is_stop = |g: Gradient| matches!(g, Gradient::Stop);
            let mut wanted = theirs.def;
            // The order of allowed types says nothing.
            let sorted = |mut def: OpDef| {
                def.attrs.iter_mut().for_each(|a| a.allowed_types.sort());
                def.shape = None;
                format!("{def:?}")
            };
            wanted.shape = None;
            assert_eq!(sorted(ours), sorted(wanted), "{}", op.name);
            if is_stop(theirs.gradient) {
                assert!(is_stop(op.gradient), "tf.gradients stops at {}", op.name);
            }
        }
    }
}
