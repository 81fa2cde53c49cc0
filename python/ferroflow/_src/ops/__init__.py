"""The ops as functions: one short function a public op of TensorFlow, making the nodes that TensorFlow makes.

It may import nothing of `ferroflow._src` but `framework`, `proto` and itself. From the bottom up (a module may import
those above it):

    arguments            arguments with an old and a new name
    array                shapes, layout, filled tensors
    indexing, segments   gather, where, masks, repetition, scatters; segments
    spaces               batch, space and depth; patches; quantized numbers
    elementwise, math    functions of each element; casts, ranges, sums of several tensors
    reductions           sums and others along dimensions, argmax, running sums
    checks, clip         assertions; clipping
    state                updates of variables
    random               random numbers
    linalg, einsum       matrices; products over chosen dimensions
    activations, nn      activations, softmax; biases, dropout, cross entropies
    sorting, normalization, conv, convolution, pool
    sparse, histograms   sparse tensors; histograms, confusion matrices
    embedding, sampling  tables of rows; candidates in place of all classes
    strings, logging, io, image, tensor_array, functional
"""
