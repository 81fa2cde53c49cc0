//! `_core.Session`: feeds and fetches between NumPy and the session, with the interpreter released in between.

use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::error::{Error, Result};
use crate::formats::proto;
use crate::graph::{Endpoint, Node, NodeId};
use crate::plan::RunSpec;
use crate::session::{Placer, Prepared, RunOptions, Session, Trace, limit_threads, local_devices};
use crate::value::Value;

use super::arrays::{array_to_value, value_into_result};
use super::callbacks::Interpreter;
use super::errors::{from_python, to_python};
use super::graph::PyGraph;

/// Lets other Python threads run while `work` does, and Ctrl-C through: the run it starts must poll.
fn detach<T: Send>(py: Python, work: impl FnOnce(RunOptions) -> Result<T> + Send) -> PyResult<T> {
    let options = RunOptions {
        poll: Some(Box::new(poll)),
        ..Default::default()
    };
    py.detach(|| work(options)).map_err(to_python)
}

/// Whether a signal wants the run to end. Only the main thread ever hears of one.
fn poll() -> Result<()> {
    Python::try_attach(|py| py.check_signals().map_err(from_python)).unwrap_or(Ok(()))
}

#[pyclass(frozen, name = "Session", module = "ferroflow._core")]
pub struct PySession {
    session: Session,
    /// `operation_timeout_in_ms` of the configuration.
    timeout: Option<Duration>,
}

/// As many CPU devices as one can ask for: they are names of the one there is.
const MOST_CPUS: usize = 1024;

fn millis(n: i64) -> Option<Duration> {
    u64::try_from(n)
        .ok()
        .filter(|n| *n > 0)
        .map(Duration::from_millis)
}

fn spec(feeds: Vec<i64>, fetches: Vec<i64>, targets: Vec<NodeId>) -> RunSpec {
    let unpack = |all: Vec<i64>| all.into_iter().map(Endpoint::unpack).collect();
    RunSpec {
        feeds: unpack(feeds),
        fetches: unpack(fetches),
        targets,
        ..Default::default()
    }
}

impl PySession {
    fn run_plan<'py>(
        &self,
        py: Python<'py>,
        prepared: &Prepared,
        feeds: Vec<Value>,
        timeout: Option<Duration>,
        trace: Option<Arc<Trace>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let results = detach(py, |options| {
            let options = RunOptions {
                timeout: timeout.or(self.timeout),
                trace,
                ..options
            };
            self.session.run_plan(prepared, feeds, options)
        })?;
        to_list(py, results)
    }
}

fn to_list(py: Python<'_>, results: Vec<Value>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for value in results {
        list.append(value_into_result(py, value)?)?;
    }
    Ok(list)
}

/// The fed arrays as values of the types that the plan wants.
fn feed_values<'py>(
    prepared: &Prepared,
    arrays: impl ExactSizeIterator<Item = PyResult<Bound<'py, PyAny>>>,
) -> PyResult<Vec<Value>> {
    let wanted = &prepared.plan.feeds;
    if arrays.len() != wanted.len() {
        return Err(to_python(Error::invalid(format!(
            "{} values were fed, but the run was set up for {}",
            arrays.len(),
            wanted.len()
        ))));
    }
    let convert = |(array, feed): (PyResult<Bound<'py, PyAny>>, &crate::plan::Feed)| {
        array_to_value(&array?, feed.dtype).map_err(to_python)
    };
    arrays.zip(wanted).map(convert).collect()
}

#[pymethods]
impl PySession {
    #[new]
    #[pyo3(signature = (graph, config=None))]
    fn new(graph: &PyGraph, config: Option<&[u8]>) -> PyResult<PySession> {
        let config = proto::ConfigProto::decode(config.unwrap_or_default())
            .map_err(|e| to_python(Error::value(format!("cannot read the ConfigProto: {e}"))))?;
        let num_cpus = config.device_count.get("CPU").copied().unwrap_or(1);
        let num_gpus = config.device_count.get("GPU").copied();
        let num_gpus = num_gpus.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        let devices = match usize::try_from(num_cpus) {
            Ok(n @ 1..) => local_devices(n.min(MOST_CPUS), num_gpus),
            _ => Err(Error::not_found(
                "No CPU devices are available in this process",
            )),
        };
        let placer = Placer::new(
            devices.map_err(to_python)?,
            config.allow_soft_placement,
            config.log_device_placement,
        );
        if let Ok(threads @ 1..) = usize::try_from(config.intra_op_parallelism_threads) {
            limit_threads(threads);
        }
        let session = Session::new(graph.shared(), Some(Box::new(Interpreter)));
        Ok(PySession {
            session: session.with_placer(placer),
            timeout: millis(config.operation_timeout_in_ms),
        })
    }

