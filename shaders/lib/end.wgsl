// Where results go that are made in rows of `cols` columns: c[at]. `n`: the column of c[at]. C_VEC: cols is a multiple of 4.
//
// An ending stands in the place of this file where a formula follows (src/backend/gpu/map/ending.rs): the same functions
// with bindings of its own from END on, which compute the formula first. Its parameters are p.end0 to p.end3, the last
// four of the shader's.
//!default C_VEC 0
//!default END 2
//!if C_VEC
@group(0) @binding(END) var<storage, read_write> c: array<vec4<f32>>;

fn finish(at: u32, n: u32, cols: u32, v: vec4<f32>) {
    c[at / 4u] = v;
}
//!else
@group(0) @binding(END) var<storage, read_write> c: array<f32>;

fn finish_one(at: u32, n: u32, v: f32) {
    c[at] = v;
}

fn finish(at: u32, n: u32, cols: u32, v: vec4<f32>) {
//!for e in 0..4
    if n + $eu < cols {
        finish_one(at + $eu, n + $eu, v[$e]);
    }
//!end
}
//!end
