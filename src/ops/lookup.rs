//! Tables from keys to values: filled once from tensors or files, or changed at any time.

use std::sync::Arc;

use indexmap::IndexMap;
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;

use crate::error::{Error, Result};
use crate::formats::io::read_file;
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::io::path_input;
use super::kernel::KernelContext;
use super::moves::{Run, assemble};
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("HashTableV2", "-> table_handle: resource")
        .attr("container: string = ''")
        .attr("shared_name: string = ''")
        .attr("use_node_name_sharing: bool = false")
        .attr("key_dtype: type")
        .attr("value_dtype: type")
        .stateful()
        .no_grad()
        .shape(shape::scalar)
        .host(|c| make(c, false)),
    Op::new("MutableHashTableV2", "-> table_handle: resource")
        .attr("container: string = ''")
        .attr("shared_name: string = ''")
        .attr("use_node_name_sharing: bool = false")
        .attr("key_dtype: type")
        .attr("value_dtype: type")
        .stateful()
        .no_grad()
        .shape(shape::scalar)
        .host(|c| make(c, true)),
    Op::new(
        "InitializeTableV2",
        "table_handle: resource, keys: Tkey, values: Tval ->",
    )
    .attr("Tkey: type")
    .attr("Tval: type")
    .stateful()
    .no_grad()
    .shape(shape::unknown)
    .host(|c| insert(c, Mode::Initialize)),
    Op::new(
        "InitializeTableFromTextFileV2",
        "table_handle: resource, filename: string ->",
    )
    .attr("key_index: int >= -2")
    .attr("value_index: int >= -2")
    .attr("vocab_size: int >= -1 = -1")
    .attr("delimiter: string = '\t'")
    .stateful()
    .no_grad()
    .shape(shape::unknown)
    .host(initialize_from_file),
    Op::new(
        "LookupTableFindV2",
        "table_handle: resource, keys: Tin, default_value: Tout -> values: Tout",
    )
    .attr("Tin: type")
    .attr("Tout: type")
    .stateful()
    .no_grad()
    .shape(find_shape)
    .host(find),
    Op::new("LookupTableSizeV2", "table_handle: resource -> size: int64")
        .stateful()
        .no_grad()
        .shape(shape::scalar)
        .host(size),
    Op::new(
        "LookupTableExportV2",
        "table_handle: resource -> keys: Tkeys, values: Tvalues",
    )
    .attr("Tkeys: type")
    .attr("Tvalues: type")
    .stateful()
    .shape(export_shape)
    .host(export),
    Op::new(
        "LookupTableImportV2",
        "table_handle: resource, keys: Tin, values: Tout ->",
    )
    .attr("Tin: type")
    .attr("Tout: type")
    .stateful()
    .shape(shape::unknown)
    .host(|c| insert(c, Mode::Import)),
    Op::new(
        "LookupTableInsertV2",
        "table_handle: resource, keys: Tin, values: Tout ->",
    )
    .attr("Tin: type")
    .attr("Tout: type")
    .stateful()
    .no_grad()
    .shape(shape::unknown)
    .host(|c| insert(c, Mode::Insert)),
    Op::new(
        "LookupTableRemoveV2",
        "table_handle: resource, keys: Tin ->",
    )
    .attr("Tin: type")
    .stateful()
    .shape(shape::unknown)
    .host(remove),
];

/// A table: the bytes of each key with the key itself and its value, both scalars.
struct Table {
    key_dtype: DType,
    value_dtype: DType,
    is_mutable: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_initialized: bool,
    entries: IndexMap<Vec<u8>, (Value, Value), FxBuildHasher>,
}

fn find_shape(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(2, 0)?;
    let keys = c.input(1);
    c.set(0, keys);
    Ok(())
}

fn export_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::vector(-1));
    c.set(1, PartialShape::vector(-1));
    Ok(())
}

