"""Which samples are in which shard, and which shards are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from synth_engine import Recipe
from synth_engine.cli.engine import cli
from synth_engine.errors import RunError
from synth_engine.export import ExportPlan, export_dataset


@pytest.mark.parametrize(("samples", "shards"), [(1, 1), (7, 7), (10, 3), (1001, 16)])
def test_shards_share_the_samples_out(tiny: Recipe, samples: int, shards: int) -> None:
    plan = ExportPlan(recipe=tiny, seed=0, start=5, count=samples, shards=shards)
    spans = [plan.span(shard) for shard in range(shards)]
    assert [index for span in spans for index in span] == list(range(5, 5 + samples))
    assert max(map(len, spans)) - min(map(len, spans)) <= 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shards": 5}, "`shards` is 5; expected an integer from 1 to 4"),
        ({"count": 0}, "`count` is 0"),
        ({"start": -1}, "`start` is -1"),
        ({"workers": -1}, "`workers` is -1"),
        ({"format": "zip"}, "`format` is 'zip'; expected one of png, webdataset, tfrecord, parquet"),
        ({"shards": 2, "only": [2]}, "shard 2 was asked for; there are 0 to 1"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(
    tmp_path: Path, tiny: Recipe, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(RunError, match=message):
        export_dataset(tiny, tmp_path / "out", **{"count": 4, **wrong})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("given", "made"), [(["--shard", "1:1"], 0), (["--shard", "1"], 1), (["--shard", "0:2"], 2)])
def test_shards_are_chosen_on_the_command_line(tmp_path: Path, tiny: Recipe, given: list[str], made: int) -> None:
    tiny.save(tmp_path / "tiny.toml")
    plan = ["export", "--recipe", str(tmp_path / "tiny.toml"), "--count", "6", "--shards", "3", "--workers", "0"]
    result = CliRunner().invoke(cli, [*plan, *given, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert f"{2 * made} images written, shards: {made} made, 0 kept" in result.output
    assert len(list((tmp_path / "out").glob("shard-*"))) == made
