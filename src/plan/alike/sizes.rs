//! What is known of shapes before a run: a size is a number, or the name of an unknown. Equal names are equal sizes in
//! every run (in a loop: in every iteration).

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::graph::Graph;
use crate::ops::Run;
use crate::value::{DType, PartialShape};

use super::super::draft::{Draft, Item, ItemId, Source, Work};

/// A number, or below `NAMES` a name.
pub type Size = i64;
pub type Sizes = SmallVec<[Size; 4]>;

/// Names are below it; what a shape's elements may hold besides sizes (-1) lies above.
const NAMES: Size = -1_000_000;

pub fn is_number(size: Size) -> bool {
    size >= 0
}

fn is_size(size: Size) -> bool {
    !(NAMES..0).contains(&size)
}

/// Constants of more elements are no shapes.
const MAX_RANK: usize = 16;

/// The shapes of what was visited, and of integer tensors what they hold.
#[derive(Default)]
pub struct Shapes {
    shapes: FxHashMap<Source, Sizes>,
    values: FxHashMap<Source, Sizes>,
    names: i64,
}

impl Shapes {
    /// The shape of a source whose rank is known.
    pub fn shape(&self, source: Source) -> Option<&Sizes> {
        self.shapes.get(&source)
    }

    /// The elements of an integer scalar or vector that says sizes; all of them are sizes.
    pub fn value(&self, source: Source) -> Option<&Sizes> {
        let value = self.values.get(&source)?;
        value.iter().all(|size| is_size(*size)).then_some(value)
    }

    fn name(&mut self) -> Size {
        self.names += 1;
        NAMES - self.names
    }

    /// Notes an item whose inputs were visited.
    pub fn visit(&mut self, draft: &Draft, graph: &Graph, id: ItemId) {
        let item = draft.item(id);
        for input in &item.inputs {
            self.visit_given(draft, graph, *input);
        }
        let first = self.infer(draft, item);
        for (output, of_node) in item.node.outputs.iter().enumerate() {
            let inferred = match (output, item.op()) {
                (0, _) => first.clone(),
                (1, "SparseSoftmaxCrossEntropyWithLogits") => self.of(item, 0).cloned(),
                _ => None,
            };
            let Some(sizes) = self.merge(inferred, &of_node.shape) else {
                continue;
            };
            // What a reference refers to may get another shape.
            if !of_node.is_ref || sizes.iter().all(|size| is_number(*size)) {
                self.shapes.insert(Source::Item(id, output as u16), sizes);
            }
        }
        if let Some(value) = self.value_of(item) {
            self.values.insert(Source::Item(id, 0), value);
        }
    }

    fn visit_given(&mut self, draft: &Draft, graph: &Graph, source: Source) {
        if self.shapes.contains_key(&source) {
            return;
        }
        match source {
            Source::Item(..) => {}
            Source::Feed(feed) => {
                let shape = graph.shape(draft.feeds[feed as usize]);
                if let Some(sizes) = self.merge(None, shape) {
                    self.shapes.insert(source, sizes);
                }
            }
            Source::Constant(c) => {
                let value = &draft.constants[c as usize];
                let dims = value.shape().dims().iter().copied();
                self.shapes.insert(source, dims.collect());
                let is_short = value.shape().rank() <= 1 && value.num_elements() <= MAX_RANK;
                if is_short
                    && matches!(value.dtype(), DType::I32 | DType::I64)
                    && let Ok(elements) = value.ints()
                {
                    self.values.insert(source, elements.into_iter().collect());
                }
            }
        }
    }

    /// What was inferred and what the graph knows, with names for what neither does.
    fn merge(&mut self, inferred: Option<Sizes>, known: &PartialShape) -> Option<Sizes> {
        let inferred = match (inferred, known.dims()) {
            (inferred, None) => return inferred,
            (Some(sizes), Some(dims)) if sizes.len() == dims.len() => Some(sizes),
            _ => None,
        };
        let dims = known.dims()?.iter().enumerate();
        let sizes = dims.map(|(axis, dim)| match (&inferred, *dim) {
            (_, dim) if dim >= 0 => dim,
            (Some(sizes), _) => sizes[axis],
            _ => self.name(),
        });
        Some(sizes.collect())
    }

    fn of(&self, item: &Item, input: usize) -> Option<&Sizes> {
        self.shape(*item.inputs.get(input)?)
    }

    /// The shape that input `input` says.
    fn said_by(&self, item: &Item, input: usize) -> Option<Sizes> {
        self.value(*item.inputs.get(input)?).cloned()
    }