fn make(c: &mut KernelContext, is_mutable: bool) -> Result<()> {
    let attrs = c.attrs();
    let (key_dtype, value_dtype) = (attrs.dtype("key_dtype")?, attrs.dtype("value_dtype")?);
    let name = match attrs.str("shared_name")? {
        "" => &*c.node.name,
        name => name,
    };
    let made = || {
        Ok(Arc::new(Table {
            key_dtype,
            value_dtype,
            is_mutable,
            state: Mutex::default(),
        }))
    };
    let container = attrs.str("container")?;
    let table = c
        .session
        .resources()
        .get_or_create(container, &format!("table {name}"), made)?;
    ensure!(
        table.key_dtype == key_dtype && table.value_dtype == value_dtype,
        invalid,
        "Conflicting key/value dtypes {}->{} with {}->{} for table {name}",
        key_dtype.short_name(),
        value_dtype.short_name(),
        table.key_dtype.short_name(),
        table.value_dtype.short_name()
    );
    c.set_output(0, Value::handle(DType::Resource, table));
    Ok(())
}

/// The bytes of each element, to find it by.
fn keys_of(value: &Value) -> Result<Vec<Vec<u8>>> {
    match value.dtype().size() {
        Some(size) => Ok(value
            .bytes()?
            .chunks_exact(size)
            .map(<[u8]>::to_vec)
            .collect()),
        None => Ok(value.string_slice()?.to_vec()),
    }
}

fn element(value: &Value, i: usize) -> Result<Value> {
    let run = Run {
        source: 0,
        from: i,
        len: 1,
    };
    assemble(
        value.dtype(),
        Shape::scalar(),
        &[value],
        std::iter::once(run),
    )
}

fn table(c: &KernelContext) -> Result<Arc<Table>> {
    c.resource_input::<Table>(0, "lookup table")
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Initialize,
    Import,
    Insert,
}

fn insert(c: &mut KernelContext, mode: Mode) -> Result<()> {
    let table = table(c)?;
    let (keys, values) = (c.input(1)?, c.input(2)?);
    ensure!(
        keys.dtype() == table.key_dtype && values.dtype() == table.value_dtype,
        invalid,
        "Key must be type {} but got {}",
        table.key_dtype.short_name(),
        keys.dtype().short_name()
    );
    ensure!(
        keys.shape() == values.shape(),
        invalid,
        "Expected shape {} for value, got {}",
        keys.shape(),
        values.shape()
    );
    ensure!(
        table.is_mutable || mode != Mode::Insert,
        unimplemented,
        "this table cannot be changed"
    );
    let mut state = table.state.lock();
    if !table.is_mutable && state.is_initialized {
        return Ok(());
    }
    if mode == Mode::Import && table.is_mutable {
        state.entries.clear();
    }
    for (i, bytes) in keys_of(keys)?.into_iter().enumerate() {
        let entry = (element(keys, i)?, element(values, i)?);
        if !table.is_mutable
            && let Some((_, old)) = state.entries.get(&bytes)
        {
            ensure!(
                keys_of(old)? == keys_of(&entry.1)?,
                failed_precondition,
                "HashTable has different value for same key. Key {} has {} and trying to add value {}",
                text(&entry.0)?,
                text(old)?,
                text(&entry.1)?
            );
            continue;
        }
        state.entries.insert(bytes, entry);
    }
    state.is_initialized = true;
    Ok(())
}

fn text(value: &Value) -> Result<String> {
    Ok(super::string::elements_as_text(value, 1)?
        .pop()
        .unwrap_or_default())
}

/// A column of a line as a value of the table's type: -2 is the whole line, -1 its number.
fn column(line: &str, number: i64, index: i64, delimiter: &str, dtype: DType) -> Result<Value> {
    let field = match index {
        -1 => return Value::scalar(number),
        -2 => line,
        index => {
            let mut fields = line.split(delimiter);
            let count = line.split(delimiter).count();
            fields.nth(index as usize).ok_or_else(|| {
                Error::invalid(format!(
                    "Invalid number of columns in line {number} ({line}): expected {} got {count}",
                    index + 1
                ))
            })?
        }
    };
    let wrong = |label: &str| {
        Error::invalid(format!(
            "Field {field} in line {number} is not a valid {label}."
        ))
    };
    Ok(match dtype {
        DType::String => Value::scalar_string(field),
        DType::I64 => Value::scalar::<i64>(field.trim().parse().map_err(|_| wrong("int64"))?)?,
        DType::I32 => Value::scalar::<i32>(field.trim().parse().map_err(|_| wrong("int32"))?)?,
        DType::F32 => Value::scalar::<f32>(field.trim().parse().map_err(|_| wrong("float"))?)?,
        DType::F64 => Value::scalar::<f64>(field.trim().parse().map_err(|_| wrong("double"))?)?,
        other => bail!(invalid, "Data type {} not supported.", other.short_name()),
    })
}

