//! Which tile a matrix product runs in, and into how many parts its sum over k is cut: the constants of
//! `shaders/lib/gemm.wgsl`. The choice depends on the sizes alone, so the order of additions does too.

use super::launch::groups_of;

/// A tile of the product, and what one invocation computes of it: 8 by 8 elements, or 4 by 4 of the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// 128 by 128, 256 invocations.
    Large,
    /// 64 by 64, 64 invocations.
    Middle,
    /// 32 by 32, 64 invocations.
    Small,
}

/// Workgroups that keep a large GPU busy.
const BUSY: usize = 128;
/// A part of a cut sum is at least so long.
const PART: usize = 256;

impl Tile {
    /// Rows (and columns) of the tile, and elements of k that are held at a time.
    pub fn sizes(self) -> [usize; 2] {
        match self {
            Tile::Large => [128, 16],
            Tile::Middle => [64, 16],
            Tile::Small => [32, 32],
        }
    }

    pub fn constants(self) -> [(&'static str, u32); 7] {
        let [tile, depth] = self.sizes();
        let (fours, threads, blocks) = match self {
            Tile::Large => (2, 256, 1),
            Tile::Middle => (2, 64, 2),
            Tile::Small => (1, 64, 2),
        };
        [
            ("TILE_M", tile as u32),
            ("TILE_N", tile as u32),
            ("TILE_K", depth as u32),
            ("RM", fours),
            ("RN", fours),
            ("THREADS", threads),
            ("BLOCKS", blocks),
        ]
    }

    fn count(self, m: usize, n: usize) -> usize {
        let [tile, _] = self.sizes();
        m.div_ceil(tile) * n.div_ceil(tile)
    }
}

/// How a product is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub tile: Tile,
    /// Parts of the sum, each of `chunk` elements of k.
    pub splits: usize,
    pub chunk: usize,
}

impl Cut {
    /// For `batch` products of [m, k] and [k, n].
    pub fn of(m: usize, n: usize, k: usize, batch: usize) -> Cut {
        let fills = |tile: &Tile| {
            let [side, _] = tile.sizes();
            // A tile is not taken where most of it would lie outside.
            m.min(n) * 2 > side && tile.count(m, n).saturating_mul(batch) >= BUSY
        };
        let tile = [Tile::Large, Tile::Middle]
            .into_iter()
            .find(fills)
            .unwrap_or(Tile::Small);
        let groups = tile.count(m, n).saturating_mul(batch).max(1);
        let wanted = (BUSY / groups).min(k / PART).max(1);
        let [_, depth] = tile.sizes();
        let chunk = k.div_ceil(wanted).div_ceil(depth).max(1) * depth;
        Cut {
            tile,
            splits: k.div_ceil(chunk).max(1),
            chunk,
        }
    }

    /// The same in one part.
    pub fn whole(self, k: usize) -> Cut {
        Cut {
            splits: 1,
            chunk: k.next_multiple_of(4),
            ..self
        }
    }

    /// Workgroups for `layers` products.
    pub fn groups(&self, m: usize, n: usize, layers: usize) -> [u32; 3] {
        let [x, y, _] = groups_of(self.tile.count(m, n));
        [x, y, layers as u32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_products_run_in_large_tiles_and_long_sums_are_cut() {
        assert_eq!(Cut::of(4096, 4096, 4096, 1).tile, Tile::Large);
        assert_eq!(Cut::of(1024, 1024, 1024, 1).tile, Tile::Middle);
        let cut = Cut::of(100, 10, 500, 1);
        assert_eq!((cut.tile, cut.splits), (Tile::Small, 1));
        let cut = Cut::of(800, 10, 60_000, 1);
        assert!(cut.splits > 1 && cut.splits * cut.chunk >= 60_000);
        assert_eq!(cut.chunk % 32, 0);
    }

    #[test]
    fn invocations_cover_their_tile() {
        for tile in [Tile::Large, Tile::Middle, Tile::Small] {
            let [m, n, k, rm, rn, threads, blocks] = tile.constants().map(|(_, x)| x);
            assert_eq!(threads * 16 * rm * rn, m * n);
            assert_eq!(blocks * threads * 16, (m + n) * k);
            assert!((m + n) * k * 4 <= 16384);
        }
    }
}
