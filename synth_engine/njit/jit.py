"""How kernels are compiled: `entry` is called from Python and cached on disk; the others are compiled into those.

None counts references to arrays (``_nrt=False``). Numba would count wherever an array is handed on, with an atomic
instruction each: three quarters of the time of a text, and threads would wait for one another. So kernels cannot
allocate; the caller holds the arrays. Python must not call an `inlined` kernel: it has no wrapper for that, which saves
compiling one each, and the process would crash.
"""

from __future__ import annotations

from numba import njit

_common = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
entry = njit(cache=True, **_common)
inlined = njit(forceinline=True, no_cpython_wrapper=True, **_common)  # by LLVM
pasted = njit(inline="always", **_common)  # by Numba, for a few lines; Python may call these too
