"""Chromium opens the report at 1280 by 800: what decides stands on the first screen, unclipped."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.web.town import town

from normwright.web import ReportData, write_report

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

# Only this copy of the page has a script; it writes down where things lie once they are laid out.
MEASURE = """
<script>
addEventListener('load', () => {
  const box = (e) => { const r = e.getBoundingClientRect(); return {
    text: e.innerText.trim(), left: r.left, right: r.right, top: r.top, bottom: r.bottom,
    shown: r.width > 0 && r.height > 0, clipped: e.scrollWidth > e.clientWidth + 1 }; };
  const modes = {};
  for (const card of document.querySelectorAll('.edition .mode')) {
    if (!card.offsetParent) continue;
    modes[card.dataset.mode] = Object.fromEntries(
      [...card.querySelectorAll('[data-what]')].map((e) => [e.dataset.what, box(e)]));
  }
  const shown = [...document.querySelectorAll('.edition')].filter((e) => e.offsetParent);
  const seen = { width: innerWidth, scroll: scrollY, wide: document.documentElement.scrollWidth,
    editions: shown.map((e) => e.lang), modes,
    people: box(shown[0].querySelector('.people')), title: box(shown[0].querySelector('h1')) };
  document.body.setAttribute('data-seen', JSON.stringify(seen));
});
</script>
"""

SCENES = {
    # The permit decides two modes; a number decides the first.
    "simulated": lambda: town(),
    # Too few wordings: every mode waits for evidence.
    "thin": lambda: town("human", wordings=20, harm=0.0),
    # The evidence shows harm.
    "harmful": lambda: town(harm=0.5),
}


def seen(data: ReportData, folder: Path, anchor: str) -> dict[str, Any]:
    """Where the first screen's parts lie when Chromium opens the page at an anchor."""
    if not Path(CHROMIUM).is_file():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    page = write_report(data, folder)
    page.write_text(
        page.read_text(encoding="utf-8").replace("</body>", f"{MEASURE}</body>"), encoding="utf-8"
    )
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}",
            "--window-size=1280,800", "--dump-dom", page.as_uri() + anchor,
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found is not None, done.stderr[-500:]
    measured: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return measured


@pytest.mark.parametrize("lang", ["en", "pt"])
@pytest.mark.parametrize("scene", SCENES)
def test_the_first_screen_holds_what_decides(tmp_path: Path, scene: str, lang: str) -> None:
    """Verdict, criterion, bound, limit and n still needed of every mode lie within 800 px."""
    data = SCENES[scene]()

    screen = seen(data, tmp_path, f"#{lang}")

    assert screen["width"] == 1280
    assert screen["scroll"] == 0
    assert screen["wide"] <= 1280
    assert screen["editions"] == [lang]
    assert set(screen["modes"]) == {"internal", "api_guarded", "open_weights"}
    boxes = {"title": screen["title"], "people": screen["people"]} | {
        f"{mode}.{what}": box
        for mode, parts in screen["modes"].items()
        for what, box in parts.items()
    }
    outside = [
        name
        for name, b in boxes.items()
        if not b["shown"]
        or b["clipped"]
        or not b["text"]
        or b["top"] < 0
        or b["bottom"] > 800
        or b["left"] < 0
        or b["right"] > 1280
    ]
    assert outside == []
    assert data.verdict is not None
    for mode in data.verdict.modes:
        parts = screen["modes"][mode.mode]
        assert set(parts) == {"verdict", "deciding", "bound", "limit", "observed", "needed"}
        assert mode.verdict in parts["verdict"]["text"]


def test_without_an_anchor_the_first_language_opens(tmp_path: Path) -> None:
    """The default edition shows alone, and says what is still needed in numbers."""
    screen = seen(SCENES["thin"](), tmp_path, "")

    internal = screen["modes"]["internal"]

    assert screen["editions"] == ["en"]
    assert internal["verdict"]["text"].startswith("HOLD")
    assert re.fullmatch(r"\d+ more\s+\d+ in all", internal["needed"]["text"])
