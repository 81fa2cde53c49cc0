//! Gradients of inverses, determinants and solutions.

use crate::error::Result;
use crate::graph::{Attr, Endpoint};
use crate::ops::build::{In, ints};
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::matmul::adjoint_product;
use crate::value::Value;

pub(super) fn inverse(g: &mut GradientContext) -> Result<Grads> {
    let (y, dy) = (g.output(0), g.dy(0)?);
    let right = adjoint_product(g, (dy, y, false, true))?;
    let both = adjoint_product(g, (y, right, true, false))?;
    let made = g.graph.neg(both)?;
    Ok(vec![Some(made.into())])
}

pub(super) fn determinant(g: &mut GradientContext) -> Result<Grads> {
    let (a, c, dy) = (g.input(0), g.output(0), g.dy(0)?);
    let adjoint = [("adjoint", Attr::Bool(true))];
    let inverse = g.graph.call("MatrixInverse", "", [a], &adjoint)?;
    let scaled = g.graph.mul(dy, c)?;
    let shape = g.graph.shape_of(c)?;
    let ones = In::Plain("values_1", ints(&[1, 1])?);
    let shape = g.graph.concat(vec![shape.into(), ones], 0)?;
    let factors = g.graph.reshape(scaled, shape)?;
    let made = g.graph.mul(factors, inverse)?;
    Ok(vec![Some(made.into())])
}

/// The gradient with respect to the matrix: minus the product of the solution and its gradient.
fn of_matrix(g: &mut GradientContext, of_rhs: Endpoint, is_adjoint: bool) -> Result<Endpoint> {
    let x = g.output(0);
    let product = match is_adjoint {
        true => adjoint_product(g, (x, of_rhs, false, true))?,
        false => adjoint_product(g, (of_rhs, x, false, true))?,
    };
    g.graph.neg(product)
}

pub(super) fn solve(g: &mut GradientContext) -> Result<Grads> {
    let (a, dy) = (g.input(0), g.dy(0)?);
    let adjoint = g.node().attrs.bool("adjoint")?;
    let other = [("adjoint", Attr::Bool(!adjoint))];
    let of_rhs = g.graph.call("MatrixSolve", "", [a, dy], &other)?;
    let of_matrix = of_matrix(g, of_rhs, adjoint)?;
    Ok(vec![Some(of_matrix.into()), Some(of_rhs.into())])
}

pub(super) fn triangular_solve(g: &mut GradientContext) -> Result<Grads> {
    let (a, dy) = (g.input(0), g.dy(0)?);
    let attrs = &g.node().attrs;
    let (adjoint, lower) = (attrs.bool("adjoint")?, attrs.bool("lower")?);
    let other = [
        ("lower", Attr::Bool(lower)),
        ("adjoint", Attr::Bool(!adjoint)),
    ];
    let of_rhs = g.graph.call("MatrixTriangularSolve", "", [a, dy], &other)?;
    let whole = of_matrix(g, of_rhs, adjoint)?;
    let (below, above) = if lower { (-1i64, 0i64) } else { (0, -1) };
    let band = [
        whole.into(),
        In::Plain("num_lower", Value::scalar(below)?),
        In::Plain("num_upper", Value::scalar(above)?),
    ];
    let made = g.graph.call("MatrixBandPart", "", band, &[])?;
    Ok(vec![Some(made.into()), Some(of_rhs.into())])
}
