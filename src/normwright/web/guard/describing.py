"""`/openapi.json`: what the proxy understands, for programs that read such a description."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import Response

from normwright.web.guard.faults import as_json

PATH = "/openapi.json"


@cache
def description() -> dict[str, Any]:
    """Return the document; it lies beside this module as YAML."""
    text = (files(__package__) / "openapi.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


async def openapi(request: Request) -> Response:
    """Return the document; it tells nothing about this server, so that no key is asked for."""
    return as_json(description())
