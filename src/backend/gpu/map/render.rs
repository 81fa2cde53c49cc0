//! The text of a shader that computes a program for each element: four elements an invocation.

use std::fmt::Write;

use crate::expr::{Arg, Instr, Program};
use crate::value::DType;

use super::words::{constant, operation, register};

/// How an input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// One for each element, side by side.
    Full,
    /// One element in memory.
    Single,
    /// One element among the parameters.
    Parameter,
    /// By strides over the axes of the result.
    Strided,
    /// A sum of parts, each as large as the result or as a layer of it; whether four neighbours lie in one layer.
    Parts { by_fours: bool },
}

/// What becomes of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    Stored,
    /// Added up within each workgroup.
    Summed,
}

/// Invocations of a workgroup.
pub const LANES: usize = 256;

/// The shader, when every operation is one that shaders know. `rank` axes are there for strided inputs. Bindings: the
/// inputs that lie in memory, then the outputs, then the buffer of checks where `has_check` says so.
pub fn render(program: &Program, modes: &[Mode], fates: &[Fate], rank: usize) -> Option<String> {
    let body = body(program, "at")?;
    let mut text = includes(&body);
    params(&mut text, program, modes, rank);
    bindings(&mut text, program, modes, fates);
    text.push_str(&body);
    main(&mut text, program, modes, fates, rank)?;
    Some(text)
}

/// Whether the program may fail: it divides integers.
pub fn has_check(program: &Program) -> bool {
    program.instrs.iter().any(|i| {
        use crate::expr::{Binary, Op};
        i.from == DType::I32
            && matches!(
                i.op,
                Op::Binary(
                    Binary::Div
                        | Binary::TruncDiv
                        | Binary::FloorDiv
                        | Binary::FloorMod
                        | Binary::TruncMod
                )
            )
    })
}

/// The libraries that the body calls.
pub(super) fn includes(body: &str) -> String {
    let mut text = String::from("//!include lib/floats.wgsl\n//!include lib/formula.wgsl\n");
    let groups: [(&str, &[&str]); 4] = [
        (
            "math",
            &[
                "math_exp",
                "math_expm1",
                "math_log",
                "math_log1p",
                "math_tanh",
                "math_sigmoid",
                "math_sinh",
                "math_cosh",
                "math_asinh",
                "math_acosh",
                "math_atanh",
            ],
        ),
        (
            "special",
            &["math_erf", "math_erfc", "math_lgamma", "math_digamma"],
        ),
        ("pow", &["math_pow"]),
        (
            "trig",
            &[
                "math_sin",
                "math_cos",
                "math_tan",
                "math_asin",
                "math_acos",
                "math_atan",
            ],
        ),
    ];
    for (file, functions) in groups {
        if functions.iter().any(|f| body.contains(f)) {
            let _ = writeln!(text, "//!include lib/{file}.wgsl");
        }
    }
    text
}

fn params(text: &mut String, program: &Program, modes: &[Mode], rank: usize) {
    text.push_str("struct Params { zero: u32, flag: u32, n: u32,");
    for axis in 0..rank {
        let _ = write!(text, " d{axis}: u32,");
    }
    for (i, mode) in modes.iter().enumerate() {
        match mode {
            Mode::Parameter => text.push_str(&fields(i, program.inputs[i])),
            Mode::Strided => {
                for axis in 0..rank {
                    let _ = write!(text, " s{i}_{axis}: u32,");
                }
            }
            Mode::Parts { .. } => {
                let _ = write!(text, " parts{i}: u32, inner{i}: u32,");
            }
            _ => {}
        }
    }
    text.push_str(" }\nvar<immediate> p: Params;\n");
}

/// The fields of the parameters that hold input `i`.
pub(super) fn fields(i: usize, dtype: DType) -> String {
    match dtype {
        DType::I64 => format!(" x{i}: u32, x{i}h: u32,"),
        _ => format!(" x{i}: u32,"),
    }
}

/// What a buffer holds: four elements where each invocation reads four, words elsewhere.
fn array_of(dtype: DType, mode: Mode) -> &'static str {
    match (dtype, mode) {
        (DType::F32, Mode::Full | Mode::Parts { by_fours: true }) => "vec4<f32>",
        (DType::I32, Mode::Full) => "vec4<i32>",
        (DType::I64, Mode::Full) => "vec4<u32>",
        (DType::F32, _) => "f32",
        (DType::I32, _) => "i32",
        _ => "u32",
    }
}

