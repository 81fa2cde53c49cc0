//! Maps that hold sparse tensors under numbers, so that queues may hand the numbers on.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::graph::{Attrs, ShapeContext};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::Sparse;

/// One tensor: its places one after the other, its values, its shape.
struct Held {
    places: Vec<i64>,
    values: Value,
    dims: Vec<i64>,
}

#[derive(Default)]
struct Map(Mutex<Content>);

#[derive(Default)]
struct Content {
    next: i64,
    tensors: FxHashMap<i64, Held>,
}

impl Map {
    fn add(&self, held: Held) -> i64 {
        let mut content = self.0.lock();
        let handle = content.next;
        content.next += 1;
        content.tensors.insert(handle, held);
        handle
    }
}

pub(super) fn handle_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::scalar());
    Ok(())
}

pub(super) fn handles_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::vector(-1));
    Ok(())
}

pub(super) fn taken_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::unknown_of_rank(2));
    c.set(1, PartialShape::vector(-1));
    c.set(2, PartialShape::vector(-1));
    Ok(())
}

fn name_of(c: &KernelContext, attrs: &Attrs) -> Result<String> {
    Ok(match attrs.str("shared_name")? {
        "" => c.node.name.to_string(),
        name => name.to_string(),
    })
}

fn map(c: &KernelContext) -> Result<Arc<Map>> {
    let attrs = c.attrs();
    let key = format!("sparse tensors {}", name_of(c, attrs)?);
    let made = || Ok(Arc::new(Map::default()));
    c.session
        .resources()
        .get_or_create(attrs.str("container")?, &key, made)
}

/// Puts one tensor into the map; gives its number.
pub(super) fn add(c: &mut KernelContext) -> Result<()> {
    let sparse = Sparse::at(c, 0)?;
    let held = Held {
        places: sparse.places,
        values: sparse.values.clone(),
        dims: sparse.dims,
    };
    let handle = map(c)?.add(held);
    c.set_output(0, Value::scalar(handle)?);
    Ok(())
}

/// Puts each row of a tensor into the map, as a tensor of one rank less; gives their numbers.
pub(super) fn add_many(c: &mut KernelContext) -> Result<()> {
    let sparse = Sparse::at(c, 0)?;
    let rank = sparse.rank;
    ensure!(
        rank > 1,
        invalid,
        "Rank of input SparseTensor should be > 1, but saw rank: {rank}"
    );
    let count = usize::try_from(sparse.dims[0]).unwrap_or(0);
    ensure!(
        count <= 1 << 24,
        invalid,
        "a sparse tensor of {count} rows is too large for a map"
    );
    let mut rows: FxHashMap<usize, (Vec<i64>, Vec<Run>)> = FxHashMap::default();
    for (i, place) in sparse.places.chunks_exact(rank).enumerate() {
        let (places, runs) = rows.entry(place[0] as usize).or_default();
        places.extend(&place[1..]);
        runs.push(Run {
            source: 0,
            from: i,
            len: 1,
        });
    }
    let map = map(c)?;
    let mut handles = Vec::new();
    for row in 0..count {
        let (places, runs) = rows.remove(&row).unwrap_or_default();
        let shape = Shape::new(&[runs.len() as i64])?;
        let values = assemble(
            sparse.values.dtype(),
            shape,
            &[sparse.values],
            runs.into_iter(),
        )?;
        handles.push(map.add(Held {
            places,
            values,
            dims: sparse.dims[1..].to_vec(),
        }));
    }
    let shape = Shape::new(&[handles.len() as i64])?;
    c.set_output(0, Value::from_slice(shape, &handles)?);
    Ok(())
}

/// Takes tensors out of the map and puts them side by side along a new first axis.
pub(super) fn take_many(c: &mut KernelContext) -> Result<()> {
    let handles = c.ints_input(0)?;
    let dtype = c.attrs().dtype("dtype")?;
    let map = map(c)?;
    let mut taken = Vec::new();
    {
        let mut content = map.0.lock();
        for handle in &handles {
            taken.push(content.tensors.remove(handle).ok_or_else(|| {
                let name = name_of(c, c.attrs()).unwrap_or_default();
                Error::invalid(format!(
                    "Unable to find SparseTensor: {handle} in map: {name}"
                ))
            })?);
        }
    }
    let mut dims: Vec<i64> = taken.first().map(|t| t.dims.clone()).unwrap_or_default();
    let (mut places, mut runs) = (Vec::new(), Vec::new());
    for (source, held) in taken.iter().enumerate() {
        ensure!(
            held.dims.len() == dims.len() && held.values.dtype() == dtype,
            invalid,
            "Inconsistent rank or type across SparseTensors: tensor {source} has rank {} and type {}",
            held.dims.len(),
            held.values.dtype().name()
        );
        for (all, own) in dims.iter_mut().zip(&held.dims) {
            *all = (*all).max(*own);
        }
        let len = held.values.num_elements();
        for i in 0..len {
            places.push(source as i64);
            places.extend(&held.places[i * dims.len()..][..dims.len()]);
        }
        runs.push(Run {
            source,
            from: 0,
            len,
        });
    }
    let count: usize = runs.iter().map(|run| run.len).sum();
    let rank = dims.len() + 1;
    let values: Vec<&Value> = taken.iter().map(|held| &held.values).collect();
    if values.is_empty() {
        bail!(invalid, "Must have at least 1 serialized SparseTensor");
    }
    let vector = Shape::new(&[count as i64])?;
    let values = assemble(dtype, vector, &values, runs.into_iter())?;
    let places = Value::from_slice(Shape::new(&[count as i64, rank as i64])?, &places)?;
    let shape = [&[handles.len() as i64], &dims[..]].concat();
    c.set_output(0, places);
    c.set_output(1, values);
    c.set_output(2, Value::from_slice(Shape::new(&[rank as i64])?, &shape)?);
    Ok(())
}
