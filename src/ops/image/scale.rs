//! Where the pixels of a resized axis come from, in the arithmetic of TensorFlow (`image_resizer_state.h`,
//! `resize_bicubic_op.cc`, `resize_area_op.cc`): float32 throughout, since rounding decides which pixel is the nearest.

use crate::error::Result;
use crate::graph::Attrs;

/// How pixels between pixels are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    Bilinear,
    Bicubic,
    Area,
}

/// One axis of a resized image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    scale: f32,
    aligns_corners: bool,
    has_half_pixels: bool,
}

/// The two neighbours of a place, and how far it lies from the lower one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    pub lower: usize,
    pub upper: usize,
    pub part: f32,
}

/// Pixels of the input with their weights.
pub(super) type Taps = Vec<(usize, f32)>;

impl Axis {
    pub fn new(input: usize, output: usize, attrs: &Attrs) -> Result<Axis> {
        let aligns_corners = attrs.bool("align_corners")?;
        let scale = match aligns_corners && output > 1 {
            true => (input as f32 - 1.0) / (output as f32 - 1.0),
            false => input as f32 / output as f32,
        };
        Ok(Axis {
            input,
            output,
            scale,
            aligns_corners,
            has_half_pixels: attrs.bool("half_pixel_centers").unwrap_or(false),
        })
    }

    fn bound(&self, place: i64) -> usize {
        place.clamp(0, self.input as i64 - 1) as usize
    }

    /// The pixel nearest to place `o`.
    pub fn nearest(&self, o: usize) -> usize {
        let place = match self.has_half_pixels {
            true => (o as f32 + 0.5) * self.scale,
            false => o as f32 * self.scale,
        };
        let place = match self.aligns_corners {
            true => place.round(),
            false => place.floor(),
        };
        self.bound(place as i64)
    }

    /// Where place `o` lies among the pixels of the input.
    fn place(&self, o: usize) -> f32 {
        match self.has_half_pixels {
            true => (o as f32 + 0.5) * self.scale - 0.5,
            false => o as f32 * self.scale,
        }
    }

    pub fn between(&self, o: usize) -> Between {
        let place = self.place(o);
        let floor = place.floor();
        Between {
            lower: self.bound(floor as i64),
            upper: self.bound(place.ceil() as i64),
            part: place - floor,
        }
    }

    pub fn taps(&self, o: usize, method: Method) -> Taps {
        match method {
            Method::Bilinear => {
                let b = self.between(o);
                vec![(b.lower, 1.0 - b.part), (b.upper, b.part)]
            }
            Method::Bicubic => self.cubic(o),
            Method::Area => self.area(o),
        }
    }

    /// Four pixels weighted with a cubic of steepness -0.75; with half-pixel centres it is Keys' -0.5, and pixels
    /// outside the image have no weight.
    fn cubic(&self, o: usize) -> Taps {
        let place = self.place(o);
        let floor = place.floor() as i64;
        // TensorFlow looks the weights up in a table of 1024 steps.
        let step = ((place - floor as f32) * STEPS).round_ties_even();
        let a = if self.has_half_pixels { -0.5 } else { -0.75 };
        let weights = [
            outer_weight(a, step),
            inner_weight(a, step),
            inner_weight(a, STEPS - step),
            outer_weight(a, STEPS - step),
        ];
        let mut taps: Taps = Vec::with_capacity(4);
        for (i, weight) in weights.into_iter().enumerate() {
            let wanted = floor - 1 + i as i64;
            let at = self.bound(wanted);
            let is_inside = at as i64 == wanted;
            taps.push((
                at,
                if is_inside || !self.has_half_pixels {
                    weight
                } else {
                    0.0
                },
            ));
        }
        let sum: f32 = taps.iter().map(|(_, w)| w).sum();
        if self.has_half_pixels && sum.abs() >= 1000.0 * f32::MIN_POSITIVE {
            taps.iter_mut().for_each(|(_, w)| *w /= sum);
        }
        taps
    }

    /// The pixels that a pixel of the output covers, by how much of each.
    fn area(&self, o: usize) -> Taps {
        let (from, to) = (o as f32 * self.scale, (o + 1) as f32 * self.scale);
        let mut taps = Vec::new();
        for i in from.floor() as i64..to.ceil() as i64 {
            let covered = ((i + 1) as f32).min(to) - (i as f32).max(from);
            taps.push((self.bound(i), covered / self.scale));
        }
        taps
    }
}

const STEPS: f32 = 1024.0;

/// The cubic between 0 and 1.
fn inner_weight(a: f32, step: f32) -> f32 {
    let x = step / STEPS;
    ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
}

/// The cubic between 1 and 2.
fn outer_weight(a: f32, step: f32) -> f32 {
    let x = step / STEPS + 1.0;
    ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
}
