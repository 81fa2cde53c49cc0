//! Boxes in images: cut out and resized, drawn, drawn at random, and thinned out where they overlap.

use crate::backend::cpu::philox::{Words, unit_f32};
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::kernel::KernelContext;
use crate::ops::random::reserve;
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("DrawBoundingBoxes", "images: T, boxes: float32 -> output: T").attr("T: {float32, float16} = DT_FLOAT32").no_grad().shape(drawn_shape).kernel(draw),
    Op::new("DrawBoundingBoxesV2", "images: T, boxes: float32, colors: float32 -> output: T").attr("T: {float32, float16} = DT_FLOAT32").shape(drawn_shape).kernel(draw),
    Op::new("SampleDistortedBoundingBox", "image_size: T, bounding_boxes: float32 -> begin: T, size: T, bboxes: float32").attr("T: {uint8, int8, int16, int32, int64}").attr("seed: int = 0").attr("seed2: int = 0").attr("min_object_covered: float = 0.10000000149011612").attr("aspect_ratio_range: list(float) = [0.75, 1.3300000429153442]").attr("area_range: list(float) = [0.05000000074505806, 1.0]").attr("max_attempts: int = 100").attr("use_image_if_no_bounding_boxes: bool = false").stateful().no_grad().shape(sample_shape).kernel(|c| { let covered = c.attrs().float("min_object_covered")?; sample(c, covered) }),
    Op::new("SampleDistortedBoundingBoxV2", "image_size: T, bounding_boxes: float32, min_object_covered: float32 -> begin: T, size: T, bboxes: float32").attr("T: {uint8, int8, int16, int32, int64}").attr("seed: int = 0").attr("seed2: int = 0").attr("aspect_ratio_range: list(float) = [0.75, 1.3300000429153442]").attr("area_range: list(float) = [0.05000000074505806, 1.0]").attr("max_attempts: int = 100").attr("use_image_if_no_bounding_boxes: bool = false").stateful().no_grad().shape(sample_shape).kernel(|c| { let covered = c.scalar_input(2, "min_object_covered")?.item::<f32>()?; sample(c, covered) }),
    Op::new("NonMaxSuppression", "boxes: float32, scores: float32, max_output_size: int32 -> selected_indices: int32").attr("iou_threshold: float = 0.5").no_grad().shape(selected_shape).kernel(|c| { let most = c.attrs().float("iou_threshold")?; suppress(c, most, f32::NEG_INFINITY, 0.0) }),
    Op::new("NonMaxSuppressionV2", "boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold -> selected_indices: int32").attr("T: {float16, float32} = DT_FLOAT32").attr("T_threshold: {float16, float32} = DT_FLOAT32").no_grad().shape(selected_shape).kernel(|c| { let most = limit(c, 3)?; suppress(c, most, f32::NEG_INFINITY, 0.0) }),
    Op::new("NonMaxSuppressionV3", "boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold, score_threshold: T_threshold -> selected_indices: int32").attr("T: {float16, float32} = DT_FLOAT32").attr("T_threshold: {float16, float32} = DT_FLOAT32").shape(selected_shape).kernel(|c| { let (most, least) = (limit(c, 3)?, limit(c, 4)?); suppress(c, most, least, 0.0) }),
    Op::new("NonMaxSuppressionV4", "boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold, score_threshold: T_threshold -> selected_indices: int32, valid_outputs: int32").attr("T: {float16, float32} = DT_FLOAT32").attr("T_threshold: {float16, float32} = DT_FLOAT32").attr("pad_to_max_output_size: bool = false").shape(selected_shape).kernel(|c| { let (most, least) = (limit(c, 3)?, limit(c, 4)?); suppress(c, most, least, 0.0) }),
    Op::new("NonMaxSuppressionV5", "boxes: T, scores: T, max_output_size: int32, iou_threshold: T, score_threshold: T, soft_nms_sigma: T -> selected_indices: int32, selected_scores: T, valid_outputs: int32").attr("T: {float16, float32} = DT_FLOAT32").attr("pad_to_max_output_size: bool = false").shape(selected_shape).kernel(|c| { let (most, least, sigma) = (limit(c, 3)?, limit(c, 4)?, limit(c, 5)?); suppress(c, most, least, sigma) }),
    Op::new("NonMaxSuppressionWithOverlaps", "overlaps: float32, scores: float32, max_output_size: int32, overlap_threshold: float32, score_threshold: float32 -> selected_indices: int32").no_grad().shape(selected_shape).kernel(|c| { let (most, least) = (limit(c, 3)?, limit(c, 4)?); suppress(c, most, least, 0.0) }),
];

