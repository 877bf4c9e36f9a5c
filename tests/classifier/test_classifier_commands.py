"""predict and evaluate on files, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import LabelError, ModelError, RealImagesError
from synth_engine.json_files import write_json
from synth_engine.training.run_folder import CONFIG, CONFIG_KIND

keras = pytest.importorskip("keras")

from classifier.evaluate import evaluate  # noqa: E402
from classifier.networks.heads import build  # noqa: E402
from classifier.predict import predict  # noqa: E402
from classifier.reading.reader import MODEL, Reader, save_reader  # noqa: E402

COUNT = 5


@pytest.fixture(scope="module")
def model(tiny: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network in a run folder."""
    keras.utils.set_random_seed(0)
    network = build("grid", tiny, width=4, depth=2)
    return save_reader(network, tiny, tmp_path_factory.mktemp("run"))


@pytest.fixture
def images(tiny: Recipe, tmp_path: Path) -> Path:
    """Five images, one damaged file, one of another size, and a list that is no image."""
    folder = tmp_path / "images"
    folder.mkdir()
    for k, image in enumerate(Synthesizer(tiny, 2).batch(0, COUNT).images):
        Image.fromarray(image * 255).save(folder / f"image{k}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "small.png")
    (folder / "notes.csv").write_text("name,text\n")
    return folder


def run(command: object, *arguments: object) -> object:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def labels_for(folder: Path, model: Path, images: Path) -> Path:
    """A label file that holds what the model reads, so that everything is right."""
    run(predict, "--model", model, images, "--out", folder / "read.csv")
    return folder / "read.csv"


def test_predict_reads_what_it_can_and_names_the_rest(model: Path, images: Path, tmp_path: Path, tiny: Recipe) -> None:
    result = run(predict, "--model", model, images, "--out", tmp_path / "read.csv")
    rows = list(csv.DictReader((tmp_path / "read.csv").open()))
    assert [row["name"] for row in rows] == [f"image{k}" for k in range(COUNT)]
    assert all(len(row["text"]) == 2 and set(row["text"]) <= set(tiny.alphabet) for row in rows)
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)
    assert "broken: expected a picture" in result.stderr
    assert "small: 9x9 px instead of 40x24 px" in result.stderr
    assert "5 read, 1 damaged, 1 of another size" in result.stderr


def test_several_paths_are_read_in_order(model: Path, images: Path, tmp_path: Path) -> None:
    run(predict, "--model", model, images / "image3.png", images / "image1.png", "--out", tmp_path / "read.csv")
    assert [row["name"] for row in csv.DictReader((tmp_path / "read.csv").open())] == ["image3", "image1"]


