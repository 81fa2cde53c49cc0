//! Functions of the program that built the graph.

use crate::ensure;
use crate::error::{Error, Result};

use super::Op;
use super::kernel::KernelContext;

pub(super) const OPS: &[Op] = &[
    Op::new("PyFunc", "input: Tin -> output: Tout")
        .attr("token: string")
        .attr("Tin: list(type) >= 0")
        .attr("Tout: list(type) >= 0")
        .stateful()
        .no_grad()
        .host(call),
    Op::new("PyFuncStateless", "input: Tin -> output: Tout")
        .attr("token: string")
        .attr("Tin: list(type) >= 0")
        .attr("Tout: list(type) >= 0")
        .no_grad()
        .host(call),
];

fn call(c: &mut KernelContext) -> Result<()> {
    let token = c.attrs().bytes("token")?.to_vec();
    let wanted = c.attrs().types("Tout")?;
    let inputs = (0..c.num_inputs()).map(|i| c.input(i).cloned());
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let host = c
        .session
        .host()
        .ok_or_else(|| Error::internal("this session has nobody to call"))?;
    let results = host.call(&token, &inputs)?;
    ensure!(
        results.len() == wanted.len(),
        invalid,
        "{} returns {} values, but expects to see {} values.",
        String::from_utf8_lossy(&token),
        results.len(),
        wanted.len()
    );
    for (i, (value, dtype)) in results.into_iter().zip(wanted).enumerate() {
        let dtype = dtype.base()?;
        ensure!(
            value.dtype() == dtype,
            invalid,
            "{i}-th value returned by {} is {}, but expects {}",
            String::from_utf8_lossy(&token),
            value.dtype().short_name(),
            dtype.short_name()
        );
        c.set_output(i, value);
    }
    Ok(())
}