    /// The shape of output 0, as far as this pass knows the op.
    fn infer(&mut self, draft: &Draft, item: &Item) -> Option<Sizes> {
        let Work::Op(run) = item.work;
        if matches!(run, Run::Map(_) | Run::MapWith(_)) {
            return self.broadcast(item);
        }
        match item.op() {
            "Identity"
            | "StopGradient"
            | "PreventGradient"
            | "Snapshot"
            | "BiasAdd"
            | "BiasAddV1"
            | "ZerosLike"
            | "OnesLike"
            | "Softmax"
            | "LogSoftmax"
            | "FusedBatchNorm"
            | "FusedBatchNormV2"
            | "FusedBatchNormV3"
            | "FusedBatchNormGrad"
            | "FusedBatchNormGradV2"
            | "FusedBatchNormGradV3"
            | "CheckNumerics"
            | "LRN"
            | "MaxPoolGrad"
            | "Cumsum" => self.of(item, 0).cloned(),
            "Select" => self.of(item, 1).cloned(),
            "Conv2D"
            | "DepthwiseConv2dNative"
            | "MaxPool"
            | "AvgPool"
            | "ResizeNearestNeighbor"
            | "ResizeBilinear" => {
                let batch = *self.of(item, 0)?.first()?;
                self.with_batch(item, batch)
            }
            "Conv2DBackpropInput"
            | "AvgPoolGrad"
            | "RandomUniform"
            | "RandomStandardNormal"
            | "TruncatedNormal"
            | "Fill" => self.said_by(item, 0),
            "Reshape" | "BroadcastTo" => self.said_by(item, 1),
            "Tile" => self.tiled(item),
            "MatMul" => {
                let turned = |name: &str| item.node.attrs.bool(name).unwrap_or(false);
                let (a, b) = (self.of(item, 0)?, self.of(item, 1)?);
                let rows = a.get(usize::from(turned("transpose_a")));
                let cols = b.get(usize::from(!turned("transpose_b")));
                Some(Sizes::from_slice(&[*rows?, *cols?]))
            }
            "SparseSoftmaxCrossEntropyWithLogits" => {
                let batch = *self.of(item, 0)?.first()?;
                Some(Sizes::from_slice(&[batch]))
            }
            "Sum" | "Mean" | "Max" | "Min" | "Prod" => self.reduced(draft, item),
            _ => None,
        }
    }

    /// The graph's shape with another first size.
    fn with_batch(&mut self, item: &Item, batch: Size) -> Option<Sizes> {
        let mut sizes = self.merge(None, &item.node.outputs.first()?.shape)?;
        *sizes.first_mut()? = batch;
        Some(sizes)
    }

    fn broadcast(&mut self, item: &Item) -> Option<Sizes> {
        let mut all: SmallVec<[Sizes; 4]> = SmallVec::new();
        for input in 0..item.inputs.len() {
            all.push(self.of(item, input)?.clone());
        }
        let rank = all.iter().map(|sizes| sizes.len()).max()?;
        let mut made = Sizes::new();
        for back in (1..=rank).rev() {
            let axis = all.iter().filter_map(|sizes| {
                let at = sizes.len().checked_sub(back)?;
                Some(sizes[at])
            });
            let mut size = Some(1);
            for other in axis {
                size = match (size, other) {
                    (Some(1), other) => Some(other),
                    (size, 1) => size,
                    (Some(size), other) if size == other => Some(size),
                    // What is unknown is 1 or as large as the other.
                    (Some(size), _) if is_number(size) => Some(size),
                    (_, other) if is_number(other) => Some(other),
                    _ => None,
                };
            }
            let size = size.unwrap_or_else(|| self.name());
            made.push(size);
        }
        Some(made)
    }

    fn tiled(&mut self, item: &Item) -> Option<Sizes> {
        let (own, times) = (self.of(item, 0)?.clone(), self.said_by(item, 1)?);
        let both = own.iter().zip(&times);
        let sizes: Sizes = both
            .map(|(size, times)| match (*size, *times) {
                (1, times) => times,
                (size, 1) => size,
                _ => self.name(),
            })
            .collect();
        (sizes.len() == own.len()).then_some(sizes)
    }

    fn reduced(&self, draft: &Draft, item: &Item) -> Option<Sizes> {
        let Source::Constant(axes) = item.inputs.get(1)? else {
            return None;
        };
        let axes = draft.constants[*axes as usize].ints().ok()?;
        let keeps = item.node.attrs.bool("keep_dims").ok()?;
        let own = self.of(item, 0)?;
        let rank = own.len() as i64;
        let is_reduced = |axis: i64| axes.iter().any(|a| *a == axis || *a + rank == axis);
        let sizes = own.iter().zip(0i64..);
        let sizes = sizes.filter_map(|(size, axis)| match is_reduced(axis) {
            false => Some(*size),
            true => keeps.then_some(1),
        });
        Some(sizes.collect())
    }

    /// What an integer tensor of sizes holds.
    fn value_of(&self, item: &Item) -> Option<Sizes> {
        match item.op() {
            "Shape" => self.of(item, 0).cloned(),
            "Identity" => self.said_by(item, 0),
            "Pack" => {
                let all = (0..item.inputs.len()).map(|i| match self.said_by(item, i)?.as_slice() {
                    [size] if self.of(item, i)?.is_empty() => Some(*size),
                    _ => None,
                });
                all.collect()
            }
            "StridedSlice" => self.sliced(item),
            _ => None,
        }
    }

    /// One element of a shape, as a scalar.
    fn sliced(&self, item: &Item) -> Option<Sizes> {
        let mask = |name: &str| item.node.attrs.int(name).ok();
        let is_one = mask("shrink_axis_mask")? == 1
            && mask("new_axis_mask")? == 0
            && mask("ellipsis_mask")? == 0
            && mask("begin_mask")? == 0;
        let from = self.said_by(item, 0)?;
        let [begin] = self.values.get(item.inputs.get(1)?)?.as_slice() else {
            return None;
        };
        let begin = match *begin {
            begin if begin < 0 => begin + from.len() as i64,
            begin => begin,
        };
        let size = *from.get(usize::try_from(begin).ok()?)?;
        let is_vector = self.of(item, 0)?.len() == 1;
        (is_one && is_vector).then(|| Sizes::from_slice(&[size]))
    }
}
