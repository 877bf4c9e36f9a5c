"""How kernels are compiled: `entry` from Python, cached on disk; the others into those, so that they cost no call.

None counts references to arrays (``_nrt=False``): Numba would wherever an array is handed on, with an atomic
instruction each, three quarters of the time of drawing a text, for which threads would wait for one another besides.
So kernels cannot allocate; the caller holds the arrays. Python must not call an `inlined` one: it has no wrapper,
which every one of them would be compiled with, and the process would crash.
"""

from __future__ import annotations

from numba import njit

_common = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
entry = njit(cache=True, **_common)
inlined = njit(forceinline=True, no_cpython_wrapper=True, **_common)  # by LLVM
pasted = njit(inline="always", **_common)  # by Numba, for a few lines; Python may call these too
