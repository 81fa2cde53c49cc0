"""Runs snippets that do wrong things and says what each raised. Runs under TensorFlow 1.15 (Python 3.7) too.

A file of snippets is divided by lines that begin with `# ---`. In a snippet `t(f)` calls `f` and notes what it raised;
`tf` and `np` are there, the working directory is an empty one, and the default graph is new.
"""

import contextlib
import io
import os
import re
import tempfile
import warnings


def outcome(f):
    """`OK`, or the class and the message of what `f` raises, without what differs from machine to machine."""
    try:
        f()
    except Exception as error:
        return "%s | %s" % (type(error).__name__, normal(str(error)))
    return "OK"


def normal(message):
    message = re.split(r"\n+Original stack trace|\n+Errors may have originated", message)[0]
    message = message.split(" Originally defined at:")[0]
    message = re.sub(r"0x[0-9a-f]+", "0x", message)
    message = re.sub(r" ?\(defined at [^)]*\) ?", " (defined at) ", message)
    message = message.replace(", /job:localhost/replica:0/task:0/device:XLA_CPU:0", "")
    message = re.sub(r"'_\d+_", "'_N_", message)  # a queue without a shared name: how many there were in the process
    message = re.sub(r"\bpyfunc_\d+", "pyfunc_N", message)
    message = re.sub(r"<class '[\w.]*\.(\w+)'>", r"<class '\1'>", message)
    return re.sub(r"[ \t]+", " ", message.replace(os.getcwd(), ".")).strip()


def run(tf, np, text):
    """[[outcome of each t() of a snippet] for each snippet]; a snippet that fails outside of t() ends with that."""
    found = []
    home = os.getcwd()
    for snippet in re.split(r"^# ---.*\n", text, flags=re.M):
        if not snippet.strip():
            continue
        noted = []
        tf.reset_default_graph()
        names = {"tf": tf, "np": np, "t": lambda f: noted.append(outcome(f)), "__name__": "snippet"}
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                    warnings.simplefilter("ignore")
                    end = outcome(lambda: exec(compile(snippet, "snippet.py", "exec"), names))
                if end != "OK":
                    noted.append("snippet: " + end)
            finally:
                os.chdir(home)
        found.append(noted)
    return found
