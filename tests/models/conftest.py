"""A language model small enough to be made in a test."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def tiny() -> Any:
    """A random model of one layer over the town's words, with one thread."""
    import torch
    from tests.evaluate.town import bank

    from normwright.learn import Shape, scratch_model
    from normwright.scenes import draw

    torch.set_num_threads(1)
    scenes = draw(bank(), split="dev", seed=0)
    texts = [t for s in scenes for t in (*(m.content for m in s.messages), s.perform, s.decline)]
    return scratch_model(texts, shape=Shape(32, 2, 2, 400, 256), seed=0)
