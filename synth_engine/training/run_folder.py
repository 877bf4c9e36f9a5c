"""Run folders: one folder a run, its resolved configuration beside what it makes, never overwritten by accident."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_engine.atomic import staging
from synth_engine.errors import RunError
from synth_engine.json_files import read_json, write_json

CONFIG = "config.json"
CONFIG_KIND = "run configuration"


def claim_folder(path: str | Path, option: str, *, advice: str = "") -> Path:
    """``path`` if a new folder can stand there or an empty one does: nothing that exists is ever written over.

    ``option``: the option that named it, for the error; ``advice``: what else the user can do. Makes nothing. Raises
    RunError if the path is taken.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} exists and is not an empty folder: choose another {option}{advice}", folder)
    return folder


@contextmanager
def new_folder(path: str | Path, option: str) -> Iterator[Path]:
    """A staging folder that becomes ``path`` once the block has ended well; else nothing of it remains.

    Raises RunError, which names the ``option``, if ``path`` is taken; see `claim_folder`.
    """
    folder = claim_folder(path, option)
    with staging(folder) as parts:
        yield parts
        parts.replace(folder)


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds one run. ``config`` is the resolved configuration as JSON values."""

    path: Path
    config: dict[str, Any]

    @classmethod
    def create(
        cls, path: str | Path, config: dict[str, Any], *, resume: bool = False, may_differ: Container[str] = ()
    ) -> RunFolder:
        """Claim an empty or new folder, or with ``resume`` the folder of a run of the same configuration.

        ``may_differ``: keys that may have another value when a run is resumed, as nothing has used them yet.

        Raises RunError when the folder is taken, or when there is no such run to go on with.
        """
        folder, plain = Path(path), json.loads(json.dumps(config))
        if resume:
            _check_same(folder, plain, may_differ)
        else:
            claim_folder(folder, "--run", advice=", or go on with --resume")
        write_json(folder / CONFIG, CONFIG_KIND, plain)
        return cls(folder, plain)

    def __truediv__(self, name: str) -> Path:
        return self.path / name


def read_config(folder: Path) -> dict[str, Any] | None:
    """The configuration of the run in ``folder``; None without one that this version can read."""
    try:
        return _stored(folder)
    except RunError:
        return None


def _stored(folder: Path) -> dict[str, Any]:
    return read_json(folder / CONFIG, CONFIG_KIND, error=RunError, remedy="start a new run in another folder")


def _check_same(folder: Path, config: dict[str, Any], may_differ: Container[str]) -> None:
    if not (folder / CONFIG).is_file():
        raise RunError(f"{folder} holds no {CONFIG}: there is no run to resume; leave --resume out", folder)
    stored = _stored(folder)
    compared = {key for key in stored.keys() | config.keys() if key not in may_differ}
    differing = sorted(key for key in compared if stored.get(key) != config.get(key))
    if differing:
        was = ", ".join(f"{key} was {stored.get(key)!r}, is {config.get(key)!r}" for key in differing)
        raise RunError(f"{folder} was made with another configuration ({was}): repeat its options to resume", folder)
