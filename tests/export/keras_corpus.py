"""Plain Keras models with recurrent layers, in the style of public tutorials.

Nothing here is of kzoo. Each function returns a model that was never trained; weights are random.
"""

import keras
from keras import layers, ops

WORDS = 50


def lstm_sentiment():
    """Embedding, LSTM, one probability."""
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="words"),
            layers.Embedding(WORDS, 16),
            layers.LSTM(32, dropout=0.2, recurrent_dropout=0.2),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def stacked_gru_forecast():
    """Three GRU layers over measurements; the next value."""
    return keras.Sequential(
        [
            keras.Input((None, 5), name="measurements"),
            layers.GRU(16, return_sequences=True),
            layers.GRU(16, return_sequences=True, reset_after=False),
            layers.GRU(16),
            layers.Dense(1),
        ]
    )


def masked_bidirectional_tagger():
    """Padded words, a bidirectional LSTM, a tag for each word."""
    words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(WORDS, 16, mask_zero=True)(words)
    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
    x = layers.SpatialDropout1D(0.1)(x)
    tags = layers.TimeDistributed(layers.Dense(7, activation="softmax"), name="tags")(x)
    return keras.Model(words, tags)


def text_generation():
    """A SimpleRNN that gives the odds of the next character at each step."""
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32", name="characters"),
            layers.Embedding(WORDS, 16),
            layers.SimpleRNN(32, return_sequences=True),
            layers.Dense(WORDS, activation="softmax"),
        ]
    )


def stateful_forecast():
    """A stateful LSTM with a fixed batch, as in forecasts of one long series."""
    return keras.Sequential(
        [
            keras.Input(batch_shape=(2, None, 1), name="series"),
            layers.LSTM(16, stateful=True, return_sequences=True),
            layers.LSTM(8, stateful=True),
            layers.Dense(1),
        ]
    )


def encoder_decoder():
    """The states of the encoder start the decoder (training form, with teacher forcing)."""
    source = keras.Input((None, 12), name="source")
    target = keras.Input((None, 9), name="target")
    _, hidden, carry = layers.LSTM(24, return_state=True, name="encoder")(source)
    decoder = layers.LSTM(24, return_sequences=True, return_state=True, name="decoder")
    x, _, _ = decoder(target, initial_state=[hidden, carry])
    return keras.Model([source, target], layers.Dense(9, activation="softmax", name="odds")(x))


def decoder_step():
    """The decoder of a trained encoder-decoder, with its states as inputs and outputs."""
    target = keras.Input((None, 9), name="target")
    states = [keras.Input((24,), name="hidden"), keras.Input((24,), name="carry")]
    decoder = layers.LSTM(24, return_sequences=True, return_state=True, name="decoder")
    x, *states_out = decoder(target, initial_state=states)
    odds = layers.Dense(9, activation="softmax", name="odds")(x)
    return keras.Model([target, *states], [odds, *states_out])


def ticket_triage():
    """Title, body and tags; priority and department."""
    title = keras.Input((None,), dtype="int32", name="title")
    body = keras.Input((None,), dtype="int32", name="body")
    tags = keras.Input((6,), name="tags")
    title_features = layers.LSTM(16)(layers.Embedding(WORDS, 16, mask_zero=True)(title))
    body_features = layers.GRU(8)(layers.Embedding(WORDS, 16)(body))
    x = layers.concatenate([title_features, body_features, tags])
    priority = layers.Dense(1, activation="sigmoid", name="priority")(x)
    department = layers.Dense(4, activation="softmax", name="department")(x)
    return keras.Model([title, body, tags], [priority, department])


def video_classifier():
    """A small convolutional network for every frame, an LSTM over the frames."""
    frames = keras.Input((None, 12, 12, 3), name="frames")
    image = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
        ],
        name="image_network",
    )
    x = layers.TimeDistributed(image)(frames)
    x = layers.LSTM(16)(x)
    return keras.Model(frames, layers.Dense(3, activation="softmax")(x))


