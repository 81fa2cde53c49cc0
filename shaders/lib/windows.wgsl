// Windows over images [batch, height, width, channels]: window (row, col) begins at (row, col) * stride - pad and takes
// every dilation-th place. Needs the parameters named so.
struct Span { begin: u32, end: u32 }

// The window's elements along one axis that lie inside an image of `size`, when it begins at `first`.
fn inside(first: i32, window: u32, dilation: u32, size: u32) -> Span {
    let step = i32(dilation);
    let before = max(0, (step - 1 - first) / step);
    let behind = max(0, (i32(size) - first + step - 1) / step);
    return Span(u32(before), min(window, u32(behind)));
}

// The windows along one axis that may cover place `at`, of `count` windows that reach over `reach` places.
fn covering(at: u32, pad: u32, reach: u32, stride: u32, count: u32) -> Span {
    let last = at + pad;
    let first = select(0u, (last + 1u - reach + stride - 1u) / stride, last + 1u > reach);
    return Span(first, min(count, last / stride + 1u));
}
