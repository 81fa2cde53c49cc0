"""Calls of public functions whose nodes are compared with those of TensorFlow 1.15, name by name and in order.

`CASES` maps a label to a function of (tf, np) that builds a graph. `record.py nodes` runs them under TensorFlow and
writes `nodes.json`; `test_functions.py` runs them here.
"""

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def calls(text):
    """One case a line: `label: expression`, with x [2, 3] and v [3] floats, n [?, 3], i [2] int32, b [2, 3] bool."""
    for line in text.strip().splitlines():
        label, _, expression = line.strip().partition(": ")
        assert label not in CASES, label
        code = compile(expression, f"<case {label}>", "eval")

        def build(tf, np, code=code):
            scope = {
                "tf": tf,
                "np": np,
                "x": tf.placeholder(tf.float32, [2, 3], "x"),
                "v": tf.placeholder(tf.float32, [3], "v"),
                "n": tf.placeholder(tf.float32, [None, 3], "n"),
                "i": tf.placeholder(tf.int32, [2], "i"),
                "b": tf.placeholder(tf.bool, [2, 3], "b"),
                "u": tf.placeholder(tf.float32, None, "u"),
                "s": tf.placeholder(tf.string, [2], "s"),
                "m": tf.placeholder(tf.float32, [2, 4, 4, 3], "m"),
                "c": tf.placeholder(tf.complex64, [2, 2], "c"),
                "q": tf.placeholder(tf.float32, [3, 3], "q"),
            }
            eval(code, scope)  # noqa: S307  (the cases of this file)

        CASES[label] = build