fn drawn_shape(c: &mut ShapeContext) -> Result<()> {
    let images = c.input_of_rank(0, 4)?;
    c.set(0, images);
    Ok(())
}

fn sample_shape(c: &mut ShapeContext) -> Result<()> {
    let size = c.input_of_rank(0, 1)?;
    shape::dim_is(size.dim(0), 3)?;
    c.input_of_rank(1, 3)?;
    c.set(0, PartialShape::vector(3));
    c.set(1, PartialShape::vector(3));
    c.set(2, PartialShape::from_dims([1, 1, 4]));
    Ok(())
}

fn selected_shape(c: &mut ShapeContext) -> Result<()> {
    let boxes = c.input_of_rank(0, 2)?;
    let scores = c.input_of_rank(1, 1)?;
    c.input_of_rank(2, 0)?;
    shape::merge_dim(boxes.dim(0), scores.dim(0))?;
    let pads = c.attrs().get("pad_to_max_output_size").is_some()
        && c.attrs().bool("pad_to_max_output_size")?;
    let count = match c.constant(2).and_then(|v| v.int().ok()) {
        Some(n) if pads => n,
        _ => -1,
    };
    c.set(0, PartialShape::vector(count));
    match c.num_outputs() {
        2 => c.set(1, PartialShape::scalar()),
        3 => {
            c.set(1, PartialShape::vector(count));
            c.set(2, PartialShape::scalar());
        }
        _ => {}
    }
    Ok(())
}

/// The colours that boxes are drawn in by turns, when none are given.
const COLOURS: [[f32; 4]; 10] = [
    [1.0, 1.0, 0.0, 1.0],
    [0.0, 0.0, 1.0, 1.0],
    [1.0, 0.0, 0.0, 1.0],
    [0.0, 1.0, 0.0, 1.0],
    [0.5, 0.0, 0.5, 1.0],
    [0.5, 0.5, 0.0, 1.0],
    [0.5, 0.0, 0.0, 1.0],
    [0.0, 0.0, 0.5, 1.0],
    [0.0, 1.0, 1.0, 1.0],
    [1.0, 0.0, 1.0, 1.0],
];

