"""`python -m classifier.compare`: where readers trained apart differ on unlabelled images, no label read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from classifier.confidence.agreement import WORST, Distance, Pair, class_distance, compare, disputed, estimates
from classifier.networks.readings import Readings, to_texts
from classifier.reading.class_shares import expected_shares
from synth_engine.atomic import write_bytes
from synth_engine.cli.guard import main_guard
from synth_engine.errors import ModelError

if TYPE_CHECKING:
    from classifier.reading.reader import Reader
    from synth_engine.real import RealImages

COMPARISON, SHEET = "compare.json", "disputed.png"
LIMIT = 4096
SHOWN = 48
SEED = 0  # of the samples whose classes are counted as expected
LIMITS = (
    "What all readers get wrong in the same way, such as a font that the recipe lacks, is not seen: take the estimates "
    "as upper bounds of accuracy."
)


@click.command(
    epilog="Example: python -m classifier.compare --model runs/seed0/classifier.keras --model "
    "runs/seed1/classifier.keras challenges --out runs/compared"
)
@click.argument("path", type=click.Path())
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    type=click.Path(),
    help="classifier.keras, recipe.toml beside it; once for each reader, two or more.",
)
@click.option("--limit", default=LIMIT, show_default=True, type=click.IntRange(1), help="Images to read.")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    help=f"Also write {COMPARISON} and, where readers differ, {SHEET} (the {SHOWN} surest) into this folder.",
)
@click.option("--threads", type=click.IntRange(1), help="TensorFlow's threads.  [default: one a core]")
def main(path: str, models: tuple[str, ...], limit: int, out: str | None, threads: int | None) -> None:
    """Read the unlabelled images in PATH with readers trained from different seeds, and say where they differ.

    Prints the shares of texts and characters on which each two agree, the characters most disputed, how far each one's
    classes lie from those that its recipe draws, and the share of right texts that agreement suggests (Jiang et al.
    2022: two runs differ about as often as each is wrong). What all readers get wrong in the same way, such as a font
    that the recipe lacks, is not seen: take the estimates as upper bounds of accuracy.
    """
    from synth_engine.tensorflow_setup import prepare_tensorflow

    check_count(models)
    prepare_tensorflow(None, threads)
    from classifier.confidence.independent_readers import load_apart
    from synth_engine.real import load_real_images

    readers = load_apart([Path(model) for model in models], warn)
    target = load_real_images(path, readers[0].recipe, limit)
    for line in target.report.lines():
        warn(line)
    comparison = Comparison.of(models, readers, target)
    click.echo("\n".join(comparison.lines()))
    if out:
        comparison.save(Path(out), target)


def check_count(models: Sequence[str]) -> None:
    """Raise ModelError unless there are readers to compare, and a letter for each."""
    if not 2 <= len(models) <= len(ascii_uppercase):
        raise ModelError(
            f"expected 2 to {len(ascii_uppercase)} readers to compare, received {len(models)}; give --model once for "
            "each",
            len(models),
        )


def warn(line: str) -> None:
    """Print a line to stderr."""
    click.echo(line, err=True)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What R readers, called A, B, … in the order of ``models``, read in the same images."""

    models: Sequence[str]
    alphabet: str
    readings: Sequence[Readings]
    pairs: Sequence[Pair]
    distances: Sequence[Distance]

    @classmethod
    def of(cls, models: Sequence[str], readers: Sequence[Reader], target: RealImages) -> Comparison:
        """Read ``target`` with each of ``readers``."""
        readings = [reader.read(target.images) for reader in readers]
        expected = [expected_shares(reader.recipe, SEED) for reader in readers]
        return cls(
            models=models,
            alphabet=readers[0].recipe.alphabet,
            readings=readings,
            pairs=compare(readings),
            distances=[class_distance(one.codes, shares) for one, shares in zip(readings, expected, strict=True)],
        )

    def lines(self) -> list[str]:
        """Lines for people."""
        lines = [f"{len(self.readings[0])} images, no label read"]
        lines += [line for pair in self.pairs for line in self._pair_lines(pair)]
        for letter, reader in self._readers().items():
            lines += [
                f"{letter}: estimated right {reader['estimated_right']:.1%}, by its own confidence "
                f"{reader['confidence']:.1%}; classes {reader['class_distance']:.1%} from the recipe's "
                f"({reader['class_distance_by_chance']:.1%} by chance)  {reader['model']}"
            ]
        return [*lines, LIMITS]

    def as_dict(self, target: RealImages) -> dict[str, Any]:
        """Plain values for JSON; shares are in [0, 1]."""
        return {
            "images": len(self.readings[0]),
            "readers": self._readers(),
            "pairs": [self._pair_dict(pair) for pair in self.pairs],
            "disputed": [
                {"name": target.names[k], "texts": self._texts(k), "confidence": round(sure, 4)}
                for k, sure in self._surest()
            ],
            "limits": LIMITS,
        }

    def save(self, folder: Path, target: RealImages) -> None:
        """Write compare.json and, where readers differ, the sheet of what they differ on most surely."""
        from synth_engine.contact_sheet import labelled_sheet, save_picture

        content = json.dumps(self.as_dict(target), indent=2, ensure_ascii=False) + "\n"
        write_bytes(folder / COMPARISON, content.encode())
        (folder / SHEET).unlink(missing_ok=True)
        picked = [k for k, _ in self._surest()]
        if picked:
            captions = ["  ".join(f"{letter}: {text}" for letter, text in self._texts(k).items()) for k in picked]
            save_picture(labelled_sheet(target.images[picked], captions), folder / SHEET)

    def _readers(self) -> dict[str, dict[str, Any]]:
        rows = zip(self.models, estimates(self.pairs), self.readings, self.distances, strict=True)
        return {
            ascii_uppercase[k]: {
                "model": model,
                "estimated_right": round(right, 4),
                "confidence": round(float(readings.confidence().mean()), 4),
                "class_distance": round(distance.found, 4),
                "class_distance_by_chance": round(distance.chance, 4),
            }
            for k, (model, right, readings, distance) in enumerate(rows)
        }

    def _pair_lines(self, pair: Pair) -> list[str]:
        first, second = ascii_uppercase[pair.first], ascii_uppercase[pair.second]
        lengths = "" if pair.lengths == 1 else f" (of the {pair.lengths:.1%} of texts read to one length)"
        return [
            f"{first} and {second} agree on {pair.texts:.1%} of texts, {pair.characters:.1%} of characters{lengths}; "
            f"on average at most {pair.right_at_most:.1%} of their texts are right",
            *(
                f"  {first} reads {self.alphabet[one]} where {second} reads {self.alphabet[other]}: "
                f"{count / pair.compared:.2%} of characters ({count})"
                for one, other, count in pair.disputes[:WORST]
            ),
        ]

    def _pair_dict(self, pair: Pair) -> dict[str, Any]:
        first, second = ascii_uppercase[pair.first], ascii_uppercase[pair.second]
        return {
            "readers": [first, second],
            "texts": round(pair.texts, 4),
            "characters": round(pair.characters, 4),
            "lengths": round(pair.lengths, 4),
            "right_at_most": round(pair.right_at_most, 4),
            "disputes": [
                {first: self.alphabet[one], second: self.alphabet[other], "count": count}
                for one, other, count in pair.disputes
            ],
        }

    def _texts(self, image: int) -> dict[str, str]:
        one = np.s_[image : image + 1]
        texts = [to_texts(readings.codes[one], self.alphabet)[0] for readings in self.readings]
        return dict(zip(ascii_uppercase, texts, strict=False))

    def _surest(self) -> list[tuple[int, float]]:
        images, sure = disputed(self.readings, SHOWN)
        return list(zip(images.tolist(), sure.tolist(), strict=True))


if __name__ == "__main__":
    main_guard(main)
