"""What two processes must have in common to render the same bytes."""

from __future__ import annotations

import platform
from functools import cache
from hashlib import sha256
from pathlib import Path

import synth_engine
from synth_engine.errors import StreamError


@cache
def versions() -> dict[str, str]:
    """Versions of this process's Python, package and glyph renderer, and a digest of the package's sources."""
    from PIL import __version__ as pillow
    from PIL import features

    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "synth_engine": synth_engine.__version__,
        "its sources": source_digest(Path(synth_engine.__file__).parent),
        "Pillow": f"{pillow} with FreeType {features.version('freetype2')}",
    }


def source_digest(package: Path) -> str:
    """First 12 hexadecimal digits of a digest over the names and contents of every .py file and built-in recipe."""
    digest = sha256()
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.toml")]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def check_versions(expected: dict[str, str], where: str) -> None:
    """Raise StreamError where this process differs from the driver, which expects ``expected``."""
    here = versions()
    differing = [name for name in expected if expected[name] != here.get(name)]
    if differing:
        asked = ", ".join(f"{name} {expected[name]}" for name in differing)
        found = ", ".join(f"{name} {here.get(name)}" for name in differing)
        raise StreamError(
            f"Ray worker on {where} expected to have the driver's {asked}; received {found}; "
            f"install the same versions on every node",
            here,
        )