calls("""
reshape: tf.reshape(n, [-1, 1])
reshape_name: tf.reshape(n, tf.shape(x), name='r')
fill: tf.fill([2, 3], 9.0)
expand_dims: tf.expand_dims(x, -1), tf.expand_dims(x, dim=0, name='e')
squeeze: tf.squeeze(tf.ones([1, 2, 1])), tf.squeeze(tf.ones([1, 2, 1]), 0), tf.squeeze(tf.ones([1, 2, 1]), squeeze_dims=[2])
shape: tf.shape(n), tf.shape(x), tf.shape(x, out_type=tf.int64), tf.shape_n([x, v])
size: tf.size(n), tf.size(x), tf.rank(u), tf.rank(x)
slice: tf.slice(x, [0, 0], [1, 2])
strided_slice: x[0], x[:, 1:], x[..., tf.newaxis], x[-1, ::2], x[i[0]], x[b]
stack: tf.stack([x, x]), tf.stack([x, x], axis=1), tf.stack([1, 2]), tf.stack([i[0], 2])
parallel_stack: tf.parallel_stack([x, x])
unstack: tf.unstack(x), tf.unstack(x, axis=1, name='un')
concat: tf.concat([x, x], 0), tf.concat([x], 1), tf.concat([n, x], axis=0, name='cc')
split: tf.split(x, 3, axis=1), tf.split(x, [1, 2], 1), tf.split(x, 2, name='sp')
transpose: tf.transpose(x), tf.transpose(x, [1, 0]), tf.transpose(u), tf.transpose(m, [0, 3, 1, 2], name='tr')
matrix_transpose: tf.matrix_transpose(m), tf.linalg.transpose(u)
pad: tf.pad(x, [[1, 1], [0, 2]]), tf.pad(x, [[1, 1], [0, 2]], 'REFLECT'), tf.pad(n, [[1, 1], [0, 2]], constant_values=3), tf.pad(x, [[1, 1], [1, 1]], 'symmetric')
tile: tf.tile(x, [1, 2]), tf.broadcast_to(v, [2, 3])
broadcast_shape: tf.broadcast_dynamic_shape([2, 1], [1, 3])
ensure_shape: tf.ensure_shape(n, [2, 3])
zeros: tf.zeros([2, 3]), tf.zeros([100, 100]), tf.zeros(tf.shape(n)), tf.zeros([]), tf.zeros([tf.shape(n)[0], 3]), tf.zeros([2], tf.bool), tf.zeros([2], tf.string), tf.zeros(3)
ones: tf.ones([2, 3]), tf.ones([100, 100], tf.int32), tf.ones(tf.shape(n)), tf.ones([tf.shape(n)[0], 2], tf.bool, name='o')
zeros_like: tf.zeros_like(x), tf.zeros_like(n), tf.zeros_like(n, tf.int32), tf.zeros_like(x, name='z'), tf.zeros_like(x, optimize=False)
ones_like: tf.ones_like(x), tf.ones_like(n), tf.ones_like(n, tf.int32), tf.ones_like(v, name='z', optimize=False)
one_hot: tf.one_hot(i, 5), tf.one_hot(i, 5, 2, -1), tf.one_hot([1, 2], 4, dtype=tf.int32, axis=0), tf.one_hot(i, 3, on_value=x[0, 0])
meshgrid: tf.meshgrid([1, 2], [3, 4, 5]), tf.meshgrid(v, v, indexing='ij')
bitcast: tf.bitcast(x, tf.int32)
identity: tf.identity(x), tf.identity_n([x, v]), tf.stop_gradient(x, name='sg'), tf.guarantee_const(x)
where: tf.where(b), tf.where(b, x, x), tf.where_v2(b, x, 0.0), tf.where([True, False])
gather: tf.gather(x, i), tf.gather(x, i, axis=1), tf.gather(x, i, batch_dims=0, name='ga'), tf.gather([1, 2, 3], 1)
gather_nd: tf.gather_nd(x, [[0, 1]]), tf.gather_nd(x, tf.zeros([2, 1], tf.int32), batch_dims=1)
batch_gather: tf.batch_gather(x, [[0, 1], [1, 0]])
boolean_mask: tf.boolean_mask(x, b), tf.boolean_mask(x, [True, False]), tf.boolean_mask(n, [True, False, True], axis=1)
unique: tf.unique(i), tf.unique_with_counts(i), tf.setdiff1d(i, [1])
sequence_mask: tf.sequence_mask(i), tf.sequence_mask(i, 5), tf.sequence_mask(i, 5, tf.float32)
reverse: tf.reverse(x, [0]), tf.reverse_v2(x, [1]), tf.reverse_sequence(x, i, seq_dim=1, batch_dim=0), tf.roll(x, 1, 0)
searchsorted: tf.searchsorted(x, x), tf.searchsorted(x, x, side='right')
repeat: tf.repeat(v, 2), tf.repeat(x, [1, 2], axis=0), tf.repeat(x, 3, axis=1)
scatter_nd: tf.scatter_nd([[0], [1]], v[:2], [4]), tf.tensor_scatter_update(v, [[0]], [1.0]), tf.tensor_scatter_add(v, [[0]], [1.0])
dynamic: tf.dynamic_partition(x, i, 2), tf.dynamic_stitch([i, [2]], [x, x[:1]]), tf.invert_permutation([1, 0]), tf.unravel_index(i, [2, 2])
segments: tf.segment_sum(x, i), tf.segment_mean(x, i), tf.unsorted_segment_sum(x, i, 3), tf.unsorted_segment_mean(x, i, 3), tf.sparse_segment_sum(x, i, i), tf.sparse_segment_mean(x, i, i, num_segments=4)
space_to_batch: tf.space_to_batch(m, [[0, 0], [0, 0]], 2), tf.space_to_batch_nd(m, [2, 2], [[0, 0], [0, 0]]), tf.space_to_depth(m, 2), tf.depth_to_space(tf.ones([1, 2, 2, 4]), 2)
patches: tf.extract_image_patches(m, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], 'SAME')
paddings: tf.required_space_to_batch_paddings([4, 5], [2, 3]), tf.required_space_to_batch_paddings(i, [2, 3])
arithmetic: tf.add(x, v), tf.subtract(x, 1.0), tf.multiply(2.0, x), tf.divide(x, v), tf.div(i, 2), tf.truediv(i, 2), tf.floordiv(i, 2), tf.mod(i, 2), tf.realdiv(x, v), tf.truncatediv(i, 2)
arithmetic_names: tf.add(x, v, name='a'), tf.divide(x, v, name='d'), tf.div(x, 2.0, name='dd'), tf.multiply(x, x, 'mu'), tf.add_n([x, x]), tf.add_n([x], name='one'), tf.accumulate_n([x, x])
operators: x + 1, 2 * x, x / 3, x // 2, x % 2, x ** 2, -x, abs(x), x > 0, x <= v, b & b, ~b, b | b, b ^ b, 1 - x, 2 ** x, x @ q
no_nan: tf.div_no_nan(x, v), tf.math.multiply_no_nan(x, v), tf.math.reciprocal_no_nan(x)
scalar_mul: tf.scalar_mul(2.0, x), tf.round(x), tf.round(i), tf.pow(x, 2.0), tf.abs(x), tf.abs(c), tf.sigmoid(x), tf.log_sigmoid(x), tf.square(x, name='sq')
unary: tf.exp(x), tf.log(x), tf.log1p(x), tf.sqrt(x), tf.rsqrt(x), tf.sign(x), tf.sin(x), tf.tanh(x), tf.ceil(x), tf.floor(x), tf.erf(x), tf.lgamma(x), tf.negative(x), tf.reciprocal(x), tf.is_finite(x)
compare: tf.equal(x, v), tf.not_equal(x, 0.0), tf.less(x, v), tf.greater_equal(x, 1.0), tf.logical_and(b, b), tf.logical_xor(b, b), tf.logical_not(b), tf.maximum(x, 0.0), tf.minimum(x, v), tf.squared_difference(x, v)
cast: tf.cast(x, tf.int32), tf.cast(x, tf.float32), tf.to_float(i), tf.to_int32(x), tf.cast(3, tf.float64), tf.saturate_cast(x, tf.uint8), tf.to_int64(i, name='k'), tf.cast(b, tf.float32)
complex: tf.complex(x, x), tf.real(c), tf.imag(c), tf.imag(x), tf.angle(c), tf.conj(c), tf.conj(x)
range: tf.range(5), tf.range(1, 6, 2), tf.range(tf.shape(n)[0]), tf.range(3.0), tf.range(0, 1, 0.25), tf.range(5, dtype=tf.float32), tf.linspace(0.0, 1.0, 5)
reduce: tf.reduce_sum(x), tf.reduce_mean(x, 1), tf.reduce_max(x, axis=[0, 1], keepdims=True), tf.reduce_min(n), tf.reduce_prod(u), tf.reduce_all(b), tf.reduce_any(b, 0), tf.reduce_sum(x, reduction_indices=[0], keep_dims=True), tf.reduce_mean(x, name='mn')
reduce_more: tf.reduce_logsumexp(x), tf.reduce_logsumexp(n, 1), tf.math.reduce_std(x), tf.math.reduce_variance(x, 0), tf.count_nonzero(x), tf.math.reduce_euclidean_norm(x), tf.reduce_sum([1.0, 2.0])
argmax: tf.argmax(x), tf.argmax(x, 1), tf.argmin(x, axis=0, output_type=tf.int32), tf.arg_max(x, 1), tf.argmax(x, dimension=1, name='am')
cumulative: tf.cumsum(x), tf.cumsum(x, 1, exclusive=True), tf.cumprod(v, reverse=True), tf.bincount(i), tf.bincount(i, minlength=3, maxlength=5)
matmul: tf.matmul(x, q), tf.matmul(x, x, transpose_b=True, name='mm'), tf.matmul(tf.ones([2, 3, 4]), tf.ones([2, 4, 5])), tf.linalg.matvec(q, v), tf.matmul(c, c, adjoint_a=True)
tensordot: tf.tensordot(x, q, 1), tf.tensordot(x, q, [[1], [0]]), tf.tensordot(n, q, 1), tf.tensordot(m, q, [[3], [0]])
einsum: tf.einsum('ij,jk->ik', x, q), tf.einsum('ij->ji', x), tf.einsum('ij,ij->i', x, x), tf.einsum('bhwc,cd->bhwd', m, q), tf.einsum('ij->', x), tf.einsum('...i,ij->...j', x, q)
linalg: tf.eye(3), tf.eye(2, 3), tf.eye(2, batch_shape=[4]), tf.matrix_diag(v), tf.matrix_diag_part(q), tf.matrix_set_diag(q, v), tf.trace(q), tf.diag(v), tf.diag_part(q), tf.matrix_band_part(q, 0, -1)
linalg_more: tf.cholesky(q), tf.matrix_inverse(q), tf.matrix_determinant(q), tf.matrix_solve(q, q), tf.cholesky_solve(q, q), tf.svd(q), tf.qr(q), tf.self_adjoint_eig(q), tf.matrix_triangular_solve(q, q)
norm: tf.norm(x), tf.norm(x, 1), tf.norm(x, axis=1), tf.norm(x, np.inf, axis=[0, 1]), tf.norm(x, ord=3, axis=0, keepdims=True), tf.linalg.normalize(x)
clip: tf.clip_by_value(x, 0.0, 1.0), tf.clip_by_norm(x, 2.0), tf.clip_by_norm(n, 2.0, axes=[1]), tf.clip_by_average_norm(x, 1.0), tf.clip_by_value(x, 0, 1, name='cl')
clip_global: tf.clip_by_global_norm([x, None, v], 5.0), tf.global_norm([x, v], name='gn'), tf.clip_by_global_norm([x], 1.0, use_norm=tf.constant(2.0))
random: tf.random_normal([2, 3]), tf.random_uniform([2]), tf.truncated_normal(tf.shape(n), 1.0, 2.0), tf.random_uniform([2], 0, 9, tf.int32), tf.random_shuffle(x), tf.multinomial(x, 3), tf.random_gamma([2], v), tf.random_poisson(v, [2])
random_seeds: tf.random_normal([2], seed=1), tf.set_random_seed(5), tf.random_normal([2]), tf.random.normal([2], seed=7), tf.random_crop(m, [2, 2, 2, 3]), tf.random.stateless_uniform([2], [1, 2]), tf.random.stateless_normal([2], [1, 2])
activations: tf.nn.relu(x), tf.nn.relu6(x), tf.nn.elu(x), tf.nn.selu(x), tf.nn.leaky_relu(x), tf.nn.crelu(x), tf.nn.softplus(x), tf.nn.softsign(x), tf.nn.sigmoid(x), tf.nn.tanh(x), tf.nn.leaky_relu(x, 0.3, 'lr'), tf.nn.swish(x)
softmax: tf.nn.softmax(x), tf.nn.softmax(x, axis=0), tf.nn.log_softmax(x), tf.nn.softmax(x, dim=1, name='so'), tf.nn.softmax(m, axis=1)
dropout: tf.nn.dropout(x, 0.5), tf.nn.dropout(x, rate=0.25, noise_shape=[2, 1]), tf.nn.dropout(n, keep_prob=v[0]), tf.nn.dropout(x, 1.0), tf.nn.dropout(x, rate=0.1, noise_shape=[None, 1], seed=3, name='dr')
bias: tf.nn.bias_add(x, v), tf.nn.xw_plus_b(x, q, v), tf.nn.relu_layer(x, q, v), tf.nn.bias_add(m, v, data_format='NHWC')
xent: tf.nn.softmax_cross_entropy_with_logits(labels=x, logits=x), tf.nn.softmax_cross_entropy_with_logits_v2(labels=x, logits=x, name='xe'), tf.nn.softmax_cross_entropy_with_logits_v2(labels=m, logits=m, axis=1), tf.nn.softmax_cross_entropy_with_logits_v2(labels=n, logits=n)
xent_sparse: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=i, logits=x), tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.ones([2, 4, 4], tf.int32), logits=m), tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.argmax(n, 1), logits=n, name='sx')
xent_sigmoid: tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=x), tf.nn.sigmoid_cross_entropy_with_logits(labels=n, logits=n), tf.nn.weighted_cross_entropy_with_logits(x, x, 2.0), tf.nn.log_poisson_loss(x, x, True)
moments: tf.nn.moments(x, [0]), tf.nn.moments(m, [0, 1, 2], keep_dims=True), tf.nn.weighted_moments(x, [0], v), tf.nn.sufficient_statistics(x, [0]), tf.nn.normalize_moments(2.0, v, v, None)
batchnorm: tf.nn.batch_normalization(x, v, v, v, v, 1e-3), tf.nn.batch_normalization(x, v, v, None, None, 1e-3), tf.nn.fused_batch_norm(m, v, v), tf.nn.fused_batch_norm(m, v, v, v, v, is_training=False)
l2: tf.nn.l2_loss(x), tf.nn.l2_normalize(x), tf.nn.l2_normalize(x, 1, name='l2n'), tf.nn.lrn(m), tf.nn.zero_fraction(x)
top_k: tf.nn.top_k(x, 2), tf.nn.in_top_k(x, i, 1), tf.sort(x), tf.argsort(x, direction='DESCENDING'), tf.sort(x, axis=0)
conv2d: tf.nn.conv2d(m, tf.ones([2, 2, 3, 5]), [1, 1, 1, 1], 'SAME'), tf.nn.conv2d(m, tf.ones([2, 2, 3, 5]), 2, [[0, 0], [1, 1], [1, 1], [0, 0]]), tf.nn.conv2d_transpose(m, tf.ones([2, 2, 5, 3]), [2, 8, 8, 5], [1, 2, 2, 1])
conv_more: tf.nn.conv1d(tf.ones([2, 5, 3]), tf.ones([2, 3, 4]), 1, 'SAME'), tf.nn.conv3d(tf.ones([1, 3, 3, 3, 2]), tf.ones([2, 2, 2, 2, 4]), [1, 1, 1, 1, 1], 'SAME'), tf.nn.atrous_conv2d(m, tf.ones([2, 2, 3, 5]), 2, 'SAME'), tf.nn.convolution(m, tf.ones([2, 2, 3, 5]), 'VALID')
depthwise: tf.nn.depthwise_conv2d(m, tf.ones([2, 2, 3, 2]), [1, 1, 1, 1], 'SAME'), tf.nn.separable_conv2d(m, tf.ones([2, 2, 3, 2]), tf.ones([1, 1, 6, 4]), [1, 1, 1, 1], 'SAME'), tf.nn.depthwise_conv2d(m, tf.ones([2, 2, 3, 2]), [1, 1, 1, 1], 'SAME', rate=[2, 2])
pool: tf.nn.max_pool(m, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME'), tf.nn.avg_pool(m, 2, 2, 'VALID'), tf.nn.max_pool2d(m, 2, 1, 'SAME'), tf.nn.pool(m, [2, 2], 'MAX', 'VALID'), tf.nn.max_pool_with_argmax(m, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME')
embedding: tf.nn.embedding_lookup(x, i), tf.nn.embedding_lookup([x, x], i), tf.nn.embedding_lookup(x, i, max_norm=1.0), tf.nn.embedding_lookup([x, x], i, 'div', name='em')
sampling: tf.nn.nce_loss(q, v, tf.zeros([2, 1], tf.int64), x, 2, 3), tf.nn.sampled_softmax_loss(q, v, tf.zeros([2, 1], tf.int64), x, 2, 3)
candidates: tf.nn.log_uniform_candidate_sampler(tf.zeros([2, 1], tf.int64), 1, 2, True, 5), tf.nn.uniform_candidate_sampler(tf.zeros([2, 1], tf.int64), 1, 2, False, 5, seed=4)
asserts: tf.assert_equal(x, x), tf.assert_equal(i, [1, 2]), tf.assert_less(x, v), tf.assert_positive(x), tf.assert_non_negative(i, message='neg'), tf.assert_rank(x, 2), tf.assert_rank_at_least(u, 1), tf.assert_greater(x, 0.0, data=['d'], summarize=3), tf.assert_none_equal(x, v)
asserts_more: tf.assert_near(x, x * 1), tf.assert_rank_in(u, [1, 2]), tf.assert_integer(i), tf.assert_type(x, tf.float32), tf.is_non_decreasing(v), tf.is_strictly_increasing(v), tf.check_numerics(x, 'bad'), tf.verify_tensor_all_finite(x, 'bad')
print: tf.Print(x, [x, 'a'], 'msg', first_n=2), tf.print(x, 'b', output_stream='file:///tmp/none'), tf.print('x is', x, [v], summarize=2)
strings: tf.string_join([s, 'a']), tf.as_string(x), tf.string_to_number(s), tf.string_split(s), tf.string_split(s, ','), tf.reduce_join(s), tf.substr(s, 0, 1), tf.regex_replace(s, 'a', 'b'), tf.string_to_hash_bucket_fast(s, 5), tf.strings.length(s), tf.strings.split(s)
sparse: tf.sparse_to_dense([[0]], [2], 1.0), tf.sparse_tensor_to_dense(tf.SparseTensor([[0, 0]], [1.0], [2, 2])), tf.sparse_tensor_dense_matmul(tf.SparseTensor([[0, 0]], [1.0], [2, 2]), x), tf.sparse_reorder(tf.SparseTensor([[0, 0]], [1.0], [2, 2])), tf.sparse_add(tf.SparseTensor([[0]], [1.0], [3]), v)
sparse_more: tf.sparse_retain(tf.SparseTensor([[0, 0]], [1.0], [2, 2]), [True]), tf.sparse_reduce_sum(tf.SparseTensor([[0, 0]], [1.0], [2, 2]), 1), tf.sparse_concat(0, [tf.SparseTensor([[0, 0]], [1.0], [2, 2])] * 2), tf.sparse_fill_empty_rows(tf.SparseTensor([[0, 0]], [1.0], [2, 2]), 0.0), tf.sparse.from_dense(x)
histogram: tf.histogram_fixed_width(x, [0.0, 1.0]), tf.confusion_matrix(i, i, 3), tf.confusion_matrix(i, i)
bits: tf.bitwise.bitwise_and(i, i), tf.bitwise.invert(i), tf.fft(c), tf.ifft2d(c)
io: tf.read_file('f'), tf.matching_files('*.x'), tf.decode_raw(s, tf.uint8), tf.decode_csv(s, [[1.0], ['']])
image: tf.image.resize_nearest_neighbor(m, [8, 8]), tf.image.resize_images(m, [8, 8]), tf.image.resize_bilinear(m, [2, 2])
image_flip: tf.image.flip_left_right(m[0]), tf.image.random_flip_left_right(m[0]), tf.image.random_flip_up_down(m), tf.image.flip_up_down(m), tf.image.transpose_image(m[0]), tf.image.rot90(m[0])
image_colour: tf.image.rgb_to_grayscale(m), tf.image.grayscale_to_rgb(m[..., :1]), tf.image.adjust_brightness(m, 0.1), tf.image.adjust_contrast(m, 2.0), tf.image.random_brightness(m, 0.2), tf.image.random_contrast(m, 0.2, 1.8), tf.image.convert_image_dtype(tf.cast(m, tf.uint8), tf.float32), tf.image.adjust_saturation(m, 2.0), tf.image.random_hue(m, 0.1)
image_crop: tf.image.central_crop(m[0], 0.5), tf.image.crop_to_bounding_box(m, 0, 0, 2, 2), tf.image.pad_to_bounding_box(m, 1, 1, 6, 6), tf.image.resize_image_with_crop_or_pad(m, 6, 2), tf.image.per_image_standardization(m[0]), tf.image.random_crop(m[0], [2, 2, 3]), tf.image.crop_and_resize(m, [[0.0, 0.0, 1.0, 1.0]], [0], [2, 2])
image_codec: tf.image.decode_jpeg(s[0], channels=3), tf.image.decode_png(s[0]), tf.image.encode_png(tf.cast(m[0], tf.uint8)), tf.image.encode_jpeg(tf.cast(m[0], tf.uint8)), tf.image.decode_image(s[0])
losses: tf.losses.mean_squared_error(x, x), tf.losses.absolute_difference(x, x, 2.0), tf.losses.log_loss(x, x, scope='ll'), tf.losses.huber_loss(x, x), tf.losses.hinge_loss(x, x), tf.losses.get_total_loss()
losses_xent: tf.losses.softmax_cross_entropy(x, x), tf.losses.sparse_softmax_cross_entropy(i, x), tf.losses.sigmoid_cross_entropy(x, x, label_smoothing=0.1), tf.losses.cosine_distance(x, x, axis=1), tf.losses.mean_squared_error(n, n, weights=n)
losses_weights: tf.losses.mean_squared_error(x, x, weights=[[1.0], [0.5]]), tf.losses.compute_weighted_loss(x, 0.0), tf.losses.compute_weighted_loss(x, reduction=tf.losses.Reduction.MEAN), tf.losses.mean_pairwise_squared_error(x, x)
summaries: tf.summary.scalar('a', x[0, 0]), tf.summary.histogram('h', x), tf.summary.image('im', m), tf.summary.text('t', s), tf.summary.audio('au', tf.ones([1, 5, 1]), 44100.0), tf.summary.merge_all(), tf.summary.scalar('a', 1.0, family='f'), tf.summary.merge([tf.summary.scalar('z', 1.0)], name='mg')
functional: tf.map_fn(lambda a: a * 2, v), tf.scan(lambda a, e: a + e, v), tf.foldl(lambda a, e: a * e, v), tf.foldr(lambda a, e: a * e, v, 1.0)
tensor_array: tf.TensorArray(tf.float32, 3).write(0, v).write(1, v).read(0), tf.TensorArray(tf.float32, 2).unstack(x).stack(), tf.TensorArray(tf.float32, 2, element_shape=[3]).scatter([0, 1], x).gather([1]), tf.TensorArray(tf.float32, 2).split(v, [1, 2]).concat()
""")


