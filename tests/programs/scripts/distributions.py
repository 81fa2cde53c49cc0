"""Samples, densities, statistics and divergences of tf.distributions."""

import tensorflow as tf

tf.set_random_seed(3)
n = tf.distributions.Normal(loc=[0.0, 1.0], scale=2.0)
m = tf.distributions.Normal([[1.0, 2.0]], tf.constant([1.0, 3.0]), name="other")
print(n, repr(m), n.batch_shape, n.event_shape, n.dtype, n.name, n.reparameterization_type, sorted(n.parameters))
T = [
    n.sample(3, seed=2),
    n.sample(),
    m.sample([2, 1]),
    m.sample(tf.constant(2)),
    n.prob([0.5, 1]),
    n.log_prob(1.0),
    n.cdf([0.0, 2.0]),
    n.survival_function(1.0),
    n.entropy(),
    n.mean(),
    n.stddev(),
    n.variance(),
    n.mode(),
    n.kl_divergence(m),
    tf.distributions.kl_divergence(n, n),
    n.cross_entropy(m),
    n.batch_shape_tensor(),
    n.event_shape_tensor(),
    m.is_scalar_batch(),
    m.is_scalar_event(),
]
g = tf.gradients(n.sample(2, seed=1), [n.loc, n.scale])
print([t.shape for t in T])
with tf.Session() as s:
    for t in T + g:
        print(s.run(t))
c = tf.distributions.Categorical(logits=[[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])
d = tf.distributions.Categorical(probs=[[0.2, 0.3, 0.5]], name="d")
e = tf.contrib.distributions.Categorical(logits=tf.zeros([4]))
print(c, repr(d), e.batch_shape)
T = [
    c.sample(5),
    c.sample(seed=1),
    d.sample(2),
    e.sample(3),
    c.prob([0, 1]),
    c.log_prob([[0, 1], [2, 2]]),
    d.log_prob([1, 2]),
    c.entropy(),
    c.mode(),
    c.kl_divergence(c),
    d.cdf([1]),
    c.cdf([1.0, 2.0]),
    e.log_prob(2),
    d.batch_shape_tensor(),
    c.cross_entropy(d),
    d.event_size,
]
with tf.Session() as s:
    for t in T:
        print(s.run(t), t.shape)
    print(s.run(tf.gradients(c.log_prob([0, 2]), c.logits)))
b = tf.distributions.Bernoulli(probs=[0.2, 0.7])
b2 = tf.distributions.Bernoulli(logits=0.5, dtype=tf.float32)
u = tf.distributions.Uniform(low=[1.0, 2.0], high=4.0)
laplace = tf.distributions.Laplace(0.0, [1.0, 2.0])
T = [
    b.sample(4),
    b2.sample(),
    b.prob([1, 0]),
    b2.log_prob([0.0, 1.0]),
    b.entropy(),
    b.mean(),
    b.variance(),
    b.stddev(),
    b.mode(),
    b.kl_divergence(b2),
    u.sample(2),
    u.prob([3.0, 1.0]),
    u.log_prob(2.5),
    u.cdf(3.0),
    u.entropy(),
    u.mean(),
    u.variance(),
    u.stddev(),
    u.range(),
    laplace.sample(2),
    laplace.prob(1.0),
    laplace.log_prob(0.5),
    laplace.cdf([1.0, -1.0]),
    laplace.entropy(),
    laplace.mean(),
    laplace.variance(),
    u.survival_function(3.0),
    u.log_survival_function(1.5),
    laplace.mode(),
]
with tf.Session() as s:
    for t in T:
        print(s.run(t), t.shape)
