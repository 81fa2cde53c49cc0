//! Sparse tensors ordered, reshaped, joined, cut and filled: values move, none is computed.

use rustc_hash::FxHashMap;

use crate::backend::cpu::gemm::Number;
use crate::error::{Error, Result};
use crate::ops::kernel::KernelContext;
use crate::ops::moves::{Run, assemble, strides};
use crate::value::{Shape, Value};
use crate::{bail, dispatch, ensure};

use super::{Sparse, places_value};

/// The values at these places of one or more sources.
fn picked(sources: &[&Value], from: &[(usize, usize)]) -> Result<Value> {
    let runs = from.iter().map(|(source, from)| Run {
        source: *source,
        from: *from,
        len: 1,
    });
    assemble(sources[0].dtype(), Shape::vector(from.len()), sources, runs)
}

/// The entries `kept` of one sparse tensor.
fn entries(sparse: &Sparse, kept: &[usize]) -> Result<(Value, Value)> {
    let places: Vec<i64> = kept.iter().flat_map(|i| sparse.row(*i)).copied().collect();
    let from: Vec<(usize, usize)> = kept.iter().map(|i| (0, *i)).collect();
    let places = Value::from_slice(
        Shape::new(&[kept.len() as i64, sparse.rank as i64])?,
        &places,
    )?;
    Ok((places, picked(&[sparse.values], &from)?))
}

pub(super) fn reorder(c: &mut KernelContext) -> Result<()> {
    let sparse = Sparse::at(c, 0)?;
    let (places, values) = entries(&sparse, &sparse.order())?;
    c.set_output(0, places);
    c.set_output(1, values);
    Ok(())
}

pub(super) fn reshape(c: &mut KernelContext) -> Result<()> {
    let (places, old) = (c.input(0)?, c.ints_input(1)?);
    let mut wanted = c.ints_input(2)?;
    ensure!(
        places.shape().rank() == 2 && places.shape().dim(1) == old.len(),
        invalid,
        "Input indices should be a matrix but received shape {}",
        places.shape()
    );
    let size = |dims: &[i64]| {
        dims.iter()
            .try_fold(1i64, |n, d| n.checked_mul(*d))
            .ok_or_else(|| Error::invalid(format!("the shape {dims:?} has too many elements")))
    };
    let total = size(&old)?;
    ensure!(
        wanted.iter().filter(|d| **d == -1).count() <= 1,
        invalid,
        "only one output dimension may be -1, not {wanted:?}"
    );
    ensure!(
        wanted.iter().chain(&old).all(|d| *d >= -1),
        invalid,
        "size must be nonnegative, not {wanted:?}"
    );
    if let Some(at) = wanted.iter().position(|d| *d == -1) {
        wanted[at] = 1;
        let rest = size(&wanted)?;
        ensure!(
            rest > 0,
            invalid,
            "reshape cannot infer the missing input size for an empty tensor unless all specified input sizes are non-zero"
        );
        wanted[at] = total / rest;
        ensure!(
            wanted[at] * rest == total,
            invalid,
            "Input to reshape is a SparseTensor with {total} dense values, but the requested shape requires a multiple of {rest}. input_shape={old:?} output_shape={wanted:?}"
        );
    }
    ensure!(
        size(&wanted)? == total,
        invalid,
        "Input to reshape is a tensor with {total} dense values, but the requested shape has {}. input_shape={old:?} output_shape={wanted:?}",
        size(&wanted)?
    );
    let (steps, new_steps) = (strides(&old), strides(&wanted));
    let mut moved = Vec::with_capacity(places.shape().dim(0) * wanted.len());
    for place in places.ints()?.chunks_exact(old.len().max(1)) {
        let at: i64 = place
            .iter()
            .zip(&steps)
            .map(|(x, s)| x.wrapping_mul(*s as i64))
            .sum();
        let mut rest = at;
        for step in &new_steps {
            let step = (*step as i64).max(1);
            moved.push(rest / step);
            rest %= step;
        }
    }
    let shape = Shape::new(&[places.shape().dims()[0], wanted.len() as i64])?;
    let moved = Value::from_slice(shape, &moved)?;
    c.set_output(0, moved);
    c.set_output(1, Value::vector(&wanted)?);
    Ok(())
}

