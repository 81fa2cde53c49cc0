// One tile of C [m, n] = A [m, k] B [k, n], for every shader that can be said as a matrix product. Its own part is where
// elements come from and go to:
//     load_a(m, k) -> mat4x4: column q holds A[m..m+4, k+q]; zeros outside the matrix
//     load_b(k, n) -> mat4x4: column q holds B[k+q, n..n+4]; zeros outside
//     store(m, n, v): C[m, n..n+4] = v, as far as it lies inside
// m, n and k are multiples of 4 there. A_ALONG_K, B_ALONG_K: memory runs along k, so neighbours load along k.
//
// TILE_M, TILE_N, TILE_K: the tile, held in workgroup memory, A's with k outermost. RM, RN: fours of rows and of columns
// that an invocation computes. THREADS = TILE_M * TILE_N / (16 * RM * RN); BLOCKS = (TILE_M + TILE_N) * TILE_K / (16 * THREADS).
//!default TILE_M 64
//!default TILE_N 64
//!default TILE_K 16
//!default RM 2
//!default RN 2
//!default THREADS 64
//!default BLOCKS 2
const AQ: u32 = TILE_M / 4u;
const BQ: u32 = TILE_N / 4u;
const KQ: u32 = TILE_K / 4u;
const COLUMNS: u32 = BQ / RN; // invocations side by side
const ROWS: u32 = AQ / RM;
const A_BLOCKS: u32 = AQ * KQ;

var<workgroup> tile_a: array<vec4<f32>, TILE_K * AQ>;
var<workgroup> tile_b: array<vec4<f32>, TILE_K * BQ>;

// Brings the 4 by 4 block of that number into workgroup memory: A's blocks first, then B's.
fn fill(number: u32, m0: u32, n0: u32, k0: u32) {
    if number < A_BLOCKS {
//!if A_ALONG_K
        let k = number % KQ;
        let m = number / KQ;
//!else
        let k = number / AQ;
        let m = number % AQ;
//!end
        let block = load_a(m0 + 4u * m, k0 + 4u * k);
//!for q in 0..4
        tile_a[(4u * k + $qu) * AQ + m] = block[$q];
//!end
    } else {
//!if B_ALONG_K
        let k = (number - A_BLOCKS) % KQ;
        let n = (number - A_BLOCKS) / KQ;
//!else
        let k = (number - A_BLOCKS) / BQ;
        let n = (number - A_BLOCKS) % BQ;
//!end
        let block = load_b(k0 + 4u * k, n0 + 4u * n);
//!for q in 0..4
        tile_b[(4u * k + $qu) * BQ + n] = block[$q];
//!end
    }
}

// The tile whose first element is C[m0, n0], summed over k from k_begin (a multiple of 4) to k_end. Between k_end and the
// next multiple of TILE_K loads must give zeros. For uniform control flow only.
fn gemm(lid: u32, m0: u32, n0: u32, k_begin: u32, k_end: u32) {
    let column = lid % COLUMNS;
    let row = lid / COLUMNS;
//!for i in 0..RM
//!for j in 0..RN
//!for r in 0..4
    var c$i$j$r = vec4<f32>();
//!end
//!end
//!end
    for (var k0 = k_begin; k0 < k_end; k0 += TILE_K) {
        workgroupBarrier();
//!for t in 0..BLOCKS
        fill(lid + $tu * THREADS, m0, n0, k0);
//!end
        workgroupBarrier();
//!for q in 0..TILE_K
        {
//!for i in 0..RM
            let a$i = tile_a[$qu * AQ + $iu * ROWS + row];
//!end
//!for j in 0..RN
            let b$j = tile_b[$qu * BQ + $ju * COLUMNS + column];
//!end
//!for i in 0..RM
//!for j in 0..RN
//!for r in 0..4
            c$i$j$r += a$i[$r] * b$j;
//!end
//!end
//!end
        }
//!end
    }
//!for i in 0..RM
//!for r in 0..4
//!for j in 0..RN
    store(m0 + 4u * ($iu * ROWS + row) + $ru, n0 + 4u * ($ju * COLUMNS + column), c$i$j$r);
//!end
//!end
//!end
}
