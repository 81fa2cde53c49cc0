//! Formulas on whatever adapter there is, beside the CPU's.

use crate::backend::cpu::map::{Compiled, run as run_on_cpu};
use crate::backend::gpu::for_tests;
use crate::expr::Expr;

use super::*;

fn there(gpu: &dyn Gpu, value: &Value) -> Value {
    let buffer = gpu.upload(value.bytes().unwrap()).unwrap();
    Value::on_device(value.dtype(), value.shape().clone(), buffer).unwrap()
}

fn formula_of<'a>(program: &'a Program, node: &'a str) -> Formula<'a> {
    Formula {
        program,
        number: 0,
        node,
    }
}

/// The formula on both; results must agree to `ulps` units in the last place.
fn compare(formula: fn(&[Expr]) -> Expr, inputs: &[Value], ulps: i64) {
    let Some(gpu) = for_tests() else { return };
    let types: Vec<DType> = inputs.iter().map(Value::dtype).collect();
    let program = Program::of(&formula(&Expr::inputs(types.len())), &types).unwrap();
    let on_host: Vec<&Value> = inputs.iter().collect();
    let expected = run_on_cpu(&Compiled::new(program.clone()), &on_host).unwrap();
    let on_device: Vec<Value> = inputs.iter().map(|v| there(&*gpu, v)).collect();
    let mixed: Vec<Value> = inputs
        .iter()
        .zip(&on_device)
        .map(|(host, device)| {
            if host.num_elements() == 1 {
                host
            } else {
                device
            }
        })
        .cloned()
        .collect();
    for values in [on_device, mixed] {
        let values: Vec<&Value> = values.iter().collect();
        let shape = expected[0].shape().clone();
        let formulas = Formulas::default();
        let got = run(
            &*gpu,
            &formulas,
            formula_of(&program, "node"),
            &values,
            &shape,
            &[End::Value],
        );
        let got = got.unwrap().expect("shaders know the formula")[0]
            .to_host()
            .unwrap();
        gpu.finish().unwrap();
        assert_eq!(
            (got.dtype(), got.shape()),
            (expected[0].dtype(), expected[0].shape())
        );
        if got.dtype() != DType::F32 {
            assert_eq!(got, expected[0]);
            continue;
        }
        let pairs = got
            .slice::<f32>()
            .unwrap()
            .iter()
            .zip(expected[0].slice::<f32>().unwrap());
        for (got, expected) in pairs {
            let key = |x: f32| {
                if x < 0.0 {
                    -i64::from((-x).to_bits())
                } else {
                    i64::from(x.to_bits())
                }
            };
            let is_close =
                (got.is_nan() && expected.is_nan()) || (key(*got) - key(*expected)).abs() <= ulps;
            assert!(is_close, "{got} instead of {expected}");
        }
    }
}

fn floats(dims: &[i64]) -> Value {
    let shape = Shape::new(dims).unwrap();
    let x: Vec<f32> = (0..shape.num_elements())
        .map(|i| (i as f32 * 0.37).sin() * 3.0)
        .collect();
    Value::from_slice(shape, &x).unwrap()
}

fn ints(dims: &[i64]) -> Value {
    let shape = Shape::new(dims).unwrap();
    let x: Vec<i32> = (0..shape.num_elements() as i32)
        .map(|i| i * 7 % 23 - 11)
        .collect();
    Value::from_slice(shape, &x).unwrap()
}

#[test]
fn sizes_of_every_kind_agree_with_the_cpu() {
    for n in [0, 1, 2, 3, 4, 5, 255, 256, 257, 1023, 5000] {
        compare(
            |x| (&x[0] + &x[1]).relu() * 2.0,
            &[floats(&[n]), floats(&[n])],
            0,
        );
        compare(|x| x[0].gt(&x[1]), &[floats(&[n]), floats(&[1])], 0);
    }
}

