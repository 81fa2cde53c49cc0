//! Programs against arithmetic done by hand.

use half::f16;

use super::*;
use crate::expr::{Expr, Program};

fn eval(formula: &Expr, inputs: &[Value]) -> Result<Value> {
    let types: Vec<DType> = inputs.iter().map(Value::dtype).collect();
    let compiled = Compiled::new(Program::of(formula, &types)?);
    let inputs: Vec<&Value> = inputs.iter().collect();
    Ok(run(&compiled, &inputs)?.remove(0))
}

fn floats(dims: &[i64], f: impl Fn(usize) -> f32) -> Value {
    let shape = Shape::new(dims).unwrap();
    let x: Vec<f32> = (0..shape.num_elements()).map(f).collect();
    Value::from_slice(shape, &x).unwrap()
}

#[test]
fn long_inputs_are_computed_in_blocks() {
    let x = Expr::inputs(2);
    let n = 3 * BLOCK + 7;
    let a = floats(&[n as i64], |i| i as f32);
    let b = floats(&[], |_| 0.5);
    let y = eval(&((&x[0] * &x[1] + 1.0) * (&x[0] * &x[1])), &[a, b]).unwrap();
    for (i, y) in y.slice::<f32>().unwrap().iter().enumerate() {
        let h = i as f32 * 0.5;
        assert_eq!(*y, (h + 1.0) * h);
    }
}

#[test]
fn operands_broadcast_as_rows_columns_and_otherwise() {
    let x = Expr::inputs(2);
    let (rows, columns) = (37, 131);
    let a = floats(&[rows, columns], |i| i as f32);
    let at = |i: usize| (i / columns as usize, i % columns as usize);
    let check = |b: &Value, want: &dyn Fn(usize) -> f32| {
        let y = eval(&(&x[0] - &x[1]), &[a.clone(), b.clone()]).unwrap();
        for (i, y) in y.slice::<f32>().unwrap().iter().enumerate() {
            assert_eq!(*y, i as f32 - want(i), "element {i} with {b:?}");
        }
    };
    check(&floats(&[columns], |i| i as f32), &|i| at(i).1 as f32);
    check(&floats(&[1, columns], |i| i as f32), &|i| at(i).1 as f32);
    check(&floats(&[rows, 1], |i| i as f32), &|i| at(i).0 as f32);
    let cube = floats(&[5, 1, 7], |i| i as f32);
    let other = floats(&[3, 1], |i| 100.0 * i as f32);
    let y = eval(&(&x[0] + &x[1]), &[cube, other]).unwrap();
    assert_eq!(y.shape().dims(), [5, 3, 7]);
    assert_eq!(y.slice::<f32>().unwrap()[(2 * 3 + 1) * 7 + 4], 18.0 + 100.0);
    assert_eq!(
        broadcast([&Shape::new(&[0, 1]).unwrap(), &Shape::vector(4)])
            .unwrap()
            .dims(),
        [0, 4]
    );
}

#[test]
fn shapes_that_do_not_fit_are_an_error() {
    let x = Expr::inputs(2);
    let error = eval(
        &(&x[0] + &x[1]),
        &[floats(&[2, 3], |_| 0.0), floats(&[4], |_| 0.0)],
    );
    assert_eq!(
        error.unwrap_err().message,
        "Incompatible shapes: [2,3] vs. [4]"
    );
}

#[test]
fn a_value_may_be_an_output_and_an_operand() {
    let x = Expr::inputs(1);
    let mut builder = crate::expr::Builder::default();
    let input = builder.input(DType::F32).unwrap();
    let square = builder.add(&x[0].square(), &[input]).unwrap();
    let next = builder.add(&(&x[0] + 1.0), &[square]).unwrap();
    let compiled = Compiled::new(builder.finish(vec![square, next, input, next]));
    let a = floats(&[2000], |i| i as f32);
    let got = run(&compiled, &[&a]).unwrap();
    let at = |k: usize| got[k].slice::<f32>().unwrap()[1500];
    assert_eq!(
        [at(0), at(1), at(2), at(3)],
        [2_250_000.0, 2_250_001.0, 1500.0, 2_250_001.0]
    );
}

#[test]
fn integers_divide_as_tensorflow_does() {
    let x = Expr::inputs(2);
    let a = Value::vector(&[7i32, -7, i32::MIN, 5]).unwrap();
    let b = Value::vector(&[2i32, 2, -1, -3]).unwrap();
    let pair = [a.clone(), b];
    assert_eq!(
        eval(&x[0].floor_div(&x[1]), &pair).unwrap().ints().unwrap(),
        [3, -4, -2147483648, -2]
    );
    assert_eq!(
        eval(&x[0].floor_mod(&x[1]), &pair).unwrap().ints().unwrap(),
        [1, 1, 0, -1]
    );
    let zero = Value::scalar(0i32).unwrap();
    assert!(eval(&x[0].floor_mod(&x[1]), &[a, zero]).is_err());
}

#[test]
fn casts_choose_and_compare() {
    let x = Expr::inputs(2);
    let a = Value::vector(&[1.9f32, -1.9, f32::NAN]).unwrap();
    let zero = Value::scalar(0f32).unwrap();
    let formula = x[0]
        .gt(&x[1])
        .select(x[0].cast(DType::I32), x[1].cast(DType::I32));
    assert_eq!(
        eval(&formula, &[a.clone(), zero.clone()])
            .unwrap()
            .ints()
            .unwrap(),
        [1, 0, 0]
    );
    let halves = eval(&(x[0].cast(DType::F16) * 3.0), &[a, zero]).unwrap();
    assert_eq!(
        halves.slice::<f16>().unwrap()[0],
        f16::from_f32(f16::from_f32(1.9).to_f32() * 3.0)
    );
}

#[test]
fn operations_without_a_vector_loop_stand_among_those_with_one() {
    let x = Expr::inputs(2);
    let a = floats(&[3000], |i| i as f32 * 0.01);
    let b = floats(&[], |_| 2.0);
    let y = eval(&((&x[0] + 1.0).pow(&x[1]).ceil() - &x[0]), &[a, b]).unwrap();
    for (i, y) in y.slice::<f32>().unwrap().iter().enumerate() {
        let x = i as f32 * 0.01;
        assert_eq!(*y, (x + 1.0).powf(2.0).ceil() - x);
    }
}