fn bindings(text: &mut String, program: &Program, modes: &[Mode], fates: &[Fate]) {
    let mut next = 0;
    let mut bind = |text: &mut String, name: String, of: &str| {
        let _ = writeln!(
            text,
            "@group(0) @binding({next}) var<storage, read_write> {name}: array<{of}>;"
        );
        next += 1;
    };
    for (i, mode) in modes.iter().enumerate() {
        if *mode != Mode::Parameter {
            bind(text, format!("b{i}"), array_of(program.inputs[i], *mode));
        }
    }
    for (i, (fate, arg)) in fates.iter().zip(&program.outputs).enumerate() {
        let of = match fate {
            Fate::Stored => array_of(program.dtype_of(*arg), Mode::Full),
            Fate::Summed => "f32",
        };
        bind(text, format!("o{i}"), of);
    }
    if has_check(program) {
        bind(text, "checks".into(), "u32");
    }
    if fates.contains(&Fate::Summed) {
        let _ = writeln!(text, "var<workgroup> partial: array<f32, {LANES}>;");
    }
}

/// `fn name(…) -> Results`: the program for one element.
pub(super) fn body(program: &Program, function: &str) -> Option<String> {
    let mut text = String::from("struct Results {");
    for (i, arg) in program.outputs.iter().enumerate() {
        let _ = write!(text, " r{i}: {},", register(program.dtype_of(*arg))?);
    }
    let _ = write!(text, " }}\nfn {function}(");
    for (i, dtype) in program.inputs.iter().enumerate() {
        let _ = write!(text, "a{i}: {}, ", register(*dtype)?);
    }
    text.push_str(") -> Results {\n");
    for (i, instr) in program.instrs.iter().enumerate() {
        let mut operands: Vec<String> = Vec::with_capacity(instr.args.len());
        for arg in &instr.args {
            let mut operand = name(arg)?;
            // Drivers take x - x for 0 and x == x for true, whatever x is.
            if instr.from == DType::F32 && operands.last() == Some(&operand) {
                operand = format!("opaque({operand})");
            }
            operands.push(operand);
        }
        let mut expression = operation(instr.op, instr.from, instr.to, &operands)?;
        // Nor may they put two operations together by the rules of real numbers: (x + y) - x is not y.
        let is_read = |later: &Instr| later.args.contains(&Arg::Value(i as u16));
        if instr.to == DType::F32 && program.instrs[i + 1..].iter().any(is_read) {
            expression = format!("opaque({expression})");
        }
        let _ = writeln!(text, "  let v{i}: {} = {expression};", register(instr.to)?);
    }
    text.push_str("  return Results(");
    for arg in &program.outputs {
        let _ = write!(text, "{}, ", name(arg)?);
    }
    text.push_str(");\n}\n");
    Some(text)
}

fn name(arg: &Arg) -> Option<String> {
    Some(match arg {
        Arg::Input(i) => format!("a{i}"),
        Arg::Value(i) => format!("v{i}"),
        Arg::Constant(x) => return constant(x),
    })
}

/// The element of a buffer of words at index `at`.
pub(super) fn element(buffer: &str, dtype: DType, at: &str) -> String {
    match dtype {
        DType::I64 => format!("vec2<u32>({buffer}[2u * ({at})], {buffer}[2u * ({at}) + 1u])"),
        DType::Bool => format!("(({buffer}[({at}) >> 2u] >> (8u * (({at}) & 3u)) & 255u) != 0u)"),
        DType::U8 => format!("({buffer}[({at}) >> 2u] >> (8u * (({at}) & 3u)) & 255u)"),
        _ => format!("{buffer}[{at}]"),
    }
}

