// A workgroup of 256 as OUTS outputs of LANES invocations each. The lanes of an output are neighbours when memory runs
// along what is reduced; with STRIDED neighbours take neighbouring outputs. LANES is a power of two.
//!default LANES 256
//!default STRIDED 0
const OUTS: u32 = 256u / LANES;
//!if STRIDED
const STEP: u32 = OUTS; // from one lane of an output to the next, in workgroup memory

fn out_of(lid: u32) -> u32 {
    return lid % OUTS;
}

fn lane_of(lid: u32) -> u32 {
    return lid / OUTS;
}

fn first_lane(out: u32) -> u32 {
    return out;
}
//!else
const STEP: u32 = 1u;

fn out_of(lid: u32) -> u32 {
    return lid / LANES;
}

fn lane_of(lid: u32) -> u32 {
    return lid % LANES;
}

fn first_lane(out: u32) -> u32 {
    return out * LANES;
}
//!end
