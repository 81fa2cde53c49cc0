"""Candidates drawn in place of all classes, and losses over them."""

from ferroflow._src.framework import dtypes, random_seed
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, embedding, filling, math, nn, shaping


def _sampler(op, true_classes, num_true, num_sampled, unique, seed, name, **attrs):
    seed1, seed2 = random_seed.get_seed(seed)
    return apply_op(
        op,
        true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        seed=seed1,
        seed2=seed2,
        name=name,
        **attrs,
    )


def uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """Draws classes uniformly.

    Args:
      true_classes: int64 [batch, num_true].
      num_true: how many true classes an example has.
      num_sampled: how many to draw.
      unique: whether all drawn are different.
      range_max: how many classes there are.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A named tuple: `sampled_candidates`, `true_expected_count`, `sampled_expected_count`.
    """
    return _sampler(
        "UniformCandidateSampler", true_classes, num_true, num_sampled, unique, seed, name, range_max=range_max
    )


def log_uniform_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """Draws classes by a law under which they grow rarer as their numbers grow (Zipf's).

    Args:
      true_classes: int64 [batch, num_true].
      num_true: how many true classes an example has.
      num_sampled: how many to draw.
      unique: whether all drawn are different.
      range_max: how many classes there are.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A named tuple: `sampled_candidates`, `true_expected_count`, `sampled_expected_count`.
    """
    return _sampler(
        "LogUniformCandidateSampler", true_classes, num_true, num_sampled, unique, seed, name, range_max=range_max
    )


def learned_unigram_candidate_sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
    """Draws classes by how often they have occurred so far.

    Args:
      true_classes: int64 [batch, num_true].
      num_true: how many true classes an example has.
      num_sampled: how many to draw.
      unique: whether all drawn are different.
      range_max: how many classes there are.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A named tuple: `sampled_candidates`, `true_expected_count`, `sampled_expected_count`.
    """
    return _sampler(
        "LearnedUnigramCandidateSampler", true_classes, num_true, num_sampled, unique, seed, name, range_max=range_max
    )


def fixed_unigram_candidate_sampler(
    true_classes,
    num_true,
    num_sampled,
    unique,
    range_max,
    vocab_file="",
    distortion=1.0,
    num_reserved_ids=0,
    num_shards=1,
    shard=0,
    unigrams=(),
    seed=None,
    name=None,
):
    """Draws classes by given frequencies.

    Args:
      true_classes: int64 [batch, num_true].
      num_true: how many true classes an example has.
      num_sampled: how many to draw.
      unique: whether all drawn are different.
      range_max: how many classes there are.
      vocab_file: a file whose lines end with a frequency after a comma.
      distortion: the power to which frequencies are taken.
      num_reserved_ids: how many classes at the beginning are never drawn.
      num_shards: how many parts the classes are drawn in.
      shard: which part this is.
      unigrams: the frequencies, in place of a file.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A named tuple: `sampled_candidates`, `true_expected_count`, `sampled_expected_count`.
    """
    return _sampler(
        "FixedUnigramCandidateSampler",
        true_classes,
        num_true,
        num_sampled,
        unique,
        seed,
        name,
        range_max=range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=list(unigrams),
    )


def all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed=None, name=None):
    """Returns all classes, in the form in which the samplers do.

    Args:
      true_classes: int64 [batch, num_true].
      num_true: how many true classes an example has.
      num_sampled: how many classes there are.
      unique: has no effect.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A named tuple: `sampled_candidates`, `true_expected_count`, `sampled_expected_count`.
    """
    return _sampler("AllCandidateSampler", true_classes, num_true, num_sampled, unique, seed, name)


def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """Finds which candidates are true classes.

    Args:
      true_classes: int64 [batch, num_true].
      sampled_candidates: int64 [num_sampled].
      num_true: how many true classes an example has.
      seed: a Python integer.
      name: the operation's name.

    Returns:
      A named tuple: `indices`, the examples; `ids`, the candidates' places;
      `weights`, a great negative number for each.
    """
    seed1, seed2 = random_seed.get_seed(seed)
    return apply_op(
        "ComputeAccidentalHits",
        true_classes,
        sampled_candidates,
        num_true=num_true,
        seed=seed1,
        seed2=seed2,
        name=name,
    )


def _row_sums(x):
    """Sums of rows by a matrix product."""
    columns = shaping.shape(x)[1]
    ones = filling.ones(array.stack([columns, 1]), x.dtype)
    return array.reshape(math.matmul(x, ones), [-1])


def _as_type_of(tensor, other):
    return tensor if tensor.dtype == other.dtype else math.cast(tensor, other.dtype)


