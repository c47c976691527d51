"""Several models as one."""

import keras


def ensemble(members, name="ensemble"):
    """Builds the mean of models that map the same inputs to the same classes.

        p(y|x) = sum_m p_m(y|x) / M

    Members that were trained from other seeds err on other inputs; the mean of their probabilities
    errs on fewer, and knows better how sure it is.

    Source: Lakshminarayanan, Pritzel and Blundell 2017, "Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles" (arXiv 1612.01474), section 2.4.

    Args:
        members: List of `keras.Model`s with the same inputs, one output, and names of their own.
            Of chains (`kzoo.layers.CRF`) the mean is that of their potentials.
        name: Name of the model.

    Returns:
        A `keras.Model` with the inputs and the output of each; with one member, that member.

    Raises:
        ValueError: there are no members, or two have the same name.

    Example:

    >>> import kzoo
    >>> sizes = {"vocabulary_size": 50, "num_classes": 2, "units": 8}
    >>> members = [kzoo.create_model("text_sru", name=f"member_{i}", **sizes) for i in range(2)]
    >>> ensemble(members).output_shape
    (None, 2)
    """
    if not members:
        raise ValueError("`members` must hold at least one model. Received: an empty list")
    if len({member.name for member in members}) < len(members):
        raise ValueError(
            f"`members` must have different names. Received: {[member.name for member in members]}"
        )
    if len(members) == 1:
        return members[0]
    # Layers
    average = keras.layers.Average(name=members[0].output_names[0])
    # Wiring
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(x.shape[1:], dtype=x.dtype, name=x.name), members[0].input
    )
    return keras.Model(inputs, average([member(inputs) for member in members]), name=name)
