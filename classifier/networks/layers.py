"""Blocks of layers that the networks share, built-in ones alone: saved networks load without this package."""

from __future__ import annotations

from typing import Any

from keras import layers

MOMENTUM = 0.9  # 0.99 leaves the statistics behind for hundreds of steps


def cell_features(images: Any, width: int, depth: int) -> Any:
    """Cells (N, ceil(H/4), ceil(W/4), width) of images (N, H, W, 1).

    Stride 4, then residual pairs at stride 8 with twice the channels, joined again at stride 4. Wide convolutions at
    low resolution are what CPUs do best; at stride 8 each widens the view by 16 px, so that two pairs see a whole glyph
    and its neighbours. Coarse channels are halved before they are joined: the last convolution would else be a third of
    all work. A bias for each cell lets the network know where fixed lines lie.
    """
    fine = convolution(convolution(images, width // 2, stride=2), width, stride=2)
    fine = layers.ReLU()(_add_place(fine, width))
    coarse = convolution(fine, 2 * width, stride=2)
    for _ in range(max(1, depth // 2)):
        coarse = _residual(coarse, 2 * width)
    coarse = layers.Conv2D(width, 1, use_bias=False)(coarse)
    return convolution(_joined(fine, coarse), width, padding="valid")


def convolution(x: Any, channels: int, *, stride: int = 1, active: bool = True, padding: str = "same") -> Any:
    """A 3x3 convolution of (N, h, w, C) with batch normalisation and, where ``active``, ReLU."""
    x = layers.Conv2D(channels, 3, stride, padding=padding, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=MOMENTUM)(x)
    return layers.ReLU()(x) if active else x


def _residual(x: Any, channels: int) -> Any:
    change = convolution(convolution(x, channels), channels, active=False)
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
