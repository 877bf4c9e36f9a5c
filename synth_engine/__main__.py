"""Entry of ``python -m synth_engine``."""

from synth_engine.cli import cli, main_guard

if __name__ == "__main__":
    main_guard(cli)
