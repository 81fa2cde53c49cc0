"""Sequences of ids as vectors."""

from ferroflow._src.contrib.framework import variables
from ferroflow._src.contrib.framework.arg_scope import add_arg_scope
from ferroflow._src.contrib.layers.outputs import collect_named_outputs
from ferroflow._src.framework import dtypes, variable_scope as scopes
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.ops import array, embedding, indexing, math, reductions, shaping


def embedding_lookup_unique(params, ids, partition_strategy="mod", name=None):
    """`tf.nn.embedding_lookup` that looks each id up once.

    Args:
      params: a variable or list of them: rows of the table.
      ids: a `Tensor` of int32 or int64, of any shape.
      partition_strategy: 'mod' or 'div': how rows are dealt to several tables.
      name: the name scope.

    Returns:
      A `Tensor` [*ids, *row].
    """
    with name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = convert_to_tensor(ids)
        shape = shaping.shape(ids)
        flat = array.reshape(ids, reductions.reduce_prod(shape, keepdims=True))
        unique, places = indexing.unique(flat)
        found = embedding.embedding_lookup(params, unique, partition_strategy)
        rows = indexing.gather(found, places)
        rows = array.reshape(rows, array.concat([shape, shaping.shape(found)[1:]], 0))
        rows.set_shape(ids.shape.concatenate(found.shape[1:]))
        return rows


def embed_sequence(
    ids,
    vocab_size=None,
    embed_dim=None,
    unique=False,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """Looks ids up in a new table.

    Args:
      ids: a `Tensor` of int32 or int64 [batch, length].
      vocab_size: how many rows the table has.
      embed_dim: how long a row is.
      unique: whether each id is looked up once.
      initializer: makes the table's first value.
      regularizer: a function that makes a loss of it.
      trainable: whether it is trained.
      scope: the variable scope.
      reuse: whether the table of this scope is used again.

    Returns:
      A `Tensor` [batch, length, embed_dim].

    Raises:
      ValueError: when sizes are missing and the table is not used again.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            "Must specify vocab size and embedding dimension when not reusing. "
            f"Got vocab_size={vocab_size} and embed_dim={embed_dim}"
        )
    with scopes.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim]
        if (reuse and vocab_size is None) or embed_dim is None:
            shape = None
        table = variables.model_variable(
            "embeddings", shape=shape, initializer=initializer, regularizer=regularizer, trainable=trainable
        )
        return embedding_lookup_unique(table, ids) if unique else embedding.embedding_lookup(table, ids)


@add_arg_scope
def dense_to_sparse(tensor, eos_token=0, outputs_collections=None, scope=None):
    """Makes a sparse tensor of what is not the end mark.

    Args:
      tensor: a `Tensor`.
      eos_token: the value that is left out.
      outputs_collections: collections for the output.
      scope: the variable scope.

    Returns:
      A `SparseTensor`.
    """
    with scopes.variable_scope(scope, "dense_to_sparse", [tensor]) as sc:
        tensor = convert_to_tensor(tensor)
        indices = indexing.where(math.not_equal(tensor, constant(eos_token, tensor.dtype)))
        values = indexing.gather_nd(tensor, indices)
        made = SparseTensor(indices, values, shaping.shape(tensor, out_type=dtypes.int64))
        return collect_named_outputs(outputs_collections, sc.name, made)


def bow_encoder(
    ids,
    vocab_size,
    embed_dim,
    sparse_lookup=True,
    initializer=None,
    regularizer=None,
    trainable=True,
    scope=None,
    reuse=None,
):
    """The mean of the vectors of each sequence's ids.

    Args:
      ids: a `Tensor` or `SparseTensor` of int32 or int64 [batch, length].
      vocab_size: how many rows the table has.
      embed_dim: how long a row is.
      sparse_lookup: whether ids that are 0 are left out.
      initializer: makes the table's first value.
      regularizer: a function that makes a loss of it.
      trainable: whether it is trained.
      scope: the variable scope.
      reuse: whether the table of this scope is used again.

    Returns:
      A `Tensor` [batch, embed_dim].

    Raises:
      ValueError: when sizes are missing.
      TypeError: for a `SparseTensor` without sparse look-up.
    """
    if not vocab_size or not embed_dim:
        raise ValueError("Must specify vocab size and embedding dimension")
    with scopes.variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        table = variables.model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if sparse_lookup:
            sparse_ids = ids if isinstance(ids, SparseTensor) else dense_to_sparse(ids)
            return embedding.safe_embedding_lookup_sparse([table], sparse_ids, combiner="mean", default_id=0)
        if isinstance(ids, SparseTensor):
            raise TypeError("ids are expected to be dense Tensor, got: %s", ids)
        return reductions.reduce_mean(embedding.embedding_lookup(table, ids), axis=1)
