"""The base of the LSTM's relatives: sigmoid gates, and a forget gate that starts open."""

from keras import ops

from kzoo.layers.cell import KernelCell


class GatedCell(KernelCell):
    """Base of cells whose gates are sigmoids and of which one gate forgets; the state is `[h, c]`.

    Args:
        units: Positive integer, the width of the state.
        forget_bias: What is added to the initial bias of the forget gate, so that the cell starts
            by remembering (Gers et al. 2000; Jozefowicz et al. 2015).
        **kwargs: The other arguments of `KernelCell`.
    """

    forget_gate = 1

    def __init__(self, units, forget_bias=1.0, **kwargs):
        super().__init__(units, **kwargs)
        self.state_size = [units, units]
        self.forget_bias = forget_bias

    def build(self, input_shape):
        """Creates the weights of `KernelCell.build`, and adds `forget_bias` to the forget gate."""
        super().build(input_shape)
        if self.use_bias:
            bias = ops.convert_to_tensor(self.bias)
            columns = ops.arange(bias.shape[0]) // (bias.shape[0] // self.gates)
            self.bias.assign(ops.where(columns == self.forget_gate, bias + self.forget_bias, bias))

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "forget_bias": self.forget_bias}