/// Lane `k` of the four elements that an invocation has of a full input.
pub(super) fn lane(i: usize, dtype: DType, k: usize) -> String {
    let part = ["x", "y", "z", "w"][k];
    match dtype {
        DType::I64 if k < 2 => format!("f{i}.{}", ["xy", "zw"][k]),
        DType::I64 => format!("g{i}.{}", ["xy", "zw"][k - 2]),
        DType::Bool => format!("((f{i} >> {}u & 255u) != 0u)", 8 * k),
        DType::U8 => format!("(f{i} >> {}u & 255u)", 8 * k),
        _ => format!("f{i}.{part}"),
    }
}

fn main(
    text: &mut String,
    program: &Program,
    modes: &[Mode],
    fates: &[Fate],
    rank: usize,
) -> Option<()> {
    let sums = fates.contains(&Fate::Summed);
    let _ = writeln!(
        text,
        "@compute @workgroup_size({LANES})\nfn main(@builtin(workgroup_id) wid: vec3<u32>, \
         @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lid: u32) {{\n\
         let quads = (p.n + 3u) / 4u;"
    );
    for (i, fate) in fates.iter().enumerate() {
        if *fate == Fate::Summed {
            let _ = writeln!(text, "var sum{i} = 0.0;");
        }
    }
    if has_check(program) {
        text.push_str("var noted = 0u;\n");
    }
    for (i, mode) in modes.iter().enumerate() {
        let dtype = program.inputs[i];
        let _ = match mode {
            Mode::Single => writeln!(
                text,
                "let c{i} = {};",
                element(&format!("b{i}"), dtype, "0u")
            ),
            Mode::Parameter => writeln!(text, "let c{i} = {};", parameter(i, dtype)?),
            _ => Ok(()),
        };
    }
    // With sums there are fewer invocations than quads: each goes on in steps of all of them.
    text.push_str(match sums {
        true => "for (var i = wid.x * 256u + lid; i < quads; i += groups.x * 256u) {\n",
        false => "let i = (wid.y * 65535u + wid.x) * 256u + lid;\nif (i < quads) {\n",
    });
    for (i, mode) in modes.iter().enumerate() {
        let _ = match (mode, program.inputs[i]) {
            (Mode::Full, DType::I64) => {
                writeln!(
                    text,
                    "let f{i} = b{i}[2u * i]; let g{i} = b{i}[2u * i + 1u];"
                )
            }
            (Mode::Full, _) => writeln!(text, "let f{i} = b{i}[i];"),
            (Mode::Parts { by_fours }, _) => {
                add_parts(text, i, *by_fours);
                Ok(())
            }
            _ => Ok(()),
        };
    }
    for k in 0..4 {
        if modes.contains(&Mode::Strided) {
            index(text, modes, rank, k);
        }
        let mut operands = String::new();
        for (i, mode) in modes.iter().enumerate() {
            let dtype = program.inputs[i];
            let operand = match mode {
                Mode::Full | Mode::Parts { .. } => lane(i, dtype, k),
                Mode::Single | Mode::Parameter => format!("c{i}"),
                Mode::Strided => element(&format!("b{i}"), dtype, &format!("e{k}_{i}")),
            };
            let _ = write!(operands, "{operand}, ");
        }
        let _ = writeln!(text, "let r{k} = at({operands});");
        if has_check(program) {
            // What lies behind the last element is nobody's.
            let _ = writeln!(text, "noted |= select(0u, failed, 4u * i + {k}u < p.n);");
        }
    }
    for (i, (fate, arg)) in fates.iter().zip(&program.outputs).enumerate() {
        store(text, i, *fate, program.dtype_of(*arg));
    }
    text.push_str("}\n");
    if has_check(program) {
        text.push_str("if (noted != 0u) { checks[4u * p.flag] = 1u; }\n");
    }
    for (i, fate) in fates.iter().enumerate() {
        if *fate == Fate::Summed {
            let _ = writeln!(
                text,
                "partial[lid] = sum{i};\nworkgroupBarrier();\n\
                 for (var half = {}u; half > 0u; half >>= 1u) {{\n\
                 if (lid < half) {{ partial[lid] += partial[lid + half]; }}\nworkgroupBarrier();\n}}\n\
                 if (lid == 0u) {{ o{i}[wid.x] = partial[0]; }}\nworkgroupBarrier();",
                LANES / 2
            );
        }
    }
    text.push_str("}\n");
    Some(())
}