@case
def layers_dense(tf, np):
    x = tf.placeholder(tf.float32, [None, 4])
    h = tf.layers.dense(x, 8, activation=tf.nn.relu, kernel_regularizer=tf.contrib.layers.l2_regularizer(0.1))
    h = tf.layers.dropout(h, 0.4, training=True)
    h = tf.layers.dropout(h, 0.4, training=tf.placeholder_with_default(False, []))
    tf.layers.dense(h, 2, use_bias=False, name="out")
    tf.layers.dense(h, 2, use_bias=False, name="out", reuse=True)
    tf.layers.dense(tf.placeholder(tf.float32, [None, 3, 4]), 5, kernel_initializer=tf.zeros_initializer())
    layer = tf.layers.Dense(3, name="again")
    layer(x)
    layer(x)


@case
def layers_conv(tf, np):
    x = tf.placeholder(tf.float32, [None, 8, 8, 3])
    h = tf.layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu)
    h = tf.layers.max_pooling2d(h, 2, 2)
    h = tf.layers.conv2d(h, 4, (2, 2), strides=2, use_bias=False, name="c")
    h = tf.layers.conv2d_transpose(h, 2, 3, strides=(2, 2), padding="same")
    h = tf.layers.average_pooling2d(h, 2, 2, "same")
    tf.layers.flatten(h)
    tf.layers.separable_conv2d(x, 5, 3)
    tf.layers.conv2d(x, 2, 3, dilation_rate=2, padding="same")
    tf.layers.conv1d(tf.placeholder(tf.float32, [None, 9, 3]), 4, 3, padding="same")
    tf.layers.max_pooling1d(tf.placeholder(tf.float32, [None, 9, 3]), 2, 2)
    tf.layers.conv3d(tf.placeholder(tf.float32, [None, 4, 4, 4, 1]), 2, 2)