pub(super) fn concat(c: &mut KernelContext) -> Result<()> {
    let n = c.num_inputs() / 3;
    let parts: Vec<Sparse> = (0..n)
        .map(|i| Sparse::of(c.input(i)?, c.input(n + i)?, c.input(2 * n + i)?))
        .collect::<Result<_>>()?;
    let rank = parts[0].rank;
    let axis = crate::ops::shape::axis_of(c.attrs().int("concat_dim")?, rank)?;
    let mut dims = parts[0].dims.clone();
    let mut found: Vec<(Vec<i64>, usize, usize)> = Vec::new();
    let mut offset = 0i64;
    for (k, part) in parts.iter().enumerate() {
        ensure!(
            part.rank == rank && (0..rank).all(|d| d == axis || part.dims[d] == dims[d]),
            invalid,
            "Input shapes must match: expected {dims:?} but got {:?} at position {k}",
            part.dims
        );
        for (i, place) in part.rows().enumerate() {
            let mut place = place.to_vec();
            place[axis] += offset;
            found.push((place, k, i));
        }
        offset = offset
            .checked_add(part.dims[axis])
            .ok_or_else(|| Error::invalid("the sizes to concatenate are too large"))?;
    }
    dims[axis] = offset;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let places: Vec<i64> = found.iter().flat_map(|f| &f.0).copied().collect();
    let from: Vec<(usize, usize)> = found.iter().map(|f| (f.1, f.2)).collect();
    let sources: Vec<&Value> = parts.iter().map(|p| p.values).collect();
    let values = picked(&sources, &from)?;
    c.set_output(0, places_value(&places, rank)?);
    c.set_output(1, values);
    c.set_output(2, Value::vector(&dims)?);
    Ok(())
}

pub(super) fn split(c: &mut KernelContext) -> Result<()> {
    let axis = c.scalar_input(0, "split_dim")?.int()?;
    let sparse = Sparse::at(c, 1)?;
    let n = c.num_outputs() / 3;
    ensure!(
        (0..sparse.rank as i64).contains(&axis),
        invalid,
        "Input split_dim should be between 0 and rank ({}), got {axis}",
        sparse.rank
    );
    let axis = axis as usize;
    let size = sparse.dims[axis];
    ensure!(
        n as i64 <= size,
        invalid,
        "Input num_split should be between 1 and the splitting dimension size ({size}), got {n}"
    );
    // The first `size % n` parts are one larger.
    let (each, larger) = (size / n as i64, size % n as i64);
    let mut start = 0;
    let mut made = Vec::new();
    for k in 0..n as i64 {
        let end = start + each + i64::from(k < larger);
        let kept: Vec<usize> = (0..sparse.len())
            .filter(|i| (start..end).contains(&sparse.row(*i)[axis]))
            .collect();
        let mut places: Vec<i64> = kept.iter().flat_map(|i| sparse.row(*i)).copied().collect();
        places
            .iter_mut()
            .skip(axis)
            .step_by(sparse.rank)
            .for_each(|x| *x -= start);
        let (_, values) = entries(&sparse, &kept)?;
        let mut dims = sparse.dims.clone();
        dims[axis] = end - start;
        made.push((
            places_value(&places, sparse.rank)?,
            values,
            Value::vector(&dims)?,
        ));
        start = end;
    }
    for (k, (places, values, dims)) in made.into_iter().enumerate() {
        c.set_output(k, places);
        c.set_output(n + k, values);
        c.set_output(2 * n + k, dims);
    }
    Ok(())
}

pub(super) fn slice(c: &mut KernelContext) -> Result<()> {
    let sparse = Sparse::at(c, 0)?;
    let (start, size) = (c.ints_input(3)?, c.ints_input(4)?);
    ensure!(
        start.len() == sparse.rank && size.len() == sparse.rank,
        invalid,
        "Expected start and size to be vectors of length {}, but got lengths {} and {}",
        sparse.rank,
        start.len(),
        size.len()
    );
    let kept: Vec<usize> = (0..sparse.len())
        .filter(|i| {
            let row = sparse.row(*i).iter();
            row.zip(start.iter().zip(&size))
                .all(|(x, (s, n))| x >= s && *x - s < *n)
        })
        .collect();
    let mut places: Vec<i64> = kept.iter().flat_map(|i| sparse.row(*i)).copied().collect();
    for (at, x) in places.iter_mut().enumerate() {
        *x -= start[at % sparse.rank];
    }
    let dims: Vec<i64> = (0..sparse.rank)
        .map(|d| size[d].min(sparse.dims[d].saturating_sub(start[d])).max(0))
        .collect();
    let (_, values) = entries(&sparse, &kept)?;
    let places = places_value(&places, sparse.rank)?;
    c.set_output(0, places);
    c.set_output(1, values);
    c.set_output(2, Value::vector(&dims)?);
    Ok(())
}

