//! Formulas as straight-line code: each instruction gives one value from operands, values and constants.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::bail;
use crate::error::{Error, Result};
use crate::value::DType;

use super::{Binary, Expr, Kind, Scalar, Ternary, Unary};

/// What an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arg {
    Input(u16),
    /// The result of an instruction before.
    Value(u16),
    Constant(Scalar),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Unary(Unary),
    Binary(Binary),
    Ternary(Ternary),
    Cast,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instr {
    pub op: Op,
    pub args: SmallVec<[Arg; 3]>,
    /// The type of the (last) operand.
    pub from: DType,
    /// The type of the result.
    pub to: DType,
}

/// Straight-line code over elements. Operands broadcast; every value has the shape of them all together.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub inputs: Vec<DType>,
    pub instrs: Vec<Instr>,
    pub outputs: Vec<Arg>,
}

impl Program {
    pub fn dtype_of(&self, arg: Arg) -> DType {
        match arg {
            Arg::Input(i) => self.inputs[i as usize],
            Arg::Value(i) => self.instrs[i as usize].to,
            Arg::Constant(c) => c.dtype(),
        }
    }

    /// The program of one formula over inputs of these types.
    pub fn of(formula: &Expr, inputs: &[DType]) -> Result<Program> {
        let mut builder = Builder::default();
        let args: Vec<Arg> = inputs
            .iter()
            .map(|t| builder.input(*t))
            .collect::<Result<_>>()?;
        let result = builder.add(formula, &args)?;
        Ok(builder.finish(vec![result]))
    }
}

/// A part of a formula: typed, or a number still without a type.
#[derive(Clone, Copy)]
enum Part {
    Known(Arg),
    Number(f64),
}

/// Puts formulas together into one program; equal instructions become one.
#[derive(Default)]
pub struct Builder {
    program: Program,
    known: FxHashMap<Instr, u16>,
}

fn too_long() -> Error {
    Error::internal("a program of more than 65535 parts")
}

impl Builder {
    pub fn input(&mut self, dtype: DType) -> Result<Arg> {
        let place = u16::try_from(self.program.inputs.len()).map_err(|_| too_long())?;
        self.program.inputs.push(dtype);
        Ok(Arg::Input(place))
    }

    pub fn finish(mut self, outputs: Vec<Arg>) -> Program {
        self.program.outputs = outputs;
        self.program
    }

    pub fn len(&self) -> usize {
        self.program.instrs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.program.instrs.is_empty()
    }

    pub fn dtype_of(&self, arg: Arg) -> DType {
        self.program.dtype_of(arg)
    }

    /// Appends a program whose inputs are `args`, and returns its outputs.
    pub fn append(&mut self, program: &Program, args: &[Arg]) -> Result<SmallVec<[Arg; 1]>> {
        for (arg, wanted) in args.iter().zip(&program.inputs) {
            if self.dtype_of(*arg) != *wanted {
                bail!(
                    internal,
                    "an operand of type {} where {} is due",
                    self.dtype_of(*arg).short_name(),
                    wanted.short_name()
                );
            }
        }
        let mut values: Vec<Arg> = Vec::with_capacity(program.instrs.len());
        let place = |arg: &Arg, values: &[Arg]| match *arg {
            Arg::Input(i) => args.get(i as usize).copied(),
            Arg::Value(v) => values.get(v as usize).copied(),
            Arg::Constant(_) => Some(*arg),
        };
        let missing = || Error::internal("a program reads an operand that is not there");
        for instr in &program.instrs {
            let mut operands: SmallVec<[Arg; 3]> = SmallVec::new();
            for arg in &instr.args {
                operands.push(place(arg, &values).ok_or_else(missing)?);
            }
            values.push(self.instr(instr.op, &operands, instr.from, instr.to)?);
        }
        let outputs = program.outputs.iter();
        outputs
            .map(|arg| place(arg, &values).ok_or_else(missing))
            .collect()
    }

    /// Appends a formula over `args` and returns its result. No recursion: a sum of many terms is a deep formula.
    pub fn add(&mut self, formula: &Expr, args: &[Arg]) -> Result<Arg> {
        let mut parts: FxHashMap<*const Kind, Part> = FxHashMap::default();
        let mut stack = vec![(formula, false)];
        while let Some((expr, is_ready)) = stack.pop() {
            let key = std::sync::Arc::as_ptr(&expr.0);
            if parts.contains_key(&key) {
                continue;
            }
            if is_ready {
                let part = self.lower(&expr.0, args, &parts)?;
                parts.insert(key, part);
                continue;
            }
            stack.push((expr, true));
            for operand in operands(&expr.0) {
                stack.push((operand, false));
            }
        }
        match parts[&std::sync::Arc::as_ptr(&formula.0)] {
            Part::Known(arg) => Ok(arg),
            Part::Number(_) => Err(Error::internal("a formula that is a bare number")),
        }
    }

