//! The arithmetic of each optimizer for one element, as TensorFlow's CPU kernels have it (`core/kernels/training_ops.cc`).

/// A float that threads may share.
pub(super) trait Float: num_traits::Float + Send + Sync {}

impl<W: num_traits::Float + Send + Sync> Float for W {}

/// A rule: hyperparameters once, then one step an element. `state` holds the variable first, then the slots.
pub(super) trait Rule {
    type With<W: Float>: Sync;
    /// `h`: the hyperparameters in the order of the op's inputs; `flag`: use_nesterov, or update_slots.
    fn new<W: Float>(h: &[W], flag: bool) -> Self::With<W>;
    fn step<W: Float, const N: usize>(rule: &Self::With<W>, state: &mut [W; N], grad: W);
}

/// Hyperparameters as they come.
pub(super) struct Plain<W, const H: usize> {
    h: [W; H],
    flag: bool,
}

fn plain<W: Float, const H: usize>(h: &[W], flag: bool) -> Plain<W, H> {
    let mut all = [W::zero(); H];
    all.iter_mut().zip(h).for_each(|(to, x)| *to = *x);
    Plain { h: all, flag }
}

fn two<W: Float>() -> W {
    W::one() + W::one()
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident [$($h:ident),*] $count:literal [$($s:ident),*] ($g:ident, $flag:ident) $body:block)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;
        impl Rule for $name {
            type With<W: Float> = Plain<W, $count>;
            fn new<W: Float>(h: &[W], flag: bool) -> Plain<W, $count> {
                plain(h, flag)
            }
            #[inline(always)]
            #[allow(unused_variables, unused_assignments)]
            fn step<W: Float, const N: usize>(rule: &Plain<W, $count>, state: &mut [W; N], grad: W) {
                let [$($h),*] = rule.h;
                let mut slots = state.iter().copied();
                $(let mut $s = slots.next().unwrap_or(W::zero());)*
                let ($g, $flag) = (grad, rule.flag);
                $body
                let new = [$($s),*];
                state.iter_mut().zip(new).for_each(|(to, x)| *to = x);
            }
        }
    )*};
}

/// `sign(x) * max(|x| - l1, 0)`.
fn shrink<W: Float>(x: W, l1: W) -> W {
    let sign = if x > W::zero() {
        W::one()
    } else if x < W::zero() {
        -W::one()
    } else {
        W::zero()
    };
    sign * (x.abs() - l1).max(W::zero())
}

fn sign<W: Float>(x: W) -> W {
    if x > W::zero() {
        W::one()
    } else if x < W::zero() {
        -W::one()
    } else {
        W::zero()
    }
}

/// The step that both forms of FTRL-Proximal (McMahan et al., KDD 2013) share.
fn ftrl<W: Float>(
    [mut var, accum, mut linear]: [W; 3],
    g: W,
    shrunk: W,
    [lr, l1, l2, power]: [W; 4],
) -> [W; 3] {
    let new = accum + g * g;
    let root = -W::one() / two();
    let raise = |x: W| {
        if power == root {
            x.sqrt()
        } else {
            x.powf(-power)
        }
    };
    linear = linear + shrunk - (raise(new) - raise(accum)) / lr * var;
    let x = l1 * sign(linear) - linear;
    let y = raise(new) / lr + two::<W>() * l2;
    var = if linear.abs() > l1 { x / y } else { W::zero() };
    [var, new, linear]
}

