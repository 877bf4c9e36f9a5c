"""The folder of a data set: dataset.toml says what it holds, and no two data sets share one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from synth_engine.atomic import write_bytes
from synth_engine.errors import RunError
from synth_engine.export.plan import ExportPlan

RECORD = "dataset.toml"  # readers of image folders pass over TOML files; a JSON file they take for a challenge file
FORMAT_VERSION = 1  # of a data set's folder; a record without a version is of this one


def claim(folder: Path, plan: ExportPlan) -> None:
    """Write dataset.toml and recipe.toml into a folder that is new, empty, or of this very data set.

    Processes that claim one folder for one data set at the same time write the same bytes. Raises RunError when the
    folder holds anything else, or a data set of an unknown format version.
    """
    record = plan.record()
    if (folder / RECORD).exists():
        _check_same(folder, record)
    elif folder.exists() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no {RECORD}: choose another folder (--out)", folder)
    else:
        write_bytes(folder / RECORD, msgspec.toml.encode({"format_version": FORMAT_VERSION, **record}))
    if not (folder / "recipe.toml").exists():
        plan.recipe.save(folder / "recipe.toml")


def _check_same(folder: Path, record: Mapping[str, object]) -> None:
    try:
        stored = msgspec.toml.decode((folder / RECORD).read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RunError(f"{folder / RECORD} is damaged ({error}): choose another folder (--out)", folder) from error
    version = stored.pop("format_version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise RunError(
            f"{folder / RECORD} has format version {version}; expected {FORMAT_VERSION}: go on with the synth-engine "
            "that wrote it, or choose another folder (--out)",
            version,
        )
    differing = sorted(key for key in stored.keys() | record.keys() if stored.get(key) != record.get(key))
    if differing:
        was = "; ".join(f"{key} {stored.get(key)!r}, not {record.get(key)!r}" for key in differing)
        raise RunError(f"{folder} holds another data set ({was}): choose another folder (--out)", folder)
