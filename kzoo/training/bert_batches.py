"""Batches of texts for a fine-tuned BERT."""

import numpy as np

from kzoo.training.batches import BucketedBatches


class BertBatches(BucketedBatches):
    """`BucketedBatches` with the three inputs of `kzoo.models.bert`, of single texts.

    A batch is `(inputs, labels)`: the inputs are `ids`, `mask` (1, and 0 at padding) and
    `segment_ids` (all 0), each int32 `(batch, length)`, and the labels `(batch,)`. The arguments
    are those of `BucketedBatches`. A sequence begins with `[CLS]` and ends with `[SEP]`, as a row
    of `kzoo.text.BertTokenizer` does, and is not padded.

    Example:

    >>> batches = BertBatches([[2, 7, 8, 9, 3], [2, 3]], [1, 0])
    >>> inputs, labels = batches[0]
    >>> inputs["ids"].tolist()
    [[2, 7, 8, 9, 3, 0, 0, 0], [2, 3, 0, 0, 0, 0, 0, 0]]
    >>> inputs["mask"].sum(axis=1).tolist(), labels.tolist()
    ([5, 2], [1, 0])
    """

    def __getitem__(self, index):
        """Returns `(inputs, labels)` of a batch; inputs are int32 `(batch, length)`."""
        ids, labels = super().__getitem__(index)
        (length,), rows = self.batches[index]
        lengths = np.array([len(self.sequences[row]) for row in rows])
        mask = (np.arange(length) < lengths[:, None]).astype("int32")
        return {"ids": ids, "mask": mask, "segment_ids": np.zeros_like(ids)}, labels