@case
def layers_batch_normalization(tf, np):
    x = tf.placeholder(tf.float32, [None, 8, 8, 3])
    tf.layers.batch_normalization(x, training=True)
    tf.layers.batch_normalization(x, training=False)
    tf.layers.batch_normalization(x, training=tf.placeholder(tf.bool, []))
    y = tf.placeholder(tf.float32, [None, 5])
    tf.layers.batch_normalization(y, training=True, name="bn")
    tf.layers.batch_normalization(y, training=tf.placeholder(tf.bool, []))
    tf.layers.batch_normalization(y, center=False, scale=False)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        tf.no_op("updated")


@case
def layers_in_scopes(tf, np):
    x = tf.placeholder(tf.float32, [2, 4])
    with tf.variable_scope("a"):
        tf.layers.dense(x, 3)
        tf.layers.dense(x, 3)
    with tf.variable_scope("a", reuse=True):
        tf.layers.dense(x, 3)
    with tf.variable_scope("b", reuse=tf.AUTO_REUSE, initializer=tf.ones_initializer()):
        tf.layers.dense(x, 3, name="d")
        tf.layers.dense(x, 3, name="d")
    with tf.name_scope("n"):
        tf.layers.dense(x, 3)


@case
def contrib_layers(tf, np):
    c = tf.contrib.layers
    x = tf.placeholder(tf.float32, [None, 8, 8, 3])
    with tf.contrib.framework.arg_scope([c.conv2d, c.fully_connected], weights_regularizer=c.l2_regularizer(0.01)):
        h = c.conv2d(x, 4, 3)
        h = c.max_pool2d(h, 2)
        h = c.conv2d(h, 4, 3, normalizer_fn=c.batch_norm, scope="bn")
        h = c.flatten(h)
        h = c.dropout(h, 0.8)
        c.fully_connected(h, 5, activation_fn=None)
    c.conv2d_transpose(x, 2, 3, stride=2)
    c.l1_l2_regularizer(0.1, 0.2)(tf.ones([2]))
    c.apply_regularization(c.l1_regularizer(0.5), [tf.ones([3]), tf.ones([2])])


