"""The tests of export need Keras on TensorFlow."""

import keras

collect_ignore = [] if keras.backend.backend() == "tensorflow" else ["test_tflite.py"]
