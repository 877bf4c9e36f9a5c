"""How kernels are compiled: `entry` from Python, cached on disk; the others into those, so that they cost no call.

None counts references to arrays (``_nrt=False``): Numba would at every array that is handed on, with an atomic
instruction each, which took a third of an image's time and made threads wait for one another. So kernels cannot
allocate; the caller holds the arrays.
"""

from __future__ import annotations

from numba import njit

_common = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
entry = njit(cache=True, **_common)
inlined = njit(forceinline=True, no_cpython_wrapper=True, **_common)  # by LLVM
pasted = njit(inline="always", **_common)  # by Numba, before it infers types: for functions of a few lines
