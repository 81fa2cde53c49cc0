"""Recurrent networks: each program makes a graph and returns (what to fetch, what to feed)."""


def _sequence(tf, np):
    return tf.constant(np.arange(24.0).reshape(2, 4, 3) / 10, tf.float32)


def _with_gradients(tf, made, x):
    return [*made, *tf.gradients(made, [*tf.trainable_variables(), x])]


def dynamic_lstm(tf, np):
    x = tf.placeholder(tf.float32, [None, 5, 3])
    with tf.variable_scope("m", initializer=tf.constant_initializer(0.1)):
        out, state = tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(4), x, dtype=tf.float32)
    return _with_gradients(tf, [out, state.c], x), {x: np.arange(30.0).reshape(2, 5, 3) / 10}


def dynamic_gru_of_lengths(tf, np):
    x = tf.placeholder(tf.float32, [2, None, 3])
    cell = tf.contrib.rnn.GRUCell(4, kernel_initializer=tf.constant_initializer(0.1))
    out, state = tf.nn.dynamic_rnn(cell, x, sequence_length=[2, 4], dtype=tf.float32)
    return _with_gradients(tf, [out, state], x), {x: np.arange(30.0).reshape(2, 5, 3) / 10}


def stacked_time_major(tf, np):
    tf.set_random_seed(3)
    x = tf.constant(np.arange(24.0).reshape(4, 2, 3) / 10, tf.float32)
    lstm = tf.nn.rnn_cell.LSTMCell(
        4, use_peepholes=True, num_proj=3, cell_clip=0.5, proj_clip=1.0, initializer=tf.constant_initializer(0.2)
    )
    with tf.variable_scope("m", initializer=tf.constant_initializer(0.1)):
        cell = tf.nn.rnn_cell.MultiRNNCell(
            [
                tf.nn.rnn_cell.DropoutWrapper(lstm, output_keep_prob=0.5, seed=4),
                tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.BasicRNNCell(3, activation=tf.nn.relu)),
            ]
        )
        first = cell.zero_state(2, tf.float32)
        out, state = tf.nn.dynamic_rnn(cell, x, initial_state=first, time_major=True)
    return _with_gradients(tf, [out, state[0].h], x), {}


def bidirectional(tf, np):
    x, cells = _sequence(tf, np), tf.nn.rnn_cell
    with tf.variable_scope("m", initializer=tf.constant_initializer(0.1)):
        a, _ = tf.nn.bidirectional_dynamic_rnn(
            cells.GRUCell(2), cells.LSTMCell(3), x, sequence_length=tf.constant([1, 3]), dtype=tf.float32
        )
        b, _ = tf.nn.bidirectional_dynamic_rnn(cells.GRUCell(2), cells.LSTMCell(3), x, dtype=tf.float32, scope="other")
    return _with_gradients(tf, [tf.concat(a + b, 2)], x), {}


def unrolled(tf, np):
    x, cells = _sequence(tf, np), tf.nn.rnn_cell
    steps = tf.unstack(x, axis=1)
    with tf.variable_scope("m", initializer=tf.constant_initializer(0.1)):
        a, _ = tf.nn.static_rnn(cells.BasicLSTMCell(2), steps, dtype=tf.float32)
        b, _ = tf.nn.static_rnn(
            cells.GRUCell(2), steps, dtype=tf.float32, sequence_length=tf.constant([1, 3]), scope="q"
        )
        c, _, _ = tf.nn.static_bidirectional_rnn(cells.GRUCell(2), cells.BasicRNNCell(2), steps, dtype=tf.float32)
    return _with_gradients(tf, a + b + c, x), {}


def raw(tf, np):
    inputs = tf.constant(np.arange(24.0).reshape(4, 2, 3) / 10, tf.float32)
    array = tf.TensorArray(tf.float32, 4).unstack(inputs)
    cell = tf.nn.rnn_cell.LSTMCell(3, initializer=tf.constant_initializer(0.2))
    lengths = tf.constant([2, 4])

    def loop(time, output, state, _):
        state = cell.zero_state(2, tf.float32) if output is None else state
        done = time >= lengths
        following = tf.cond(tf.reduce_all(done), lambda: tf.zeros([2, 3]), lambda: array.read(time))
        return done, following, state, output, None

    out = tf.nn.raw_rnn(cell, loop)[0].stack()
    return _with_gradients(tf, [out], inputs), {}


def own_cell(tf, np):
    class Cell(tf.nn.rnn_cell.RNNCell):
        state_size = output_size = 2

        def call(self, inputs, state):
            w = tf.get_variable("w", [5, 2], initializer=tf.constant_initializer(0.2))
            h = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), w))
            return h, h

    x = _sequence(tf, np)
    out, _ = tf.nn.dynamic_rnn(Cell(), x, dtype=tf.float32)
    return _with_gradients(tf, [out], x), {}


def variational_dropout(tf, np):
    tf.set_random_seed(5)
    x = _sequence(tf, np)
    cell = tf.nn.rnn_cell.LSTMCell(3, initializer=tf.constant_initializer(0.2))
    cell = tf.nn.rnn_cell.DropoutWrapper(
        cell, 0.7, 0.6, 0.5, variational_recurrent=True, input_size=tf.TensorShape([3]), dtype=tf.float32, seed=1
    )
    out, _ = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    return _with_gradients(tf, [out], x), {}


PROGRAMS = {name: value for name, value in dict(globals()).items() if callable(value) and name[0] != "_"}