def _sampled_logits(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true,
    sampled_values,
    remove_accidental_hits,
    partition_strategy,
    name,
    seed=None,
):
    """Logits and labels of the true classes and the candidates."""
    weights = embedding.as_list(weights)
    with name_scope(name, "compute_sampled_logits", [*weights, biases, inputs, labels]):
        if labels.dtype != dtypes.int64:
            labels = math.cast(labels, dtypes.int64)
        flat = array.reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed)
        sampled, true_expected, sampled_expected = [array.stop_gradient(s) for s in sampled_values]
        sampled = math.cast(sampled, dtypes.int64)
        ids = array.concat([flat, sampled], 0)
        all_w = _as_type_of(embedding.embedding_lookup(weights, ids, partition_strategy), inputs)
        true_w = array.slice(all_w, [0, 0], array.stack([shaping.shape(flat)[0], -1]))
        sampled_w = array.slice(all_w, array.stack([shaping.shape(flat)[0], 0]), [-1, -1])
        sampled_logits = math.matmul(inputs, sampled_w, transpose_b=True)
        all_b = _as_type_of(embedding.embedding_lookup(biases, ids, partition_strategy), inputs)
        true_b = array.slice(all_b, [0], shaping.shape(flat))
        sampled_b = array.slice(all_b, shaping.shape(flat), [-1])
        width = shaping.shape(true_w)[1:2]
        true_shape = array.concat([[-1, num_true], width], 0)
        products = math.multiply(array.expand_dims(inputs, 1), array.reshape(true_w, true_shape))
        products = array.reshape(products, array.concat([[-1], width], 0))
        true_logits = array.reshape(_row_sums(products), [-1, num_true])
        true_b = array.reshape(true_b, [-1, num_true])
        true_logits += true_b
        sampled_logits += sampled_b
        if remove_accidental_hits:
            sampled_logits += _hits(labels, sampled, num_true, num_sampled, sampled_logits)
        true_logits -= math.log(true_expected)
        sampled_logits -= math.log(sampled_expected)
        logits = array.concat([true_logits, sampled_logits], 1)
        targets = [filling.ones_like(true_logits) / num_true, filling.zeros_like(sampled_logits)]
        return logits, array.concat(targets, 1)


def _hits(labels, sampled, num_true, num_sampled, logits):
    hits = compute_accidental_hits(labels, sampled, num_true=num_true)
    rows = array.reshape(hits.indices, [-1, 1])
    columns = array.reshape(math.cast(hits.ids, dtypes.int32), [-1, 1])
    indices = array.concat([rows, columns], 1, "sparse_indices")
    shape = array.concat([shaping.shape(labels)[:1], array.expand_dims(num_sampled, 0)], 0)
    weights = _as_type_of(hits.weights, logits)
    return apply_op("SparseToDense", indices, shape, weights, 0.0, validate_indices=False)


def nce_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=False,
    partition_strategy="mod",
    name="nce_loss",
):
    """Computes the noise-contrastive loss: true classes against candidates that are drawn.

    Args:
      weights: a `Tensor` or variable [num_classes, dim], or a list of its parts.
      biases: a `Tensor` or variable [num_classes].
      labels: int64 [batch, num_true]: the true classes.
      inputs: a `Tensor` of floats [batch, dim].
      num_sampled: how many candidates to draw.
      num_classes: how many classes there are.
      num_true: how many true classes an example has.
      sampled_values: what a sampler returned; None to draw by `log_uniform_candidate_sampler`.
      remove_accidental_hits: whether candidates that are true classes are left out.
      partition_strategy: 'mod' or 'div': how rows are dealt out to parts.
      name: the name scope.

    Returns:
      A `Tensor` of floats [batch].
    """
    logits, labels = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
    )
    return _row_sums(nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="sampled_losses"))


def sampled_softmax_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=True,
    partition_strategy="mod",
    name="sampled_softmax_loss",
    seed=None,
):
    """Computes a softmax cross entropy over the true classes and candidates that are drawn.

    Args:
      weights: a `Tensor` or variable [num_classes, dim], or a list of its parts.
      biases: a `Tensor` or variable [num_classes].
      labels: int64 [batch, num_true]: the true classes.
      inputs: a `Tensor` of floats [batch, dim].
      num_sampled: how many candidates to draw.
      num_classes: how many classes there are.
      num_true: how many true classes an example has.
      sampled_values: what a sampler returned; None to draw by `log_uniform_candidate_sampler`.
      remove_accidental_hits: whether candidates that are true classes are left out.
      partition_strategy: 'mod' or 'div': how rows are dealt out to parts.
      name: the name scope.
      seed: a Python integer for the sampler.

    Returns:
      A `Tensor` of floats [batch].
    """
    logits, labels = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        partition_strategy,
        name,
        seed,
    )
    labels = array.stop_gradient(labels, name="labels_stop_gradient")
    return nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
