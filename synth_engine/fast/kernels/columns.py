"""Names for the columns of the fast kernels' tables. They are uint64: a signed index costs the question of its sign.

``placed`` (L, 3) int64 says what a candidate's characters are and where their ink lies. Glyph 731 of the bank, the
top left of its ink at (23, -4) on the canvas, so that four rows of it are cut:

    GLYPH  X   Y
    731    23  -4

The glyph bank's ``table`` (…, 2) uint64 has two entries a glyph, so that all a candidate asks of one lies in one cache
line. Glyph 731, whose 14 rows start at row 16,090 of the bank, 12 px wide, its ink at (9, 13) of its tile:

    entry 1462   ROWS: 16,090 + 14·2³² + 12·2⁴⁸        OFFSET: 9 + 13·2³²
    entry 1463   ONCE: columns with at least one px    TWICE: columns with at least two
"""

from __future__ import annotations

import numpy as np

# placed (L, 3) int64: one row a character.
GLYPH, X, Y = np.uint64(0), np.uint64(1), np.uint64(2)  # (face · characters + character) · angles + angle; px; px

# table (…, 2) uint64: see above; `glyph_bank.glyph_table` makes it.
ROWS, OFFSET = np.uint64(0), np.uint64(1)
ONCE, TWICE = np.uint64(0), np.uint64(1)

# turns (T, 3) uint64: cumulative share of 2¹⁶, number of the first angle, number of angles.
SHARE, FIRST_ANGLE, ANGLES = np.uint64(0), np.uint64(1), np.uint64(2)

# turns_y (T, 2) and x (L, 2) float64, px.
LOWEST, SPAN = np.uint64(0), np.uint64(1)

# boxes (N, L, 4) int16: px, half-open. centres (N, L, 2) float32: X0, Y0 alone.
X0, Y0, X1, Y1 = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
