//! Resizing on GPUs: the host says which pixels each pixel is made of and with what weights, one shader puts them
//! together; for a gradient the same tables are read the other way.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, words};
use crate::value::{DType, Shape, Value};

use super::scale::{Axis, Method, Taps};

/// How pixels are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Made {
    Nearest,
    Weighted(Method),
}

fn taps(axis: &Axis, o: usize, made: Made) -> Taps {
    match made {
        Made::Nearest => vec![(axis.nearest(o), 1.0)],
        Made::Weighted(method) => axis.taps(o, method),
    }
}

/// Which pixels of `axis.input` each of `axis.output` is made of; turned, where each of the input's goes to.
fn table(axis: &Axis, made: Made, is_turned: bool) -> Vec<Taps> {
    let mut rows = vec![Taps::new(); if is_turned { axis.input } else { axis.output }];
    for o in 0..axis.output {
        for (i, weight) in taps(axis, o, made) {
            let (row, other) = if is_turned { (i, o) } else { (o, i) };
            rows[row].push((other, weight));
        }
    }
    rows
}

/// Starts, places and weights as `shaders/resize.wgsl` reads them.
fn upload(c: &GpuContext, tables: &[Vec<Taps>]) -> Result<[Value; 3]> {
    let (mut starts, mut places, mut weights) = (vec![0i32], Vec::new(), Vec::new());
    for taps in tables.iter().flatten() {
        for (place, weight) in taps {
            places.push(*place as i32);
            weights.push(*weight);
        }
        starts.push(places.len() as i32);
    }
    Ok([
        c.upload(&Value::vector(&starts)?)?,
        c.upload(&Value::vector(&places)?)?,
        c.upload(&Value::vector(&weights)?)?,
    ])
}

/// The resized image; or, `is_gradient`, what a gradient of resized images gives to the original ones. Sizes are input
/// 1's elements, or, for gradients by weights, its shape.
pub(super) fn resize(c: &mut GpuContext, made: Made, is_gradient: bool) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let sizes = match is_gradient && made != Made::Nearest {
        true => c.shape(1)?.dims().get(1..3).map(<[i64]>::to_vec),
        false => Some(c.ints_input(1)?),
    };
    let is_four_bytes = match (made, is_gradient) {
        (Made::Nearest, false) => matches!(c.dtype(0)?, DType::F32 | DType::I32),
        _ => c.dtype(0)? == DType::F32 && c.node.outputs[0].dtype == DType::F32,
    };
    let limit = 1..=i64::from(i32::MAX);
    let (Some(&[height, width]), true) = (
        sizes.as_deref().and_then(|s| s.first_chunk::<2>()),
        is_four_bytes && shape.rank() == 4 && shape.num_elements() > 0,
    ) else {
        return c.leave_to_host();
    };
    if !limit.contains(&height) || !limit.contains(&width) || sizes.is_some_and(|s| s.len() != 2) {
        return c.leave_to_host();
    }
    let wanted = [height as usize, width as usize];
    let given = [shape.dim(1), shape.dim(2)];
    let (from, to) = if is_gradient {
        (wanted, given)
    } else {
        (given, wanted)
    };
    let axis = |i: usize| Axis::new(from[i], to[i], c.attrs());
    let tables = [
        table(&axis(0)?, made, is_gradient),
        table(&axis(1)?, made, is_gradient),
    ];
    let [starts, places, weights] = upload(c, &tables)?;
    let x = c.input(0)?;
    let out = Shape::new(&[shape.dims()[0], height, width, shape.dims()[3]])?;
    let count = out.num_elements();
    let y = c.allocate(0, out)?;
    let params = words([
        count,
        given[0],
        given[1],
        shape.dim(3),
        wanted[0],
        wanted[1],
    ])?;
    let is_copy = made == Made::Nearest && !is_gradient;
    let shader = Shader::file("resize", &[("COPY", u32::from(is_copy))]);
    let bindings = [&x, &starts, &places, &weights, &y];
    c.launch(&shader, &bindings, &params, groups_for(count))?;
    c.set_output(0, y);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};
    use crate::value::Value;

    #[test]
    fn resized_images_agree_with_the_cpus() {
        for (aligned, half) in [(false, false), (true, false), (false, true)] {
            let given = attrs(&[
                ("align_corners", aligned.into()),
                ("half_pixel_centers", half.into()),
            ]);
            for size in [[3, 11], [14, 2], [1, 1]] {
                let image = floats_of(&[2, 5, 7, 3]);
                let dy = floats_of(&[2, i64::from(size[0]), i64::from(size[1]), 3]);
                let inputs = [image.clone(), Value::vector(&size).unwrap()];
                for op in ["ResizeNearestNeighbor", "ResizeBilinear", "ResizeBicubic"] {
                    agrees_on_gpu(op, &inputs, &given, 1e-5);
                }
                let original = Value::vector(&[5i32, 7]).unwrap();
                agrees_on_gpu(
                    "ResizeNearestNeighborGrad",
                    &[dy.clone(), original],
                    &given,
                    1e-5,
                );
                for op in ["ResizeBilinearGrad", "ResizeBicubicGrad"] {
                    agrees_on_gpu(op, &[dy.clone(), image.clone()], &given, 1e-5);
                }
            }
        }
    }
}
