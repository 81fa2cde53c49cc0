//! Philox 4x32-10 (Salmon et al., SC 2011) and the distributions that TensorFlow draws from it, in its order and with its
//! arithmetic (`core/lib/random/random_distributions.h`), so that a seed gives the same numbers.

use half::{bf16, f16};

/// Four words are drawn at a time.
pub const WORDS: usize = 4;

/// A place in a stream: words come in groups of four, one group for each value of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Philox {
    counter: [u32; 4],
    key: [u32; 2],
}

impl Philox {
    /// The stream of TensorFlow's two seeds: the graph's is the key, the op's the upper half of the counter.
    pub fn new(seed: u64, seed2: u64) -> Philox {
        Philox {
            counter: [0, 0, seed2 as u32, (seed2 >> 32) as u32],
            key: [seed as u32, (seed >> 32) as u32],
        }
    }

    pub fn with_counter(counter: [u32; 4], key: [u32; 2]) -> Philox {
        Philox { counter, key }
    }

    pub fn counter(&self) -> [u32; 4] {
        self.counter
    }

    pub fn key(&self) -> [u32; 2] {
        self.key
    }

    /// Moves on by `groups` groups of four words.
    pub fn skip(&mut self, groups: u64) {
        let counter = u128::from(self.counter[0])
            | u128::from(self.counter[1]) << 32
            | u128::from(self.counter[2]) << 64
            | u128::from(self.counter[3]) << 96;
        let counter = counter.wrapping_add(u128::from(groups));
        for (i, word) in self.counter.iter_mut().enumerate() {
            *word = (counter >> (32 * i)) as u32;
        }
    }

    /// The next four words.
    pub fn next_words(&mut self) -> [u32; WORDS] {
        let mut x = self.counter;
        let mut key = self.key;
        for round in 0..10 {
            if round > 0 {
                key[0] = key[0].wrapping_add(0x9E37_79B9);
                key[1] = key[1].wrapping_add(0xBB67_AE85);
            }
            let a = u64::from(x[0]) * 0xD251_1F53;
            let b = u64::from(x[2]) * 0xCD9E_8D57;
            x = [
                (b >> 32) as u32 ^ x[1] ^ key[0],
                b as u32,
                (a >> 32) as u32 ^ x[3] ^ key[1],
                a as u32,
            ];
        }
        self.skip(1);
        x
    }
}

/// Words one by one.
pub struct Words {
    philox: Philox,
    group: [u32; WORDS],
    used: usize,
}

impl Words {
    pub fn new(philox: Philox) -> Words {
        Words {
            philox,
            group: [0; WORDS],
            used: WORDS,
        }
    }

    pub fn word(&mut self) -> u32 {
        if self.used == WORDS {
            self.group = self.philox.next_words();
            self.used = 0;
        }
        self.used += 1;
        self.group[self.used - 1]
    }

    /// A double in [0, 1).
    pub fn unit(&mut self) -> f64 {
        let (high, low) = (self.word(), self.word());
        unit_f64(high, low)
    }
}

/// A float in [0, 1), of the low 23 bits.
pub fn unit_f32(x: u32) -> f32 {
    f32::from_bits(127 << 23 | x & 0x7f_ffff) - 1.0
}

/// A double in [0, 1), of 52 bits.
pub fn unit_f64(high: u32, low: u32) -> f64 {
    let mantissa = u64::from(high & 0xf_ffff) << 32 | u64::from(low);
    f64::from_bits(1023 << 52 | mantissa) - 1.0
}

fn unit_f16(x: u32) -> f16 {
    f16::from_f32(f16::from_bits(15 << 10 | x as u16 & 0x3ff).to_f32() - 1.0)
}

fn unit_bf16(x: u32) -> bf16 {
    bf16::from_f32(bf16::from_bits(127 << 7 | x as u16 & 0x7f).to_f32() - 1.0)
}

/// Two normal floats (Box and Muller).
fn normal_pair_f32(x0: u32, x1: u32) -> [f32; 2] {
    let u1 = unit_f32(x0).max(1e-7);
    let angle = (2.0 * std::f64::consts::PI * f64::from(unit_f32(x1))) as f32;
    let radius = (-2.0 * u1.ln()).sqrt();
    let (sin, cos) = angle.sin_cos();
    [sin * radius, cos * radius]
}

/// Two normal doubles (Box and Muller).
pub fn normal_pair_f64(x: [u32; 4]) -> [f64; 2] {
    let u1 = unit_f64(x[0], x[1]).max(1e-7);
    let angle = 2.0 * std::f64::consts::PI * unit_f64(x[2], x[3]);
    let radius = (-2.0 * u1.ln()).sqrt();
    let (sin, cos) = angle.sin_cos();
    [sin * radius, cos * radius]
}

/// An element type that the float distributions give.
pub trait Random: bytemuck::Pod {
    /// Elements of four words.
    const GROUP: usize;
    fn uniform(words: [u32; WORDS], out: &mut [Self]);
    fn normal(words: [u32; WORDS], out: &mut [Self]);
    /// Some normal numbers, with whether each lies within two standard deviations.
    fn normal_pair(words: &mut Words) -> [(Self, bool); 2];
}

