"""What gan and classifier exchange: a report survives its file, and another version of it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_engine.errors import RunError
from synth_engine.training.refinement_report import (
    ASSESSMENT,
    METRIC_COLUMNS,
    MetricTarget,
    RefinementReport,
    RefinerMetrics,
    RefinerRequest,
)

METRICS = RefinerMetrics(**{**dict.fromkeys(METRIC_COLUMNS, 0.25), "step": 7, "kernel_distance": None})
TARGETS = (
    MetricTarget("label preservation", "at least 99%", "99.5%", reached=True, needed=True),
    MetricTarget("kernel distance", "at most 50%", "needs --reader", reached=None, needed=False),
)
REPORT = RefinementReport(helps=True, reason="the best", chosen=METRICS, last=METRICS, targets=TARGETS)


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    REPORT.write(tmp_path)
    assert RefinementReport.read(tmp_path, remedy="train again") == REPORT


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format_version": 99}, "`format_version` 99: expected 1"), ({"kind": "scores"}, "is of kind 'scores'"),
        ({"helps": "yes"}, r"damaged: Expected `bool`.*\$\.helps"), ({"targets": [{}]}, r"damaged: .*\$\.targets"),
    ],
)  # fmt: skip
def test_another_version_and_damage_are_refused_with_the_remedy(
    change: dict[str, object], problem: str, tmp_path: Path
) -> None:
    REPORT.write(tmp_path)
    content = json.loads((tmp_path / ASSESSMENT).read_text())
    (tmp_path / ASSESSMENT).write_text(json.dumps({**content, **change}))
    with pytest.raises(RunError, match=rf"assessment\.json.*{problem}.*; train again$"):
        RefinementReport.read(tmp_path, remedy="train again")


def test_a_request_names_what_is_given() -> None:
    request = RefinerRequest(
        real="/real", recipe="/r.toml", reader="/c.keras", run="/run", steps=5, precision="float32", seed=0
    )
    line = request.options()
    given = {"--real": "/real", "--recipe": "/r.toml", "--reader": "/c.keras", "--run": "/run", "--steps": "5"}
    assert dict(zip(line[::2], line[1::2], strict=True)) == {
        **given, "--precision": "float32", "--seed": "0", "--workers": "0",
    }  # fmt: skip
