"""Entry of ``python -m synth_engine``."""

from synth_engine.cli.engine import cli
from synth_engine.cli.guard import main_guard

if __name__ == "__main__":
    main_guard(cli)