@case
def state(tf, np):
    v = tf.Variable(tf.zeros([3]), name="v")
    tf.assign(v, [1.0, 2.0, 3.0])
    tf.assign_add(v, tf.ones([3]), name="add")
    tf.assign_sub(v, tf.ones([3]), use_locking=True)
    tf.scatter_update(v, [0, 1], [1.0, 2.0])
    tf.scatter_add(v, 0, 1.0)
    tf.scatter_nd_update(v, [[0]], [3.0])
    tf.is_variable_initialized(v)
    tf.count_up_to(tf.Variable(0, name="c"), 3)
    tf.reduce_sum(v)
    tf.gather(v, [0])
    tf.nn.embedding_lookup(v, [0])
    tf.identity(v)
    tf.batch_scatter_update(tf.Variable(tf.zeros([2, 3])), [[0], [1]], [[1.0], [2.0]])


@case
def state_resource(tf, np):
    v = tf.get_variable("v", [3], use_resource=True)
    tf.assign(v, [1.0, 2.0, 3.0])
    tf.assign_add(v, tf.ones([3]))
    tf.scatter_update(v, [0, 1], [1.0, 2.0])
    tf.gather(v, [0])
    tf.nn.embedding_lookup(v, [0])
    tf.reduce_sum(v)


@case
def queues(tf, np):
    q = tf.FIFOQueue(3, [tf.float32, tf.int32], [[], [2]])
    q.enqueue([1.0, [1, 2]])
    q.enqueue_many([[1.0], [[1, 2]]], name="many")
    q.dequeue()
    q.dequeue_many(2)
    q.dequeue_up_to(2, name="upto")
    q.close()
    q.close(cancel_pending_enqueues=True)
    q.size()
    q.is_closed()
    r = tf.RandomShuffleQueue(10, 2, tf.float32, shapes=[3], names="a", seed=4)
    r.enqueue({"a": [1.0, 2.0, 3.0]})
    r.dequeue()
    tf.RandomShuffleQueue(10, 2, [tf.float32], shared_name="s", name="named")
    tf.PaddingFIFOQueue(3, [tf.float32], [[None]]).dequeue_many(2)
    tf.PriorityQueue(3, [tf.string], [[]]).dequeue()