    #[pyo3(signature = (feeds, fetches, targets, options=None, collect_metadata=false))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        feeds: Vec<(i64, Bound<'py, PyAny>)>,
        fetches: Vec<i64>,
        targets: Vec<NodeId>,
        options: Option<&[u8]>,
        collect_metadata: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let options = proto::RunOptions::decode(options.unwrap_or_default())
            .map_err(|e| to_python(Error::value(format!("cannot read the RunOptions: {e}"))))?;
        let (endpoints, arrays): (Vec<i64>, Vec<_>) = feeds.into_iter().unzip();
        let spec = spec(endpoints, fetches, targets);
        let prepared = py
            .detach(|| self.session.prepare(&spec))
            .map_err(to_python)?;
        let feeds = feed_values(&prepared, arrays.into_iter().map(Ok))?;
        let wants_trace = collect_metadata && options.trace_level > 0;
        let trace = wants_trace.then(Arc::<Trace>::default);
        let timeout = millis(options.timeout_in_ms);
        let results = self.run_plan(py, &prepared, feeds, timeout, trace.clone())?;
        if collect_metadata {
            let trace = trace.and_then(Arc::into_inner);
            let metadata = trace.map(|trace| {
                let home = |node: &Node| self.session.gpu_of(node);
                trace.into_metadata(&prepared.plan, home)
            });
            let metadata = metadata.unwrap_or_default();
            results.append(PyBytes::new(py, &metadata.encode_to_vec()))?;
        }
        Ok(results)
    }

    fn prepare(
        &self,
        py: Python,
        feeds: Vec<i64>,
        fetches: Vec<i64>,
        targets: Vec<NodeId>,
    ) -> PyResult<usize> {
        let spec = spec(feeds, fetches, targets);
        py.detach(|| self.session.make_callable(spec))
            .map_err(to_python)
    }

    fn run_prepared<'py>(
        &self,
        py: Python<'py>,
        number: usize,
        values: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let prepared = self.session.callable(number).map_err(to_python)?;
        let feeds = match values.cast::<PyList>() {
            Ok(list) => feed_values(&prepared, list.iter().map(Ok))?,
            Err(_) => {
                let values: Vec<Bound<PyAny>> = values.extract()?;
                feed_values(&prepared, values.into_iter().map(Ok))?
            }
        };
        self.run_plan(py, &prepared, feeds, None, None)
    }

    /// Sets up a run in parts; returns its handle.
    fn partial_run_setup(
        &self,
        py: Python,
        feeds: Vec<i64>,
        fetches: Vec<i64>,
        targets: Vec<NodeId>,
    ) -> PyResult<String> {
        let spec = spec(feeds, fetches, targets);
        let number = py
            .detach(|| self.session.set_up_partial(spec))
            .map_err(to_python)?;
        Ok(number.to_string())
    }

    /// Feeds some of the tensors and fetches some.
    fn partial_run<'py>(
        &self,
        py: Python<'py>,
        handle: &str,
        feeds: Vec<(i64, Bound<'py, PyAny>)>,
        fetches: Vec<i64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let number = handle.parse().unwrap_or(u64::MAX);
        let run = self.session.partial(number).map_err(to_python)?;
        let mut values = Vec::with_capacity(feeds.len());
        for (endpoint, array) in &feeds {
            let feed = run.feed(Endpoint::unpack(*endpoint)).map_err(to_python)?;
            let dtype = run.prepared.plan.feeds[feed].dtype;
            values.push((feed, array_to_value(array, dtype).map_err(to_python)?));
        }
        let fetches: Vec<Endpoint> = fetches.into_iter().map(Endpoint::unpack).collect();
        let (results, is_over) = detach(py, |options| {
            run.go_on(&self.session, values, &fetches, options)
        })?;
        if is_over {
            self.session.end_partial(number);
        }
        to_list(py, results)
    }

    fn release_prepared(&self, number: usize) {
        self.session.release_callable(number);
    }

    fn explain(
        &self,
        py: Python,
        feeds: Vec<i64>,
        fetches: Vec<i64>,
        targets: Vec<NodeId>,
    ) -> PyResult<String> {
        let spec = spec(feeds, fetches, targets);
        py.detach(|| self.session.explain(&spec)).map_err(to_python)
    }

    fn close(&self, py: Python) {
        py.detach(|| self.session.close());
    }

    #[getter]
    fn closed(&self) -> bool {
        self.session.is_closed()
    }

    /// Name, type, memory limit in bytes and incarnation of each device.
    fn devices(&self) -> Vec<(String, String, i64, u64)> {
        let devices = self.session.placer().map(Placer::devices);
        devices
            .unwrap_or_default()
            .iter()
            .map(|d| {
                (
                    d.name.clone(),
                    d.kind.clone(),
                    d.memory_bytes,
                    d.incarnation,
                )
            })
            .collect()
    }

    /// The names of the devices that nodes go to.
    fn devices_of(&self, nodes: Vec<NodeId>) -> Vec<String> {
        self.session.devices_of(&nodes)
    }

    /// The lines of the placement log since the last call; with `place`, what is new in the graph is placed before.
    fn placement_log(&self, py: Python, place: bool) -> PyResult<Vec<String>> {
        if place {
            py.detach(|| self.session.place()).map_err(to_python)?;
        }
        Ok(self
            .session
            .placer()
            .map(Placer::take_log)
            .unwrap_or_default())
    }
}
