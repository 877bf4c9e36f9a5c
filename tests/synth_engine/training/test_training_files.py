"""Networks in files, the table of metrics, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synth_engine import Recipe
from synth_engine.errors import ModelError, RunError
from synth_engine.recipe import Binarize
from synth_engine.training import html
from synth_engine.training.keras_files import load_refiner, recipe_beside
from synth_engine.training.metrics import MetricsTable
from synth_engine.training.tensorboard import check_tensorboard, tensorboard_callbacks

keras = pytest.importorskip("keras")


def refiner(path: Path, shape: tuple[int | None, ...]) -> Path:
    keras.Sequential([keras.Input((*shape, 1)), keras.layers.Conv2D(1, 3, padding="same")]).save(path)
    return path


def test_a_refiner_that_fits_comes_frozen(tiny: Recipe, tmp_path: Path) -> None:
    recipe = tiny.replace(binarize=Binarize(open_px=2))
    found = load_refiner(refiner(tmp_path / "refiner.keras", tiny.shape), recipe)
    assert found.network.trainable_variables == []
    assert found.open_px == 2


@pytest.mark.parametrize("shape", [(24, 39), (None, None)])
def test_a_refiner_for_other_images_is_refused_with_both_sizes(
    shape: tuple[int | None, ...], tiny: Recipe, tmp_path: Path
) -> None:
    path = refiner(tmp_path / "refiner.keras", shape)
    with pytest.raises(ModelError, match=r"refiner\.keras takes \(None, .*takes and gives \(None, 24, 40, 1\); train"):
        load_refiner(path, tiny)


def test_a_network_that_gives_something_else_than_images_is_refused(tiny: Recipe, tmp_path: Path) -> None:
    keras.Sequential([keras.Input((*tiny.shape, 1)), keras.layers.Flatten()]).save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=r"gives \(None, 960\)"):
        load_refiner(tmp_path / "other.keras", tiny)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 not a model", b"[]"])
def test_a_missing_or_damaged_refiner_is_named(content: bytes | None, tiny: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "refiner.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"refiner\.keras (does not exist; train one|is none or damaged; copy it)"):
        load_refiner(path, tiny)


def test_the_recipe_beside_a_network(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        recipe_beside(tmp_path / "refiner.keras")
    (tmp_path / "refiner.keras").touch()
    with pytest.raises(ModelError, match=r"expected recipe\.toml beside .*copy it"):
        recipe_beside(tmp_path / "refiner.keras")
    tiny.save(tmp_path / "recipe.toml")
    assert recipe_beside(tmp_path / "refiner.keras") == tiny


def test_rows_beyond_the_step_gone_on_from_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    table = MetricsTable(path, ("step", "loss"), lambda _: True)
    for step in (1, 2, 3):
        table.add({"step": str(step), "loss": step / 3})
    MetricsTable(path, ("step", "loss"), lambda row: int(row["step"]) < 3).add({"step": "9"})
    assert path.read_text() == "step,loss\n1,0.333333\n2,0.666667\n9,\n"


def test_tensorboard_is_written_only_if_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tensorboard_callbacks(False, tmp_path) == []
    monkeypatch.setattr("synth_engine.training.tensorboard.find_spec", lambda _: None)
    check_tensorboard(False)
    with pytest.raises(RunError, match=r"not installed: pip install tensorboard"):
        check_tensorboard(True)


def test_importing_the_engine_or_these_helpers_loads_no_tensorflow() -> None:
    code = (
        "import sys, synth_engine; assert 'synth_engine.training' not in sys.modules\n"
        "import gan.train, gan.refine, classifier.train, classifier.predict, classifier.evaluate\n"
        "import classifier.calibrate, classifier.compare\n"
        "import synth_engine.training.metrics, synth_engine.training.keras_files, synth_engine.training.tensorboard\n"
        "assert not {'tensorflow', 'keras', 'ray', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)


def test_nested_values_are_shown_under_dotted_names() -> None:
    assert html.flat({"a": 1, "b": {"c": [2], "d": {"e": None}}}) == {"a": 1, "b.c": [2], "b.d.e": None}
