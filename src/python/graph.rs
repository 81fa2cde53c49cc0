//! `Graph` as Python sees it: numbers for nodes and endpoints; see `_core.pyi`.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use rustc_hash::FxHashMap;

use crate::error::Error;
use crate::formats::graph_def::{self, Import};
use crate::formats::proto::Message;
use crate::graph::{
    CondContext, ContextId, ContextKind, DeviceScope, Endpoint, Graph, NodeId, NodeSpec,
    WhileContext,
};
use crate::ops;

use super::arrays::value_to_array;
use super::attrs::{attr_to_python, kind_of, parse_attr, read_attrs, read_shape, shape_to_python};
use super::contexts;
use super::errors::to_python;

/// A graph and the Python functions in its device scopes.
#[pyclass(frozen, name = "Graph", module = "ferroflow._core", subclass)]
pub struct PyGraph {
    graph: Arc<Mutex<Graph>>,
    device_functions: Mutex<Vec<Py<PyAny>>>,
}

impl PyGraph {
    /// The graph, for sessions and gradients.
    pub fn shared(&self) -> Arc<Mutex<Graph>> {
        self.graph.clone()
    }

    pub fn lock(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock()
    }
}

fn checked(graph: &Graph, node: NodeId) -> PyResult<NodeId> {
    graph.try_node(node).map_err(to_python)?;
    Ok(node)
}

fn checked_endpoint(graph: &Graph, packed: i64) -> PyResult<Endpoint> {
    let e = Endpoint::unpack(packed);
    graph.try_output(e).map_err(to_python)?;
    Ok(e)
}

fn context_of(graph: &Graph, context: ContextId) -> PyResult<ContextId> {
    if (context as usize) < graph.contexts.len() {
        return Ok(context);
    }
    Err(PyIndexError::new_err(format!(
        "no context number {context}"
    )))
}

#[pymethods]
impl PyGraph {
    #[new]
    fn new() -> PyGraph {
        PyGraph {
            graph: Arc::new(Mutex::new(ops::new_graph())),
            device_functions: Mutex::default(),
        }
    }

    #[pyo3(signature = (op, name, inputs, attrs, control_inputs = Vec::new()))]
    fn create_op(
        &self,
        op: &str,
        name: &str,
        inputs: Vec<i64>,
        attrs: &Bound<PyDict>,
        control_inputs: Vec<NodeId>,
    ) -> PyResult<NodeId> {
        let def = ops::find(op).map(|entry| &entry.def).ok_or_else(|| {
            to_python(Error::not_found(format!(
                "Op type not registered '{op}' in ferroflow. Make sure the Op is one of TensorFlow 1.15's."
            )))
        })?;
        let mut spec = NodeSpec::new(def.name.as_str()).name(name);
        spec.inputs.extend(inputs.into_iter().map(Endpoint::unpack));
        spec.attrs = read_attrs(def, attrs)?;
        spec.controls = control_inputs;
        self.lock().create(spec).map_err(to_python)
    }

    #[pyo3(signature = (graph_def, prefix, input_map, control_map, uniquify_prefix, validate_colocation, producer_op_list))]
    #[allow(clippy::too_many_arguments)]
    fn import_graph_def(
        &self,
        graph_def: &[u8],
        prefix: &str,
        input_map: FxHashMap<String, i64>,
        control_map: FxHashMap<String, NodeId>,
        uniquify_prefix: bool,
        validate_colocation: bool,
        producer_op_list: Option<&[u8]>,
    ) -> PyResult<(Vec<NodeId>, Vec<String>)> {
        let mut graph = self.lock();
        let prefix = match prefix.strip_suffix('/').unwrap_or(prefix) {
            prefix if uniquify_prefix && !prefix.is_empty() => graph.unique_name(prefix, true),
            prefix => prefix.to_string(),
        };
        let mut map = FxHashMap::default();
        for (name, to) in input_map {
            map.insert(name, checked_endpoint(&graph, to)?);
        }
        for to in control_map.values() {
            checked(&graph, *to)?;
        }
        let options = Import {
            prefix: &prefix,
            input_map: map,
            control_map,
            validate_colocation,
            producer_op_list,
        };
        let imported = graph_def::import(&mut graph, graph_def, &options).map_err(to_python)?;
        Ok((imported.nodes, imported.unused))
    }

