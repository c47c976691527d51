"""Transformer layers beside PyTorch's, with the same weights.

    python -m benchmarks.transformer_parity

prints the largest difference of each case, and fails where one is above 1e-5. Padding and causal
masks are on both sides; what padding gives has no meaning and is left out.
"""

import itertools
import sys

import keras
import numpy as np
import torch

from kzoo.layers import (
    FeedForward,
    MultiHeadAttention,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)

LARGEST = 1e-5
BATCH, TIME, SOURCE, SIZE, HEADS, HIDDEN = 3, 17, 11, 64, 4, 96
LENGTHS, SOURCE_LENGTHS = np.array([TIME, 9, 1]), np.array([SOURCE, 4, 7])


def main():
    """Compares every case and returns the exit status."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    x = random.normal(size=(BATCH, TIME, SIZE)).astype("float32")
    memory = random.normal(size=(BATCH, SOURCE, SIZE)).astype("float32")
    failed = False
    for name, difference in itertools.chain(
        attentions(x, memory), encoder_blocks(x), decoder_blocks(x, memory)
    ):
        failed = failed or not difference <= LARGEST
        print(f"{difference:.1e}  {name}")
    return int(failed)


def attentions(x, memory):
    """Yields name and difference of each attention."""
    for causal, use_bias in itertools.product((False, True), repeat=2):
        theirs = torch.nn.MultiheadAttention(SIZE, HEADS, bias=use_bias, batch_first=True)
        shake(theirs)
        ours = MultiHeadAttention(HEADS, SIZE // HEADS, use_bias=use_bias, causal=causal)
        ours.build(x.shape)
        ours.set_weights(attention_weights(theirs))
        expected = theirs(*tensors(x, x, x), **masks(causal), need_weights=False)[0]
        name = f"nn.MultiheadAttention, causal={causal}, bias={use_bias}"
        yield name, compare(ours(x, mask=counts(LENGTHS, TIME)), expected)
    theirs = torch.nn.MultiheadAttention(SIZE, HEADS, batch_first=True)
    shake(theirs)
    ours = MultiHeadAttention(HEADS, SIZE // HEADS)
    ours.build(x.shape, memory.shape)
    ours.set_weights(attention_weights(theirs))
    mask = counts(SOURCE_LENGTHS, SOURCE)
    padding = torch.from_numpy(~mask)
    expected, weights = theirs(
        *tensors(x, memory, memory), key_padding_mask=padding, average_attn_weights=False
    )
    outputs, alignments = ours.recall(x, ours.remember(memory), mask)
    yield "nn.MultiheadAttention to a memory", compare(outputs, expected)
    yield "its weights", float(np.abs(alignments - weights.detach().numpy()).max())


def encoder_blocks(x):
    """Yields name and difference of each encoder block."""
    for activation, first in itertools.product(("relu", "gelu"), (False, True)):
        options = dict(activation=activation, norm_first=first, batch_first=True, dropout=0.0)
        theirs = torch.nn.TransformerEncoderLayer(SIZE, HEADS, HIDDEN, **options)
        shake(theirs)
        attention = MultiHeadAttention(HEADS, SIZE // HEADS)
        ours = TransformerEncoderBlock(
            attention, FeedForward(HIDDEN, activation), normalize_first=first
        )
        ours.build(x.shape)
        attention.set_weights(attention_weights(theirs.self_attn))
        ours.feed_forward.set_weights(dense_weights(theirs.linear1, theirs.linear2))
        ours.attention_normalization.set_weights(norm_weights(theirs.norm1))
        ours.feed_forward_normalization.set_weights(norm_weights(theirs.norm2))
        padding = torch.from_numpy(~counts(LENGTHS, TIME))
        expected = theirs(*tensors(x), src_key_padding_mask=padding)
        name = f"nn.TransformerEncoderLayer, {activation}, norm_first={first}"
        yield name, compare(ours(x, mask=counts(LENGTHS, TIME)), expected)


def decoder_blocks(x, memory):
    """Yields name and difference of each decoder block."""
    for activation, first in itertools.product(("relu", "gelu"), (False, True)):
        options = dict(activation=activation, norm_first=first, batch_first=True, dropout=0.0)
        theirs = torch.nn.TransformerDecoderLayer(SIZE, HEADS, HIDDEN, **options)
        shake(theirs)
        head_dim = SIZE // HEADS
        ours = TransformerDecoderBlock(
            MultiHeadAttention(HEADS, head_dim, causal=True),
            FeedForward(HIDDEN, activation),
            MultiHeadAttention(HEADS, head_dim),
            normalize_first=first,
        )
        ours.build(x.shape, memory.shape)
        ours.attention.set_weights(attention_weights(theirs.self_attn))
        ours.cross_attention.set_weights(attention_weights(theirs.multihead_attn))
        ours.feed_forward.set_weights(dense_weights(theirs.linear1, theirs.linear2))
        ours.attention_normalization.set_weights(norm_weights(theirs.norm1))
        ours.cross_normalization.set_weights(norm_weights(theirs.norm2))
        ours.feed_forward_normalization.set_weights(norm_weights(theirs.norm3))
        mask, memory_mask = counts(LENGTHS, TIME), counts(SOURCE_LENGTHS, SOURCE)
        expected = theirs(
            *tensors(x, memory),
            tgt_mask=hidden_future(),
            tgt_key_padding_mask=torch.from_numpy(~mask),
            memory_key_padding_mask=torch.from_numpy(~memory_mask),
        )
        outputs = ours(x, memory, mask=mask, memory_mask=memory_mask)
        name = f"nn.TransformerDecoderLayer, {activation}, norm_first={first}"
        yield name, compare(outputs, expected)


def shake(module):
    """Gives every weight a random value: PyTorch's biases begin as zeros."""
    module.eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)


def attention_weights(module):
    """Returns the weights of an `nn.MultiheadAttention` in kzoo's order."""
    kernels = np.split(module.in_proj_weight.detach().numpy(), 3)
    biases = [] if module.in_proj_bias is None else np.split(module.in_proj_bias.detach(), 3)
    found = []
    for index, kernel in enumerate(kernels):
        found += [kernel.T, *[np.asarray(bias) for bias in biases[index : index + 1]]]
    return found + dense_weights(module.out_proj)


def dense_weights(*modules):
    """Returns kernels and biases of `nn.Linear`s."""
    found = []
    for module in modules:
        found += [weight.detach().numpy().T for weight in module.parameters()]
    return found


def norm_weights(module):
    """Returns the scale and the offset of an `nn.LayerNorm`."""
    return [module.weight.detach().numpy(), module.bias.detach().numpy()]


def counts(lengths, time):
    """Returns the mask `(batch, time)` of rows of these lengths."""
    return np.arange(time) < lengths[:, None]


def hidden_future():
    """Returns True where a step must not look."""
    return torch.triu(torch.ones(TIME, TIME, dtype=torch.bool), 1)


def masks(causal):
    """Returns PyTorch's masks for the inputs."""
    padding = torch.from_numpy(~counts(LENGTHS, TIME))
    return {"key_padding_mask": padding, "attn_mask": hidden_future() if causal else None}


def tensors(*arrays):
    """Returns PyTorch's tensors."""
    return [torch.from_numpy(array) for array in arrays]


def compare(ours, theirs):
    """Returns the largest difference where rows have no padding."""
    difference = np.abs(keras.ops.convert_to_numpy(ours) - theirs.detach().numpy())
    return float(difference[counts(LENGTHS, TIME)].max())


if __name__ == "__main__":
    sys.exit(main())