fn draw(c: &mut KernelContext) -> Result<()> {
    let (images, boxes) = (c.input(0)?, c.input(1)?);
    ensure!(
        images.shape().rank() == 4,
        invalid,
        "The rank of the images should be 4"
    );
    ensure!(
        boxes.shape().rank() == 3 && boxes.shape().dim(2) == 4,
        invalid,
        "The rank of the boxes tensor should be 3"
    );
    ensure!(
        images.shape().dim(0) == boxes.shape().dim(0),
        invalid,
        "The batch sizes should be the same"
    );
    let dims: Vec<usize> = (0..4).map(|i| images.shape().dim(i)).collect();
    let (batch, height, width, depth) = (dims[0], dims[1], dims[2], dims[3]);
    ensure!(
        matches!(depth, 1 | 3 | 4),
        invalid,
        "Channel depth should be either 1 (GRY), 3 (RGB), or 4 (RGBA)"
    );
    ensure!(
        images.dtype() == DType::F32,
        unimplemented,
        "boxes are not yet drawn in images of {}",
        images.dtype().short_name()
    );
    let mut colours: Vec<Vec<f32>> = COLOURS.iter().map(|c| c.to_vec()).collect();
    if c.num_inputs() == 3 {
        let given = c.input(2)?;
        ensure!(
            given.shape().rank() == 2,
            invalid,
            "colors must be a 2-D matrix"
        );
        let columns = given.shape().dim(1);
        ensure!(
            columns >= depth || given.num_elements() == 0,
            invalid,
            "colors must have equal or more channels than the image provided: {columns} vs. {depth}"
        );
        if given.num_elements() > 0 {
            colours = given
                .slice::<f32>()?
                .chunks_exact(columns)
                .map(<[f32]>::to_vec)
                .collect();
        }
    }
    if depth == 1 {
        colours.iter_mut().for_each(|colour| colour[0] = 1.0);
    }
    let mut out = images.deep_copy()?;
    let corners = boxes.slice::<f32>()?;
    let per_image = boxes.shape().dim(1);
    let (high, wide) = (height as i64, width as i64);
    let pixels = out.slice_mut::<f32>()?;
    for b in 0..batch {
        let mut put = |row: i64, column: i64, colour: &[f32]| {
            let at = ((b * height + row as usize) * width + column as usize) * depth;
            pixels[at..at + depth].copy_from_slice(&colour[..depth]);
        };
        for i in 0..per_image {
            let corner = &corners[(b * per_image + i) * 4..][..4];
            let colour = &colours[i % colours.len()];
            let top = (corner[0] * (high - 1) as f32) as i64;
            let left = (corner[1] * (wide - 1) as f32) as i64;
            let bottom = (corner[2] * (high - 1) as f32) as i64;
            let right = (corner[3] * (wide - 1) as f32) as i64;
            let is_outside = top >= high || bottom < 0 || left >= wide || right < 0;
            if top > bottom || left > right || is_outside {
                continue;
            }
            let (from_row, to_row) = (top.max(0), bottom.min(high - 1));
            let (from_column, to_column) = (left.max(0), right.min(wide - 1));
            for column in from_column..=to_column {
                if top >= 0 {
                    put(top, column, colour);
                }
                if bottom < high {
                    put(bottom, column, colour);
                }
            }
            for row in from_row..=to_row {
                if left >= 0 {
                    put(row, left, colour);
                }
                if right < wide {
                    put(row, right, colour);
                }
            }
        }
    }
    c.set_output(0, out);
    Ok(())
}

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug)]
struct Rectangle {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

impl Rectangle {
    fn area(&self) -> f32 {
        if self.left >= self.right || self.top >= self.bottom {
            return 0.0;
        }
        (self.right.wrapping_sub(self.left)).wrapping_mul(self.bottom.wrapping_sub(self.top)) as f32
    }