    fn lower(
        &mut self,
        kind: &Kind,
        args: &[Arg],
        parts: &FxHashMap<*const Kind, Part>,
    ) -> Result<Part> {
        let part = |e: &Expr| parts[&std::sync::Arc::as_ptr(&e.0)];
        Ok(Part::Known(match kind {
            Kind::Input(i) => *args.get(*i).ok_or_else(|| {
                Error::internal(format!("a formula reads operand {i} of {}", args.len()))
            })?,
            Kind::Number(x) => return Ok(Part::Number(*x)),
            Kind::Typed(scalar) => Arg::Constant(*scalar),
            Kind::Like(x, e) => {
                let like = self.typed(part(e), None)?;
                Arg::Constant(Scalar::of(self.dtype_of(like), *x)?)
            }
            Kind::Unary(op, x) => {
                let x = self.typed(part(x), None)?;
                let from = self.dtype_of(x);
                self.instr(Op::Unary(*op), &[x], from, op.result(from)?)?
            }
            Kind::Binary(op, a, b) => {
                let (a, b) = self.pair(part(a), part(b))?;
                let from = self.dtype_of(a);
                self.instr(Op::Binary(*op), &[a, b], from, op.result(from)?)?
            }
            Kind::Ternary(op, [c, a, b]) => {
                let (a, b) = self.pair(part(a), part(b))?;
                let c = self.typed(part(c), Some(self.dtype_of(a)))?;
                let from = self.dtype_of(a);
                let to = op.result([self.dtype_of(c), from, self.dtype_of(b)])?;
                self.instr(Op::Ternary(*op), &[c, a, b], from, to)?
            }
            Kind::Cast(x, to) => self.cast(part(x), *to)?,
            Kind::CastLike(x, like) => {
                let like = self.typed(part(like), None)?;
                self.cast(part(x), self.dtype_of(like))?
            }
        }))
    }

    fn cast(&mut self, x: Part, to: DType) -> Result<Arg> {
        let x = self.typed(x, Some(to))?;
        let from = self.dtype_of(x);
        if from == to {
            return Ok(x);
        }
        self.instr(Op::Cast, &[x], from, to)
    }

    /// Two operands of one type: a bare number takes that of the other.
    fn pair(&mut self, a: Part, b: Part) -> Result<(Arg, Arg)> {
        let known = |part: Part| match part {
            Part::Known(arg) => Some(arg),
            Part::Number(_) => None,
        };
        let dtype = known(a).or(known(b)).map(|arg| self.dtype_of(arg));
        let (a, b) = (self.typed(a, dtype)?, self.typed(b, dtype)?);
        if self.dtype_of(a) != self.dtype_of(b) {
            bail!(
                internal,
                "operands of {} and {} meet in one formula",
                self.dtype_of(a).short_name(),
                self.dtype_of(b).short_name()
            );
        }
        Ok((a, b))
    }

    fn typed(&self, part: Part, dtype: Option<DType>) -> Result<Arg> {
        match (part, dtype) {
            (Part::Known(arg), _) => Ok(arg),
            (Part::Number(x), Some(dtype)) => Ok(Arg::Constant(Scalar::of(dtype, x)?)),
            (Part::Number(x), None) => Err(Error::internal(format!(
                "nothing says the type of {x} in a formula"
            ))),
        }
    }

    fn instr(&mut self, op: Op, args: &[Arg], from: DType, to: DType) -> Result<Arg> {
        let instr = Instr {
            op,
            args: args.into(),
            from,
            to,
        };
        let next = u16::try_from(self.program.instrs.len()).map_err(|_| too_long())?;
        let place = *self.known.entry(instr.clone()).or_insert(next);
        if place == next {
            self.program.instrs.push(instr);
        }
        Ok(Arg::Value(place))
    }
}

fn operands(kind: &Kind) -> SmallVec<[&Expr; 3]> {
    match kind {
        Kind::Input(_) | Kind::Number(_) | Kind::Typed(_) => SmallVec::new(),
        Kind::Like(_, x) | Kind::Unary(_, x) | Kind::Cast(x, _) => SmallVec::from_iter([x]),
        Kind::Binary(_, a, b) | Kind::CastLike(a, b) => SmallVec::from_iter([a, b]),
        Kind::Ternary(_, [a, b, c]) => SmallVec::from_iter([a, b, c]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_type_of_what_they_meet_and_equal_parts_are_one() {
        let x = Expr::inputs(1);
        let formula = (&x[0] * &x[0] + 1.0) / (&x[0] * &x[0]);
        let program = Program::of(&formula, &[DType::F64]).unwrap();
        assert_eq!(program.instrs.len(), 3);
        assert_eq!(program.dtype_of(program.outputs[0]), DType::F64);
        assert!(Program::of(&Expr::number(1.0), &[]).is_err());
        assert!(Program::of(&x[0].not(), &[DType::F32]).is_err());
    }

    #[test]
    fn a_sum_of_many_terms_needs_no_deep_stack() {
        let x = Expr::inputs(30_000);
        let sum = x[1..].iter().fold(x[0].clone(), |sum, x| &sum + x);
        let program = Program::of(&sum, &vec![DType::F32; x.len()]).unwrap();
        assert_eq!(program.instrs.len(), 29_999);
        std::mem::forget(sum);
    }
}
