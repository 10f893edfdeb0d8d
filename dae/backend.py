"""TensorFlow and Keras, imported without TensorFlow's notices on standard error, which no setting of its own stops."""

import os
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with tempfile.TemporaryFile() as notices:
    sys.stderr.flush()
    stderr = os.dup(2)
    os.dup2(notices.fileno(), 2)
    try:
        import keras
        import tensorflow as tf
    except BaseException:
        notices.seek(0)
        os.write(stderr, notices.read())
        raise
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)

__all__ = ["keras", "tf"]
