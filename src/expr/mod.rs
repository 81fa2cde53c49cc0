//! Formulas of elementwise ops. (Interface only; the evaluator's engineer replaces this file.)

/// A scalar expression over the operands of an elementwise op.
#[derive(Clone, Debug)]
pub struct Expr;
