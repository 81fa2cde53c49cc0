// A matrix that is never made: row `position` holds what a window over x [batch, height, width, channels] sees there, in
// the order [window row, window column, channel]; zeros where the window leaves the image. Positions are
// [batch, p.rows, p.cols]. The window's element (i, j) at position (row, col) lies at y = row * p.stride_y + p.base_y +
// i * p.step_y, x alike. Needs the parameters named so, and p.height, p.width, p.channels, p.window_cols.
// X_VEC: channels is a multiple of 4.
//!default X_VEC 0
//!if X_VEC
@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
//!else
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
//!end

struct Place { inside: bool, at: u32 }

fn place(position: u32, tap: u32) -> Place {
    let channel = tap % p.channels;
    let i = tap / p.channels;
    let row = position / p.cols;
    let window_y = i32(i / p.window_cols);
    let window_x = i32(i % p.window_cols);
    // What is negative becomes large as an unsigned number.
    let y = u32(i32(row % p.rows) * p.stride_y + p.base_y + window_y * p.step_y);
    let x = u32(i32(position % p.cols) * p.stride_x + p.base_x + window_x * p.step_x);
    let at = ((row / p.rows * p.height + y) * p.width + x) * p.channels + channel;
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
