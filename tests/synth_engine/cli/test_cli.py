"""The command line of the engine, and how commands end; exporting has its own folder of tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Recipe, Synthesizer
from synth_engine.atomic import write_with
from synth_engine.cli.engine import cli
from synth_engine.cli.guard import main_guard
from synth_engine.errors import SynthError
from synth_engine.export import FORMATS


def test_sample_writes_a_sheet(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["sample", "--count", "5", "--out", str(tmp_path / "s.png")])
    assert "of the candidates passed" in result.output
    assert Image.open(tmp_path / "s.png").size[0] > 5 * 200


def test_expected_failures_exit_1_on_stderr() -> None:
    command = [sys.executable, "-m", "synth_engine", "sample", "--recipe", "nowhere.toml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot read recipe nowhere.toml")


def full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device", "x.png")


def test_full_disk_is_an_error_and_leaves_no_half_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(SystemExit) as left:
        main_guard(cli, ["sample", "--count", "1", "--out", str(tmp_path / "s.png")])
    assert left.value.code == 1
    assert "error: x.png: No space left on device; what was written before is whole" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


def test_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synth_engine.contact_sheet.save_picture", interrupt)
    with pytest.raises(SystemExit) as left:
        main_guard(cli, ["sample", "--count", "1"])
    assert left.value.code == 130


@pytest.mark.parametrize("out", ["sheet", "sheet.xyz"])
def test_a_picture_needs_an_ending(tmp_path: Path, out: str) -> None:
    result = CliRunner().invoke(cli, ["sample", "--count", "1", "--out", str(tmp_path / out)])
    assert isinstance(result.exception, SynthError)
    assert "has no ending of a picture format" in str(result.exception)


def test_stream_reports_its_rate() -> None:
    result = CliRunner().invoke(cli, ["stream", "--seconds", "0.2", "--batch-size", "64"])
    assert re.search(r"[\d,]+ images/s, 1\d\.\d% of the candidates passed, the consumer waited \d+\.\d%", result.output)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Three images of the recipe hackmit, whose binarising takes 0 for ink, in a folder."""
    for k, image in enumerate(Synthesizer(Recipe.named("hackmit"), 2).batch(0, 3).images):
        write_with(
            tmp_path / "real" / f"image{k}.png", Image.fromarray(np.where(image, 255, 128).astype(np.uint8)).save
        )
    return tmp_path / "real"


def test_inspect_says_what_it_found(real: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["inspect", str(real), "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert result.stdout.startswith("3 read, 0 damaged, 0 of another size, 0 repeated\nshared mask: ")
    assert (tmp_path / "out" / "report.json").is_file()


def test_target_is_inspect_and_says_so(real: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["target", str(real), "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert "deprecated" in result.stderr
    assert "use `inspect`" in result.stderr
    assert result.stdout.startswith("3 read")
    assert "target" not in CliRunner().invoke(cli, ["--help"]).output


def test_every_command_has_help_with_an_example() -> None:
    for name in cli.commands:
        assert "Example: synth-engine" in CliRunner().invoke(cli, [name, "--help"]).output


def test_export_offers_every_format() -> None:
    """The command names them itself, since importing the export costs every command 30 ms."""
    (format_option,) = [one for one in cli.commands["export"].params if one.name == "format"]
    assert tuple(format_option.type.choices) == FORMATS
