//! The op registry: what each op is, one file per family. An op lives in one place.

mod activation;
mod array;
mod audio;
pub mod build;
mod checkpoint;
mod compare;
mod constant_value;
pub mod control_flow;
mod conv;
mod ctc;
pub(crate) mod densify;
mod evaluate;
pub mod gpu;
pub mod gradient;
mod image;
mod io;
pub mod kernel;
mod layout;
mod linalg;
mod logging;
mod lookup;
mod loss;
pub mod map;
mod math;
mod matmul;
mod moves;
mod norm;
mod op;
mod parsing;
mod pool;
mod py_func;
mod queue;
mod random;
mod reader;
mod reduce;
mod registry;
pub mod resource;
mod resource_nd;
mod segment;
mod sets;
mod shape;
mod softmax;
mod sparse;
mod stack;
mod state;
mod string;
mod summary;
mod tensor_array;
#[cfg(test)]
mod testing;
mod text;
mod training;
mod vocabulary;

pub use constant_value::constant_value;
pub use evaluate::{run_alone, run_kernel};
pub use op::{Gradient, Op, Run};
pub use registry::{Entry, all_names, find, new_graph};

/// The families, in the order of the files.
const FAMILIES: &[&[Op]] = &[
    math::unary::OPS,
    math::binary::OPS,
    math::broadcast::OPS,
    compare::OPS,
    activation::OPS,
    loss::OPS,
    ctc::OPS,
    reduce::OPS,
    matmul::OPS,
    conv::OPS,
    pool::OPS,
    image::OPS,
    image::color::OPS,
    image::files::OPS,
    image::boxes::OPS,
    image::crop::OPS,
    linalg::diagonal::OPS,
    linalg::decompose::OPS,
    linalg::eigen::OPS,
    pool::dilation::OPS,
    segment::OPS,
    sets::OPS,
    sparse::OPS,
    norm::bias::OPS,
    norm::batch::OPS,
    norm::response::OPS,
    array::constant::OPS,
    array::identity::OPS,
    array::cast::OPS,
    array::concat::OPS,
    array::split::OPS,
    random::OPS,
    random::laws::OPS,
    random::candidates::OPS,
    checkpoint::OPS,
    io::OPS,
    audio::OPS,
    vocabulary::OPS,
    array::slice::OPS,
    array::strided_assign::OPS,
    array::permute::OPS,
    array::gather::OPS,
    array::segments::OPS,
    array::stitch::OPS,
    array::pick::OPS,
    array::choose::OPS,
    array::scatter::OPS,
    array::search::OPS,
    array::spaces::OPS,
    control_flow::OPS,
    state::OPS,
    resource_nd::OPS,
    training::OPS,
    string::OPS,
    text::OPS,
    logging::OPS,
    lookup::OPS,
    parsing::OPS,
    py_func::OPS,
    stack::OPS,
    tensor_array::OPS,
    queue::OPS,
    reader::OPS,
    summary::OPS,
];
