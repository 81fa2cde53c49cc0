// A matrix that is never made: row `position` holds what a window over x [batch, height, width, channels] sees there, in
// the order [window row, window column, channel]; zeros where the window leaves the image. Positions are
// [batch, rows, cols] of the shader's own `grid()`. The window's element (i, j) at position (row, col) lies at
// y = row * stride_y + base_y + i * step_y, x alike. Needs p.height, p.width, p.channels.
// X_VEC: channels is a multiple of 4.
//!default X_VEC 0
//!if X_VEC
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
//!else
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
//!end

struct Grid {
    rows: u32, cols: u32, window_cols: u32,
    stride_y: i32, stride_x: i32, base_y: i32, base_x: i32, step_y: i32, step_x: i32,
}

struct Place { inside: bool, at: u32 }

fn place(position: u32, tap: u32) -> Place {
    let g = grid();
    let channel = tap % p.channels;
    let i = tap / p.channels;
    let row = position / g.cols;
    let window_y = i32(i / g.window_cols);
    let window_x = i32(i % g.window_cols);
    // What is negative becomes large as an unsigned number.
    let y = u32(i32(row % g.rows) * g.stride_y + g.base_y + window_y * g.step_y);
    let x = u32(i32(position % g.cols) * g.stride_x + g.base_x + window_x * g.step_x);
    let at = ((row / g.rows * p.height + y) * p.width + x) * p.channels + channel;
    return Place(y < p.height && x < p.width, at);
}

// The elements tap to tap + 4 of a position's row, of `positions` by `taps`.
fn patch4(position: u32, tap: u32, positions: u32, taps: u32) -> vec4<f32> {
    var v = vec4<f32>();
    if position < positions {
//!if X_VEC
        let element = place(position, tap);
        if tap < taps && element.inside {
            v = x[element.at / 4u];
        }
//!else
//!for e in 0..4
        {
            let element = place(position, tap + $eu);
            if tap + $eu < taps && element.inside {
                v[$e] = x[element.at];
            }
        }
//!end
//!end
    }
    return v;
}
