"""Imports TensorFlow and Keras without TensorFlow's notices on standard error, which none of its settings stops.

Keras reads number and image formats from the user's keras.json, and writes that file if it is missing. While it is
imported, KERAS_HOME names an empty folder, so that the user's file has no effect.
"""

import os
import sys
import tempfile

home = os.environ.get("KERAS_HOME")

with tempfile.TemporaryFile() as notices, tempfile.TemporaryDirectory() as os.environ["KERAS_HOME"]:
    sys.stderr.flush()
    stderr = os.dup(2)
    os.dup2(notices.fileno(), 2)
    try:
        import keras
        import tensorflow as tf
    except BaseException:
        notices.seek(0)  # the notices may explain why the import failed
        os.write(stderr, notices.read())
        raise
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        del os.environ["KERAS_HOME"]
        if home is not None:
            os.environ["KERAS_HOME"] = home

__all__ = ["keras", "tf"]