pub(super) fn slice_grad(c: &mut KernelContext) -> Result<()> {
    let (dy, inside, start) = (c.input(0)?, c.input(3)?, c.ints_input(2)?);
    let places = c.input(1)?;
    let rank = start.len().max(1);
    let places = places.ints()?;
    let mut where_from: FxHashMap<Vec<i64>, usize> = FxHashMap::default();
    for (k, place) in inside.ints()?.chunks_exact(rank).enumerate() {
        where_from.insert(place.iter().zip(&start).map(|(x, s)| x + s).collect(), k);
    }
    ensure!(
        where_from.len() <= dy.num_elements(),
        invalid,
        "the gradient of a slice has fewer values than the slice"
    );
    let mut out = Value::zeros(dy.dtype(), Shape::vector(places.len() / rank))?;
    dispatch!(numbers, dy.dtype(), T => {
        let (from, to) = (dy.slice::<T>()?, out.slice_mut::<T>()?);
        for (to, place) in to.iter_mut().zip(places.chunks_exact(rank)) {
            if let Some(k) = where_from.get(place) {
                *to = from[*k];
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

pub(super) fn fill_empty_rows(c: &mut KernelContext) -> Result<()> {
    let (places, values) = (c.input(0)?, c.input(1)?);
    let dims = c.ints_input(2)?;
    let default = c.scalar_input(3, "default_value")?;
    let sparse = Sparse::unchecked(places, values, dims)?;
    let Some(rows) = sparse.dims.first().copied() else {
        bail!(invalid, "Dense shape cannot be empty");
    };
    let mut of_row: Vec<Vec<usize>> = vec![Vec::new(); usize::try_from(rows).unwrap_or(0)];
    for (i, place) in sparse.rows().enumerate() {
        ensure!(
            (0..rows).contains(&place[0]),
            invalid,
            "indices({i}, 0) is invalid: {} >= {rows}",
            place[0]
        );
        of_row[place[0] as usize].push(i);
    }
    let (mut out, mut from) = (Vec::new(), Vec::new());
    let mut reverse = vec![0i64; sparse.len()];
    for (row, all) in of_row.iter().enumerate() {
        if all.is_empty() {
            out.push(row as i64);
            out.extend(std::iter::repeat_n(0, sparse.rank - 1));
            from.push((1, 0));
        }
        for i in all {
            reverse[*i] = from.len() as i64;
            out.extend_from_slice(sparse.row(*i));
            from.push((0, *i));
        }
    }
    let empty: Vec<bool> = of_row.iter().map(Vec::is_empty).collect();
    let filled = picked(&[values, default], &from)?;
    let out = places_value(&out, sparse.rank)?;
    c.set_output(0, out);
    c.set_output(1, filled);
    c.set_output(2, Value::from_bools(Shape::vector(empty.len()), &empty)?);
    c.set_output(3, Value::vector(&reverse)?);
    Ok(())
}

pub(super) fn fill_empty_rows_grad(c: &mut KernelContext) -> Result<()> {
    let (reverse, dy) = (c.ints_input(0)?, c.input(1)?);
    let n = dy.num_elements();
    let mut is_value = vec![false; n];
    for (i, at) in reverse.iter().enumerate() {
        ensure!(
            (0..n as i64).contains(at),
            invalid,
            "Elements in reverse index must be in [0, {n}) but got {at} at {i}"
        );
        is_value[*at as usize] = true;
    }
    let from: Vec<(usize, usize)> = reverse.iter().map(|at| (0, *at as usize)).collect();
    let values = picked(&[dy], &from)?;
    let mut default = Value::zeros(dy.dtype(), Shape::scalar())?;
    dispatch!(numbers, dy.dtype(), T => {
        let mut sum = <T as Number>::zero();
        for (x, is_value) in dy.slice::<T>()?.iter().zip(&is_value) {
            if !is_value {
                sum = T::plus(sum, *x);
            }
        }
        default.slice_mut::<T>()?[0] = sum;
    });
    c.set_output(0, values);
    c.set_output(1, default);
    Ok(())
}
