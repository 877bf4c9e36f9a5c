"""The heads there are: one by its name, or the one of a network that is built or comes from a file."""

from __future__ import annotations

from typing import Any

from classifier.networks.ctc import CtcHead
from classifier.networks.grid import GridHead
from classifier.networks.head import Head, NetworkName
from classifier.networks.position import PositionHead
from synth_engine.errors import ModelError
from synth_engine.recipe import Recipe

GRID, POSITION, CTC = GridHead(), PositionHead(), CtcHead()
HEADS: dict[NetworkName, Head] = {head.name: head for head in (GRID, POSITION, CTC)}


def build(name: NetworkName, recipe: Recipe, *, width: int, depth: int) -> Any:
    """A new Keras model of the kind ``name`` for ``recipe``; see `Head.build`."""
    return HEADS[name].build(recipe, width=width, depth=depth)


def head_of(network: Any) -> Head:
    """The head of a Keras model, by its scores' rank and its name, both of which its file holds.

    Scores of rank 4 are a grid. Those of rank 3 belong to columns in a network named `ctc`, else to positions. Raises
    ModelError for any other rank.
    """
    rank = len(network.output_shape)
    if rank == 4:
        return GRID
    if rank != 3:
        raise ModelError(
            f"expected a reader's scores (N, rows, columns, classes) or (N, positions, classes), received "
            f"{network.output_shape} from network {network.name}; give a classifier.keras of classifier.train",
            network.output_shape,
        )
    return CTC if network.name == CTC.name else POSITION