def test_json_lines_say_all_of_each_character(model: Path, images: Path, tmp_path: Path) -> None:
    run(predict, "--model", model, images, "--out", tmp_path / "read.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "read.jsonl").read_text().splitlines()]
    assert [row["name"] for row in rows] == [f"image{k}" for k in range(COUNT)]
    for row in rows:
        assert row["confidence"] == pytest.approx(np.prod(row["confidences"]), abs=1e-3)
        assert all(one != other for one, other in zip(row["text"], row["seconds"], strict=True))
        assert all(low <= high for low, high in zip(row["second_confidences"], row["confidences"], strict=True))
        assert all(0 <= x0 < x1 <= 40 and 0 <= y0 < y1 <= 24 for x0, y0, x1, y1 in row["boxes"])


def test_csv_and_json_lines_say_the_same(model: Path, images: Path, tmp_path: Path) -> None:
    run(predict, "--model", model, images, "--out", tmp_path / "a.jsonl")
    run(predict, "--model", model, images, "--out", tmp_path / "a.csv", "--details")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    for row, cells in zip(rows, csv.DictReader((tmp_path / "a.csv").open()), strict=True):
        assert [float(x) for x in cells["confidences"].split()] == pytest.approx(row["confidences"], abs=1e-4)
        assert [[int(x) for x in box.split(",")] for box in cells["boxes"].split()] == row["boxes"]
        assert (cells["text"], cells["seconds"]) == (row["text"], row["seconds"])


def test_what_is_unsure_goes_to_a_file_of_its_own(model: Path, images: Path, tmp_path: Path) -> None:
    run(predict, "--model", model, images, "--out", tmp_path / "all.csv")
    rows = list(csv.DictReader((tmp_path / "all.csv").open()))
    least = sorted(float(row["confidence"]) for row in rows)[2]
    result = run(predict, "--model", model, images, "--out", tmp_path / "some.csv", "--min-confidence", least)
    sure, unsure = (list(csv.DictReader((tmp_path / name).open())) for name in ("some.csv", "some-unsure.csv"))
    assert sorted(sure + unsure, key=lambda row: row["name"]) == rows
    assert {row["name"] for row in unsure} == {row["name"] for row in rows if float(row["confidence"]) < least}
    assert f"some-unsure.csv: {len(unsure)} texts" in result.output


def test_paths_come_from_stdin_and_one_that_is_none_is_named(model: Path, images: Path, tmp_path: Path) -> None:
    lines = "\n".join(str(images / name) for name in ("image2.png", "none.png", "image0.png"))
    result = CliRunner().invoke(
        predict, ["--model", str(model), "-", "--out", str(tmp_path / "read.csv")], input=lines, catch_exceptions=False
    )
    assert [row["name"] for row in csv.DictReader((tmp_path / "read.csv").open())] == ["image2", "image0"]
    assert "none.png does not exist" in result.stderr


def test_images_of_the_other_polarity_are_refused(model: Path, tiny: Recipe, tmp_path: Path) -> None:
    for k, image in enumerate(Synthesizer(tiny, 2).batch(0, 3).images):
        Image.fromarray(255 - image * 255).save(tmp_path / f"image{k}.png")
    with pytest.raises(RealImagesError, match=r"ink and ground seem exchanged: .* invert .* or set ink = 'dark'"):
        run(predict, "--model", model, tmp_path, "--out", tmp_path / "read.csv")


def test_a_missing_path_is_refused_before_anything_is_read(model: Path, images: Path, tmp_path: Path) -> None:
    with pytest.raises(RealImagesError, match="does not exist"):
        run(predict, "--model", model, images, tmp_path / "none", "--out", tmp_path / "read.csv")


def test_nothing_readable_leaves_no_file(model: Path, images: Path, tmp_path: Path) -> None:
    with pytest.raises(RealImagesError, match="none could be read"):
        run(predict, "--model", model, images / "broken.png", "--out", tmp_path / "read.csv")
    assert not (tmp_path / "read.csv").exists()


def test_reading_does_not_depend_on_the_batch(model: Path, tiny: Recipe) -> None:
    batch = Synthesizer(tiny, 2).batch(0, 7).images
    whole, split = Reader.load(model).read(batch), Reader.of(Reader.load(model).network, tiny, batch_size=3).read(batch)
    assert np.array_equal(whole.codes, split.codes)
    assert whole.certainty == pytest.approx(split.certainty, abs=1e-5)


def test_a_score_without_mistakes_leaves_no_sheet_of_earlier_ones(model: Path, images: Path, tmp_path: Path) -> None:
    labels, out = labels_for(tmp_path, model, images), tmp_path / "out"
    out.mkdir()
    (out / "mistakes.png").write_bytes(b"of an earlier score")
    run(evaluate, "--model", model, "--images", images, "--labels", labels, "--out", out)
    assert sorted(path.name for path in out.iterdir()) == ["confusion.png", "score.json"]


def test_evaluate_scores_labelled_images_only(model: Path, images: Path, tmp_path: Path) -> None:
    labels = labels_for(tmp_path, model, images)
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:4]))
    result = run(evaluate, "--model", model, "--images", images, "--labels", labels, "--json", tmp_path / "score.json")
    whole = json.loads((tmp_path / "score.json").read_text())["whole"]
    assert (whole["right"], whole["total"]) == (3, 3)
    assert whole["low"] == pytest.approx(0.4385, abs=1e-4)
    assert "3/3" in result.output


