//! Bits and Huffman codes of the entropy-coded parts.

use crate::error::Result;
use crate::{bail, ensure};

/// A code book for reading: for each length, where its codes begin.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The first code of each length, and the code after the last.
    first: [u32; 17],
    last: [u32; 17],
    /// Where the values of each length begin.
    start: [usize; 17],
    values: Vec<u8>,
    /// By the next eight bits: length and value of short codes, length 0 for longer ones.
    short: Vec<(u8, u8)>,
}

impl Book {
    /// A book of `counts[i]` codes of length `i + 1`.
    pub fn new(counts: &[u8; 16], values: &[u8]) -> Result<Book> {
        let mut book = Book {
            values: values.to_vec(),
            short: vec![(0, 0); 256],
            ..Book::default()
        };
        let (mut code, mut at) = (0u32, 0usize);
        for length in 1..=16 {
            let count = usize::from(counts[length - 1]);
            book.first[length] = code;
            book.start[length] = at;
            ensure!(
                code + count as u32 <= 1 << length && at + count <= values.len(),
                invalid,
                "broken Huffman table"
            );
            for i in 0..count {
                if length <= 8 {
                    let from = (code as usize + i) << (8 - length);
                    book.short[from..from + (1 << (8 - length))]
                        .fill((length as u8, values[at + i]));
                }
            }
            code += count as u32;
            book.last[length] = code;
            at += count;
            code <<= 1;
        }
        Ok(book)
    }

    /// The code and length of each value, for writing.
    pub fn codes(&self) -> [(u32, u8); 256] {
        let mut codes = [(0, 0); 256];
        for length in 1..=16 {
            for code in self.first[length]..self.last[length] {
                let at = self.start[length] + (code - self.first[length]) as usize;
                codes[usize::from(self.values[at])] = (code, length as u8);
            }
        }
        codes
    }
}

/// Reads bits up to the next marker; stuffed zeros are dropped.
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    window: u32,
    filled: u32,
}

impl<'a> Bits<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Bits {
            bytes,
            at,
            window: 0,
            filled: 0,
        }
    }

    fn fill(&mut self, wanted: u32) -> Result<()> {
        while self.filled < wanted {
            let Some(byte) = self.bytes.get(self.at) else {
                bail!(invalid, "the data ends early");
            };
            if *byte == 0xff {
                match self.bytes.get(self.at + 1) {
                    Some(0) => self.at += 2,
                    Some(_) => bail!(invalid, "a marker where data should be"),
                    None => bail!(invalid, "the data ends early"),
                }
            } else {
                self.at += 1;
            }
            self.window = self.window << 8 | u32::from(*byte);
            self.filled += 8;
        }
        Ok(())
    }

    /// The next `count` bits, at most 16.
    pub fn take(&mut self, count: u32) -> Result<i32> {
        if count == 0 {
            return Ok(0);
        }
        self.fill(count)?;
        self.filled -= count;
        Ok((self.window >> self.filled & ((1 << count) - 1)) as i32)
    }

    /// A number of `size` bits: those that begin with 0 are negative.
    pub fn signed(&mut self, size: u32) -> Result<i32> {
        ensure!(size <= 16, invalid, "a coefficient of {size} bits");
        let value = self.take(size)?;
        Ok(if size > 0 && value < 1 << (size - 1) {
            value - (1 << size) + 1
        } else {
            value
        })
    }

    /// The value of the next code.
    pub fn decode(&mut self, book: &Book) -> Result<u8> {
        if self.fill(8).is_ok()
            && let Some((length @ 1.., value)) = book
                .short
                .get((self.window >> (self.filled - 8) & 0xff) as usize)
                .copied()
        {
            self.filled -= u32::from(length);
            return Ok(value);
        }
        let mut code = 0;
        for length in 1..=16 {
            code = code << 1 | self.take(1)? as u32;
            if code >= book.first[length] && code < book.last[length] {
                return Ok(book.values[book.start[length] + (code - book.first[length]) as usize]);
            }
        }
        bail!(invalid, "a code that is in no table")
    }

    /// Drops the rest of a byte and passes a restart marker, if one is next.
    pub fn restart(&mut self) -> Result<()> {
        // Whole bytes that were read ahead lie before the marker only when the data is broken.
        self.filled = 0;
        while self.at + 1 < self.bytes.len() {
            if self.bytes[self.at] == 0xff {
                match self.bytes[self.at + 1] {
                    0xd0..=0xd7 => {
                        self.at += 2;
                        return Ok(());
                    }
                    0xff => {}
                    0 => {}
                    _ => break,
                }
            }
            self.at += 1;
        }
        bail!(invalid, "a restart marker is missing")
    }

    /// Where the next marker is.
    pub fn next_marker(&self) -> usize {
        let mut at = self.at;
        while at + 1 < self.bytes.len() {
            if self.bytes[at] == 0xff && !matches!(self.bytes[at + 1], 0 | 0xd0..=0xd7 | 0xff) {
                return at;
            }
            at += 1;
        }
        self.bytes.len()
    }
}

/// Writes bits; 0xff is followed by a stuffed zero.
#[derive(Default)]
pub struct BitWriter {
    pub bytes: Vec<u8>,
    window: u32,
    filled: u32,
}

impl BitWriter {
    pub fn put(&mut self, bits: u32, count: u32) {
        for i in (0..count).rev() {
            self.window = self.window << 1 | (bits >> i & 1);
            self.filled += 1;
            if self.filled == 8 {
                self.bytes.push(self.window as u8);
                if self.window as u8 == 0xff {
                    self.bytes.push(0);
                }
                self.filled = 0;
                self.window = 0;
            }
        }
    }

    /// Fills the last byte with ones.
    pub fn finish(mut self) -> Vec<u8> {
        while self.filled > 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}
