// B of lib/gemm.wgsl as a matrix in memory: [k, n], or [n, k] with B_ALONG_K, beginning at element `b_begin`. Needs p.k and
// p.n. B_VEC: rows in memory and b_begin are multiples of 4.
//!default B_ALONG_K 0
//!default B_VEC 0
//!if B_VEC
@group(0) @binding(1) var<storage, read_write> b: array<vec4<f32>>;
//!else
@group(0) @binding(1) var<storage, read_write> b: array<f32>;
//!end
var<private> b_begin: u32;

// Four neighbours in memory; zeros behind the matrix.
fn b4(row: u32, col: u32, rows: u32, cols: u32) -> vec4<f32> {
    var v = vec4<f32>();
    if row < rows && col < cols {
        let at = b_begin + row * cols + col;
//!if B_VEC
        v = b[at / 4u];
//!else
//!for e in 0..4
        if col + $eu < cols {
            v[$e] = b[at + $eu];
        }
//!end
//!end
    }
    return v;
}

fn load_b(k: u32, n: u32) -> mat4x4<f32> {
//!if B_ALONG_K
    return transpose(mat4x4(
        b4(n, k, p.n, p.k), b4(n + 1u, k, p.n, p.k), b4(n + 2u, k, p.n, p.k), b4(n + 3u, k, p.n, p.k)));
//!else
    return mat4x4(b4(k, n, p.k, p.n), b4(k + 1u, n, p.k, p.n), b4(k + 2u, n, p.k, p.n), b4(k + 3u, n, p.k, p.n));
//!end
}
