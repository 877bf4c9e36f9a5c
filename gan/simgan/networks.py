"""The two networks of SimGAN, of built-in Keras layers only, so that a saved one loads without this package.

Both take images (N, H, W, 1) float32 in [-1, 1]. How they learn is in `model`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from gan.settings.config import Config
from synth_engine.training.precision import Precision

Shape = tuple[int, int]
MARGIN = 1.5  # a pixel can flip only once its value has moved by a third: small changes leave no specks


def build_refiner(shape: Shape, config: Config) -> keras.Model:
    """Images (N, H, W, 1) to refined ones, not yet clipped: `clipped` makes the network that is saved.

    Its output, and what is added up to it, is float32 whatever ``config.precision``.
    """
    image = keras.Input((*shape, 1), name="image")
    refined = _paper_refiner(image, config) if config.architecture == "paper" else _modern_refiner(image, config)
    return keras.Model(image, layers.Rescaling(MARGIN)(refined), name="refiner")


def build_discriminator(config: Config) -> keras.Model:
    """Images (N, h, w, 1) of any size to linear logits (N, h', w', 1 or 2), one a patch, or one for the whole image.

    One channel: above 0 means real. Two, as in the paper: the classes refined and real; see `losses.realness`.
    """
    image = keras.Input((None, None, 1), name="image")
    logits = (
        _paper_discriminator(image, config) if config.architecture == "paper" else _modern_discriminator(image, config)
    )
    return keras.Model(image, logits, name="discriminator")


def clipped(refiner: keras.Model) -> keras.Model:
    """``refiner``, its weights shared, with the output clipped to [-1, 1]: what `refiner.keras` contains."""
    return keras.Model(refiner.input, layers.Activation("hard_tanh")(refiner.output), name="refiner")


def _paper_refiner(image: Any, config: Config) -> Any:
    """Section 3 of the paper: a convolution, residual blocks, a 1x1 convolution with tanh."""
    return layers.Conv2D(1, 1, activation="tanh")(_residual(image, config))


def _modern_refiner(image: Any, config: Config) -> Any:
    """The image plus a change that starts at zero, computed at half resolution, where convolutions cost less."""
    height, width = image.shape[1:3]
    odd = (height % 2, width % 2)
    edges = ((0, odd[0]), (0, odd[1]))
    x = layers.ZeroPadding2D(edges)(image) if any(odd) else image
    x = _residual(_space_to_depth(x), config)
    change = _depth_to_space(layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros")(x))
    return layers.Add()([image, layers.Cropping2D(edges)(change) if any(odd) else change])


def _residual(x: Any, config: Config) -> Any:
    """A convolution and the residual blocks, where the time of a step goes, in the run's precision."""
    features, precision = config.features, config.precision
    x = layers.Conv2D(features, 3, padding="same", activation="relu", dtype=precision)(x)
    for _ in range(config.blocks):
        x = _block(x, features, precision)
    return x


def _block(x: Any, features: int, precision: Precision) -> Any:
    inner = layers.Conv2D(features, 3, padding="same", activation="relu", dtype=precision)(x)
    inner = layers.Conv2D(features, 3, padding="same", dtype=precision)(inner)
    return layers.ReLU(dtype=precision)(layers.Add(dtype=precision)([x, inner]))


def _space_to_depth(x: Any) -> Any:
    """(N, H, W, 1) to (N, H/2, W/2, 4): each 2x2 square becomes the channels of one position."""
    height, width = x.shape[1:3]
    x = layers.Reshape((height // 2, 2, width // 2, 2))(x)
    return layers.Reshape((height // 2, width // 2, 4))(layers.Permute((1, 3, 2, 4))(x))


def _depth_to_space(x: Any) -> Any:
    """The inverse of `_space_to_depth`."""
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
    """Features of 16 px, one every 8 px: their means over the image for common ones, their maxima for rare ones.

    A discriminator of single patches loses a feature of one patch in a hundred in the mean of its losses.
    """
    x = image
    for factor, size in ((1, 4), (2, 3), (2, 3)):
        convolution = layers.Conv2D(factor * config.discriminator_features, size, 2, padding="same")
        x = layers.LeakyReLU(0.2)(_bounded(convolution, config)(x))
    means, most = layers.GlobalAveragePooling2D(keepdims=True)(x), layers.GlobalMaxPooling2D(keepdims=True)(x)
    return layers.Conv2D(1, 1)(layers.Concatenate()([means, most]))


def _bounded(convolution: Any, config: Config) -> Any:
    """``convolution`` with spectral normalisation (arXiv 1802.05957), where ``config`` says so.

    The last layer has none: its logits would stay close to 0.
    """
    return layers.SpectralNormalization(convolution) if config.spectral_normalisation else convolution
