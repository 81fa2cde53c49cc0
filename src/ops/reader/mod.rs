//! Readers: each run gives the next record of the next file, whose names come from a queue.

mod files;
mod kernels;

use super::{Op, shape};
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::PartialShape;

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("WholeFileReaderV2", "-> reader_handle: resource").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("TextLineReaderV2", "-> reader_handle: resource").attr("skip_header_lines: int = 0").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("FixedLengthRecordReaderV2", "-> reader_handle: resource").attr("header_bytes: int = 0").attr("record_bytes: int").attr("footer_bytes: int = 0").attr("hop_bytes: int = 0").attr("container: string = ''").attr("shared_name: string = ''").attr("encoding: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("TFRecordReaderV2", "-> reader_handle: resource").attr("container: string = ''").attr("shared_name: string = ''").attr("compression_type: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("IdentityReaderV2", "-> reader_handle: resource").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(shape::scalar).host(kernels::make),
    Op::new("ReaderReadV2", "reader_handle: resource, queue_handle: resource -> key: string, value: string").stateful().shape(shape::scalar).host(kernels::read),
    Op::new("ReaderReadUpToV2", "reader_handle: resource, queue_handle: resource, num_records: int64 -> keys: string, values: string").stateful().shape(shape::vector).host(kernels::read_up_to),
    Op::new("ReaderNumRecordsProducedV2", "reader_handle: resource -> records_produced: int64").stateful().shape(shape::scalar).host(kernels::num_records),
    Op::new("ReaderNumWorkUnitsCompletedV2", "reader_handle: resource -> units_completed: int64").stateful().shape(shape::scalar).host(kernels::num_files),
    Op::new("ReaderSerializeStateV2", "reader_handle: resource -> state: string").stateful().shape(shape::scalar).host(kernels::serialize),
    Op::new("ReaderRestoreStateV2", "reader_handle: resource, state: string ->").stateful().shape(restore_shape).host(kernels::restore),
    Op::new("ReaderResetV2", "reader_handle: resource ->").stateful().shape(shape::unknown).host(kernels::reset),
];

fn restore_shape(c: &mut ShapeContext) -> Result<()> {
    shape::merge(&c.input(1), &PartialShape::scalar()).map(|_| ())
}
