"""Shared options, presets among them, and help in groups."""

from __future__ import annotations

from dataclasses import dataclass, field

import click
from click.testing import CliRunner

from synth_engine.cli.options import command, option, preset_option, seed_option


@dataclass(frozen=True)
class Inner:
    steps: int = 3


@dataclass(frozen=True)
class Settings:
    rate: float = 0.1
    inner: Inner = field(default_factory=Inner)


PRESETS = {"default": Settings(), "quick": Settings(rate=0.2)}


@command(epilog="Example: try --rate 1")
@click.argument("path", required=False)
@option("--plain", help="Ungrouped.")
@preset_option("--rate", "rate", click.FLOAT, "Rate.", presets=PRESETS, group="Training")
@preset_option("--steps", "inner.steps", click.INT, "Steps.", presets=PRESETS, group="Adaptation")
@seed_option()
def example(**options: object) -> None:
    """Print what arrives."""
    click.echo(str(options))


def test_help_has_groups_in_their_order_and_the_rest_last() -> None:
    text = CliRunner().invoke(example, ["--help"]).output
    places = [text.index(part) for part in ("Data:", "--seed", "Training:", "--rate", "Adaptation:", "--steps")]
    assert places == sorted(places)
    assert text.index("Options:") > places[-1]
    assert text.index("--help") > text.index("--plain") > text.index("Options:")
    assert "Machine:" not in text
    assert "PATH" not in text[text.index("Options:") :]


def test_help_shows_a_value_for_each_preset_or_one_for_all() -> None:
    text = " ".join(CliRunner().invoke(example, ["--help"]).output.split())
    assert "[default: (default: 0.1; quick: 0.2)]" in text
    assert "[default: (3)]" in text


def test_an_option_that_is_not_given_is_none() -> None:
    shown = CliRunner().invoke(example, ["--steps", "7"]).output
    assert shown == "{'inner__steps': 7, 'path': None, 'plain': None, 'rate': None, 'seed': 0}\n"
