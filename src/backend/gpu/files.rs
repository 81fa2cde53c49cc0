//! The files of `shaders/`, part of the program. A new shader has its line here, in order.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Paths under `shaders/` with their texts, ordered by path.
        pub const FILES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../../shaders/", $path)))),*
        ];
    };
}

files! {
    "add_up.wgsl",
    "arg_reduce.wgsl",
    "band.wgsl",
    "batch_norm.wgsl",
    "batch_norm_gradient.wgsl",
    "bias_add.wgsl",
    "channel_moments.wgsl",
    "channel_sums.wgsl",
    "check_numerics.wgsl",
    "colors.wgsl",
    "conv2d.wgsl",
    "conv2d_input.wgsl",
    "cross_entropy.wgsl",
    "depthwise.wgsl",
    "fill.wgsl",
    "gather.wgsl",
    "in_top_k.wgsl",
    "join_bytes.wgsl",
    "lib/bits.wgsl",
    "lib/checked.wgsl",
    "lib/elements.wgsl",
    "lib/end.wgsl",
    "lib/floats.wgsl",
    "lib/formula.wgsl",
    "lib/gemm.wgsl",
    "lib/given.wgsl",
    "lib/index.wgsl",
    "lib/indices.wgsl",
    "lib/lanes.wgsl",
    "lib/math.wgsl",
    "lib/matrix_b.wgsl",
    "lib/matrix_c.wgsl",
    "lib/normal.wgsl",
    "lib/order.wgsl",
    "lib/patches.wgsl",
    "lib/philox.wgsl",
    "lib/pow.wgsl",
    "lib/rules.wgsl",
    "lib/special.wgsl",
    "lib/trees.wgsl",
    "lib/trig.wgsl",
    "lib/windows.wgsl",
    "lrn.wgsl",
    "matmul.wgsl",
    "matvec.wgsl",
    "mirror_fold.wgsl",
    "one_hot.wgsl",
    "optimizer.wgsl",
    "pad.wgsl",
    "pool.wgsl",
    "pool_gradient.wgsl",
    "random.wgsl",
    "reduce.wgsl",
    "resize.wgsl",
    "reverse_sequence.wgsl",
    "row_keys.wgsl",
    "scan.wgsl",
    "segments.wgsl",
    "select.wgsl",
    "softmax.wgsl",
    "sort.wgsl",
    "strided.wgsl",
    "top_k.wgsl",
    "top_k_pairs.wgsl",
    "transpose.wgsl",
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn every_shader_has_its_line_in_order() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
        let mut found = Vec::new();
        for (folder, prefix) in [(root.to_string(), ""), (format!("{root}/lib"), "lib/")] {
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if name.ends_with(".wgsl") {
                    found.push(format!("{prefix}{name}"));
                }
            }
        }
        found.sort();
        let listed: Vec<_> = FILES.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(listed, found);
    }
}
