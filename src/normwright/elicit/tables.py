"""A table beside the ballots, as somebody keeps it: any delimiter, encoding or workbook."""

from __future__ import annotations

from pathlib import Path

from normwright.elicit.archives import folder_at
from normwright.elicit.sheets import read_sheet
from normwright.records import InputError


def read_table(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Return the columns of a table, in small letters, and its rows.

    Raises:
        InputError: with every fault, if it is no table.
    """
    with folder_at(path) as folder:
        sheet = read_sheet(folder.only or path, folder)
        if sheet is None or folder.faults.found:
            raise InputError(folder.faults.found)
        columns = tuple(c.strip().lower() for c in sheet.columns)
        return columns, [dict(zip(columns, row.cells, strict=True)) for row in sheet.rows]