def convolution_gru():
    """Strided convolution over a signal, then a GRU."""
    signal = keras.Input((None, 4), name="signal")
    x = layers.Conv1D(16, 5, strides=2, padding="same", activation="relu")(signal)
    x = layers.BatchNormalization()(x)
    x = layers.GRU(16)(x)
    return keras.Model(signal, layers.Dense(6, activation="softmax")(x))


def mixed_precision_lstm():
    """An LSTM under the policy mixed_float16, with a float32 head."""
    words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(WORDS, 16, mask_zero=True, dtype="mixed_float16")(words)
    x = layers.LSTM(32, dtype="mixed_float16")(x)
    return keras.Model(words, layers.Dense(3, activation="softmax", dtype="float32")(x))


def merge_modes():
    """Bidirectional layers of every kind, one after the other."""
    x = features = keras.Input((None, 6), name="features")
    for merge_mode in ("concat", "sum", "mul"):
        recurrent = layers.GRU(12, return_sequences=True)
        x = layers.Bidirectional(recurrent, merge_mode=merge_mode)(x)
    x = layers.Bidirectional(layers.SimpleRNN(12), merge_mode="ave")(x)
    return keras.Model(features, layers.Dense(2)(x))


def stacked_cells():
    """`RNN` over several cells at once, with padded words."""
    words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(WORDS, 16, mask_zero=True)(words)
    x = layers.RNN([layers.LSTMCell(16), layers.GRUCell(12), layers.SimpleRNNCell(8)])(x)
    return keras.Model(words, layers.Dense(2, activation="softmax")(x))


def nested_encoder():
    """One text encoder, a model of its own, for two texts; their likeness."""
    words = keras.Input((None,), dtype="int32")
    x = layers.Embedding(WORDS, 16, mask_zero=True)(words)
    encoder = keras.Model(words, layers.Bidirectional(layers.LSTM(8))(x), name="encoder")
    left = keras.Input((None,), dtype="int32", name="left")
    right = keras.Input((None,), dtype="int32", name="right")
    likeness = layers.Dot(1, normalize=True, name="likeness")([encoder(left), encoder(right)])
    return keras.Model([left, right], likeness)


def autoencoder():
    """An LSTM writes 10 steps into one vector, another reads them back."""
    return keras.Sequential(
        [
            keras.Input((10, 3), name="window"),
            layers.LSTM(16, activation="relu"),
            layers.RepeatVector(10),
            layers.LSTM(16, activation="relu", return_sequences=True),
            layers.TimeDistributed(layers.Dense(3)),
        ]
    )


def gru_attention():
    """Additive attention of the last state over all outputs of a GRU."""
    words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(WORDS, 16)(words)
    outputs, state = layers.GRU(16, return_sequences=True, return_state=True)(x)
    query = ops.expand_dims(state, 1)
    context = layers.AdditiveAttention()([query, outputs])
    x = layers.concatenate([ops.squeeze(context, 1), state])
    return keras.Model(words, layers.Dense(2, activation="softmax")(x))


def backwards_unrolled():
    """Right to left, with the loop unrolled over a known number of steps."""
    features = keras.Input((8, 4), name="features")
    x = layers.LSTM(12, go_backwards=True, unroll=True, return_sequences=True)(features)
    x = layers.LSTM(12, go_backwards=True)(x)
    return keras.Model(features, layers.Dense(2)(x))


CORPUS = {
    build.__name__: build
    for build in (
        lstm_sentiment,
        stacked_gru_forecast,
        masked_bidirectional_tagger,
        text_generation,
        stateful_forecast,
        encoder_decoder,
        decoder_step,
        ticket_triage,
        video_classifier,
        convolution_gru,
        mixed_precision_lstm,
        merge_modes,
        stacked_cells,
        nested_encoder,
        autoencoder,
        gru_attention,
        backwards_unrolled,
    )
}


def build_model(name):
    """The named model, with weights that tell every gate and every unit from the others."""
    keras.utils.set_random_seed(sorted(CORPUS).index(name))
    model = CORPUS[name]()
    for weight in model.trainable_weights:
        if len(weight.shape) == 1:
            weight.assign(keras.random.normal(weight.shape, stddev=0.1))
    return model
