"""Heads: one for each kind of network, found again whatever was done to the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.networks.head import Head
from classifier.networks.heads import CTC, GRID, HEADS, POSITION, build, head_of
from synth_engine import Recipe
from synth_engine.errors import ModelError
from synth_engine.recipe import Canvas

keras = pytest.importorskip("keras")

from classifier.networks.folding import folded  # noqa: E402
from classifier.networks.fused import for_training  # noqa: E402
from synth_engine.training.precision import in_precision  # noqa: E402


@pytest.mark.parametrize("head", HEADS.values())
def test_a_network_s_head_is_found_in_its_copies_and_its_file(tiny: Recipe, tmp_path: Path, head: Head) -> None:
    network = head.build(tiny, width=4, depth=2)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", compile=False, safe_mode=True)
    copies = [folded(network), for_training(network), in_precision(network, "mixed_bfloat16")]
    assert {head_of(each) for each in (network, loaded, *copies)} == {head}
    assert head.characters(loaded) == len(tiny.alphabet)


def test_a_network_of_another_rank_has_no_head() -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ModelError, match=r"expected a reader's scores .* received \(None, 2\).*give a classifier"):
        head_of(network)


def test_a_refiner_is_judged_by_place_or_by_position(tiny: Recipe) -> None:
    longer = tiny.replace(length=3)
    judges = [head.can_judge(head.build(tiny, width=4, depth=2), tiny) for head in (GRID, POSITION, CTC)]
    assert judges == [True, True, False]
    assert not POSITION.can_judge(POSITION.build(tiny, width=4, depth=2), longer)


def test_four_heads_need_a_fixed_length(tiny: Recipe) -> None:
    with pytest.raises(ModelError, match=r"fixed length .*--network grid"):
        build("four-head", tiny.replace(length=(1, 2)), width=4, depth=2)


def test_ctc_needs_columns_enough_for_equal_characters(tiny: Recipe) -> None:
    with pytest.raises(ModelError, match=r"11 columns .* for 6 equal characters, the canvas has 10"):
        build("ctc", tiny.replace(length=6), width=4, depth=2)


def test_odd_canvases_fit_the_grid(tiny: Recipe) -> None:
    recipe = tiny.replace(canvas=Canvas(width_px=45, height_px=26))
    assert build("grid", recipe, width=4, depth=2).output_shape == (None, 7, 12, 6)


@pytest.mark.parametrize("head", [POSITION, CTC])
def test_scores_without_places_give_no_information_loss(head: Head) -> None:
    with pytest.raises(ModelError, match=f"knows characters' places, received a {head.name} network; use"):
        head.information_loss(None, None, None, (24, 40))
