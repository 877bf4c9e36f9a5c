"""A folder holds one data set and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_engine import Recipe
from synth_engine.errors import RunError
from synth_engine.export import export_dataset
from tests.synth_engine.export.export_tools import contents


@pytest.fixture
def record(tmp_path: Path, tiny: Recipe) -> Path:
    """The dataset.toml of a small data set with seed 3."""
    export_dataset(tiny, tmp_path / "data", count=4, seed=3)
    return tmp_path / "data" / "dataset.toml"


def test_a_folder_of_anything_else_is_refused_and_kept(tmp_path: Path, tiny: Recipe) -> None:
    (tmp_path / "precious.txt").write_text("kept")
    with pytest.raises(RunError, match=r"not empty and holds no dataset\.toml"):
        export_dataset(tiny, tmp_path, count=4)
    assert contents(tmp_path) == {"precious.txt": b"kept"}


def test_another_data_set_is_refused_with_the_differences(record: Path, tiny: Recipe) -> None:
    with pytest.raises(RunError, match=r"another data set \(seed 3, not 4; shards 1, not 2\)"):
        export_dataset(tiny, record.parent, count=4, seed=4, shards=2)


def test_a_damaged_record_is_refused(record: Path, tiny: Recipe) -> None:
    record.write_text("seed = ")
    with pytest.raises(RunError, match="is damaged"):
        export_dataset(tiny, record.parent, count=4, seed=3)


def test_an_unknown_format_version_is_refused_with_its_remedy(record: Path, tiny: Recipe) -> None:
    record.write_text(record.read_text().replace("format_version = 1", "format_version = 2"))
    with pytest.raises(RunError, match=r"has format version 2; expected 1: go on with the synth-engine that wrote it"):
        export_dataset(tiny, record.parent, count=4, seed=3)


def test_a_record_without_a_format_version_is_of_the_first(record: Path, tiny: Recipe) -> None:
    record.write_text(record.read_text().replace("format_version = 1\n", ""))
    assert export_dataset(tiny, record.parent, count=4, seed=3).kept == 1
