"""Names for the columns of the picture kernels' tables. Numba freezes them, so that they cost what a literal costs.

``placed`` (B, L, 19) float64 says where a character stands and what shape its box has. An 'a' (glyph 0) in a box of
13 × 14 px whose middle lies at (30.5, 24.0) on the canvas, turned by 10° and scaled by 1.2, with no perspective:

    GLYPH  MIDDLE_X  MIDDLE_Y  LEFT  TOP   ANGLE_DEG  SCALE  ASPECT  SHEAR  CORNERS …      NATURAL_WIDTH, _HEIGHT
    0      30.5      24.0      -6.5  -7.0  10.0       1.2    1.0     0.0    0.0 (8 times)  0.0  0.0
"""

from __future__ import annotations

# placed (B, L, PLACED): one row a character.
GLYPH = 0  # number in the tile bank: face · characters + character
MIDDLE_X, MIDDLE_Y = 1, 2  # the point that it turns about, px on the canvas
LEFT, TOP = 3, 4  # top left of its ink from that point, px, before it is turned and scaled
ANGLE_DEG, SCALE, ASPECT, SHEAR = 5, 6, 7, 8  # the angle counter-clockwise, in degrees
CORNERS = 9  # … 16: x and y by which each corner moves, in half sides; clockwise from the top left
NATURAL_WIDTH, NATURAL_HEIGHT = 17, 18  # px of the unstretched ink where that is turned first, else 0
PLACED = 19

# The tile bank's place (G, 3) int64, natural (G, 2) and tile (G, 3) float64: one row a glyph, lengths in px.
FIRST_QUAD, INK_HEIGHT, INK_WIDTH = 0, 1, 2
WIDTH, HEIGHT = 0, 1
TILE_WIDTH, TILE_HEIGHT, TILE_BASELINE = 0, 1, 2

# Extents and boxes (…, 4): x0, y0, x1, y1 in px, half-open; without ink all are 0, so that X1 tells.
X0, Y0, X1, Y1 = 0, 1, 2, 3

# Ranges: (lowest, span) of a layout's turns and cells; origins and the bank's ink: (x, y).
LOWEST, SPAN = 0, 1
X, Y = 0, 1

# A layout's turns (T, 5) float64: one row a turn of `Placement`.
TURN_SHARE = 0  # cumulative, the last one is 1
TURN_ANGLE, TURN_ANGLE_SPAN = 1, 2  # degrees
TURN_Y, TURN_Y_SPAN = 3, 4  # px

# Rows of a layout's line (6, 2) float64, (lowest, highest) px.
LINE_X, LINE_Y, LINE_GAP, LINE_JITTER, LINE_SPACE, LINE_FIT = 0, 1, 2, 3, 4, 5