#[test]
fn operands_broadcast_along_any_axes() {
    let pairs: [(&[i64], &[i64]); 6] = [
        (&[4, 5], &[5]),
        (&[4, 5], &[4, 1]),
        (&[2, 3, 4], &[2, 1, 4]),
        (&[3, 1, 2, 1], &[1, 4, 1, 5]),
        (&[7, 3], &[]),
        (&[2, 1, 3, 1, 2, 1], &[1, 2, 1, 3, 1, 2]),
    ];
    for (a, b) in pairs {
        compare(|x| &x[0] * &x[1] - &x[0], &[floats(a), floats(b)], 1);
        compare(|x| &x[0] * &x[1], &[ints(a), ints(b)], 0);
    }
}

#[test]
fn functions_are_close_and_truths_choose() {
    let x = floats(&[1000]);
    compare(|x| x[0].exp(), std::slice::from_ref(&x), 4);
    compare(|x| x[0].tanh(), std::slice::from_ref(&x), 4);
    compare(|x| x[0].abs().log1p(), std::slice::from_ref(&x), 4);
    compare(
        |x| x[0].gt(x[0].like(0.5)).select(x[0].exp(), &x[0]),
        &[x],
        4,
    );
}

#[test]
fn whole_numbers_divide_towards_where_the_op_says() {
    let (a, b) = (ints(&[300]), ints(&[300]));
    let b: Vec<i32> = b
        .slice::<i32>()
        .unwrap()
        .iter()
        .map(|x| if *x == 0 { 3 } else { *x })
        .collect();
    let b = Value::vector(&b).unwrap();
    use crate::expr::Binary::{Div, FloorDiv, FloorMod, TruncMod};
    compare(|x| x[0].binary(Div, &x[1]), &[a.clone(), b.clone()], 0);
    compare(|x| x[0].binary(FloorDiv, &x[1]), &[a.clone(), b.clone()], 0);
    compare(|x| x[0].binary(FloorMod, &x[1]), &[a.clone(), b.clone()], 0);
    compare(|x| x[0].binary(TruncMod, &x[1]), &[a, b], 0);
}

#[test]
fn a_zero_divisor_fails_the_run() {
    let Some(gpu) = for_tests() else { return };
    let formula = |x: &[Expr]| x[0].binary(crate::expr::Binary::FloorDiv, &x[1]);
    let program = Program::of(&formula(&Expr::inputs(2)), &[DType::I32, DType::I32]).unwrap();
    let (a, b) = (
        there(&*gpu, &ints(&[8])),
        there(&*gpu, &Value::vector(&[1, 2, 0, 1, 1, 1, 1, 1]).unwrap()),
    );
    let formulas = Formulas::default();
    run(
        &*gpu,
        &formulas,
        formula_of(&program, "div"),
        &[&a, &b],
        a.shape(),
        &[End::Value],
    )
    .unwrap();
    let error = gpu.finish().unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.node.as_deref()),
        ("Integer division by zero", Some("div"))
    );
}

#[test]
fn sums_and_results_written_over_operands() {
    let Some(gpu) = for_tests() else { return };
    let formula = |x: &[Expr]| &x[0] * 2.0;
    let program = Program::of(&formula(&Expr::inputs(1)), &[DType::F32]).unwrap();
    for n in [0usize, 1, 5, 1024, 1025, 300_000] {
        let x = vec![0.5f32; n];
        let value = there(&*gpu, &Value::vector(&x).unwrap());
        let run = |end: End| {
            let formulas = Formulas::default();
            let got = run(
                &*gpu,
                &formulas,
                formula_of(&program, "node"),
                &[&value],
                value.shape(),
                &[end],
            );
            got.unwrap().unwrap().remove(0)
        };
        if n > 0 {
            let sum = run(End::Sum { is_mean: false }).to_host().unwrap();
            assert_eq!(sum.item::<f32>().unwrap(), n as f32);
            let mean = run(End::Sum { is_mean: true }).to_host().unwrap();
            assert_eq!(mean.item::<f32>().unwrap(), 1.0);
            run(End::Over(0));
            let fresh = value.deep_copy().unwrap();
            assert_eq!(fresh.slice::<f32>().unwrap(), vec![1.0; n]);
        }
    }
}
