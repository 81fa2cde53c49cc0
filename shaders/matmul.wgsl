// C [batch, splits, m, n] = A B, a tile of C a workgroup; the sum over k is cut into splits, which a reduction adds up.
//
// Bindings: 0 a, 1 b, 2 c (or what lib/end.wgsl's place holds).
// Parameters: m, n, k; chunk, the k of a split (a multiple of TILE_K); splits; a_step, b_step: elements from a batch's
// matrix to the next, 0 when all share one; those of lib/end.wgsl.
// Groups: x, y: tiles, columns first; z: batch * splits.
// A_ALONG_K: a is [m, k], else [k, m]. B_ALONG_K: b is [n, k], else [k, n]. A_VEC, B_VEC, C_VEC: the matrix's rows in
// memory and its step are multiples of 4. Tiles: lib/gemm.wgsl.
//!variant A_ALONG_K 0 B_ALONG_K 1
//!variant A_VEC 1 B_VEC 1 C_VEC 1
//!variant TILE_M 128 TILE_N 128 THREADS 256 BLOCKS 1
//!variant TILE_M 32 TILE_N 32 TILE_K 32 RM 1 RN 1
//!default A_ALONG_K 1
//!default A_VEC 0
//!include lib/index.wgsl
//!include lib/gemm.wgsl
//!include lib/matrix_b.wgsl
//!include lib/matrix_c.wgsl

struct Params {
    zero: u32, flag: u32, m: u32, n: u32, k: u32, chunk: u32, splits: u32, a_step: u32, b_step: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if A_VEC
@group(0) @binding(0) var<storage, read_write> a: array<vec4<f32>>;
//!else
@group(0) @binding(0) var<storage, read_write> a: array<f32>;
//!end
var<immediate> p: Params;

// Four neighbours of a's memory; zeros behind the matrix.
fn a4(row: u32, col: u32, rows: u32, cols: u32) -> vec4<f32> {
    var v = vec4<f32>();
    if row < rows && col < cols {
        let at = z / p.splits * p.a_step + row * cols + col;
//!if A_VEC
        v = a[at / 4u];
//!else
//!for e in 0..4
        if col + $eu < cols {
            v[$e] = a[at + $eu];
        }
//!end
//!end
    }
    return v;
}

fn load_a(m: u32, k: u32) -> mat4x4<f32> {
//!if A_ALONG_K
    return transpose(mat4x4(
        a4(m, k, p.m, p.k), a4(m + 1u, k, p.m, p.k), a4(m + 2u, k, p.m, p.k), a4(m + 3u, k, p.m, p.k)));
//!else
    return mat4x4(a4(k, m, p.k, p.m), a4(k + 1u, m, p.k, p.m), a4(k + 2u, m, p.k, p.m), a4(k + 3u, m, p.k, p.m));
//!end
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tiles = (p.n + TILE_N - 1u) / TILE_N;
    let tile = linear_group(wid);
    z = wid.z;
    b_begin = z / p.splits * p.b_step;
    let begin = z % p.splits * p.chunk;
    gemm(lid, tile / tiles * TILE_M, tile % tiles * TILE_N, begin, min(begin + p.chunk, p.k));
}
