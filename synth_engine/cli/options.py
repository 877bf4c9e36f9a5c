"""Options that commands share, and help that lists a command's options in groups.

A command with groups is made by `command`, its options by `option`::

    @command(epilog="Example: …")
    @option("--real", group="Data", type=click.Path(), help="Unlabelled real images.")
    @seed_option()
    def train(real: str | None, seed: int) -> None: …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Literal, TypeVar, get_args

import click

from synth_engine.training.precision import PRECISIONS

OptionGroup = Literal["Data", "Training", "Adaptation", "Output", "Machine"]
GROUPS: tuple[OptionGroup, ...] = get_args(OptionGroup)
OTHER = "Options"
SEED_MAX = 2**31 - 1  # of the commands that pass it on to TensorFlow

Function = TypeVar("Function", bound=Callable[..., Any])


class GroupedOption(click.Option):
    """An option that help lists under ``group``."""

    def __init__(self, *names: Any, group: OptionGroup | None = None, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help lists options under `GROUPS`, in that order, and the rest under "Options"."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group that has a visible option."""
        sections: dict[str, list[tuple[str, str]]] = {name: [] for name in (*GROUPS, OTHER)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections[getattr(parameter, "group", None) or OTHER].append(record)
        for name, records in sections.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records)


def command(name: str | None = None, **settings: Any) -> Callable[[Callable[..., Any]], GroupedCommand]:
    """`click.command` that makes a `GroupedCommand`."""
    return click.command(name, cls=GroupedCommand, **settings)


def option(*names: str, group: OptionGroup | None = None, **settings: Any) -> Callable[[Function], Function]:
    """`click.option` that makes a `GroupedOption`."""
    return click.option(*names, cls=GroupedOption, group=group, **settings)


def preset_option(
    name: str,
    field: str,
    kind: click.ParamType[Any],
    text: str,
    *,
    presets: Mapping[str, object],
    group: OptionGroup | None = None,
    parameter: str | None = None,
) -> Callable[[Function], Function]:
    """An option that changes ``field`` of a preset; None where it is not given. Help shows each preset's value.

    ``field`` is a path of attributes: ``adaptation.steps`` arrives as the ``parameter``, by default
    ``adaptation__steps``.
    """
    values = {preset: attrgetter(field)(settings) for preset, settings in presets.items()}
    shown = "; ".join(f"{preset}: {value}" for preset, value in values.items())
    if len(set(values.values())) == 1:
        shown = str(next(iter(values.values())))
    parameter = parameter or field.replace(".", "__")
    return option(name, parameter, group=group, type=kind, default=None, help=text, show_default=shown)


def recipe_option(default: str | None = "hackmit", *, shown: str | bool = True) -> Callable[[Function], Function]:
    """``--recipe``; ``shown`` is what help says of the default where that depends on other options."""
    return option(
        "--recipe",
        group="Data",
        default=default,
        show_default=shown,
        metavar="NAME|TOML",
        help="Name of a built-in recipe, or a recipe file (TOML).",
    )


def seed_option(largest: int | None = None) -> Callable[[Function], Function]:
    """``--seed``, 0 by default; ``largest`` is `SEED_MAX` for commands that use TensorFlow."""
    kind = click.INT if largest is None else click.IntRange(0, largest)
    return option("--seed", group="Data", default=0, show_default=True, type=kind, help="Seed of all random numbers.")


def workers_option() -> Callable[[Function], Function]:
    """``--workers``: Ray actors that render samples."""
    return option(
        "--workers",
        group="Machine",
        default=0,
        show_default=True,
        type=click.IntRange(0),
        help="Ray actors that render samples; 0: threads of this process.",
    )


def ray_address_option() -> Callable[[Function], Function]:
    """``--ray-address``: the cluster of ``--workers``."""
    return option(
        "--ray-address",
        group="Machine",
        metavar="HOST:PORT",
        show_default="a private Ray on this machine",
        help="A running Ray cluster, for --workers.",
    )


def threads_option() -> Callable[[Function], Function]:
    """``--threads``: those of TensorFlow."""
    return option(
        "--threads",
        group="Machine",
        type=click.IntRange(1),
        show_default="one a core",
        help="Threads that TensorFlow uses.",
    )


def precision_option(text: str = "Number format of convolutions.") -> Callable[[Function], Function]:
    """``--precision``; None lets the command choose the fastest."""
    return option(
        "--precision",
        group="Machine",
        type=click.Choice(PRECISIONS),
        show_default="the fastest on this machine",
        help=text,
    )