    fn intersection(&self, other: &Rectangle) -> Rectangle {
        Rectangle {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// Whether it covers enough of at least one object.
    fn covers(&self, objects: &[Rectangle], least: f32) -> bool {
        self.area() >= 1.0
            && objects.iter().any(|object| {
                object.area() >= 1.0 && object.intersection(self).area() / object.area() >= least
            })
    }
}

fn rounded(x: f32) -> i32 {
    x.round_ties_even() as i32
}

/// A number below `n`, as TensorFlow's SimplePhilox draws it.
fn below(n: i32, words: &mut Words) -> i32 {
    let n = n.max(0) as u32;
    if n == 0 {
        words.word();
        return 0;
    }
    if n.is_power_of_two() {
        return (words.word() & (n - 1)) as i32;
    }
    let skewed = u32::MAX % n + 1;
    loop {
        let word = words.word();
        if word >= skewed {
            return (word % n) as i32;
        }
    }
}

/// A crop of a shape and of an area between two limits, anywhere in the image; None when none fits.
fn random_crop(
    width: i32,
    height: i32,
    areas: [f32; 2],
    ratio: f32,
    words: &mut Words,
) -> Option<Rectangle> {
    if areas[1] <= 0.0 || ratio <= 0.0 || width <= 0 || height <= 0 || areas[0] > areas[1] {
        return None;
    }
    let least = areas[0] * width as f32 * height as f32;
    let most = areas[1] * width as f32 * height as f32;
    let mut high = rounded((least / ratio).sqrt());
    let mut highest = rounded((most / ratio).sqrt());
    if rounded(highest as f32 * ratio) > width {
        highest = ((f64::from(width) + 0.5 - 0.000_000_1_f32 as f64) / f64::from(ratio)) as i32;
    }
    highest = highest.min(height);
    high = high.min(highest);
    if high < highest {
        high += below(highest - high + 1, words);
    }
    let mut wide = rounded(high as f32 * ratio);
    let mut area = wide.wrapping_mul(high) as f32;
    for (is_off, step) in [(area < least, 1), (area > most, -1)] {
        // The second check sees what the first one changed.
        let is_off = if step < 0 { area > most } else { is_off };
        if is_off {
            high += step;
            wide = rounded(high as f32 * ratio);
            area = wide.wrapping_mul(high) as f32;
        }
    }
    if area < least || area > most || wide > width || high > height || wide <= 0 || high <= 0 {
        return None;
    }
    let top = if high < height {
        below(height - high, words)
    } else {
        0
    };
    let left = if wide < width {
        below(width - wide, words)
    } else {
        0
    };
    Some(Rectangle {
        left,
        top,
        right: left + wide,
        bottom: top + high,
    })
}

fn pair(c: &KernelContext, name: &str) -> Result<[f32; 2]> {
    use crate::graph::{Attr, List};
    match c.attrs().get(name) {
        Some(Attr::List(List::Floats(x))) if x.len() == 2 => Ok([x[0], x[1]]),
        _ => bail!(invalid, "{name} field must specify 2 dimensions"),
    }
}

fn sample(c: &mut KernelContext, least_covered: f32) -> Result<()> {
    let (areas, ratios) = (pair(c, "area_range")?, pair(c, "aspect_ratio_range")?);
    ensure!(
        areas[0] > 0.0 && areas[1] > 0.0 && areas[0] <= 1.0 && areas[1] <= 1.0,
        invalid,
        "area_range must be in (0.0, 1.0]"
    );
    ensure!(
        ratios[0] > 0.0 && ratios[1] > 0.0,
        invalid,
        "aspect_ratio_range must be non-negative"
    );
    ensure!(
        (0.0..=1.0).contains(&least_covered),
        invalid,
        "Min coverage value should be in the range [0, 1]"
    );
    let attempts = c.attrs().int("max_attempts")?;
    ensure!(
        attempts > 0,
        invalid,
        "Max attempts value should be greater than zero"
    );
    let size = c.ints_input(0)?;
    ensure!(
        size.len() == 3,
        invalid,
        "image_size must contain 3 elements, but got {}",
        size.len()
    );
    let (height, width) = (size[0] as i32, size[1] as i32);
    ensure!(
        height > 0 && width > 0,
        invalid,
        "Image height and width must be positive, got {height} and {width}"
    );
    let boxes = c.input(1)?;
    ensure!(
        boxes.shape().rank() == 3 && boxes.shape().dim(2) == 4,
        invalid,
        "input boxes must be 3-dimensional [batch, num_boxes, coords]: {}",
        boxes.shape()
    );
    let mut objects = Vec::new();
    for corner in boxes.slice::<f32>()?.chunks_exact(4) {
        ensure!(
            corner.iter().all(|x| (0.0..=1.0).contains(x)),
            invalid,
            "All bounding box coordinates must be in [0.0, 1.0]: {}",
            corner
                .iter()
                .copied()
                .find(|x| !(0.0..=1.0).contains(x))
                .unwrap_or(f32::NAN)
        );
        objects.push(Rectangle {
            left: (corner[1] * width as f32) as i32,
            top: (corner[0] * height as f32) as i32,
            right: (corner[3] * width as f32) as i32,
            bottom: (corner[2] * height as f32) as i32,
        });
    }
    let whole = Rectangle {
        left: 0,
        top: 0,
        right: width,
        bottom: height,
    };
    if objects.is_empty() {
        ensure!(
            c.attrs().bool("use_image_if_no_bounding_boxes")?,
            invalid,
            "No bounding boxes provided as input. One must enable use_image_if_no_bounding_boxes if you wish to not provide any bounding boxes."
        );
        objects.push(whole);
    }
    let mut words = Words::new(reserve(c, attempts as u64)?);
    let mut found = whole;
    for _ in 0..attempts {
        let ratio = unit_f32(words.word()) * (ratios[1] - ratios[0]) + ratios[0];
        if let Some(crop) = random_crop(width, height, areas, ratio, &mut words)
            && crop.covers(&objects, least_covered)
        {
            found = crop;
            break;
        }
    }
    let (wide, high) = (found.right - found.left, found.bottom - found.top);
    let dtype = c.node.outputs[0].dtype;
    let narrow = |all: [i64; 3]| -> Result<Value> {
        Ok(match dtype {
            DType::I64 => Value::vector(&all)?,
            DType::I32 => crate::ops::build::ints(&all)?,
            DType::I16 => Value::vector(&all.map(|x| x as i16))?,
            DType::I8 => Value::vector(&all.map(|x| x as i8))?,
            _ => Value::vector(&all.map(|x| x as u8))?,
        })
    };
    let begin = narrow([i64::from(found.top), i64::from(found.left), 0])?;
    let size = narrow([i64::from(high), i64::from(wide), -1])?;
    let corners = [
        found.top as f32 / height as f32,
        found.left as f32 / width as f32,
        found.bottom as f32 / height as f32,
        found.right as f32 / width as f32,
    ];
    c.set_output(0, begin);
    c.set_output(1, size);
    c.set_output(2, Value::from_slice(Shape::new(&[1, 1, 4])?, &corners)?);
    Ok(())
}

fn limit(c: &KernelContext, i: usize) -> Result<f32> {
    let value = c.scalar_input(i, "threshold")?;
    match value.dtype() {
        DType::F16 => Ok(value.item::<half::f16>()?.to_f32()),
        _ => value.item::<f32>(),
    }
}

fn floats(value: &Value) -> Result<Vec<f32>> {
    match value.dtype() {
        DType::F16 => Ok(value
            .slice::<half::f16>()?
            .iter()
            .map(|x| x.to_f32())
            .collect()),
        _ => Ok(value.slice::<f32>()?.to_vec()),
    }
}

/// The part that two boxes have in common of what either covers.
fn overlap(a: &[f32], b: &[f32]) -> f32 {
    let ordered = |x: &[f32]| {
        [
            x[0].min(x[2]),
            x[1].min(x[3]),
            x[0].max(x[2]),
            x[1].max(x[3]),
        ]
    };
    let (a, b) = (ordered(a), ordered(b));
    let area = |x: [f32; 4]| (x[2] - x[0]) * (x[3] - x[1]);
    if area(a) <= 0.0 || area(b) <= 0.0 {
        return 0.0;
    }
    let high = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let wide = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    high * wide / (area(a) + area(b) - high * wide)
}

/// A box that waits to be taken: its score now, and how many of those taken it was compared with.
struct Candidate {
    at: usize,
    score: f32,
    compared: usize,
}

/// Takes boxes from the best score on; those that overlap one already taken too much are left out, or with `sigma` lose
/// score (Bodla and others, ICCV 2017).
fn suppress(c: &mut KernelContext, most: f32, least_score: f32, sigma: f32) -> Result<()> {
    let (boxes, scores) = (c.input(0)?, c.input(1)?);
    let wanted = c.scalar_input(2, "max_output_size")?.int()?;
    ensure!(
        wanted >= 0,
        invalid,
        "max_output_size must be non-negative, got {wanted}"
    );
    let by_matrix = c.node.op() == "NonMaxSuppressionWithOverlaps";
    ensure!(
        boxes.shape().rank() == 2
            && boxes.shape().dim(1) == if by_matrix { boxes.shape().dim(0) } else { 4 },
        invalid,
        "{} must be 2-D{}",
        if by_matrix { "overlaps" } else { "boxes" },
        boxes.shape()
    );
    let n = boxes.shape().dim(0);
    ensure!(
        scores.shape().rank() == 1 && scores.num_elements() == n,
        invalid,
        "scores has incompatible shape"
    );
    ensure!(
        by_matrix || (0.0..=1.0).contains(&most),
        invalid,
        "iou_threshold must be in [0, 1]"
    );
    let (places, scores) = (floats(boxes)?, floats(scores)?);
    let similar = |a: usize, b: usize| match by_matrix {
        true => places[a * n + b],
        false => overlap(&places[a * 4..a * 4 + 4], &places[b * 4..b * 4 + 4]),
    };
    let scale = if sigma > 0.0 { -0.5 / sigma } else { 0.0 };
    let mut waiting: std::collections::BinaryHeap<Ranked> = (0..n)
        .filter(|i| scores[*i] > least_score)
        .map(|at| {
            Ranked(Candidate {
                at,
                score: scores[at],
                compared: 0,
            })
        })
        .collect();
    let (mut taken, mut taken_scores) = (Vec::new(), Vec::new());
    while taken.len() < wanted as usize
        && let Some(Ranked(mut next)) = waiting.pop()
    {
        let before = next.score;
        let mut is_out = false;
        for j in (next.compared..taken.len()).rev() {
            let x = similar(next.at, taken[j]);
            next.score *= if x <= most {
                (scale * x * x).exp()
            } else {
                0.0
            };
            if x > most {
                is_out = true;
                break;
            }
            if next.score <= least_score {
                break;
            }
        }
        next.compared = taken.len();
        if is_out {
            continue;
        }
        if next.score == before {
            taken.push(next.at);
            taken_scores.push(next.score);
        }
        // A box that was taken waits once more, and falls to its own overlap with itself; TensorFlow takes it again
        // where that is small.
        if next.score > least_score {
            waiting.push(Ranked(next));
        }
    }
    let valid = taken.len() as i32;
    let pads = c.attrs().get("pad_to_max_output_size").is_some()
        && c.attrs().bool("pad_to_max_output_size")?;
    if pads {
        taken.resize(wanted as usize, 0);
        taken_scores.resize(wanted as usize, 0.0);
    }
    let taken: Vec<i32> = taken.into_iter().map(|i| i as i32).collect();
    c.set_output(0, Value::vector(&taken)?);
    match c.num_outputs() {
        2 => c.set_output(1, Value::scalar(valid)?),
        3 => {
            let all = match c.node.outputs[1].dtype {
                DType::F16 => Value::vector(
                    &taken_scores
                        .iter()
                        .map(|x| half::f16::from_f32(*x))
                        .collect::<Vec<_>>(),
                )?,
                _ => Value::vector(&taken_scores)?,
            };
            c.set_output(1, all);
            c.set_output(2, Value::scalar(valid)?);
        }
        _ => {}
    }
    Ok(())
}

/// Candidates in order of their scores; of equal ones the first comes first.
struct Ranked(Candidate);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (a, b) = (&self.0, &other.0);
        a.score.total_cmp(&b.score).then(b.at.cmp(&a.at))
    }
}