@case
def readers(tf, np):
    names = tf.FIFOQueue(3, tf.string, shapes=[[]])
    tf.WholeFileReader().read(names)
    tf.TextLineReader(skip_header_lines=1, name="lines").read_up_to(names, 3)
    reader = tf.TFRecordReader()
    reader.read(names)
    reader.num_records_produced()
    tf.FixedLengthRecordReader(4, header_bytes=2).reset()


calls("""
metrics_mean: tf.metrics.mean(n), tf.metrics.mean(x, weights=2.0, name='foo', metrics_collections='a', updates_collections=['b']), tf.metrics.mean_tensor(v, [1.0, 2.0, 0.0])
metrics_accuracy: tf.metrics.accuracy(i, [1, 2]), tf.metrics.accuracy(tf.constant([1, 2]), tf.constant([1.0, 3.0]), weights=[1.0, 3.0]), tf.metrics.accuracy(i, x[:, :1])
metrics_errors: tf.metrics.mean_absolute_error(x, x), tf.metrics.root_mean_squared_error(x, x, name='r'), tf.metrics.mean_relative_error(x, x, x), tf.metrics.mean_cosine_distance(x, x, 1), tf.metrics.percentage_below(x, 0.5), tf.metrics.mean_squared_error(u, n, u)
metrics_counts: tf.metrics.true_positives(b, b), tf.metrics.false_negatives(b, b, weights=2.0), tf.metrics.precision(b, b), tf.metrics.recall(b, b, weights=x)
metrics_thresholds: tf.metrics.true_negatives_at_thresholds(b, x, [0.1, 0.5]), tf.metrics.precision_at_thresholds(b, x, [0.1], weights=x), tf.metrics.recall_at_thresholds(b, x, [0.1, 0.5]), tf.metrics.sensitivity_at_specificity(b, x, 0.5), tf.metrics.specificity_at_sensitivity(b, x, 0.6, num_thresholds=20)
metrics_auc: tf.metrics.auc(b, x), tf.metrics.auc(b, x, curve='PR', num_thresholds=11, summation_method='careful_interpolation'), tf.metrics.auc(b, x, curve='PR', summation_method='minoring', thresholds=[0.2, 0.7, 0.5])
metrics_classes: tf.metrics.mean_iou(i, i, 3), tf.metrics.mean_iou(i, i, 3, weights=v[:2]), tf.metrics.mean_per_class_accuracy(i, i, 3)
metrics_at_k: tf.metrics.recall_at_k(tf.to_int64(i), x, 2), tf.metrics.precision_at_k(tf.to_int64(i), x, 1, class_id=1, weights=v[:2]), tf.metrics.average_precision_at_k(tf.to_int64(i), x, 2)
contrib_norms: tf.contrib.layers.layer_norm(m), tf.contrib.layers.instance_norm(m), tf.contrib.layers.group_norm(m, groups=3), tf.contrib.layers.unit_norm(x, 1), tf.contrib.layers.maxout(m, 3)
contrib_batch_norm_at_once: tf.contrib.layers.batch_norm(m, updates_collections=None, scale=True), tf.contrib.layers.batch_norm(n, updates_collections=None, zero_debias_moving_mean=True, is_training=tf.placeholder(tf.bool)), tf.contrib.layers.batch_norm(x, batch_weights=v[:2])
contrib_convolutions: tf.contrib.layers.separable_conv2d(m, 8, [3, 3], 2), tf.contrib.layers.separable_conv2d(m, None, 3, 1, normalizer_fn=tf.contrib.layers.batch_norm), tf.contrib.layers.conv2d_in_plane(m, 3)
contrib_encoders: tf.contrib.layers.embed_sequence(tf.to_int32(n), 10, 4), tf.contrib.layers.embed_sequence(tf.to_int32(n), 10, 4, unique=True, scope='u'), tf.contrib.layers.relu(x, 4), tf.contrib.layers.linear(x, 4, scope='li')
contrib_losses: tf.contrib.losses.absolute_difference(x, x), tf.contrib.losses.log_loss(x, x), tf.contrib.losses.softmax_cross_entropy(x, x, label_smoothing=0.1), tf.contrib.losses.mean_pairwise_squared_error(x, x), tf.contrib.losses.get_total_loss()
image_quality: tf.image.psnr(m, m, 1.0), tf.image.image_gradients(m), tf.image.sobel_edges(m), tf.image.rgb_to_yuv(m), tf.image.yiq_to_rgb(m)
image_boxes: tf.image.non_max_suppression(tf.ones([3, 4]), v, 3), tf.image.non_max_suppression_padded(tf.ones([3, 4]), v, 3, pad_to_max_output_size=True), tf.image.non_max_suppression_with_scores(tf.ones([3, 4]), v, 3)
image_resize_with_pad: tf.image.resize_image_with_pad(m, 7, 9), tf.image.resize_image_with_pad(tf.placeholder(tf.float32, [None, None, 3]), 10, 12)
parse_example: tf.parse_example(s, {'a': tf.FixedLenFeature([2], tf.float32), 'b': tf.FixedLenFeature([], tf.int64, default_value=3), 's': tf.VarLenFeature(tf.string), 'q': tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True), 'z': tf.FixedLenSequenceFeature([2], tf.float32, allow_missing=True, default_value=5.0)})
parse_single_example: tf.parse_single_example(s[0], {'a': tf.FixedLenFeature([2], tf.float32), 's': tf.VarLenFeature(tf.string)}), tf.parse_single_example(s[0], {'a': tf.FixedLenFeature([2], tf.float32), 's': tf.VarLenFeature(tf.string)}, example_names=s[1])
parse_sparse: tf.parse_example(s, {'k': tf.SparseFeature('q', 's', tf.string, 10)})
layers_channels_first: tf.layers.max_pooling1d(tf.ones([2, 3, 8]), 2, 2, data_format='channels_first'), tf.layers.conv1d(tf.ones([2, 4, 8]), 3, 3, data_format='channels_first'), tf.layers.conv2d(m, 3, 3, data_format='channels_first', padding='same')
""")


