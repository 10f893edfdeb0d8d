"""Imports TensorFlow and Keras without TensorFlow's notices on standard error, which none of its settings stops.

Keras reads number and image formats from the user's keras.json, and writes that file if it is missing. While it is
imported, KERAS_HOME names an empty folder, so that the user's file has no effect.

The import takes half of its usual time: packages for parts of Keras that nothing here uses are hidden from it, and the
garbage collector does not look through the 300,000 objects that it makes, which all stay.
"""

import gc
import os
import sys
import tempfile

UNUSED = ("matplotlib", "pandas", "sklearn")  # Keras does without them

home = os.environ.get("KERAS_HOME")
hidden = [package for package in UNUSED if package not in sys.modules]

with tempfile.TemporaryFile() as notices, tempfile.TemporaryDirectory() as os.environ["KERAS_HOME"]:
    sys.stderr.flush()
    stderr = os.dup(2)
    os.dup2(notices.fileno(), 2)
    for package in hidden:  # an import of None fails as if the package were not installed
        sys.modules[package] = None  # type: ignore[assignment]
    gc.disable()
    try:
        import keras
        import tensorflow as tf
    except BaseException:
        notices.seek(0)  # the notices may explain why the import failed
        os.write(stderr, notices.read())
        raise
    finally:
        gc.freeze()
        gc.enable()
        for package in hidden:
            del sys.modules[package]
        os.dup2(stderr, 2)
        os.close(stderr)
        del os.environ["KERAS_HOME"]
        if home is not None:
            os.environ["KERAS_HOME"] = home

__all__ = ["keras", "tf"]
