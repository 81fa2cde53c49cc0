// C of lib/gemm.wgsl as matrices in memory: number `z` of [z, m, n]. Needs p.m and p.n.
// BIAS: bias [n] is bound before c and added. RELU: then what is negative becomes 0. C_VEC: n is a multiple of 4.
//!default BIAS 0
//!default RELU 0
//!default C_VEC 0
//!if BIAS
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
//!end
//!if C_VEC
@group(0) @binding(2 + BIAS) var<storage, read_write> c: array<vec4<f32>>;
//!else
@group(0) @binding(2 + BIAS) var<storage, read_write> c: array<f32>;
//!end
var<private> z: u32;

fn store(m: u32, n: u32, sum: vec4<f32>) {
    if m >= p.m || n >= p.n {
        return;
    }
    let at = (z * p.m + m) * p.n + n;
    var v = sum;
//!if BIAS
//!for e in 0..4
    v[$e] += bias[min(n + $eu, p.n - 1u)];
//!end
//!end
//!if RELU
    v = select(v, vec4<f32>(), v < vec4<f32>());
//!end
//!if C_VEC
    c[at / 4u] = v;
//!else
//!for e in 0..4
    if n + $eu < p.n {
        c[at + $eu] = v[$e];
    }
//!end
//!end
}
