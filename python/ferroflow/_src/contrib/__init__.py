"""The parts of tf.contrib that programs use. It may import all below it: framework, ops, layers, losses, training.

framework/   arg_scope, variables of models, checks
layers/      regularizers, initializers, layers in contrib's manner
"""
