"""Entry of ``synth-engine`` and of ``python -m synth_engine``."""

from __future__ import annotations

from synth_engine.cli.engine import cli
from synth_engine.cli.guard import main_guard


def main() -> None:
    """Run the command line of this process and exit."""
    main_guard(cli)


if __name__ == "__main__":
    main()
