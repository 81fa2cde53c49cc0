//! Pools over images `[batch, depth, height, width, channels]`, one output pixel after the other and all its channels at
//! once.

pub mod float;

use super::window::Window;

/// Sizes of a pool. Two-dimensional ones have a depth of one.
#[derive(Clone, Debug)]
pub struct Geometry {
    pub batch: usize,
    /// Depth, height, width.
    pub windows: [Window; 3],
    pub channels: usize,
}

impl Geometry {
    pub fn in_pixels(&self) -> usize {
        self.windows.iter().map(|w| w.input).product()
    }

    pub fn out_pixels(&self) -> usize {
        self.windows.iter().map(|w| w.output).product()
    }

    /// Calls `body(output pixel, its input pixels in order)`, where pixels count through the whole batch.
    pub fn each_window(&self, mut body: impl FnMut(usize, &[usize])) {
        let [d, h, w] = &self.windows;
        let mut places = Vec::new();
        let mut out = 0;
        for image in 0..self.batch {
            let base = image * self.in_pixels();
            for z in 0..d.output {
                for y in 0..h.output {
                    for x in 0..w.output {
                        places.clear();
                        for zi in d.range(z) {
                            for yj in h.range(y) {
                                let row = base + (zi * h.input + yj) * w.input;
                                places.extend(w.range(x).map(|xk| row + xk));
                            }
                        }
                        body(out, &places);
                        out += 1;
                    }
                }
            }
        }
    }
}

/// NaN, which is not equal to itself, gives way to everything.
#[allow(clippy::eq_op)]
fn is_larger<T: PartialOrd + Copy>(x: T, than: T) -> bool {
    x > than || than != than
}

/// The largest element of each window.
pub fn max<T: PartialOrd + Copy>(g: &Geometry, input: &[T], out: &mut [T]) {
    let c = g.channels;
    g.each_window(|pixel, places| {
        let to = &mut out[pixel * c..(pixel + 1) * c];
        let Some((first, rest)) = places.split_first() else {
            return;
        };
        to.copy_from_slice(&input[first * c..(first + 1) * c]);
        for place in rest {
            for (to, x) in to.iter_mut().zip(&input[place * c..(place + 1) * c]) {
                if is_larger(*x, *to) {
                    *to = *x;
                }
            }
        }
    });
}

/// For each element of the output, the index of the element of `input` that is the largest: the first of equal ones.
pub fn argmax<T: PartialOrd + Copy>(g: &Geometry, input: &[T]) -> Vec<usize> {
    let c = g.channels;
    let mut found = vec![0; g.batch * g.out_pixels() * c];
    g.each_window(|pixel, places| {
        let to = &mut found[pixel * c..(pixel + 1) * c];
        let Some((first, rest)) = places.split_first() else {
            return;
        };
        to.iter_mut()
            .enumerate()
            .for_each(|(k, to)| *to = first * c + k);
        for place in rest {
            for (k, to) in to.iter_mut().enumerate() {
                let at = place * c + k;
                if input[at] > input[*to] {
                    *to = at;
                }
            }
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::super::window::Padding;
    use super::*;

    #[test]
    fn the_first_of_equal_elements_is_the_largest() {
        let window = |n| Window::new(n, 2, 2, 1, Padding::Same).unwrap();
        let g = Geometry {
            batch: 1,
            windows: [Window::POINT, window(3), window(2)],
            channels: 1,
        };
        let x = [1.0, 1.0, f32::NAN, 0.0, 3.0, 4.0];
        let mut y = [0.0; 2];
        max(&g, &x, &mut y);
        assert_eq!(y, [1.0, 4.0]);
        assert_eq!(argmax(&g, &x[..]), [0, 5]);
    }
}
