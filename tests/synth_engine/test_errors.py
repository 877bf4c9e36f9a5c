"""One base for all errors, and a former name that still works."""

from __future__ import annotations

import inspect

import pytest

from synth_engine import errors


def test_every_error_has_the_projects_base_and_keeps_its_value() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert all(issubclass(kind, errors.SynthError) for kind in kinds)
    assert all((str(kind("why", 3)), kind("why", 3).value, kind("why").value) == ("why", 3, None) for kind in kinds)


def test_the_former_name_of_real_images_errors_is_deprecated() -> None:
    with pytest.warns(DeprecationWarning, match="TargetError is called RealImagesError now"):
        assert errors.TargetError is errors.RealImagesError
