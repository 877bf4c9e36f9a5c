"""Set up and run, with nothing but Python 3.11-3.13 and its venv module.

python3 bootstrap.py train [OPTIONS]   make .venv, install, run `python -m gan.train OPTIONS` (no data needed)
python3 bootstrap.py test              make .venv, install, run lint, types, tests, tiny benchmarks; build docs
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CHECKS = (
    ("lint", ["-m", "ruff", "check", "."]),
    ("format", ["-m", "ruff", "format", "--check", "."]),
    ("types", ["-m", "mypy"]),
    ("tests", ["-m", "pytest", "--numprocesses=2", "--dist=loadfile"]),
    ("benchmarks, tiny", ["-m", "pytest", "bench", "--benchmark-disable-gc", "--benchmark-max-time=0.1"]),
    ("documentation", ["-m", "mkdocs", "build", "--strict"]),
)


def install(extra: str) -> None:
    """Bring ``.venv`` to what pyproject.toml and constraints.txt ask for; nothing to do when it is there already."""
    wanted = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in wanted) + extra.encode()).hexdigest()
    done = VENV / f"installed-{extra}"
    if done.exists() and done.read_text() == stamp:
        return
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    run(["-m", "pip", "install", "--quiet", "-c", str(wanted[1]), "-e", f"{ROOT}[{extra}]"])
    done.write_text(stamp)


def run(arguments: list[str], cwd: Path | None = None, **environment: str) -> None:
    """Run the environment's Python; a failure ends this script with its exit code.

    Ctrl-C reaches the child too: it is given the time to save what it has.
    """
    child = subprocess.Popen([str(PYTHON), *arguments], cwd=cwd, env={**os.environ, **environment})
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            continue
    if code:
        sys.exit(code)


def main() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        sys.exit(f"Python 3.11 to 3.13 is needed (TensorFlow has no wheels beyond); this is {sys.version.split()[0]}")
    what, *options = sys.argv[1:] or ["help"]
    if what == "train":
        install("train")
        run(["-m", "gan.train", *options])
    elif what == "test":
        install("dev")
        for name, arguments in CHECKS:
            sys.stdout.write(f"== {name}\n")
            sys.stdout.flush()
            run(arguments, cwd=ROOT, SYNTH_BENCH_TINY="1", NO_MKDOCS_2_WARNING="1")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
