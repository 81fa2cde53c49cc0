// 1-D work: groups fill x up to the 65,535 that a dispatch may have on an axis, then y.
fn linear_group(wid: vec3<u32>) -> u32 {
    return wid.y * 65535u + wid.x;
}
