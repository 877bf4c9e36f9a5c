"""Sine and cosine from additions and multiplications alone: the same bits on every machine, which no libm promises."""

from __future__ import annotations

from math import factorial, floor, pi

from numba import njit

S3, S5, S7, S9, S11, S13, S15 = (sign / factorial(n) for n, sign in zip(range(3, 16, 2), (-1, 1) * 4, strict=False))
C2, C4, C6, C8, C10, C12, C14 = (sign / factorial(n) for n, sign in zip(range(2, 15, 2), (-1, 1) * 4, strict=False))


@njit(cache=True, nogil=True)
def cosine_sine(turns):
    """(cos 2πt, sin 2πt) of ``turns`` t, float64: exact at quarter turns, else to 2e-16 (Taylor series on ±⅛ turn)."""
    quarters = floor(4 * turns + 0.5)
    x = (turns - 0.25 * quarters) * (2 * pi)
    z = x * x
    s = x * (1 + z * (S3 + z * (S5 + z * (S7 + z * (S9 + z * (S11 + z * (S13 + z * S15)))))))
    c = 1 + z * (C2 + z * (C4 + z * (C6 + z * (C8 + z * (C10 + z * (C12 + z * C14))))))
    quarter = int(quarters) & 3
    if quarter == 0:
        return c, s
    if quarter == 1:
        return -s, c
    if quarter == 2:
        return -c, -s
    return s, -c
