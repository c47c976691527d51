"""What every tokenizer that also runs inside a TensorFlow graph has: one module with its tables."""

import functools

from kzoo.text.saved import Saved


class GraphTokenizer(Saved):
    """Base of tokenizers with a path of TensorFlow operations; subclasses build the module."""

    @functools.cached_property
    def graph_module(self):
        """The `tf.Module` that owns the tables of `tokenize_graph` and `call_graph`.

        A SavedModel needs it: assign it to an attribute of the object that is saved.
        """
        import tensorflow as tf

        with tf.init_scope():
            module = tf.Module()
            self._build_graph(module)
        return module

    def _build_graph(self, module):
        """Attach what the path needs to the module."""
        raise NotImplementedError