def test_evaluate_draws_what_went_wrong(model: Path, images: Path, tmp_path: Path) -> None:
    labels = labels_for(tmp_path, model, images)
    header, first, *others = labels.read_text().splitlines()
    name, text, _ = first.split(",")
    labels.write_text("\n".join([header, f"{name},{text[::-1] if text != text[::-1] else 'a1'},1", *others]))
    run(evaluate, "--model", model, "--images", images, "--labels", labels, "--out", tmp_path / "score")
    score = json.loads((tmp_path / "score" / "score.json").read_text())
    assert (score["whole"]["right"], score["whole"]["total"]) == (COUNT - 1, COUNT)
    assert 0 <= score["confidence"]["calibration_error"] <= 1
    assert Image.open(tmp_path / "score" / "mistakes.png").size[0] > 2 * 40
    assert min(Image.open(tmp_path / "score" / "confusion.png").size) > 100


def test_labels_of_images_none_of_which_can_be_read_are_refused(model: Path, images: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("name,text\nsmall,ac\n")
    with pytest.raises(RealImagesError, match="none could be read"):
        run(evaluate, "--model", model, "--images", images, "--labels", tmp_path / "labels.csv")


def test_a_labelled_image_that_is_damaged_counts_as_wrong(model: Path, images: Path, tmp_path: Path) -> None:
    labels = labels_for(tmp_path, model, images)
    labels.write_text(labels.read_text() + "broken,ac,1\n")
    result = run(evaluate, "--model", model, "--images", images, "--labels", labels)
    assert "5/6" in result.stdout
    assert "broken" in result.stderr


def test_a_label_whose_image_may_have_lost_its_name_counts_as_wrong(model: Path, images: Path, tmp_path: Path) -> None:
    labels = labels_for(tmp_path, model, images)
    (images / "challenge-0").write_text('{"images": [{"name": "image8", "jpg_base64": 7}]}')
    labels.write_text(labels.read_text() + "image8,ac,1\n")
    result = run(evaluate, "--model", model, "--images", images, "--labels", labels)
    assert "5/6" in result.stdout
    assert "challenge-0[0]: " in result.stderr
    assert "1 labels name no image (image8); damage may hide it: counted as wrong" in result.stderr


def test_a_repeated_name_is_read_once_and_reported(model: Path, images: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((24, 40), np.uint8)).save(images / "image0.bmp")
    result = run(predict, "--model", model, images, "--out", tmp_path / "read.csv")
    names = [row["name"] for row in csv.DictReader((tmp_path / "read.csv").open())]
    assert names == [f"image{k}" for k in range(COUNT)]
    assert "repeated: image0: an earlier image of this name is used" in result.stderr
    assert "1 of another size, 1 repeated" in result.stderr


def test_labels_that_name_no_image_are_refused(model: Path, images: Path, tmp_path: Path) -> None:
    (images / "broken.png").unlink()
    labels = tmp_path / "labels.csv"
    labels.write_text("name,text\nimage0,ac\nimage9,ac\n")
    with pytest.raises(LabelError, match="row 3: image9"):
        run(evaluate, "--model", model, "--images", images, "--labels", labels)


def test_models_that_do_not_fit_are_refused(model: Path, tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="scores 5 characters, recipe tiny has 4"):
        Reader.load(model, tiny.replace(alphabet="acx1"))
    with pytest.raises(ModelError, match=r"takes images of shape .*recipe.toml of the run"):
        Reader.load(model, Recipe.named("hackmit"))
    other = tmp_path / "other"
    save_reader(Reader.load(model).network, tiny.replace(alphabet="xac17"), other)
    write_json(other / CONFIG, CONFIG_KIND, {"recipe_key": tiny.key})
    with pytest.raises(ModelError, match="copy recipe"):
        Reader.load(other / MODEL)
    alone = tmp_path / MODEL
    alone.write_bytes(model.read_bytes())
    with pytest.raises(ModelError, match=r"expected recipe.toml beside .*copy it"):
        Reader.load(alone)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.keras", None, "does not exist"),
        ("torn.keras", b"PK\x03\x04", "none or damaged"),
        ("x.h5", b"", "none or"),
    ],
)
def test_files_that_are_no_models_are_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        Reader.load(tmp_path / name)


def test_a_torn_model_is_refused(tiny: Recipe, tmp_path: Path) -> None:
    import zipfile

    torn = tmp_path / MODEL
    with zipfile.ZipFile(torn, "w") as archive:
        archive.writestr("config.json", "{")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Reader.load(torn, tiny)
