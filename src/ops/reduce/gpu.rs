//! Reductions on GPUs: folds along one axis at a time, with `shaders/reduce.wgsl`.

use smallvec::SmallVec;

use crate::backend::gpu::{Shader, groups_of};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, Target, words};
use crate::value::{DType, Shape, Value, resolve_axis};

use super::kernels::{Kind, groups};

/// How elements are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Fold {
    Sum,
    /// A sum, divided at last.
    Mean,
    /// Squares are summed, and divided at last.
    MeanSquare,
    Prod,
    Max,
    Min,
}

impl Fold {
    fn kind(self) -> u32 {
        match self {
            Fold::Sum | Fold::Mean | Fold::MeanSquare => 0,
            Fold::Prod => 1,
            Fold::Max => 2,
            Fold::Min => 3,
        }
    }

    /// How what was folded once is folded on.
    fn after(self) -> Fold {
        match self {
            Fold::MeanSquare => Fold::Mean,
            other => other,
        }
    }
}

/// How a workgroup of 256 is dealt out: see `shaders/lib/lanes.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct Lanes {
    pub lanes: usize,
    pub is_strided: bool,
}

impl Lanes {
    /// For a sum of `length` elements that lie `inner` apart.
    pub fn of(length: usize, inner: usize) -> Lanes {
        let lanes = match (inner, length) {
            (1, 0..=8) => 4,
            (1, 9..=255) => 32,
            (1, _) => 256,
            (2..=7, _) => 64,
            (8..=31, _) => 16,
            _ => 4,
        };
        Lanes {
            lanes,
            is_strided: inner > 1,
        }
    }

