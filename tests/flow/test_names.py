"""What a person who imports the room gets."""

from __future__ import annotations

from types import ModuleType

import pytest

from normwright import flow


@pytest.mark.parametrize("name", flow.__all__)
def test_no_name_of_the_room_is_hidden_by_a_file_of_the_same_name(name: str) -> None:
    """A module called like a function would take the function's place once it is imported."""
    assert not isinstance(getattr(flow, name), ModuleType)
