//! Colour planes made as large as the image, smoothly where libjpeg does so, and colours converted.

use super::decode::Space;

/// One component's samples: `width` and `height` are those of the image divided by the sampling ratio, rounded up.
pub struct Plane {
    pub samples: Vec<u8>,
    /// Samples from one row to the next.
    pub stride: usize,
    pub width: usize,
    pub height: usize,
    /// How many pixels a sample covers across and down.
    pub across: usize,
    pub down: usize,
}

impl Plane {
    fn row(&self, y: usize) -> &[u8] {
        &self.samples[y * self.stride..y * self.stride + self.width]
    }

    /// The samples of pixel row `y`, `width` of them.
    pub fn upsampled(&self, y: usize, width: usize, smooth: bool, out: &mut Vec<u8>) {
        out.clear();
        let own = (y / self.down).min(self.height - 1);
        match (self.across, self.down) {
            (1, 1) => out.extend_from_slice(self.row(own)),
            (2, 1) if smooth && self.width > 2 => smooth_across(self.row(own), out),
            (2, 2) if smooth && self.width > 2 => {
                let other = if y.is_multiple_of(2) {
                    own.saturating_sub(1)
                } else {
                    (own + 1).min(self.height - 1)
                };
                smooth_both(self.row(own), self.row(other), out);
            }
            _ => {
                for x in self.row(own) {
                    out.extend(std::iter::repeat_n(*x, self.across));
                }
            }
        }
        let last = out.last().copied().unwrap_or(0);
        out.resize(width, last);
    }
}

/// Twice as wide: three parts of the nearer sample, one of the farther.
fn smooth_across(row: &[u8], out: &mut Vec<u8>) {
    let n = row.len();
    for x in 0..n {
        let own = u32::from(row[x]) * 3;
        let left = if x == 0 {
            u32::from(row[0])
        } else {
            u32::from(row[x - 1])
        };
        let right = if x + 1 == n {
            u32::from(row[x])
        } else {
            u32::from(row[x + 1])
        };
        out.push(if x == 0 {
            row[0]
        } else {
            ((own + left + 1) >> 2) as u8
        });
        out.push(if x + 1 == n {
            row[x]
        } else {
            ((own + right + 2) >> 2) as u8
        });
    }
}

/// Twice as wide and high: nine, three, three and one parts of the four samples around.
fn smooth_both(near: &[u8], far: &[u8], out: &mut Vec<u8>) {
    let column = |x: usize| u32::from(near[x]) * 3 + u32::from(far[x]);
    let n = near.len();
    for x in 0..n {
        let own = column(x);
        let left = if x == 0 { own } else { column(x - 1) };
        let right = if x + 1 == n { own } else { column(x + 1) };
        out.push(((own * 3 + left + 8) >> 4) as u8);
        out.push(((own * 3 + right + 7) >> 4) as u8);
    }
}

const HALF: i32 = 1 << 15;

fn fixed(x: f64) -> i32 {
    (x * 65536.0 + 0.5) as i32
}

/// Brightness and two colour differences as red, green and blue.
fn rgb_of_ycc(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = (fixed(1.40200) * cr + HALF) >> 16;
    let green = (-fixed(0.34414) * cb - fixed(0.71414) * cr + HALF) >> 16;
    let blue = (fixed(1.77200) * cb + HALF) >> 16;
    [y + red, y + green, y + blue].map(|x| x.clamp(0, 255) as u8)
}

/// The pixels of a row of all planes, in `channels` channels.
pub fn convert(
    rows: &[Vec<u8>],
    width: usize,
    space: Space,
    channels: usize,
    is_adobe: bool,
    out: &mut Vec<u8>,
) {
    for x in 0..width {
        let at = |i: usize| rows[i][x];
        let rgb = match space {
            Space::Grey => [at(0); 3],
            Space::Rgb => [at(0), at(1), at(2)],
            Space::Ycc => rgb_of_ycc(at(0), at(1), at(2)),
            Space::Cmyk | Space::Ycck => {
                let key = u32::from(at(3));
                let inks = match space {
                    // Inks are 255 less the colours of the first three planes.
                    Space::Ycck => rgb_of_ycc(at(0), at(1), at(2)).map(|x| 255 - x),
                    _ => [at(0), at(1), at(2)],
                };
                inks.map(|ink| {
                    let ink = u32::from(ink);
                    let mixed = if is_adobe {
                        key * ink
                    } else {
                        (255 - ink) * (255 - key)
                    };
                    (mixed / 255) as u8
                })
            }
        };
        match (channels, space) {
            (1, Space::Ycc | Space::Grey) => out.push(at(0)),
            (1, _) => {
                let [r, g, b] = rgb.map(i32::from);
                let grey = fixed(0.29900) * r + fixed(0.58700) * g + fixed(0.11400) * b + HALF;
                out.push((grey >> 16) as u8);
            }
            _ => out.extend_from_slice(&rgb),
        }
    }
}
