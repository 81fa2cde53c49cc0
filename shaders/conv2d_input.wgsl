// The gradient of a 2-D convolution by its input (a transposed convolution). Input positions that differ by whole strides
// see the same elements of the filter, so each such phase is a dense product of its own, whose windows move over the
// gradient x [batch, height, width, channels] in steps of 1, and backwards (lib/patches.wgsl).
//
// Bindings: 0 x, 1 filter [filter_rows, filter_cols, n, channels], 2 c [batch, out_height, out_width, n] (or what
// lib/end.wgsl's place holds).
// Parameters: the sizes; the convolution's strides, dilations and padding before; those of lib/end.wgsl.
// Groups: x, y: tiles of the largest phase, columns first; z: phases, those of the columns first.
// X_VEC speaks of the filter too. C_VEC: n is a multiple of 4. Tiles: lib/gemm.wgsl.
//!variant X_VEC 1 C_VEC 1
//!default A_ALONG_K 1
//!default B_ALONG_K 1
//!include lib/index.wgsl
//!include lib/gemm.wgsl
//!include lib/patches.wgsl
//!include lib/end.wgsl

struct Params {
    zero: u32, flag: u32, batch: u32, n: u32, height: u32, width: u32, channels: u32, filter_rows: u32, filter_cols: u32,
    out_height: u32, out_width: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
    before_y: u32, before_x: u32, end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if X_VEC
@group(0) @binding(1) var<storage, read_write> weights: array<vec4<f32>>;
//!else
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
//!end
var<immediate> p: Params;

// Places first, first + stride, .. of an axis: they see `taps` elements of the filter, from `tap` on in steps of
// `tap_step`, and the gradient from `base` on in steps of `step`.
struct Phase { first: u32, places: u32, taps: u32, tap: u32, tap_step: u32, base: i32, step: i32 }

fn phase(first: u32, out: u32, size: u32, stride: u32, dilation: u32, before: u32) -> Phase {
    let shift = (first + before) % stride;
    var tap = 0u;
    while tap < size && tap * dilation % stride != shift {
        tap += 1u;
    }
    var tap_step = 1u;
    while tap_step * dilation % stride != 0u {
        tap_step += 1u;
    }
    let taps = (size - tap + tap_step - 1u) / tap_step;
    let base = (i32(first + before) - i32(tap * dilation)) / i32(stride);
    let places = (out - first + stride - 1u) / stride;
    return Phase(first, places, taps, tap, tap_step, base, -i32(tap_step * dilation / stride));
}

var<private> ys: Phase;
var<private> xs: Phase;
var<private> m_size: u32; // positions of the phase [batch, ys.places, xs.places]
var<private> k_size: u32;

fn grid() -> Grid {
    return Grid(ys.places, xs.places, max(xs.taps, 1u), 1, 1, ys.base, xs.base, ys.step, xs.step);
}

fn load_a(m: u32, k: u32) -> mat4x4<f32> {
    return transpose(mat4x4(
        patch4(m, k, m_size, k_size), patch4(m + 1u, k, m_size, k_size),
        patch4(m + 2u, k, m_size, k_size), patch4(m + 3u, k, m_size, k_size)));
}

// Where the filter's element for k and input channel n lies.
fn filter_place(k: u32, n: u32) -> u32 {
    let i = k / p.channels;
    let row = ys.tap + i / max(xs.taps, 1u) * ys.tap_step;
    let col = xs.tap + i % max(xs.taps, 1u) * xs.tap_step;
    return ((row * p.filter_cols + col) * p.n + n) * p.channels + k % p.channels;
}

fn filter4(k: u32, n: u32) -> vec4<f32> {
    var v = vec4<f32>();
    if n < p.n {
//!if X_VEC
        if k < k_size {
            v = weights[filter_place(k, n) / 4u];
        }
//!else
//!for e in 0..4
        if k + $eu < k_size {
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
    if m >= m_size || n >= p.n {
        return;
    }
    let row = m / xs.places;
    let y = ys.first + row % ys.places * p.stride_y;
    let x = xs.first + m % xs.places * p.stride_x;
    finish(((row / ys.places * p.out_height + y) * p.out_width + x) * p.n + n, n, p.n, v);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tiles = (p.n + TILE_N - 1u) / TILE_N;
    let tile = linear_group(wid);
    let phases = min(p.stride_x, p.out_width);
    ys = phase(wid.z / phases, p.out_height, p.filter_rows, p.stride_y, p.dilation_y, p.before_y);
    xs = phase(wid.z % phases, p.out_width, p.filter_cols, p.stride_x, p.dilation_x, p.before_x);
    m_size = p.batch * ys.places * xs.places;
    k_size = ys.taps * xs.taps * p.channels;
    gemm(lid, tile / tiles * TILE_M, tile % tiles * TILE_N, 0u, k_size);
}
