"""Settings of `cost`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from normwright.flow.tunings.tuning import Tuning


class Cost(Tuning):
    """A cost model whose sign means unsafe."""

    epochs: Annotated[int, Field(ge=1, le=1000)] = 1
    """Times through pairs and labels."""