@case
def contrib_optimize_loss(tf, np):
    x = tf.get_variable("x", [3], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(x * x)
    step = tf.train.get_or_create_global_step()
    tf.contrib.layers.optimize_loss(
        loss,
        step,
        0.1,
        "SGD",
        clip_gradients=1.0,
        summaries=["loss", "gradients", "gradient_norm", "learning_rate", "global_gradient_norm"],
        learning_rate_decay_fn=lambda rate, s: tf.train.exponential_decay(rate, s, 10, 0.9),
    )
    tf.contrib.training.create_train_op(loss, tf.train.GradientDescentOptimizer(0.1), summarize_gradients=True)


@case
def slim_model(tf, np):
    slim = tf.contrib.slim
    images = tf.placeholder(tf.float32, [None, 8, 8, 1])
    normalizer = {"is_training": True, "updates_collections": None}
    layers = [slim.conv2d, slim.fully_connected]
    with slim.arg_scope(
        layers,
        weights_regularizer=slim.l2_regularizer(0.01),
        normalizer_fn=slim.batch_norm,
        normalizer_params=normalizer,
    ):
        with slim.arg_scope([slim.conv2d], padding="SAME", stride=1):
            net = slim.repeat(images, 2, slim.conv2d, 4, [3, 3], scope="conv1")
            net = slim.flatten(slim.max_pool2d(net, [2, 2]))
            net = slim.fully_connected(net, 5, scope="fc")
            net = slim.dropout(net, 0.5, is_training=True)
            net = slim.fully_connected(net, 3, activation_fn=None, normalizer_fn=None)
    slim.losses.softmax_cross_entropy(net, tf.one_hot([0, 1], 3))
    slim.learning.create_train_op(slim.losses.get_total_loss(), tf.train.AdamOptimizer(0.01), clip_gradient_norm=1.0)


@case
def sparse_gradients(tf, np):
    a, b = tf.constant([1.0, 2.0]), tf.constant([3.0])
    first, second = tf.SparseTensor([[0, 1], [1, 1]], a, [3, 4]), tf.SparseTensor([[0, 1]], b, [3, 4])
    table = tf.Variable(np.ones([4, 2], np.float32))
    tf.gradients(tf.sparse_add(first, second).values, [a, b])
    tf.gradients(tf.sparse_reduce_sum(first, 1), a)
    tf.gradients(tf.sparse_softmax(first).values, a)
    tf.gradients((first * tf.constant([[2.0], [3.0], [4.0]])).values, a)
    tf.gradients(tf.sparse_slice(first, [0, 0], [1, 4]).values, a)
    tf.gradients(tf.sparse_fill_empty_rows(first, 2.0)[0].values, a)
    tf.gradients(tf.sparse_tensor_dense_matmul(first, table), [table, a])
    tf.gradients(tf.sparse_reorder(first).values, a)


@case
def choices_gradients(tf, np):
    x, y = tf.placeholder(tf.float32, [2, 3]), tf.placeholder(tf.float32, [None, None])
    tf.gradients(tf.nn.top_k(x, 2)[0], x)
    tf.gradients(tf.nn.top_k(y, 1)[0], y)
    tf.gradients(tf.where_v2([True, False, True], x, tf.ones([1])), x)
    tf.gradients(tf.segment_mean(x, [0, 1]), x)
    tf.gradients(tf.div_no_nan(x, x + 1.0), x)
    tf.gradients(tf.image.crop_and_resize(tf.ones([1, 3, 3, 1]) * x[0, 0], [[0.0, 0.0, 1.0, 1.0]], [0], [2, 2]), x)