rules! {
    /// `var -= lr * g`.
    Descent [lr] 1 [var] (g, flag) {
        var = var - g * lr;
    }
    Momentum [lr, momentum] 2 [var, accum] (g, nesterov) {
        accum = accum * momentum + g;
        var = match nesterov {
            true => var - (g * lr + accum * momentum * lr),
            false => var - accum * lr,
        };
    }
    KerasMomentum [lr, momentum] 2 [var, accum] (g, nesterov) {
        accum = accum * momentum - g * lr;
        var = match nesterov {
            true => var + (accum * momentum - g * lr),
            false => var + accum,
        };
    }
    /// Duchi et al., JMLR 2011.
    Adagrad [lr] 1 [var, accum] (g, update_slots) {
        if update_slots {
            accum = accum + g * g;
        }
        var = var - g * lr * (W::one() / accum.sqrt());
    }
    AdagradV2 [lr, epsilon] 2 [var, accum] (g, update_slots) {
        if update_slots {
            accum = accum + g * g;
        }
        var = var - g * lr / (accum.sqrt() + epsilon);
    }
    /// Zeiler, 2012.
    Adadelta [lr, rho, epsilon] 3 [var, accum, accum_update] (g, flag) {
        accum = accum * rho + g * g * (W::one() - rho);
        let update = (accum_update + epsilon).sqrt() * (W::one() / (accum + epsilon).sqrt()) * g;
        var = var - update * lr;
        accum_update = accum_update * rho + update * update * (W::one() - rho);
    }
    AdaMax [beta1_power, lr, beta1, beta2, epsilon] 5 [var, m, v] (g, flag) {
        m = m + (g - m) * (W::one() - beta1);
        v = (beta2 * v).max(g.abs());
        var = var - lr / (W::one() - beta1_power) * (m / (v + epsilon));
    }
    RmsProp [lr, rho, momentum, epsilon] 4 [var, ms, mom] (g, flag) {
        ms = ms + (g * g - ms) * (W::one() - rho);
        mom = mom * momentum + (g * lr) / (ms + epsilon).sqrt();
        var = var - mom;
    }
    CenteredRmsProp [lr, rho, momentum, epsilon] 4 [var, mg, ms, mom] (g, flag) {
        ms = ms + (g * g - ms) * (W::one() - rho);
        mg = mg + (g - mg) * (W::one() - rho);
        let denominator = (ms - mg * mg) + epsilon;
        mom = mom * momentum + (g * lr) / denominator.sqrt();
        var = var - mom;
    }
    Ftrl [lr, l1, l2, power] 4 [var, accum, linear] (g, flag) {
        [var, accum, linear] = ftrl([var, accum, linear], g, g, [lr, l1, l2, power]);
    }
    FtrlV2 [lr, l1, l2, l2_shrinkage, power] 5 [var, accum, linear] (g, flag) {
        let shrunk = g + two::<W>() * l2_shrinkage * var;
        [var, accum, linear] = ftrl([var, accum, linear], g, shrunk, [lr, l1, l2, power]);
    }
    ProximalDescent [lr, l1, l2] 3 [var] (g, flag) {
        let next = var - g * lr;
        let scale = W::one() + l2 * lr;
        var = if l1 > W::zero() { shrink(next, lr * l1) / scale } else { next / scale };
    }
    ProximalAdagrad [lr, l1, l2] 3 [var, accum] (g, flag) {
        accum = accum + g * g;
        let rate = lr * (W::one() / accum.sqrt());
        let next = var - g * rate;
        let scale = W::one() + l2 * rate;
        var = if l1 > W::zero() { shrink(next, rate * l1) / scale } else { next / scale };
    }
    AdagradDa [lr, l1, l2, step] 4 [var, sum, squares] (g, flag) {
        sum = sum + g;
        squares = squares + g * g;
        let x = if l1 > W::zero() { shrink(sum, l1 * step) } else { sum };
        var = -lr * x / (l2 * step * lr + squares.sqrt());
    }
    AddSign [lr, alpha, sign_decay, beta] 4 [var, m] (g, flag) {
        m = m * beta + g * (W::one() - beta);
        var = var - lr * (alpha + sign_decay * sign(g) * sign(m)) * g;
    }
    PowerSign [lr, logbase, sign_decay, beta] 4 [var, m] (g, flag) {
        m = m * beta + g * (W::one() - beta);
        var = var - lr * (logbase * sign_decay * sign(g) * sign(m)).exp() * g;
    }
}

/// Kingma and Ba, ICLR 2015, in the order of TensorFlow's kernel.
pub(super) struct Adam;

pub(super) struct AdamWith<W> {
    alpha: W,
    beta1: W,
    beta2: W,
    epsilon: W,
    nesterov: bool,
}

impl Rule for Adam {
    type With<W: Float> = AdamWith<W>;

    fn new<W: Float>(h: &[W], nesterov: bool) -> AdamWith<W> {
        let Plain {
            h: [beta1_power, beta2_power, lr, beta1, beta2, epsilon],
            ..
        } = plain(h, nesterov);
        AdamWith {
            alpha: lr * (W::one() - beta2_power).sqrt() / (W::one() - beta1_power),
            beta1,
            beta2,
            epsilon,
            nesterov,
        }
    }

    #[inline(always)]
    fn step<W: Float, const N: usize>(rule: &AdamWith<W>, state: &mut [W; N], g: W) {
        let one = W::one();
        let m = state[1] + (g - state[1]) * (one - rule.beta1);
        let v = state[2] + (g * g - state[2]) * (one - rule.beta2);
        let direction = match rule.nesterov {
            true => (g * (one - rule.beta1) + rule.beta1 * m) * rule.alpha,
            false => m * rule.alpha,
        };
        state[0] = state[0] - direction / (v.sqrt() + rule.epsilon);
        state[1] = m;
        state[2] = v;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_of_adam_moves_by_the_learning_rate() {
        let rule = Adam::new(&[0.9f64, 0.999, 0.1, 0.9, 0.999, 1e-8], false);
        let mut state = [1.0, 0.0, 0.0];
        Adam::step(&rule, &mut state, 5.0);
        assert!((state[0] - 0.9).abs() < 1e-6, "{state:?}");
    }

    #[test]
    fn ftrl_keeps_small_weights_at_zero() {
        let rule = Ftrl::new(&[0.1f64, 10.0, 0.0, -0.5], false);
        let mut state = [0.0, 0.1, 0.0];
        Ftrl::step(&rule, &mut state, 0.5);
        assert_eq!(state[0], 0.0);
    }
}
