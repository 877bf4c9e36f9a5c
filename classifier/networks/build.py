"""The readers as plain Keras models, from built-in layers only, so that they load without this package.

All take images (N, H, W, 1) float32 in [-1, 1] and give scores before softmax. `grid`: (N, ceil(H/4), ceil(W/4),
alphabet + 1), each cell scores the character centred in it, the last index for none. `four-head`: (N, length,
alphabet), the original's network, one position after the other. `ctc`: (N, ceil(W/4), alphabet + 1), each column
scores the character there, the last index for none; see `classifier.networks.ctc`. Training is left to `model`.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers

from classifier.networks.head import STRIDE, NetworkName
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe

PRIOR = 0.02  # share of cells with a character that training starts from (Lin et al. 2017, focal loss, section 4.1)
MOMENTUM = 0.9  # 0.99 leaves the statistics behind for hundreds of steps


def build(name: NetworkName, recipe: Recipe, *, width: int, depth: int) -> keras.Model:
    """A new network for ``recipe``; ``width`` (channels) and ``depth`` (convolutions) shape all but `four-head`.

    Raises ModelError for a four-head network where the recipe's texts vary in length, and for ctc where they may need
    more columns than there are.
    """
    if name == "grid":
        return grid(recipe.shape, len(recipe.alphabet), width=width, depth=depth)
    if name == "ctc":
        _check_columns(recipe)
        return ctc(recipe.shape, len(recipe.alphabet), width=width, depth=depth)
    if recipe.length_range[0] != recipe.length_range[1]:
        raise ModelError(
            f"expected a fixed length for a four-head network, received {recipe.length_range}; use --network grid",
            recipe.length_range,
        )
    return four_head(recipe.shape, len(recipe.alphabet), recipe.length_max)


def grid(shape: tuple[int, int], characters: int, *, width: int, depth: int) -> keras.Model:
    """Stride 4, then residual pairs at stride 8 with twice the channels, joined again at stride 4.

    Wide convolutions at low resolution are what CPUs do best; at stride 8 each widens the view by 16 px, so that two
    pairs see a whole glyph and its neighbours. Coarse channels are halved before they are joined: the last convolution
    would else be a third of all work. A bias for each cell lets the network know where fixed lines lie.
    """
    images = keras.Input((*shape, 1), name="images")
    scores = layers.Conv2D(characters + 1, 1, name="scores")
    network = keras.Model(images, scores(_features(images, width, depth)), name="grid")
    scores.bias.assign([0.0] * characters + [math.log(characters * (1 - PRIOR) / PRIOR)])
    return network


def ctc(shape: tuple[int, int], characters: int, *, width: int, depth: int) -> keras.Model:
    """The grid's features, each column of cells made one position of a sequence."""
    images = keras.Input((*shape, 1), name="images")
    cells = _features(images, width, depth)
    height, columns = cells.shape[1:3]
    column = layers.Conv2D(2 * width, (height, 1), use_bias=False)(cells)
    column = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(column))
    scores = layers.Conv2D(characters + 1, 1)(column)
    return keras.Model(images, layers.Reshape((columns, characters + 1), name="scores")(scores), name="ctc")


def _features(images: Any, width: int, depth: int) -> Any:
    """Cells (N, ceil(H/4), ceil(W/4), width) of images (N, H, W, 1)."""
    fine = _convolution(_convolution(images, width // 2, stride=2), width, stride=2)
    fine = layers.ReLU()(_add_place(fine, width))
    coarse = _convolution(fine, 2 * width, stride=2)
    for _ in range(max(1, depth // 2)):
        coarse = _residual(coarse, 2 * width)
    coarse = layers.Conv2D(width, 1, use_bias=False)(coarse)
    return _convolution(_joined(fine, coarse), width, padding="valid")


def _check_columns(recipe: Recipe) -> None:
    columns = -(-recipe.shape[1] // STRIDE)
    if 2 * recipe.length_max - 1 > columns:
        raise ModelError(
            f"a ctc network needs {2 * recipe.length_max - 1} columns of {STRIDE} px for {recipe.length_max} equal "
            f"characters, the canvas has {columns}; use --network grid or a wider canvas",
            recipe.length_max,
        )


def four_head(shape: tuple[int, int], characters: int, length: int) -> keras.Model:
    """The original's: 32 then 4 x 128 convolutions with pooling, dropout, one dense layer, a head for each position."""
    images = keras.Input((*shape, 1), name="images")
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(images)
    for _ in range(4):
        x = layers.Conv2D(128, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(layers.Dropout(0.25)(x))
    x = layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))
    heads = layers.Dense(length * characters, name="heads")(x)
    return keras.Model(images, layers.Reshape((length, characters), name="scores")(heads), name="four-head")


def is_grid(network: keras.Model) -> bool:
    """Whether the network's scores lie on a grid (rank 4) or belong to positions or columns (rank 3)."""
    return len(network.output_shape) == 4


def _convolution(x: Any, channels: int, *, stride: int = 1, active: bool = True, padding: str = "same") -> Any:
    x = layers.Conv2D(channels, 3, stride, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM)(x)
    return layers.ReLU()(x) if active else x


def _residual(x: Any, channels: int) -> Any:
    change = _convolution(_convolution(x, channels), channels, active=False)
    return layers.ReLU()(layers.Add()([x, change]))


def _add_place(x: Any, channels: int) -> Any:
    """A 1x1 convolution whose bias differs from cell to cell."""
    height, width = x.shape[1:3]
    return layers.EinsumDense("nhwc,cd->nhwd", (height, width, channels), bias_axes="hwd")(x)


def _joined(fine: Any, coarse: Any) -> Any:
    """The sum of ``fine`` and ``coarse``, each cell of that doubled in both directions, with a margin of one cell.

    Where ``fine`` has an odd side the doubled cells reach into the margin: to crop them would cost a tenth of a step.
    """
    doubled = layers.UpSampling2D(2)(coarse)
    over = [doubled.shape[axis] - fine.shape[axis] for axis in (1, 2)]
    margins = ((1, 1 - over[0]), (1, 1 - over[1]))
    return layers.Add()([layers.ZeroPadding2D(1)(fine), layers.ZeroPadding2D(margins)(doubled)])