macro_rules! by_f32 {
    ($t:ty, $unit:expr, $from:expr) => {
        impl Random for $t {
            const GROUP: usize = 4;
            fn uniform(words: [u32; WORDS], out: &mut [Self]) {
                for (out, x) in out.iter_mut().zip(words) {
                    *out = $unit(x);
                }
            }
            fn normal(words: [u32; WORDS], out: &mut [Self]) {
                let (a, b) = (
                    normal_pair_f32(words[0], words[1]),
                    normal_pair_f32(words[2], words[3]),
                );
                for (out, x) in out.iter_mut().zip([a[0], a[1], b[0], b[1]]) {
                    *out = $from(x);
                }
            }
            fn normal_pair(words: &mut Words) -> [(Self, bool); 2] {
                let (x0, x1) = (words.word(), words.word());
                normal_pair_f32(x0, x1).map(|x| ($from(x), x.abs() < 2.0))
            }
        }
    };
}

by_f32!(f32, unit_f32, |x: f32| x);
by_f32!(f16, unit_f16, f16::from_f32);
by_f32!(bf16, unit_bf16, bf16::from_f32);

impl Random for f64 {
    const GROUP: usize = 2;
    fn uniform(words: [u32; WORDS], out: &mut [Self]) {
        let pair = [unit_f64(words[0], words[1]), unit_f64(words[2], words[3])];
        for (out, x) in out.iter_mut().zip(pair) {
            *out = x;
        }
    }
    fn normal(words: [u32; WORDS], out: &mut [Self]) {
        for (out, x) in out.iter_mut().zip(normal_pair_f64(words)) {
            *out = x;
        }
    }
    fn normal_pair(words: &mut Words) -> [(Self, bool); 2] {
        let x = [words.word(), words.word(), words.word(), words.word()];
        normal_pair_f64(x).map(|x| (x, x.abs() < 2.0))
    }
}

/// Uniform numbers in [0, 1).
pub fn fill_uniform<T: Random>(mut philox: Philox, out: &mut [T]) {
    for group in out.chunks_mut(T::GROUP) {
        T::uniform(philox.next_words(), group);
    }
}

/// Normal numbers of mean 0 and standard deviation 1.
pub fn fill_normal<T: Random>(mut philox: Philox, out: &mut [T]) {
    for group in out.chunks_mut(T::GROUP) {
        T::normal(philox.next_words(), group);
    }
}

/// Words set aside for each truncated normal number, however many it takes.
const RESERVED: u64 = 256;

/// Normal numbers, drawn again while they lie two standard deviations or more from 0.
pub fn fill_truncated_normal<T: Random>(philox: Philox, out: &mut [T]) {
    for (i, group) in out.chunks_mut(T::GROUP).enumerate() {
        let mut start = philox;
        start.skip(i as u64 * (T::GROUP as u64 * RESERVED / WORDS as u64));
        let mut words = Words::new(start);
        let mut filled = 0;
        while filled < group.len() {
            for (x, is_within) in T::normal_pair(&mut words) {
                if is_within && filled < group.len() {
                    group[filled] = x;
                    filled += 1;
                }
            }
        }
    }
}

/// Integers in `low..high`, which is not empty.
pub fn fill_uniform_i32(mut philox: Philox, low: i32, high: i32, out: &mut [i32]) {
    let range = (high as u32).wrapping_sub(low as u32);
    for group in out.chunks_mut(4) {
        for (out, x) in group.iter_mut().zip(philox.next_words()) {
            *out = low.wrapping_add((x % range) as i32);
        }
    }
}

/// Integers in `low..high`, which is not empty.
pub fn fill_uniform_i64(mut philox: Philox, low: i64, high: i64, out: &mut [i64]) {
    let range = (high as u64).wrapping_sub(low as u64);
    for group in out.chunks_mut(2) {
        let x = philox.next_words();
        for (i, out) in group.iter_mut().enumerate() {
            let bits = u64::from(x[2 * i]) | u64::from(x[2 * i + 1]) << 32;
            *out = low.wrapping_add((bits % range) as i64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_reference_implementation() {
        // Known answers of Random123 (kat_vectors) for philox4x32-10.
        let mut zero = Philox::with_counter([0; 4], [0; 2]);
        assert_eq!(
            zero.next_words(),
            [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
        );
        let mut ones = Philox::with_counter([u32::MAX; 4], [u32::MAX; 2]);
        assert_eq!(
            ones.next_words(),
            [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
        );
    }

    #[test]
    fn skipping_is_drawing() {
        let mut a = Philox::with_counter([u32::MAX - 1, u32::MAX, 7, 0], [1, 2]);
        let mut b = a;
        for _ in 0..5 {
            a.next_words();
        }
        b.skip(5);
        assert_eq!(a, b);
        let mut words = Words::new(b);
        let four = [words.word(), words.word(), words.word(), words.word()];
        assert_eq!(four, a.next_words());
    }

    #[test]
    fn a_part_of_a_group_holds_the_same_numbers() {
        let mut long = [0f32; 12];
        let mut short = [0f32; 10];
        fill_truncated_normal(Philox::new(1, 2), &mut long);
        fill_truncated_normal(Philox::new(1, 2), &mut short);
        assert_eq!(long[..10], short);
        assert!(long.iter().all(|x| x.abs() < 2.0));
    }
}
