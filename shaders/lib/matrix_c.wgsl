// C of lib/gemm.wgsl as matrices in memory: number `z` of [z, m, n]. Needs p.m and p.n.
//!include lib/end.wgsl
var<private> z: u32;

fn store(m: u32, n: u32, sum: vec4<f32>) {
    if m < p.m && n < p.n {
        finish((z * p.m + m) * p.n + n, n, p.n, sum);
    }
}
