"""Variables under control dependencies do what a plain program does, by reference and by resource."""

import ferroflow as tf
import numpy as np
from hypothesis import given, settings, strategies as st

SETTINGS = settings(max_examples=80, deadline=None)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["assign", "add", "sub", "copy", "row", "read"]),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(-5, 5),
    ),
    min_size=1,
    max_size=12,
)


@SETTINGS
@given(STEPS, st.booleans())
def test_a_chain_of_updates_is_a_plain_program(steps, use_resource):
    plain = [np.full(3, float(i)) for i in range(3)]
    seen, reads, last = [], [], []
    with tf.Graph().as_default(), tf.Session() as session:
        variables = [tf.Variable(np.full(3, float(i)), use_resource=use_resource) for i in range(3)]
        for kind, i, j, amount in steps:
            variable = variables[i]
            with tf.control_dependencies(last):
                if kind == "assign":
                    op = variable.assign(np.full(3, float(amount))).op
                    plain[i] = np.full(3, float(amount))
                elif kind == "add":
                    op = variable.assign_add(np.full(3, float(amount))).op
                    plain[i] = plain[i] + amount
                elif kind == "sub":
                    op = variable.assign_sub(np.full(3, float(amount))).op
                    plain[i] = plain[i] - amount
                elif kind == "copy":
                    op = variable.assign(variables[j].read_value() * 2.0).op
                    plain[i] = plain[j] * 2
                elif kind == "row":
                    op = tf.scatter_add(variable, [1], [float(amount)]).op
                    plain[i] = plain[i] + [0, amount, 0]
                else:
                    # One more number is added, so that what is fetched is no reference to the variable.
                    reads.append(variable.read_value() + 1.0)
                    seen.append(plain[i] + 1)
                    op = reads[-1].op
            last = [op]
        session.run(tf.global_variables_initializer())
        got = session.run([*reads, last[0]])[:-1]
        np.testing.assert_allclose(got, seen) if seen else None
        for variable, wanted in zip(variables, plain, strict=True):
            np.testing.assert_allclose(session.run(variable), wanted)


@SETTINGS
@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=8),
    st.floats(0.01, 0.999),
    st.none() | st.integers(0, 50),
    st.booleans(),
)
def test_a_moving_average_follows_its_recurrence(values, decay, num_updates, use_resource):
    shadow = values[0]
    rate = decay if num_updates is None else min(decay, (1 + num_updates) / (10 + num_updates))
    with tf.Graph().as_default(), tf.Session() as session:
        variable = tf.Variable(values[0], dtype=tf.float64, use_resource=use_resource)
        average = tf.train.ExponentialMovingAverage(decay, num_updates)
        update = average.apply([variable])
        session.run(tf.global_variables_initializer())
        for value in values:
            variable.load(value, session)
            session.run(update)
            shadow -= (1 - np.float32(rate).astype(np.float64) if num_updates is not None else 1 - decay) * (shadow - value)
            np.testing.assert_allclose(session.run(average.average(variable)), shadow, rtol=1e-5, atol=1e-6)


@SETTINGS
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), st.booleans()), max_size=12))
def test_names_stay_unique_and_scopes_enclose(calls):
    with tf.Graph().as_default() as graph:
        for scope, name, nested in calls:
            with tf.name_scope(scope) as opened:
                made = [tf.constant(1, name=name)]
                if nested:
                    with tf.name_scope(name):
                        made.append(tf.no_op(name=scope))
            assert all(x.name.startswith(opened) for x in made)
        names = [op.name for op in graph.get_operations()]
        assert len(names) == len(set(names))
        assert all(graph.get_operation_by_name(name).name == name for name in names)
