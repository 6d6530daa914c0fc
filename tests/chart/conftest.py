"""The chart: values in, objects or a refusal out, by the real Helm."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from devenv import settings
from tests.support import charts
from tests.support import helm as helms

Release = Callable[..., charts.Objects]


@pytest.fixture(scope="session")
def helm(
    dev_settings: settings.DevSettings, tmp_path_factory: pytest.TempPathFactory
) -> helms.Helm:
    """Helm as `make prepare` leaves it on a machine."""
    program = helms.find(dev_settings.cache_dir)
    if program is None:
        pytest.fail("there is no Helm 4 on this machine: run `make prepare`", pytrace=False)
    return helms.Helm(program=program, home=tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def release(helm: helms.Helm) -> Release:
    """Render a release: `release({"worker.replicas": 3})` on top of the smallest values."""

    rendered: dict[str, str] = {}

    def render(changes: dict[str, Any] | None = None) -> charts.Objects:
        values = charts.values(changes)
        key = json.dumps(values, sort_keys=True)
        if key not in rendered:
            rendered[key] = helm.render(values=values)
        return charts.Objects(helms.bodies(rendered[key]))

    return render
