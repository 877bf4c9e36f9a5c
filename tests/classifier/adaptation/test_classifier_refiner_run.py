"""A refiner trained in the middle of a run: used if its report says that it helps, made once, never in the way."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from classifier.learning.settings import Adaptation, TrainingSettings
from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RunError
from synth_engine.training.refinement_report import (
    METRIC_COLUMNS,
    MetricTarget,
    RefinementReport,
    RefinerMetrics,
)
from synth_engine.training.run_folder import RunFolder

keras = pytest.importorskip("keras")

from classifier.adaptation import refiner_plan  # noqa: E402
from classifier.adaptation import refiner_run as refining  # noqa: E402
from classifier.adaptation.refiner_plan import RefinerPlan  # noqa: E402
from classifier.learning.batches import Source  # noqa: E402
from classifier.learning.learner import Learner  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from classifier.reading.reader import MODEL, save_reader  # noqa: E402
from classifier.run.options import TrainOptions  # noqa: E402
from classifier.run.planning import refiner_for  # noqa: E402
from classifier.run.session import RunPlan, Session  # noqa: E402
from classifier.train import train  # noqa: E402

SMALL = TrainingSettings(width=2, depth=2, batch_size=4, steps=0, warmup_steps=1, refine_steps=2,
                 adaptation=Adaptation(rounds=1, steps=2, warmup_steps=1, certainty_min=0.0))  # fmt: skip
BESIDE = MetricTarget("kernel distance", "at most 50%", "70%", reached=False, needed=False)


def report(preserved: str, *, helps: bool) -> RefinementReport:
    """That of a refiner with this label preservation."""
    metrics = RefinerMetrics(**dict.fromkeys(METRIC_COLUMNS, 0))
    target = MetricTarget("label preservation", "at least 99%", preserved, reached=helps, needed=True)
    return RefinementReport(helps=helps, reason="the last", chosen=metrics, last=metrics, targets=(BESIDE, target))


REPORTS = {"helps": report("99.5%", helps=True), "harms": report("91.0%", helps=False)}
STAND_IN = """
import json, os, shutil, signal, sys, time
from pathlib import Path
here, options = Path(__file__).parent, sys.argv[1:]
run = Path(options[options.index("--run") + 1])
run.mkdir(exist_ok=True)
(run / "config.json").write_text("{}")
with (here / "calls").open("a") as file:
    file.write(json.dumps(options) + "\\n")
act = (here / "act").read_text()
if act == "fail":
    sys.exit("error: no memory")
if act == "interrupt":
    try:
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(20)
    except KeyboardInterrupt:
        (here / "told").touch()
        sys.exit(130)
