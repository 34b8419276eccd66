"""The pictures of the manual are taken from what a project really shows."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from types import ModuleType

import pytest
from tests.loading import load_script

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def screenshots() -> ModuleType:
    """The script that takes them."""
    return load_script(ROOT / "scripts" / "screenshots.py")


def size(picture: Path) -> tuple[int, int]:
    """Width and height that a PNG says it has."""
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


@pytest.mark.browser
def test_a_screen_is_drawn_as_it_was_printed(screenshots: ModuleType, tmp_path: Path) -> None:
    """A long screen is cut at the lines that fit, and the picture is as high as they are."""
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    long = "\n".join(f"\x1b[32mline {number}\x1b[0m" for number in range(100))

    screenshots.drawn("normwright status", "one line", tmp_path / "short.png", tmp_path)
    screenshots.drawn("normwright trace", long, tmp_path / "long.png", tmp_path)

    heights = [size(tmp_path / f"{name}.png")[1] for name in ("short", "long")]
    assert heights == [40 + 19 * 2, 40 + 19 * (screenshots.MOST_LINES + 2)]
    assert all(path.stat().st_size < screenshots.LARGEST for path in tmp_path.glob("*.png"))


def test_what_is_printed_is_in_colour_and_without_progress(
    screenshots: ModuleType, micro_project: Path
) -> None:
    """A command's stdout is kept with its colours; its progress is not; a failure is told."""
    text = screenshots.printed("status", micro_project.name, inside=micro_project.parent)

    assert "\x1b[" in text
    assert "charter" in text
    with pytest.raises(SystemExit, match="ended with 1"):
        screenshots.printed("status", "nowhere", inside=micro_project.parent)
