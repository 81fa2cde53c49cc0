//! `_core.RecordReader`, `_core.RecordWriter` and `_core.EventWriter`: record and event files for Python, with the
//! interpreter released while the disk is waited for.

use std::path::PathBuf;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{Error, Result};
use crate::formats::crc32c;
use crate::formats::event;
use crate::formats::record::{self, Compression};

use super::errors::to_python;

/// Runs `work` on what the lock guards, without the interpreter.
fn with<T: Send, R: Send>(
    py: Python,
    guarded: &Mutex<T>,
    work: impl FnOnce(&mut T) -> Result<R> + Send,
) -> PyResult<R> {
    py.detach(|| work(&mut guarded.lock())).map_err(to_python)
}

#[pyclass(frozen, module = "ferroflow._core")]
pub struct RecordReader(Mutex<record::RecordReader>);

#[pymethods]
impl RecordReader {
    #[new]
    fn new(py: Python, path: PathBuf, compression: &str) -> PyResult<Self> {
        let open = || record::RecordReader::open(&path, Compression::from_name(compression)?);
        let reader = py.detach(open).map_err(to_python)?;
        Ok(Self(Mutex::new(reader)))
    }

    fn next_record<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let record = with(py, &self.0, record::RecordReader::next_record)?;
        Ok(record.map(|bytes| PyBytes::new(py, &bytes)))
    }
}

#[pyclass(frozen, module = "ferroflow._core")]
pub struct RecordWriter(Mutex<Option<record::RecordWriter>>);

#[pymethods]
impl RecordWriter {
    #[new]
    fn new(py: Python, path: PathBuf, compression: &str, level: Option<u32>) -> PyResult<Self> {
        let create =
            || record::RecordWriter::create(&path, Compression::from_name(compression)?, level);
        let writer = py.detach(create).map_err(to_python)?;
        Ok(Self(Mutex::new(Some(writer))))
    }

    fn write(&self, py: Python, record: &[u8]) -> PyResult<()> {
        with(py, &self.0, |writer| open(writer)?.write(record))
    }

    fn flush(&self, py: Python) -> PyResult<()> {
        with(py, &self.0, |writer| open(writer)?.flush())
    }

    /// Closing twice does nothing.
    fn close(&self, py: Python) -> PyResult<()> {
        with(py, &self.0, |writer| {
            writer.take().map_or(Ok(()), record::RecordWriter::close)
        })
    }
}

fn open(writer: &mut Option<record::RecordWriter>) -> Result<&mut record::RecordWriter> {
    writer
        .as_mut()
        .ok_or_else(|| Error::failed_precondition("Writer is closed."))
}

#[pyclass(frozen, module = "ferroflow._core")]
pub struct EventWriter(Mutex<event::EventWriter>);

#[pymethods]
impl EventWriter {
    #[new]
    fn new(prefix: PathBuf, host: &str) -> Self {
        Self(Mutex::new(event::EventWriter::new(&prefix, host)))
    }

    fn open_with_suffix(&self, py: Python, suffix: &str) -> PyResult<()> {
        with(py, &self.0, |writer| writer.open_with_suffix(suffix))
    }

    fn write(&self, py: Python, event: &[u8]) -> PyResult<()> {
        with(py, &self.0, |writer| writer.write(event))
    }

    fn flush(&self, py: Python) -> PyResult<bool> {
        with(py, &self.0, event::EventWriter::flush)
    }

    fn close(&self, py: Python) -> PyResult<()> {
        with(py, &self.0, event::EventWriter::close)
    }

    fn path(&self) -> Option<PathBuf> {
        self.0.lock().path().map(Into::into)
    }
}

/// The checksum of record files and checkpoints, in the form in which they store it.
#[pyfunction]
pub fn masked_crc32c(data: &[u8]) -> u32 {
    crc32c::masked_crc32c(data)
}
