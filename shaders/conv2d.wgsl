// 2-D convolution of x [batch, height, width, channels] and its gradient by the filter, as matrix products with the
// patches that windows see (lib/patches.wgsl).
// Forward (A_ALONG_K 1): c [positions, n] = patches [positions, taps] b, b the filter [taps, n]: m positions, k taps.
// By the filter (A_ALONG_K 0): c [splits, taps, n] = patches^T b, b the gradient [positions, n]: m taps, k positions.
//
// Bindings: 0 x, 1 b, 2 c (or what lib/end.wgsl's place holds).
// Parameters: m, n, k; chunk, splits: as in matmul.wgsl; the image's sizes and those of the Grid of
// lib/patches.wgsl; those of lib/end.wgsl.
// Groups: x, y: tiles, columns first; z: splits. Constants: lib/gemm.wgsl, matrix_b.wgsl, matrix_c.wgsl, patches.wgsl.
//!variant A_ALONG_K 0 X_VEC 1 B_VEC 1 C_VEC 1
//!default A_ALONG_K 1
//!include lib/index.wgsl
//!include lib/gemm.wgsl
//!include lib/patches.wgsl
//!include lib/matrix_b.wgsl
//!include lib/matrix_c.wgsl

struct Params {
    zero: u32, flag: u32, m: u32, n: u32, k: u32, chunk: u32, splits: u32,
    height: u32, width: u32, channels: u32, rows: u32, cols: u32, window_cols: u32,
    stride_y: i32, stride_x: i32, base_y: i32, base_x: i32, step_y: i32, step_x: i32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

var<immediate> p: Params;

fn grid() -> Grid {
    return Grid(
        p.rows, p.cols, p.window_cols, p.stride_y, p.stride_x, p.base_y, p.base_x, p.step_y, p.step_x);
}

fn load_a(m: u32, k: u32) -> mat4x4<f32> {
//!if A_ALONG_K
    return transpose(mat4x4(
        patch4(m, k, p.m, p.k), patch4(m + 1u, k, p.m, p.k), patch4(m + 2u, k, p.m, p.k), patch4(m + 3u, k, p.m, p.k)));
//!else
    return mat4x4(
        patch4(k, m, p.k, p.m), patch4(k + 1u, m, p.k, p.m), patch4(k + 2u, m, p.k, p.m), patch4(k + 3u, m, p.k, p.m));
//!end
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tiles = (p.n + TILE_N - 1u) / TILE_N;
    let tile = linear_group(wid);
    z = wid.z;
    let begin = z * p.chunk;
    gemm(lid, tile / tiles * TILE_M, tile % tiles * TILE_N, begin, min(begin + p.chunk, p.k));
}
