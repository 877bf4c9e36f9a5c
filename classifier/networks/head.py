"""What the kinds of networks have in common: their names and the size of a cell."""

from __future__ import annotations

from typing import Literal

NetworkName = Literal["grid", "four-head", "ctc"]

STRIDE = 4  # px: side of a cell of the grid, width of a column of ctc
