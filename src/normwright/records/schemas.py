"""JSON Schemas of records and settings, for editors and for the manual."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a model, its keys as files write them."""
    return {"$schema": DIALECT, **model.model_json_schema(schema_generator=_Plain)}


class _Plain(GenerateJsonSchema):
    """A schema without the titles pydantic makes of names: an editor shows what each key means."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return no, for every field."""
        return False
