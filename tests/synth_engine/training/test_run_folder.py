"""Run folders: one run each, and only the same run goes on in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_engine.errors import RunError
from synth_engine.training.run_folder import RunFolder, claim_folder, new_folder, read_config


def test_a_run_goes_on_with_the_configuration_it_was_made_with(tmp_path: Path) -> None:
    config = {"seed": 3, "ranges": (1, 2)}
    RunFolder.create(tmp_path / "run", config)
    run = RunFolder.create(tmp_path / "run", config, resume=True)
    assert run.config == read_config(tmp_path / "run") == {"seed": 3, "ranges": [1, 2]}
    with pytest.raises(RunError, match=r"seed was 3, is 4"):
        RunFolder.create(tmp_path / "run", config | {"seed": 4}, resume=True)
    with pytest.raises(RunError, match=r"configuration \(ranges was \[1, 2\], is \[1\]\)"):
        RunFolder.create(tmp_path / "run", {"seed": 4, "ranges": (1,)}, resume=True, may_differ=("seed",))
    RunFolder.create(tmp_path / "run", config | {"seed": 4}, resume=True, may_differ=("seed",))
    assert (read_config(tmp_path / "run") or {})["seed"] == 4


def test_a_folder_that_holds_something_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    RunFolder.create(tmp_path / "run", {})
    before = (tmp_path / "run" / "config.json").read_bytes()
    with pytest.raises(RunError, match=r"not an empty folder: choose another --run, or go on with --resume"):
        RunFolder.create(tmp_path / "run", {"seed": 1})
    with pytest.raises(RunError, match=r"not an empty folder: choose another --out$"):
        claim_folder(tmp_path / "run" / "config.json", "--out")
    assert (tmp_path / "run" / "config.json").read_bytes() == before
    assert claim_folder(tmp_path / "new", "--out") == tmp_path / "new"


def test_a_folder_with_a_users_file_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("kept")
    with pytest.raises(RunError, match="choose another --run, or go on with --resume"):
        RunFolder.create(tmp_path, {"steps": 3})
    assert (tmp_path / "precious.txt").read_text() == "kept"


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        with new_folder(tmp_path / name, "--out") as folder:
            (folder / "file").touch()
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "half", "--out") as folder:
        (folder / "file").write_text(str(1 / 0))
    with pytest.raises(RunError, match="choose another --out"), new_folder(tmp_path / "new", "--out"):
        pass
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "empty", "empty/file", "new", "new/file",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no config.json: there is no run to resume; leave --resume out"),
        (json.dumps({"seed": 3}), "has no `format_version`.*; start a new run in another folder"),
        ("{", "is damaged.*; start a new run in another folder"),
    ],
)
def test_a_run_that_this_version_cannot_read_is_not_resumed(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=message):
        RunFolder.create(tmp_path, {"seed": 3}, resume=True)
    assert read_config(tmp_path) is None
