//! The walk of `tf.gradients` for Python: it pauses where Python has registered the gradient function.

use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::autodiff::{Aggregation, Request, Walk};
use crate::graph::{Endpoint, Graph, NodeId};
use crate::ops::gradient::{Grad, Grads};

use super::errors::to_python;
use super::graph::PyGraph;

/// See `_core.pyi`.
#[pyclass(frozen, module = "ferroflow._core")]
pub struct Gradients {
    graph: Arc<Mutex<Graph>>,
    walk: Mutex<Walk>,
}

fn endpoints(packed: Vec<i64>) -> Vec<Endpoint> {
    packed.into_iter().map(Endpoint::unpack).collect()
}

fn read_grad(answer: &Bound<PyAny>) -> PyResult<Option<Grad>> {
    if answer.is_none() {
        return Ok(None);
    }
    if let Ok(slices) = answer.cast::<PyTuple>() {
        let (values, indices, shape): (i64, i64, Option<i64>) = slices.extract()?;
        return Ok(Some(Grad::Slices {
            values: Endpoint::unpack(values),
            indices: Endpoint::unpack(indices),
            dense_shape: shape.map(Endpoint::unpack),
        }));
    }
    Ok(Some(Grad::Dense(Endpoint::unpack(answer.extract()?))))
}

fn show_grads<'py>(py: Python<'py>, grads: &Grads) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for grad in grads {
        match grad {
            None => list.append(py.None())?,
            Some(Grad::Dense(e)) => list.append(e.pack())?,
            Some(Grad::Slices {
                values,
                indices,
                dense_shape,
            }) => list.append((
                values.pack(),
                indices.pack(),
                dense_shape.map(Endpoint::pack),
            ))?,
        }
    }
    Ok(list)
}

type Question<'py> = (NodeId, String, Bound<'py, PyList>);

#[pymethods]
impl Gradients {
    #[new]
    #[pyo3(signature = (graph, ys, xs, grad_ys, stop_gradients, colocate, gate, aggregation, unconnected_zero, has_python_gradient))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        graph: &Bound<PyGraph>,
        ys: Vec<i64>,
        xs: Vec<i64>,
        grad_ys: Vec<Option<i64>>,
        stop_gradients: Vec<i64>,
        colocate: bool,
        gate: bool,
        aggregation: u8,
        unconnected_zero: bool,
        has_python_gradient: Vec<String>,
    ) -> PyResult<Gradients> {
        let aggregation = match aggregation {
            0 => Aggregation::AddN,
            1 => Aggregation::Tree,
            2 => Aggregation::AccumulateN,
            other => {
                return Err(PyValueError::new_err(format!(
                    "Invalid aggregation_method specified {other}."
                )));
            }
        };
        let request = Request {
            ys: endpoints(ys),
            xs: endpoints(xs),
            grad_ys: grad_ys
                .into_iter()
                .map(|g| g.map(Endpoint::unpack))
                .collect(),
            stop_gradients: endpoints(stop_gradients),
            colocate,
            gate,
            aggregation,
            unconnected_zero,
            python_gradients: has_python_gradient.into_iter().collect(),
        };
        let graph = graph.get().shared();
        let walk = Walk::new(&mut graph.lock(), request).map_err(to_python)?;
        Ok(Gradients {
            graph,
            walk: Mutex::new(walk),
        })
    }

    #[pyo3(signature = (answer = None))]
    fn step<'py>(
        &self,
        py: Python<'py>,
        answer: Option<Vec<Bound<'py, PyAny>>>,
    ) -> PyResult<Option<Question<'py>>> {
        let answer = match answer {
            None => None,
            Some(all) => Some(all.iter().map(read_grad).collect::<PyResult<Grads>>()?),
        };
        let call = self.walk.lock().step(&mut self.graph.lock(), answer);
        match call.map_err(to_python)? {
            None => Ok(None),
            Some(call) => Ok(Some((
                call.node,
                call.gradient,
                show_grads(py, &call.out_grads)?,
            ))),
        }
    }

    fn abandon(&self) {
        self.walk.lock().abandon(&mut self.graph.lock());
    }

    fn results<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let grads = self.walk.lock().results(&mut self.graph.lock());
        show_grads(py, &grads.map_err(to_python)?)
    }
}