/// `f<i>`: four elements, each summed over the parts in order.
fn add_parts(text: &mut String, i: usize, by_fours: bool) {
    let _ = match by_fours {
        true => writeln!(
            text,
            "let w{i} = p.inner{i} / 4u; let u{i} = i / w{i} * w{i} * p.parts{i} + i % w{i};\n\
             var f{i} = b{i}[u{i}];\n\
             for (var t = 1u; t < p.parts{i}; t++) {{ f{i} += b{i}[u{i} + t * w{i}]; }}"
        ),
        false => writeln!(
            text,
            "var f{i} = vec4<f32>();\n\
             for (var t = 0u; t < p.parts{i}; t++) {{\n\
             for (var k = 0u; k < 4u; k++) {{\n\
             let e = min(4u * i + k, p.n - 1u);\n\
             f{i}[k] += b{i}[(e / p.inner{i} * p.parts{i} + t) * p.inner{i} + e % p.inner{i}];\n}}\n}}"
        ),
    };
}

pub(super) fn parameter(i: usize, dtype: DType) -> Option<String> {
    Some(match dtype {
        DType::F32 => format!("bitcast<f32>(p.x{i})"),
        DType::I32 => format!("bitcast<i32>(p.x{i})"),
        DType::I64 => format!("vec2<u32>(p.x{i}, p.x{i}h)"),
        DType::Bool => format!("((p.x{i} & 255u) != 0u)"),
        DType::U8 => format!("(p.x{i} & 255u)"),
        _ => return None,
    })
}

/// `e<k>_<i>`: where strided input `i` has its element for element `4 * i + k` of the result.
fn index(text: &mut String, modes: &[Mode], rank: usize, k: usize) {
    let _ = writeln!(text, "var t{k} = min(4u * i + {k}u, p.n - 1u);");
    let strided = || {
        let all = modes.iter().enumerate();
        all.filter(|(_, m)| **m == Mode::Strided).map(|(i, _)| i)
    };
    for i in strided() {
        let _ = writeln!(text, "var e{k}_{i} = 0u;");
    }
    for axis in (0..rank).rev() {
        if axis == 0 {
            let _ = writeln!(text, "let q{k}_0 = t{k};");
        } else {
            let _ = writeln!(
                text,
                "let q{k}_{axis} = t{k} % p.d{axis}; t{k} = t{k} / p.d{axis};"
            );
        }
        for i in strided() {
            let _ = writeln!(text, "e{k}_{i} += q{k}_{axis} * p.s{i}_{axis};");
        }
    }
}

fn store(text: &mut String, i: usize, fate: Fate, dtype: DType) {
    let all = |each: &dyn Fn(usize) -> String| (0..4).map(each).collect::<Vec<_>>().join(", ");
    let value = |k: usize| format!("r{k}.r{i}");
    let _ = match (fate, dtype) {
        (Fate::Summed, _) => {
            let masked = |k: usize| format!("select(0.0, r{k}.r{i}, 4u * i + {k}u < p.n)");
            writeln!(
                text,
                "sum{i} += ({} + {}) + ({} + {});",
                masked(0),
                masked(1),
                masked(2),
                masked(3)
            )
        }
        (_, DType::F32) => writeln!(text, "o{i}[i] = vec4<f32>({});", all(&value)),
        (_, DType::I32) => writeln!(text, "o{i}[i] = vec4<i32>({});", all(&value)),
        (_, DType::I64) => writeln!(
            text,
            "o{i}[2u * i] = vec4<u32>(r0.r{i}, r1.r{i}); o{i}[2u * i + 1u] = vec4<u32>(r2.r{i}, r3.r{i});"
        ),
        (_, DType::Bool) => {
            let byte = |k: usize| format!("select(0u, {}u, r{k}.r{i})", 1u32 << (8 * k));
            let bytes: Vec<String> = (0..4).map(byte).collect();
            writeln!(text, "o{i}[i] = {};", bytes.join(" | "))
        }
        _ => {
            let byte = |k: usize| format!("(r{k}.r{i} & 255u) << {}u", 8 * k);
            let bytes: Vec<String> = (0..4).map(|k| format!("({})", byte(k))).collect();
            writeln!(text, "o{i}[i] = {};", bytes.join(" | "))
        }
    };
}
