"""The two networks of SimGAN, from built-in Keras layers only, so that a saved one loads without this package.

Both take images (N, H, W, 1) float32 in [-1, 1]. Here stands what they are; `simgan` says how they learn.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from gan.config import Config

Shape = tuple[int, int]

HASHES, STYLES = 8, 2
STEEP = 1e4
FLOOR = 8.0
HASTE = 10.0


def build_refiner(shape: Shape, config: Config, open_px: int = 0) -> keras.Model:
    """Images (N, H, W, 1) to refined ones, not yet clipped or cut: `shown` makes the network that is saved.

    The modern one opens its result as ``open_px`` of the recipe's `Binarize` says: as real images are, so must these.
    """
    image = keras.Input((*shape, 1), name="image")
    if config.architecture == "paper":
        refined = _paper_refiner(image, config)
    else:
        refined = _opened(_modern_refiner(image, config), open_px)
    return keras.Model(image, refined, name="refiner")


def build_discriminator(config: Config) -> keras.Model:
    """Images (N, h, w, 1) of any size to logits (N, h', w', 1 or 2), linear, one patch a position.

    One channel: above 0 means real. Two: the classes refined and real, as in the paper; see `losses.realness`.
    """
    image = keras.Input((None, None, 1), name="image")
    logits = (
        _paper_discriminator(image, config) if config.architecture == "paper" else _modern_discriminator(image, config)
    )
    return keras.Model(image, logits, name="discriminator")


def shown(refiner: keras.Model, config: Config) -> keras.Model:
    """``refiner`` (its weights shared) with its output held in [-1, 1]: what `refiner.keras` contains.

    Of the modern one both sides of 0 are all that counts: two-valued images, as the real ones are.
    """
    output = layers.Rescaling(STEEP)(refiner.output) if config.architecture == "modern" else refiner.output
    return keras.Model(refiner.input, layers.Activation("hard_tanh")(output), name="refiner")


def _paper_refiner(image: Any, config: Config) -> Any:
    """Section 3 of the paper: a convolution, residual blocks, a 1x1 convolution with tanh."""
    x = layers.Conv2D(config.features, 3, padding="same", activation="relu")(image)
    for _ in range(config.blocks):
        x = _block(x, config.features)
    return layers.Conv2D(1, 1, activation="tanh")(x)


def _modern_refiner(image: Any, config: Config) -> Any:
    """How far a pixel is from changing sides: a level that starts with the image's own signs, plus a learnt change.

    The change is a convolutional one, computed at half resolution where convolutions are cheaper, and one of each
    pixel's own, for what stands at the same place in all images. Both start at zero and know some noise.
    """
    height, width = image.shape[1:3]
    odd = (height % 2, width % 2)
    noise, style = _noise((height, width), config)(image)
    x = layers.Concatenate()([image, noise])
    x = _space_to_depth(layers.ZeroPadding2D(((0, odd[0]), (0, odd[1])))(x))
    x = layers.Conv2D(config.features, 3, padding="same", activation="relu")(
        layers.Concatenate()([x, _everywhere(style, x.shape[1:3])])
    )
    for _ in range(config.blocks):
        x = _block(x, config.features)
    change = _depth_to_space(layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros")(x))
    own = layers.EinsumDense("nyxc,yxc->nyx", (height, width), bias_axes="yx", kernel_initializer="zeros")(noise)
    own = layers.Rescaling(HASTE)(own)
    parts = [_level(image), layers.Cropping2D(((0, odd[0]), (0, odd[1])))(change), layers.Reshape((height, width, 1))(own)]
    return layers.Add()(parts)


def _level(image: Any) -> Any:
    """0.2 on ink at an edge, 0.6 one pixel from it, 1 farther inside, and the same below 0 on the ground.

    So a small change moves an edge, while it takes a large one to break a stroke or to put ink far from any.
    """
    grown, shrunk = [image], [layers.Rescaling(-1.0)(image)]
    for _ in range(2):
        grown.append(layers.MaxPooling2D(3, strides=1, padding="same")(grown[-1]))
        shrunk.append(layers.MaxPooling2D(3, strides=1, padding="same")(shrunk[-1]))
    return layers.Average()([*grown, *(layers.Rescaling(-1.0)(x) for x in shrunk[1:])])


def _opened(levels: Any, side_px: int) -> Any:
    """Morphological opening: each square's minimum, then the maximum over the squares that cover a pixel."""
    if side_px < 2:
        return levels
    lowest = layers.MaxPooling2D(side_px, strides=1)(layers.Rescaling(-1.0)(levels))
    squares = layers.ZeroPadding2D(side_px - 1)(layers.Rescaling(-1.0, FLOOR)(lowest))  # beyond the edge lies ground
    return layers.Rescaling(1.0, -FLOOR)(layers.MaxPooling2D(side_px, strides=1)(squares))