    #[pyo3(signature = (add_shapes = false, from_version = None))]
    fn to_graph_def<'py>(
        &self,
        py: Python<'py>,
        add_shapes: bool,
        from_version: Option<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = graph_def::export(&self.lock(), from_version.unwrap_or(0), add_shapes);
        Ok(PyBytes::new(py, &bytes.map_err(to_python)?))
    }

    fn node_def<'py>(&self, py: Python<'py>, node: NodeId) -> PyResult<Bound<'py, PyBytes>> {
        let graph = self.lock();
        let def = graph_def::node_def(&graph, checked(&graph, node)?, false);
        Ok(PyBytes::new(py, &def.map_err(to_python)?.encode_to_vec()))
    }

    // ---- nodes and tensors ----

    fn num_nodes(&self) -> usize {
        self.lock().len()
    }

    fn version(&self) -> u64 {
        self.lock().version()
    }

    fn find(&self, name: &str) -> Option<NodeId> {
        self.lock().find(name)
    }

    fn name(&self, node: NodeId) -> PyResult<String> {
        let graph = self.lock();
        Ok(graph.try_node(node).map_err(to_python)?.name.to_string())
    }

    fn op<'py>(&self, py: Python<'py>, node: NodeId) -> PyResult<Bound<'py, PyString>> {
        let graph = self.lock();
        Ok(PyString::intern(
            py,
            graph.try_node(node).map_err(to_python)?.op(),
        ))
    }

    fn device(&self, node: NodeId) -> PyResult<String> {
        let graph = self.lock();
        Ok(graph.try_node(node).map_err(to_python)?.device.to_string())
    }

    fn set_device(&self, node: NodeId, device: &str) -> PyResult<()> {
        let mut graph = self.lock();
        checked(&graph, node)?;
        graph.set_raw_device(node, device);
        Ok(())
    }

    fn inputs(&self, node: NodeId) -> PyResult<Vec<i64>> {
        let graph = self.lock();
        let node = graph.try_node(node).map_err(to_python)?;
        Ok(node.inputs.iter().map(|e| e.pack()).collect())
    }

    fn control_inputs(&self, node: NodeId) -> PyResult<Vec<NodeId>> {
        let graph = self.lock();
        Ok(graph
            .try_node(node)
            .map_err(to_python)?
            .control_inputs
            .to_vec())
    }

    fn control_outputs(&self, node: NodeId) -> PyResult<Vec<NodeId>> {
        let graph = self.lock();
        checked(&graph, node)?;
        Ok(graph.control_outputs(node).to_vec())
    }

    fn add_control_inputs(&self, node: NodeId, controls: Vec<NodeId>) -> PyResult<()> {
        let mut graph = self.lock();
        checked(&graph, node)?;
        for control in controls {
            checked(&graph, control)?;
            graph.add_control_input(node, control);
        }
        Ok(())
    }

    fn remove_control_inputs(&self, node: NodeId) -> PyResult<()> {
        let mut graph = self.lock();
        checked(&graph, node)?;
        graph.retain_control_inputs(node, |_| false);
        Ok(())
    }

    fn update_input(&self, node: NodeId, index: usize, endpoint: i64) -> PyResult<()> {
        let mut graph = self.lock();
        checked(&graph, node)?;
        let to = checked_endpoint(&graph, endpoint)?;
        graph.update_input(node, index, to).map_err(to_python)
    }

    fn num_outputs(&self, node: NodeId) -> PyResult<usize> {
        let graph = self.lock();
        Ok(graph.try_node(node).map_err(to_python)?.outputs.len())
    }

    fn dtype(&self, endpoint: i64) -> PyResult<i32> {
        let graph = self.lock();
        let output = graph
            .try_output(Endpoint::unpack(endpoint))
            .map_err(to_python)?;
        let offset = if output.is_ref {
            crate::value::REF_OFFSET
        } else {
            0
        };
        Ok(output.dtype.number() + offset)
    }

    fn shape<'py>(&self, py: Python<'py>, endpoint: i64) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.lock();
        let output = graph
            .try_output(Endpoint::unpack(endpoint))
            .map_err(to_python)?;
        shape_to_python(py, &output.shape)
    }

    fn set_shape(&self, endpoint: i64, shape: &Bound<PyAny>) -> PyResult<()> {
        let shape = read_shape(shape)?;
        let mut graph = self.lock();
        let e = checked_endpoint(&graph, endpoint)?;
        graph.set_shape(e, &shape).map_err(to_python)
    }

    fn handle_data<'py>(
        &self,
        py: Python<'py>,
        endpoint: i64,
    ) -> PyResult<Option<Vec<(i32, Bound<'py, PyAny>)>>> {
        let graph = self.lock();
        let output = graph
            .try_output(Endpoint::unpack(endpoint))
            .map_err(to_python)?;
        let Some(handle) = &output.handle else {
            return Ok(None);
        };
        let parts = handle
            .iter()
            .map(|(dtype, shape)| Ok((dtype.number(), shape_to_python(py, shape)?)));
        parts.collect::<PyResult<Vec<_>>>().map(Some)
    }

    fn set_handle_data(
        &self,
        endpoint: i64,
        parts: Option<Vec<(i32, Bound<PyAny>)>>,
    ) -> PyResult<()> {
        let parts = match parts {
            None => None,
            Some(parts) => {
                let read = parts.into_iter().map(|(dtype, shape)| {
                    let dtype = crate::value::DType::from_number(dtype).map_err(to_python)?;
                    Ok((dtype, read_shape(&shape)?))
                });
                Some(Arc::new(read.collect::<PyResult<Vec<_>>>()?))
            }
        };
        let mut graph = self.lock();
        let e = checked_endpoint(&graph, endpoint)?;
        graph.set_handle(e, parts);
        Ok(())
    }

    fn consumers(&self, endpoint: i64) -> PyResult<Vec<NodeId>> {
        let graph = self.lock();
        Ok(graph.consumers(checked_endpoint(&graph, endpoint)?))
    }

    fn get_attr<'py>(
        &self,
        py: Python<'py>,
        node: NodeId,
        name: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let graph = self.lock();
        let node = graph.try_node(node).map_err(to_python)?;
        match node.attrs.get(name) {
            Some(attr) => attr_to_python(py, attr),
            None => Err(no_attr(&node.name, name)),
        }
    }

    fn attr_kind(&self, node: NodeId, name: &str) -> PyResult<&'static str> {
        let graph = self.lock();
        let node = graph.try_node(node).map_err(to_python)?;
        node.attrs
            .get(name)
            .map(kind_of)
            .ok_or_else(|| no_attr(&node.name, name))
    }

    fn attr_names(&self, node: NodeId) -> PyResult<Vec<String>> {
        let graph = self.lock();
        let node = graph.try_node(node).map_err(to_python)?;
        Ok(node
            .attrs
            .iter()
            .map(|(name, _)| name.to_string())
            .collect())
    }

    fn set_attr(&self, node: NodeId, name: &str, value: &[u8]) -> PyResult<()> {
        let value = parse_attr(value)?;
        let mut graph = self.lock();
        checked(&graph, node)?;
        graph.set_attr(node, name, value);
        Ok(())
    }

    fn clear_attr(&self, node: NodeId, name: &str) -> PyResult<()> {
        let mut graph = self.lock();
        checked(&graph, node)?;
        graph.remove_attr(node, name);
        Ok(())
    }

    fn constant_value<'py>(
        &self,
        py: Python<'py>,
        endpoint: i64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut graph = self.lock();
        let e = checked_endpoint(&graph, endpoint)?;
        let value = ops::constant_value(&mut graph, e);
        value.map(|v| value_to_array(py, &v)).transpose()
    }

    fn evaluate_constant<'py>(
        &self,
        py: Python<'py>,
        endpoint: i64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut graph = self.lock();
        let e = checked_endpoint(&graph, endpoint)?;
        let value = graph.constant(e);
        value.map(|v| value_to_array(py, &v)).transpose()
    }

    fn constant_value_as_shape<'py>(
        &self,
        py: Python<'py>,
        endpoint: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut graph = self.lock();
        let e = checked_endpoint(&graph, endpoint)?;
        shape_to_python(py, &graph.constant_as_shape(e).map_err(to_python)?)
    }

    fn is_stateful(&self, node: NodeId) -> PyResult<bool> {
        let graph = self.lock();
        Ok(graph.try_node(node).map_err(to_python)?.def.is_stateful)
    }

    fn is_fetchable(&self, node: NodeId) -> bool {
        !self.lock().unfetchable.contains(&node)
    }

    fn is_feedable(&self, endpoint: i64) -> bool {
        !self.lock().unfeedable.contains(&Endpoint::unpack(endpoint))
    }

    fn prevent_fetching(&self, node: NodeId) {
        self.lock().unfetchable.insert(node);
    }

    fn prevent_feeding(&self, endpoint: i64) {
        self.lock().unfeedable.insert(Endpoint::unpack(endpoint));
    }

    // ---- scopes ----

    #[getter]
    fn scope(&self) -> String {
        self.lock().scopes.name.clone()
    }

    #[setter]
    fn set_scope(&self, scope: &str) {
        self.lock().scopes.name = scope.strip_suffix('/').unwrap_or(scope).to_string();
    }

    #[pyo3(signature = (name, mark_as_used = true))]
    fn unique_name(&self, name: &str, mark_as_used: bool) -> String {
        self.lock().unique_name(name, mark_as_used)
    }

    /// Opens the name scope `name`; returns the outer scope and the new one.
    fn enter_scope(&self, name: &str) -> (String, String) {
        let mut graph = self.lock();
        let outer = graph.enter_scope(name);
        (outer, graph.scopes.name.clone())
    }

    fn push_controls(&self, nodes: Vec<NodeId>, new_stack: bool) -> PyResult<()> {
        let mut graph = self.lock();
        for node in &nodes {
            checked(&graph, *node)?;
        }
        graph.push_controls(nodes, new_stack);
        Ok(())
    }

    fn pop_controls(&self) {
        self.lock().pop_controls();
    }

    fn push_device(&self, device: &Bound<PyAny>) -> PyResult<()> {
        let scope = if device.is_none() {
            DeviceScope::Clear
        } else if let Ok(text) = device.cast::<PyString>() {
            let text = text.to_cow()?;
            DeviceScope::Spec(crate::graph::canonical_device(&text).map_err(to_python)?)
        } else if device.is_callable() {
            let mut functions = self.device_functions.lock();
            functions.push(device.clone().unbind());
            DeviceScope::Function(functions.len() - 1)
        } else {
            return Err(PyTypeError::new_err(
                "a device is a string, a function, or None",
            ));
        };
        self.lock().push_device(scope);
        Ok(())
    }

    fn pop_device(&self) {
        self.lock().pop_device();
    }

    fn take_undeviced(&self) -> Vec<NodeId> {
        std::mem::take(&mut self.lock().scopes.undeviced)
    }

    fn device_stack<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let functions = self.device_functions.lock();
        let list = PyList::empty(py);
        for scope in self.lock().device_stack() {
            match scope {
                DeviceScope::Clear => list.append(py.None())?,
                DeviceScope::Spec(text) => list.append(text)?,
                DeviceScope::Function(i) => list.append(functions[*i].bind(py))?,
            }
        }
        Ok(list)
    }

    #[pyo3(signature = (node, ignore_existing))]
    fn push_colocation(&self, node: Option<NodeId>, ignore_existing: bool) -> PyResult<()> {
        let mut graph = self.lock();
        if let Some(node) = node {
            checked(&graph, node)?;
        }
        graph.push_colocation(node, ignore_existing);
        Ok(())
    }

    fn pop_colocation(&self) {
        self.lock().pop_colocation();
    }

    fn push_gradient_override(&self, op_to_gradient: FxHashMap<String, String>) {
        self.lock().push_gradient_override(op_to_gradient);
    }

    fn pop_gradient_override(&self) {
        self.lock().pop_gradient_override();
    }

    fn push_attr_scope(&self, attrs: Vec<(String, Option<Vec<u8>>)>) -> PyResult<()> {
        let mut read = Vec::with_capacity(attrs.len());
        for (name, bytes) in attrs {
            let value = bytes.map(|b| parse_attr(&b)).transpose()?;
            read.push((name, value));
        }
        self.lock().push_attr_scope(read);
        Ok(())
    }

    fn pop_attr_scope(&self) {
        self.lock().pop_attr_scope();
    }

    fn finalize(&self) {
        self.lock().finalized = true;
    }

    fn unfinalize(&self) {
        self.lock().finalized = false;
    }

    #[getter]
    fn finalized(&self) -> bool {
        self.lock().finalized
    }

    #[getter]
    fn producer(&self) -> i32 {
        self.lock().producer
    }

    #[setter]
    fn set_producer(&self, producer: i32) {
        self.lock().producer = producer;
    }

    #[getter]
    fn min_consumer(&self) -> i32 {
        self.lock().min_consumer
    }

    #[setter]
    fn set_min_consumer(&self, min_consumer: i32) {
        self.lock().min_consumer = min_consumer;
    }

    #[getter]
    fn container(&self) -> String {
        self.lock().scopes.container.clone()
    }

    #[setter]
    fn set_container(&self, container: String) {
        self.lock().scopes.container = container;
    }

    // ---- control flow ----

    #[getter]
    fn context(&self) -> Option<ContextId> {
        self.lock().scopes.context
    }

    #[setter]
    fn set_context(&self, context: Option<ContextId>) -> PyResult<()> {
        let mut graph = self.lock();
        graph.scopes.context = context.map(|c| context_of(&graph, c)).transpose()?;
        Ok(())
    }

    fn node_context(&self, node: NodeId) -> PyResult<Option<ContextId>> {
        let graph = self.lock();
        Ok(graph.try_node(node).map_err(to_python)?.context)
    }

    #[pyo3(signature = (node, context))]
    fn set_node_context(&self, node: NodeId, context: Option<ContextId>) -> PyResult<()> {
        let mut graph = self.lock();
        checked(&graph, node)?;
        let context = context.map(|c| context_of(&graph, c)).transpose()?;
        graph.set_context(node, context);
        Ok(())
    }

    fn new_cond_context(
        &self,
        name: String,
        pred: i64,
        pivot: i64,
        branch: u16,
    ) -> PyResult<ContextId> {
        let mut graph = self.lock();
        let kind = ContextKind::Cond(CondContext {
            pred: checked_endpoint(&graph, pred)?,
            pivot: checked_endpoint(&graph, pivot)?,
            branch,
        });
        Ok(graph.new_context(name, kind))
    }

    #[pyo3(signature = (name, maximum_iterations, parallel_iterations, back_prop, swap_memory))]
    fn new_while_context(
        &self,
        name: String,
        maximum_iterations: Option<i64>,
        parallel_iterations: i64,
        back_prop: bool,
        swap_memory: bool,
    ) -> ContextId {
        let kind = ContextKind::While(WhileContext {
            maximum_iterations: maximum_iterations.map(Endpoint::unpack),
            parallel_iterations,
            back_prop,
            swap_memory,
            ..Default::default()
        });
        self.lock().new_context(name, kind)
    }

    #[getter]
    fn context_count(&self) -> usize {
        self.lock().contexts.len()
    }

    fn context_info<'py>(
        &self,
        py: Python<'py>,
        context: ContextId,
    ) -> PyResult<Bound<'py, PyDict>> {
        let graph = self.lock();
        contexts::info(py, &graph, context_of(&graph, context)?)
    }

    fn set_context_field(
        &self,
        context: ContextId,
        field: &str,
        value: &Bound<PyAny>,
    ) -> PyResult<()> {
        let mut graph = self.lock();
        let context = context_of(&graph, context)?;
        contexts::set_field(graph.context_mut(context), field, value)
    }

    fn add_value(&self, context: ContextId, endpoint: i64) -> PyResult<i64> {
        let mut graph = self.lock();
        let context = context_of(&graph, context)?;
        let e = checked_endpoint(&graph, endpoint)?;
        Ok(graph.add_value(context, e).map_err(to_python)?.pack())
    }

    fn fix_enter(&self, context: ContextId, endpoint: i64) -> PyResult<()> {
        let mut graph = self.lock();
        let context = context_of(&graph, context)?;
        let enter = checked_endpoint(&graph, endpoint)?;
        graph.fix_enter(context, enter);
        Ok(())
    }
}

fn no_attr(node: &str, name: &str) -> PyErr {
    PyValueError::new_err(format!("Operation '{node}' has no attr named '{name}'."))
}

/// `inner`'s parts over `outer`'s, in canonical form.
#[pyfunction]
pub fn merge_device(outer: &str, inner: &str) -> PyResult<String> {
    crate::graph::merge_device(outer, inner).map_err(to_python)
}

#[pyfunction]
pub fn canonical_device(device: &str) -> PyResult<String> {
    crate::graph::canonical_device(device).map_err(to_python)
}