fn initialize_from_file(c: &mut KernelContext) -> Result<()> {
    let table = table(c)?;
    let path = path_input(c, 1, "filename")?;
    let (key_index, value_index) = (c.attrs().int("key_index")?, c.attrs().int("value_index")?);
    let wanted = c.attrs().int("vocab_size")?;
    let delimiter = c.attrs().str("delimiter")?;
    let mut state = table.state.lock();
    if state.is_initialized {
        return Ok(());
    }
    let bytes = read_file(&path)?;
    let all = String::from_utf8_lossy(&bytes);
    let mut entries = IndexMap::default();
    let mut number = 0;
    for line in all.lines() {
        if number == wanted {
            break;
        }
        let key = column(line, number, key_index, delimiter, table.key_dtype)?;
        let value = column(line, number, value_index, delimiter, table.value_dtype)?;
        let bytes = keys_of(&key)?.pop().unwrap_or_default();
        if let Some((_, old)) = entries.insert(bytes, (key.clone(), value.clone())) {
            ensure!(
                keys_of(&old)? == keys_of(&value)?,
                failed_precondition,
                "HashTable has different value for same key. Key {} has {} and trying to add value {}",
                text(&key)?,
                text(&old)?,
                text(&value)?
            );
        }
        number += 1;
    }
    ensure!(
        wanted < 0 || number == wanted,
        invalid,
        "Invalid vocab_size in {}: expected {wanted} but got {number}",
        path.display()
    );
    state.entries = entries;
    state.is_initialized = true;
    Ok(())
}

fn check_ready(table: &Table, state: &State) -> Result<()> {
    ensure!(
        table.is_mutable || state.is_initialized,
        failed_precondition,
        "Table not initialized."
    );
    Ok(())
}

fn find(c: &mut KernelContext) -> Result<()> {
    let table = table(c)?;
    let (keys, default) = (c.input(1)?, c.scalar_input(2, "default_value")?);
    ensure!(
        keys.dtype() == table.key_dtype && default.dtype() == table.value_dtype,
        invalid,
        "Key must be type {} but got {}",
        table.key_dtype.short_name(),
        keys.dtype().short_name()
    );
    let state = table.state.lock();
    check_ready(&table, &state)?;
    let wanted = keys_of(keys)?;
    let mut sources = vec![default];
    let mut from = Vec::with_capacity(wanted.len());
    for key in &wanted {
        from.push(match state.entries.get(key) {
            Some((_, value)) => {
                sources.push(value);
                sources.len() - 1
            }
            None => 0,
        });
    }
    let runs = from.into_iter().map(|source| Run {
        source,
        from: 0,
        len: 1,
    });
    let made = assemble(table.value_dtype, keys.shape().clone(), &sources, runs)?;
    drop(state);
    c.set_output(0, made);
    Ok(())
}

fn size(c: &mut KernelContext) -> Result<()> {
    let count = table(c)?.state.lock().entries.len() as i64;
    c.set_output(0, Value::scalar(count)?);
    Ok(())
}

fn export(c: &mut KernelContext) -> Result<()> {
    let table = table(c)?;
    let state = table.state.lock();
    check_ready(&table, &state)?;
    let count = state.entries.len();
    let all = |values: Vec<&Value>, dtype: DType| {
        let runs = (0..count).map(|source| Run {
            source,
            from: 0,
            len: 1,
        });
        assemble(dtype, Shape::vector(count), &values, runs)
    };
    let keys = all(
        state.entries.values().map(|e| &e.0).collect(),
        table.key_dtype,
    )?;
    let values = all(
        state.entries.values().map(|e| &e.1).collect(),
        table.value_dtype,
    )?;
    drop(state);
    c.set_output(0, keys);
    c.set_output(1, values);
    Ok(())
}

fn remove(c: &mut KernelContext) -> Result<()> {
    let table = table(c)?;
    ensure!(
        table.is_mutable,
        unimplemented,
        "this table cannot be changed"
    );
    let mut state = table.state.lock();
    for key in keys_of(c.input(1)?)? {
        state.entries.shift_remove(&key);
    }
    Ok(())
}