def _noise(shape: Shape, config: Config) -> keras.Model:
    """Images (N, H, W, 1) to noise (N, H, W, 1) and styles (N, `STYLES`) in [-1, 1], a hash of the image.

    A saved refiner gives an image the same result each time, and yet two images of one text need not change alike.
    The first sums are of whole numbers, so they do not depend on the order of addition.
    """
    image = keras.Input((*shape, 1))
    first = layers.Dense(HASHES, use_bias=False, trainable=False)
    second = layers.Dense(shape[0] * shape[1], use_bias=False, trainable=False)
    hashes = keras.ops.sin(first(layers.Flatten()(image)))
    noise = layers.Reshape((*shape, 1))(keras.ops.sin(second(hashes)))
    draws = np.random.default_rng(config.seed)
    first.set_weights([draws.integers(-64, 65, (shape[0] * shape[1], HASHES)).astype(np.float32)])
    second.set_weights([draws.normal(0, 8, (HASHES, shape[0] * shape[1])).astype(np.float32)])
    return keras.Model(image, [noise, hashes[:, :STYLES]], name="noise")


def _everywhere(style: Any, shape: Shape) -> Any:
    """(N, C) to (N, H, W, C), alike at all places."""
    channels = style.shape[-1]
    return layers.UpSampling2D(shape)(layers.Reshape((1, 1, channels))(style))


def _block(x: Any, features: int) -> Any:
    inner = layers.Conv2D(features, 3, padding="same", activation="relu")(x)
    inner = layers.Conv2D(features, 3, padding="same")(inner)
    return layers.ReLU()(layers.Add()([x, inner]))


def _space_to_depth(x: Any) -> Any:
    """(N, H, W, C) to (N, H/2, W/2, 4C): each 2x2 square becomes the channels of one position."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height // 2, 2, width // 2, 2, channels))(x)
    return layers.Reshape((height // 2, width // 2, 4 * channels))(layers.Permute((1, 3, 2, 4, 5))(x))


def _depth_to_space(x: Any) -> Any:
    """(N, H/2, W/2, 4) to (N, H, W, 1), the inverse of `_space_to_depth`."""
    height, width = x.shape[1:3]
    x = layers.Permute((1, 3, 2, 4))(layers.Reshape((height, width, 2, 2))(x))
    return layers.Reshape((2 * height, 2 * width, 1))(x)


def _paper_discriminator(image: Any, config: Config) -> Any:
    """Section 3.1 of the paper, with the last layer linear: its softmax is in the loss."""
    x = _bounded(layers.Conv2D(96, 3, strides=2, padding="same", activation="relu"), config)(image)
    x = _bounded(layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"), config)(x)
    x = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    x = _bounded(layers.Conv2D(32, 3, padding="same", activation="relu"), config)(x)
    x = _bounded(layers.Conv2D(32, 1, activation="relu"), config)(x)
    return layers.Conv2D(2, 1)(x)


def _modern_discriminator(image: Any, config: Config) -> Any:
    """Patches of 26 px, a position every 4 px, to each of which is added the verdict on the whole image.

    That one sees the mean and the maximum over places: what is common, and what is rare but telling, such as a gap.
    """
    x = image
    for factor, strides in ((1, 2), (2, 2), (2, 1)):
        convolution = layers.Conv2D(factor * config.features, 4 if strides == 2 else 3, strides, padding="same")
        x = layers.LeakyReLU(0.2)(_bounded(convolution, config)(x))
    seen = [layers.GlobalAveragePooling2D(keepdims=True)(x), layers.GlobalMaxPooling2D(keepdims=True)(x)]
    whole = layers.Conv2D(1, 1)(layers.Concatenate()(seen))
    return layers.Add()([layers.Conv2D(1, 3, padding="same")(x), whole])


def _bounded(convolution: Any, config: Config) -> Any:
    """Spectral normalisation (arXiv 1802.05957), where wanted, bounds the slope of the discriminator's features.

    Its last layer goes without: bounded as well, the logits never leave the neighbourhood of 0.
    """
    return layers.SpectralNormalization(convolution) if config.spectral_normalisation else convolution
