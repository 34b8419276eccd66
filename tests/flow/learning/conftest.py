"""A model to train from, on disk."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model on disk."""
    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    texts = ["When does it open? I cannot say.", "Onde fica? Who is it? At nine. No."]
    made = scratch_model(texts, shape=Shape(16, 1, 1, 300, 128), seed=0)
    place = tmp_path_factory.mktemp("start")
    save_plain(made.weights, made.tokenizer, place)
    return place