shutil.copy(here / "refiner.keras", run)
shutil.copy(here / act / "assessment.json", run)
"""


@dataclass
class Gan:
    """Stands in for `gan.train`: ``act`` is what it comes to; its refiner turns ink into ground."""

    folder: Path

    def act(self, what: str) -> None:
        (self.folder / "act").write_text(what)

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def gan(tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gan:
    folder = tmp_path / "gan"
    folder.mkdir()
    (folder / "train.py").write_text(STAND_IN)
    keras.Sequential([keras.Input((*tiny.shape, 1)), keras.layers.Rescaling(-1.0)]).save(folder / "refiner.keras")
    for name, made in REPORTS.items():
        (folder / name).mkdir()
        made.write(folder / name)
    monkeypatch.setattr(refining, "COMMAND", (sys.executable, str(folder / "train.py")))
    return Gan(folder)


def start_of(folder: Path, recipe: Recipe) -> Path:
    """A network with its initial weights, the same for every run."""
    keras.utils.set_random_seed(1)
    return save_reader(build("grid", recipe, width=2, depth=2), recipe, folder.parent / "start")


def run(folder: Path, recipe: Recipe, *, refines: bool = True) -> list[np.ndarray]:
    """Weights after a run with six images that stand for real ones, resumed if the folder is there.

    It goes on from a network: the first phase's graph would take seconds to make.
    """
    keras.utils.set_random_seed(SMALL.seed)
    plan = RunPlan(
        settings=SMALL,
        source=Source(recipe=recipe, seed=SMALL.seed),
        real=Synthesizer(recipe, 99).batch(0, 6).images,
        refiner=RefinerPlan(real="real", threads=3) if refines else None,
        start_from=str(start_of(folder, recipe)),
    )
    may_differ = refining.may_differ(folder)
    made = RunFolder.create(folder, plan.config(), resume=folder.exists(), may_differ=may_differ)
    Session.of(plan).train(made)
    return list(keras.models.load_model(folder / MODEL).get_weights())


@pytest.fixture(scope="module")
def raw(tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """What comes of a run without a refiner."""
    return run(tmp_path_factory.mktemp("raw") / "run", tiny, refines=False)


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_a_refiner_that_does_not_help_changes_nothing_and_says_why(
    gan: Gan, raw: list[np.ndarray], tiny: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    gan.act("harms")
    assert equal(raw, run(tmp_path / "run", tiny))
    missed = "label preservation 91.0%, target at least 99%"
    assert [line for line in caplog.messages if "does not help" in line] == [
        f"the refiner does not help: adaptation uses raw synthetic images ({missed})"
    ]
    (options,) = gan.calls()
    told = dict(zip(options[::2], options[1::2], strict=True))
    assert told == {
        "--real": str(Path("real").resolve()), "--recipe": str(tmp_path / "run/reader/recipe.toml"), "--steps": "2",
        "--reader": str(tmp_path / "run/reader/classifier.keras"), "--run": str(tmp_path / "run/refiner"),
        "--seed": "0", "--workers": "0", "--threads": "3", "--precision": "float32",
    }  # fmt: skip
    assert Recipe.load(told["--recipe"]) == tiny
    reader, start = (keras.models.load_model(path) for path in (told["--reader"], tmp_path / "start" / MODEL))
    assert equal(reader.get_weights(), start.get_weights())  # not adapted yet


def spy(patch: pytest.MonkeyPatch) -> set[tuple[int, float | None]]:
    """Of how many images, and which share, a step is made to refine."""
    used, original = set(), Learner._refined

    def refined(self: Learner, images: Any, first: Any) -> Any:
        used.add((images.shape[0], self.refinement and self.refinement.share))
        return original(self, images, first)

    patch.setattr(Learner, "_refined", refined)
    return used


def test_adaptation_learns_from_refined_images_if_they_help_also_when_stopped_before(
    gan: Gan, raw: list[np.ndarray], tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan.act("helps")
    with monkeypatch.context() as patch:
        used = spy(patch)
        whole = run(tmp_path / "whole", tiny)
    assert used == {(4 // 2, 0.5)}
    assert not equal(raw, whole)
    gan.act("interrupt")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", tiny)
    assert (gan.folder / "told").exists()  # of the signal that this process alone got
    assert not (tmp_path / "parts" / MODEL).exists()
    gan.act("helps")
    assert equal(whole, run(tmp_path / "parts", tiny))
    assert ["--resume" in options for options in gan.calls()] == [False, False, True]
    monkeypatch.setattr(refining, "COMMAND", ("no such command",))
    assert equal(whole, run(tmp_path / "parts", tiny))  # nothing is trained a second time
    with pytest.raises(RunError, match="refine was True, is False"):
        run(tmp_path / "parts", tiny, refines=False)


def test_a_refiner_that_fails_costs_nothing_that_was_learnt(
    gan: Gan, raw: list[np.ndarray], tiny: Recipe, tmp_path: Path
) -> None:
    gan.act("fail")
    with pytest.raises(RunError, match=r"status 1 \(error: no memory\); .*refiner\.log .*--resume --no-refine") as told:
        run(tmp_path / "run", tiny)
    assert str(tmp_path / "run" / "refiner.log") in str(told.value)
    assert equal(raw, run(tmp_path / "run", tiny, refines=False))


def test_a_report_that_cannot_be_read_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "refiner" / "assessment.json"
    path.parent.mkdir()
    for content in ("{", '{"targets": []}', "[]"):
        path.write_text(content)
        with pytest.raises(RunError, match=r"assessment\.json .*remove .*refiner and go on with --resume"):
            refining.RefinerDecision.of(tmp_path)


def test_how_long_to_refine_may_differ_until_the_refiner_is_begun_and_whether_until_adaptation(tmp_path: Path) -> None:
    assert set(refining.may_differ(tmp_path)) == {"refine", "refine_steps"}
    (tmp_path / "refiner").mkdir()
    (tmp_path / "refiner" / "config.json").touch()
    assert refining.may_differ(tmp_path) == ("refine",)
    (tmp_path / "checkpoints" / "adapt").mkdir(parents=True)
    assert refining.may_differ(tmp_path) == ()


def test_the_network_that_is_used_says_whether_a_refiner_can_ask_it(
    tiny: Recipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    def refines(start: str, required: bool, **given: Any) -> bool:
        path = save_reader(build(start, tiny, width=2, depth=2), tiny, tmp_path / start)
        plan = RunPlan(
            settings=replace(SMALL, **given),
            source=Source(recipe=tiny, seed=0),
            refiner=RefinerPlan(real="real", required=required),
            start_from=str(path),
        )
        return Session.of(plan).plan.refiner is not None

    assert refines("grid", True, network="ctc")
    assert refines("four-head", True)
    assert caplog.messages == []
    assert not refines("ctc", False)
    assert caplog.messages == [
        "no refiner: --refine asks the network whether labels are preserved, and ctc knows no character's place"
    ]
    with pytest.raises(RunError, match=r"--refine .*use a grid network \(--network, --start-from\)"):
        refines("ctc", True)


def trains_refiner(real: int = refiner_plan.FEWEST, **given: Any) -> bool:
    """Whether a run with ``real`` real images and these options is to train a refiner."""
    options = TrainOptions.of(real="real", **given)
    return isinstance(refiner_for(options, options.settings(), real), RefinerPlan)


def test_a_preset_s_wish_to_refine_gives_way_and_an_option_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert not trains_refiner()
    assert trains_refiner(refine=True)
    assert trains_refiner(preset="thorough")
    assert not trains_refiner(preset="thorough", refine=False)
    for given, remedy in (
        ({"real": 0}, "give --real PATH"),
        ({"real": refiner_plan.FEWEST - 1}, "needs 400 real images .* there are 399; give more"),
        ({"refiner": "refiner.keras"}, "leave --refiner out"),
        ({"adapt": "statistics"}, "choose --adapt self-training"),
        ({"adapt_steps": 0}, "with --adapt-steps"),
    ):
        caplog.clear()
        assert not trains_refiner(preset="thorough", **given)
        assert caplog.messages[0].startswith("no refiner: --refine ")
        with pytest.raises(RunError, match=f"--refine .*{remedy}"):
            trains_refiner(refine=True, **given)


def test_the_command_trains_a_refiner_and_tells_what_became_of_it(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refiner_plan, "FEWEST", 8)
    tiny.save(tmp_path / "tiny.toml")
    (tmp_path / "real").mkdir()
    for k, image in enumerate(Synthesizer(tiny, 5).batch(0, 9).images):
        Image.fromarray(image * np.uint8(255)).save(tmp_path / "real" / f"{k}.png")
    sizes = ["--width", "4", "--depth", "2", "--batch-size", "4", "--steps", "1", "--adapt-steps", "1",
             "--adapt-rounds", "1", "--real-limit", "8", "--refine", "--refine-steps", "1"]  # fmt: skip
    places = {"--real": "real", "--recipe": "tiny.toml", "--run": "run"}
    options = [part for name, place in places.items() for part in (name, str(tmp_path / place))]
    result = CliRunner().invoke(train, [*options, *sizes])
    assert result.exception is None, result.output
    config = json.loads((tmp_path / "run" / "refiner" / "config.json").read_text())
    assert (config["steps"], config["real_limit"], config["recipe_key"]) == (1, 8, tiny.key)
    assert "summary: " in (tmp_path / "run" / "refiner.log").read_text()
    assert "refiner.log says how far it is" in result.output
    refiner = json.loads((tmp_path / "run" / "scores.json").read_text())["refiner"]
    assert refiner["helps"] is False  # one step changes next to nothing
    assert "two-sample accuracy below raw 0.0%, target 10 points" in refiner["why"]
    assert f"adaptation uses raw synthetic images ({refiner['why']})" in result.output
    assert "<td>label preservation, worst class<td>" in (tmp_path / "run" / "report.html").read_text()