    pub fn constants(self) -> [(&'static str, u32); 2] {
        [
            ("LANES", self.lanes as u32),
            ("STRIDED", u32::from(self.is_strided)),
        ]
    }

    /// Workgroups for so many outputs.
    pub fn groups(self, outputs: usize) -> [u32; 3] {
        groups_of(outputs.div_ceil(256 / self.lanes))
    }

    /// Into how many chunks sums of `length` are cut, so that `outputs` of them keep a GPU busy.
    pub fn chunks(self, length: usize, outputs: usize) -> usize {
        let groups = outputs.div_ceil(256 / self.lanes).max(1);
        (BUSY / groups).min(length / (self.lanes * DEPTH)).max(1)
    }
}

/// Workgroups that keep a large GPU busy.
const BUSY: usize = 256;
/// Elements that a lane takes at least, where there are several chunks.
const DEPTH: usize = 16;

/// What a fold is stored into.
enum Sink<'s, 't> {
    Value(&'s Value),
    Target(&'s mut Target<'t>),
}

/// Folds the middle axis of x, seen as [outer, length, inner], into `to` [outer, inner].
pub(in crate::ops) fn fold_into(
    c: &GpuContext,
    x: &Value,
    sizes: [usize; 3],
    fold: Fold,
    divisor: usize,
    to: &Value,
) -> Result<()> {
    fold_to(c, x, sizes, fold, divisor, Sink::Value(to))
}

/// The same for floats, into a target whose rows have `inner` elements.
pub(in crate::ops) fn fold_into_target(
    c: &GpuContext,
    x: &Value,
    sizes: [usize; 3],
    fold: Fold,
    divisor: usize,
    to: &mut Target,
) -> Result<()> {
    fold_to(c, x, sizes, fold, divisor, Sink::Target(to))
}

fn fold_to(
    c: &GpuContext,
    x: &Value,
    [outer, length, inner]: [usize; 3],
    fold: Fold,
    divisor: usize,
    to: Sink,
) -> Result<()> {
    let is_bool = x.dtype() == DType::Bool;
    let is_float = x.dtype() == DType::F32;
    // Floats go by fours, across results or along rows.
    let by_fours = |size: usize| is_float && size > 0 && size.is_multiple_of(4);
    let across = if by_fours(inner) { 4 } else { 1 };
    let along = if inner == 1 && by_fours(length) { 4 } else { 1 };
    let own_inner = match inner {
        1 => 1,
        _ => (inner / across).max(2),
    };
    let mut lanes = Lanes::of(length / along, own_inner);
    if is_bool {
        // An invocation writes four results.
        lanes.lanes = lanes.lanes.min(64);
    }
    let chunks = lanes.chunks(length / along, outer * inner / across);
    let is_mean = matches!(fold, Fold::Mean | Fold::MeanSquare);
    let [first, last] = lanes.constants();
    let shader = Shader::file(
        "reduce",
        &[
            ("KIND", fold.kind()),
            ("MEAN", u32::from(is_mean && chunks == 1)),
            ("SQUARE", u32::from(fold == Fold::MeanSquare)),
            ("INT", u32::from(x.dtype() == DType::I32)),
            ("BYTES", u32::from(is_bool)),
            ("VEC", u32::from(across * along > 1)),
            ("C_VEC", u32::from(across > 1)),
            first,
            last,
        ],
    );
    let outputs = outer * chunks * inner / across;
    let (length_in, inner_in) = (length / along, inner / across);
    let chunk = length_in.div_ceil(chunks);
    let params = words([outputs, length_in, inner_in, chunks, chunk, divisor])?;
    if chunks == 1 {
        let groups = lanes.groups(outputs);
        return match to {
            Sink::Value(to) => c.launch(&shader, &[x, to], &params, groups),
            Sink::Target(to) => to.launch(c, shader, &[x], &params, groups),
        };
    }
    let shape = Shape::new(&[outer as i64, chunks as i64, inner as i64])?;
    let parts = c.allocate_as(x.dtype(), shape)?;
    c.launch(&shader, &[x, &parts], &params, lanes.groups(outputs))?;
    fold_to(c, &parts, [outer, chunks, inner], fold.after(), divisor, to)
}

/// The axes that input 1 says, reduced. What is wrong, and what no shader does, is left to the host.
fn reduce(c: &mut GpuContext, fold: Fold) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let mut reduced = vec![false; shape.rank()];
    for axis in c.ints_input(1)? {
        match resolve_axis(axis, shape.rank()) {
            Ok(axis) => reduced[axis] = true,
            Err(_) => return c.leave_to_host(),
        }
    }
    let is_known = matches!(c.dtype(0)?, DType::F32 | DType::I32 | DType::Bool);
    if !is_known || shape.num_elements() == 0 {
        return c.leave_to_host();
    }
    let keeps = c.attrs().bool("keep_dims")?;
    let mut dims = Vec::new();
    for (dim, is_reduced) in shape.dims().iter().zip(&reduced) {
        match is_reduced {
            false => dims.push(*dim),
            true if keeps => dims.push(1),
            true => {}
        }
    }
    let out = Shape::new(&dims)?;
    let mut sizes = groups(&shape, &reduced);
    let mut x = c.input(0)?;
    let count = shape.num_elements() / out.num_elements();
    let mut fold = fold;
    // The innermost group of reduced axes first: what is left to do is smaller then.
    while sizes.len() > 1 {
        // Kept and reduced groups take turns, beginning with a kept one.
        let at = (sizes.len() - 2) | 1;
        let outer = sizes[..at].iter().product();
        let inner = sizes[at + 1..].iter().product();
        let is_last = sizes.len() <= 3;
        let step = match (fold, is_last) {
            (Fold::Mean, false) => Fold::Sum,
            (fold, _) => fold,
        };
        let shape = match is_last {
            true => out.clone(),
            false => Shape::new(&[outer as i64, inner as i64])?,
        };
        let to = c.allocate_as(x.dtype(), shape)?;
        fold_into(c, &x, [outer, sizes[at], inner], step, count, &to)?;
        let kept = sizes.split_off(at).into_iter().skip(1).product::<usize>();
        if let Some(last) = sizes.last_mut() {
            *last *= kept;
        }
        x = to;
        fold = fold.after();
    }
    c.set_output(0, x.with_shape(out)?);
    Ok(())
}

pub(super) fn reduce_kind(c: &mut GpuContext, kind: Kind) -> Result<()> {
    reduce(
        c,
        match kind {
            Kind::Sum => Fold::Sum,
            Kind::Mean => Fold::Mean,
            Kind::Prod => Fold::Prod,
            Kind::Max => Fold::Max,
            Kind::Min => Fold::Min,
        },
    )
}

/// All is the minimum of bools, any the maximum.
pub(super) fn reduce_bools(c: &mut GpuContext, is_all: bool) -> Result<()> {
    reduce(c, if is_all { Fold::Min } else { Fold::Max })
}

/// ArgMax (`largest`) or ArgMin.
pub(super) fn arg_reduce(c: &mut GpuContext, largest: bool) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let axis = match c.ints_input(1)?[..] {
        [axis] => resolve_axis(axis, shape.rank()).ok(),
        _ => None,
    };
    let is_known = matches!(c.dtype(0)?, DType::F32 | DType::I32);
    let (Some(axis), true) = (axis, is_known && shape.num_elements() > 0) else {
        return c.leave_to_host();
    };
    let dims = shape.dims();
    let product = |dims: &[i64]| dims.iter().map(|d| *d as usize).product::<usize>();
    let (outer, length, inner) = (
        product(&dims[..axis]),
        dims[axis] as usize,
        product(&dims[axis + 1..]),
    );
    let mut kept = dims.to_vec();
    kept.remove(axis);
    let x = c.input(0)?;
    let y = c.allocate(0, Shape::new(&kept)?)?;
    let outputs = outer * inner;
    let chunks = Lanes::of(length, inner).chunks(length, outputs);
    let chunk = length.div_ceil(chunks);
    // Places `of` the axis: the best of each chunk of it, or, with `among`, the best of these.
    let pass = |of: usize, among: Option<&Value>, to: &Value| {
        let lanes = Lanes::of(of, inner);
        let [first, last] = lanes.constants();
        let shader = Shader::file(
            "arg_reduce",
            &[
                ("LEAST", u32::from(!largest)),
                ("INT", u32::from(x.dtype() == DType::I32)),
                ("LONG", u32::from(to.dtype() == DType::I64)),
                ("AMONG", u32::from(among.is_some())),
                first,
                last,
            ],
        );
        let count = to.num_elements();
        let params = words([count, length, inner, chunks, chunk])?;
        let bindings = [Some(&x), Some(to), among];
        let bindings: SmallVec<[&Value; 3]> = bindings.into_iter().flatten().collect();
        c.launch(&shader, &bindings, &params, lanes.groups(count))
    };
    if chunks == 1 {
        pass(length, None, &y)?;
    } else {
        let shape = Shape::new(&[outer as i64, chunks as i64, inner as i64])?;
        let places = c.allocate_as(DType::I32, shape)?;
        pass(chunk, None, &places)?;
        pass(chunks, Some(&places), &y)?;
    }
    c.set_output(0, y);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};
    use crate::value::{Shape, Value};

    #[test]
    fn reductions_agree_with_the_cpus() {
        let axes: [&[i32]; 6] = [&[0], &[1], &[2], &[0, 2], &[0, 1, 2], &[]];
        for op in ["Sum", "Mean", "Prod", "Max", "Min"] {
            for axes in axes {
                for dims in [[3, 5, 7], [2, 300, 3], [1, 4, 900], [40, 1, 70]] {
                    let axes = Value::vector(axes).unwrap();
                    let given = attrs(&[("keep_dims", (dims[0] == 2).into())]);
                    agrees_on_gpu(op, &[floats_of(&dims), axes], &given, 1e-5);
                }
            }
        }
    }

    #[test]
    fn long_sums_are_cut_into_chunks() {
        let axis = Value::scalar(0i32).unwrap();
        agrees_on_gpu("Sum", &[floats_of(&[100_000]), axis.clone()], &[], 1e-5);
        agrees_on_gpu("Mean", &[floats_of(&[30_000, 3]), axis.clone()], &[], 1e-5);
        for op in ["ArgMax", "ArgMin"] {
            for dims in [[100_003, 1], [30_001, 3], [9_000, 40]] {
                agrees_on_gpu(op, &[floats_of(&dims), axis.clone()], &[], 0.0);
            }
        }
    }

    #[test]
    fn bools_and_integers_are_reduced() {
        let bools: Vec<bool> = (0..60).map(|i| i % 7 != 3).collect();
        let x = Value::from_bools(Shape::new(&[4, 15]).unwrap(), &bools).unwrap();
        let ints: Vec<i32> = (0..60).map(|i| i * 7919 % 101 - 50).collect();
        let y = Value::from_slice(Shape::new(&[4, 15]).unwrap(), &ints).unwrap();
        for axis in 0..2i32 {
            let axis = Value::scalar(axis).unwrap();
            for op in ["All", "Any"] {
                agrees_on_gpu(op, &[x.clone(), axis.clone()], &[], 0.0);
            }
            for op in ["Sum", "Mean", "Max", "ArgMax", "ArgMin"] {
                agrees_on_gpu(op, &[y.clone(), axis.clone()], &[], 0.0);
            }
            agrees_on_gpu("ArgMax", &[floats_of(&[4, 15]), axis], &[], 0.0);
        }
    }
}
