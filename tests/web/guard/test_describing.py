"""The description of the proxy names what the proxy answers, and nothing else."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import Route
from tests.guard.town import policy
from tests.web.guard.kit import WordGuard

from normwright.web.guard import ServeSettings, application
from normwright.web.guard.describing import description
from normwright.web.guard.settings import Limits

UNDESCRIBED = {"/", "/openapi.json"}


def test_every_route_is_described_with_its_method(tmp_path: Path) -> None:
    """A route that is added or taken away without its description fails here."""
    app = application(WordGuard(policy()), ServeSettings(state=tmp_path))
    served = {
        (route.path.replace("{model:path}", "{model}"), method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD" and route.path not in UNDESCRIBED
    }
    described = {
        (path, method)
        for path, operations in description()["paths"].items()
        for method in operations
        if method != "parameters"
    }

    assert described == served


def test_limits_in_the_description_are_those_of_the_server() -> None:
    """Numbers that stand in both places are the same."""
    schemas = description()["components"]["schemas"]

    assert schemas["N"]["maximum"] == Limits().choices
    assert schemas["Contest"]["properties"]["text"]["maxLength"] == Limits().contest_chars
