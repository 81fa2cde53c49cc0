"""tf.summary: ops that make summaries, and the writers of event files.

It may import `framework` and `ops`.

    summary_ops     scalar, histogram, image, audio, text, merge, merge_all
"""
