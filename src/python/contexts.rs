//! Control-flow contexts as Python sees them: dictionaries to read, fields to set.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::graph::{Context, ContextId, ContextKind, Endpoint, Graph};

fn pack(e: Option<Endpoint>) -> Option<i64> {
    e.map(Endpoint::pack)
}

fn pack_all(all: &[Endpoint]) -> Vec<i64> {
    all.iter().map(|e| e.pack()).collect()
}

/// All that is known of the context: see `_core.pyi`.
pub fn info<'py>(py: Python<'py>, graph: &Graph, id: ContextId) -> PyResult<Bound<'py, PyDict>> {
    let context = graph.context(id);
    let dict = PyDict::new(py);
    dict.set_item("name", &context.name)?;
    dict.set_item("outer", context.outer)?;
    let mut values: Vec<i64> = context.values.iter().map(|e| e.pack()).collect();
    values.sort_unstable();
    dict.set_item("values", values)?;
    let external = PyDict::new(py);
    let mut pairs: Vec<(i64, i64)> = context
        .external_values
        .iter()
        .map(|(from, to)| (from.pack(), to.pack()))
        .collect();
    pairs.sort_unstable();
    for (from, to) in pairs {
        external.set_item(from, to)?;
    }
    dict.set_item("external_values", external)?;
    match &context.kind {
        ContextKind::Cond(cond) => {
            dict.set_item("kind", "cond")?;
            dict.set_item("pred", cond.pred.pack())?;
            dict.set_item("pivot", cond.pivot.pack())?;
            dict.set_item("branch", cond.branch)?;
        }
        ContextKind::While(w) => {
            dict.set_item("kind", "while")?;
            let forward = w.gradient.map(|id| graph.loop_gradient(id).forward);
            dict.set_item("forward", forward)?;
            dict.set_item("maximum_iterations", pack(w.maximum_iterations))?;
            dict.set_item("parallel_iterations", w.parallel_iterations)?;
            dict.set_item("back_prop", w.back_prop)?;
            dict.set_item("swap_memory", w.swap_memory)?;
            dict.set_item("pivot", pack(w.pivot))?;
            dict.set_item("pivot_for_pred", pack(w.pivot_for_pred))?;
            dict.set_item("pivot_for_body", pack(w.pivot_for_body))?;
            dict.set_item("loop_enters", pack_all(&w.loop_enters))?;
            dict.set_item("loop_exits", pack_all(&w.loop_exits))?;
        }
    }
    Ok(dict)
}

/// Sets one field; lists and maps are replaced whole.
pub fn set_field(context: &mut Context, field: &str, value: &Bound<PyAny>) -> PyResult<()> {
    let endpoint = || -> PyResult<Endpoint> { Ok(Endpoint::unpack(value.extract()?)) };
    let optional = || -> PyResult<Option<Endpoint>> {
        Ok(value.extract::<Option<i64>>()?.map(Endpoint::unpack))
    };
    let list = || -> PyResult<Vec<Endpoint>> {
        let packed: Vec<i64> = value.extract()?;
        Ok(packed.into_iter().map(Endpoint::unpack).collect())
    };
    match (field, &mut context.kind) {
        ("name", _) => context.name = value.extract()?,
        ("outer", _) => context.outer = value.extract()?,
        ("values", _) => context.values = list()?.into_iter().collect(),
        ("external_values", _) => {
            let mut map = rustc_hash::FxHashMap::default();
            for (from, to) in value.cast::<PyDict>()?.iter() {
                map.insert(
                    Endpoint::unpack(from.extract()?),
                    Endpoint::unpack(to.extract()?),
                );
            }
            context.external_values = map;
        }
        ("pred", ContextKind::Cond(c)) => c.pred = endpoint()?,
        ("pivot", ContextKind::Cond(c)) => c.pivot = endpoint()?,
        ("branch", ContextKind::Cond(c)) => c.branch = value.extract()?,
        ("maximum_iterations", ContextKind::While(w)) => w.maximum_iterations = optional()?,
        ("parallel_iterations", ContextKind::While(w)) => {
            w.parallel_iterations = value.extract()?
        }
        ("back_prop", ContextKind::While(w)) => w.back_prop = value.extract()?,
        ("swap_memory", ContextKind::While(w)) => w.swap_memory = value.extract()?,
        ("pivot", ContextKind::While(w)) => w.pivot = optional()?,
        ("pivot_for_pred", ContextKind::While(w)) => w.pivot_for_pred = optional()?,
        ("pivot_for_body", ContextKind::While(w)) => w.pivot_for_body = optional()?,
        ("loop_enters", ContextKind::While(w)) => w.loop_enters = list()?,
        ("loop_exits", ContextKind::While(w)) => w.loop_exits = list()?,
        _ => {
            return Err(PyValueError::new_err(format!(
                "a context of this kind has no field '{field}'"
            )));
        }
    }
    Ok(())
}
