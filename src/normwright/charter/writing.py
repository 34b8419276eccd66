"""Norms, charters and policies as YAML that people review: the same value gives the same bytes."""

from __future__ import annotations

from typing import Any

import yaml


def as_yaml(value: Any) -> str:
    """Return a value as YAML: keys in their order, letters as they are, lines of 100 columns."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes a value again where it comes again: people do not read anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
