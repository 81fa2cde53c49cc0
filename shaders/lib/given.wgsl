// Elements of `given: array<Unit>`, of the width that `lib/elements.wgsl` says.
//!include lib/elements.wgsl

fn load_given(at: u32) -> Unit {
//!if WIDTH == 1
    return byte_of(given[at >> 2u], at);
//!else
    return given[at];
//!end
}
