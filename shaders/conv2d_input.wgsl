// The gradient of a 2-D convolution by its input (a transposed convolution), for the input positions of one phase: those
// that differ by whole strides see the same elements of the filter, so they are a dense product of their own. Windows
// then move over the gradient x [batch, height, width, channels] in steps of 1, and backwards (lib/patches.wgsl).
//
// Bindings: 0 x, 1 filter [filter rows, filter cols, n, channels], 2 c [batch, out_height, out_width, n] (or what
// lib/end.wgsl's place holds).
// Parameters: m, positions of the phase [batch, rows, cols]; n; k = taps of the phase * channels; those of
// lib/patches.wgsl; tap_y, tap_x: the phase's first tap; tap_step_y, tap_step_x: to its next; filter_cols; out_height,
// out_width; out_y, out_x: the phase's first place; out_step_y, out_step_x: the strides; those of
// lib/end.wgsl.
// Groups: x, y: tiles, columns first. X_VEC speaks of the filter too. C_VEC: n is a multiple of 4. Tiles: lib/gemm.wgsl.
//!variant X_VEC 1 C_VEC 1
//!default A_ALONG_K 1
//!default B_ALONG_K 1
//!include lib/index.wgsl
//!include lib/gemm.wgsl
//!include lib/patches.wgsl
//!include lib/end.wgsl

struct Params {
    zero: u32, flag: u32, m: u32, n: u32, k: u32,
    height: u32, width: u32, channels: u32, rows: u32, cols: u32, window_cols: u32,
    stride_y: i32, stride_x: i32, base_y: i32, base_x: i32, step_y: i32, step_x: i32,
    tap_y: u32, tap_x: u32, tap_step_y: u32, tap_step_x: u32, filter_cols: u32,
    out_height: u32, out_width: u32, out_y: u32, out_x: u32, out_step_y: u32, out_step_x: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if X_VEC
@group(0) @binding(1) var<storage, read_write> weights: array<vec4<f32>>;
//!else
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
//!end
var<immediate> p: Params;

fn load_a(m: u32, k: u32) -> mat4x4<f32> {
    return transpose(mat4x4(
        patch4(m, k, p.m, p.k), patch4(m + 1u, k, p.m, p.k), patch4(m + 2u, k, p.m, p.k), patch4(m + 3u, k, p.m, p.k)));
}

// Where the filter's element for k and input channel n lies.
fn filter_place(k: u32, n: u32) -> u32 {
    let i = k / p.channels;
    let row = p.tap_y + i / p.window_cols * p.tap_step_y;
    let col = p.tap_x + i % p.window_cols * p.tap_step_x;
    return ((row * p.filter_cols + col) * p.n + n) * p.channels + k % p.channels;
}

fn filter4(k: u32, n: u32) -> vec4<f32> {
    var v = vec4<f32>();
    if n < p.n {
//!if X_VEC
        if k < p.k {
            v = weights[filter_place(k, n) / 4u];
        }
//!else
//!for e in 0..4
        if k + $eu < p.k {
            v[$e] = weights[filter_place(k + $eu, n)];
        }
//!end
//!end
    }
    return v;
}

fn load_b(k: u32, n: u32) -> mat4x4<f32> {
    return transpose(mat4x4(filter4(k, n), filter4(k, n + 1u), filter4(k, n + 2u), filter4(k, n + 3u)));
}

fn store(m: u32, n: u32, v: vec4<f32>) {
    if m >= p.m || n >= p.n {
        return;
    }
    let row = m / p.cols;
    let y = p.out_y + row % p.rows * p.out_step_y;
    let x = p.out_x + m % p.cols * p.out_step_x;
    let at = ((row / p.rows * p.out_height + y) * p.out_width + x) * p.n + n;
    finish(at, n, p.n, v);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tiles = (p.n + TILE_N - 1u) / TILE_N;
    let tile = linear_group(wid);
    gemm(lid, tile / tiles * TILE_M, tile % tiles * TILE_N, 0u, p.k);
}
