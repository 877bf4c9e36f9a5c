"""Run folders: one folder a run, its resolved configuration beside what it makes, never overwritten by accident."""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth_engine.atomic import write_bytes
from synth_engine.errors import RunError

CONFIG = "config.json"


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
        folder = Path(path)
        plain = json.loads(json.dumps(config))
        if resume:
            _check_same(folder, plain, may_differ)
        elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(
                f"{folder} exists and is not an empty folder: choose another --run, or go on with --resume", folder
            )
        run = cls(folder, plain)
        run.write_json(CONFIG, plain)
        return run

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def write_json(self, name: str, value: Any) -> None:
        """Write ``value`` as JSON into the folder, whole or not at all."""
        write_bytes(self.path / name, (json.dumps(value, indent=2, sort_keys=True) + "\n").encode())


def _check_same(folder: Path, config: dict[str, Any], may_differ: Container[str]) -> None:
    try:
        stored = json.loads((folder / CONFIG).read_bytes())
    except FileNotFoundError as error:
        raise RunError(f"{folder} holds no {CONFIG}: there is no run to resume; leave --resume out", folder) from error
    except ValueError as error:
        raise RunError(f"{folder / CONFIG} is damaged ({error}): start a new run in another folder", folder) from error
    compared = {key for key in stored.keys() | config.keys() if key not in may_differ}
    differing = sorted(key for key in compared if stored.get(key) != config.get(key))
    if differing:
        was = ", ".join(f"{key} was {stored.get(key)!r}, is {config.get(key)!r}" for key in differing)
        raise RunError(f"{folder} was made with another configuration ({was}): repeat its options to resume", folder)
