"""The page of the moral battery shows every figure, in words too, in each language."""

from __future__ import annotations

import re
from pathlib import Path

from normwright.evaluate.moral import RULES, Battery, figures, frames, report, run_rule
from normwright.web import write_moral_page


def test_every_figure_stands_on_the_page_with_its_interval(tmp_path: Path) -> None:
    """One picture a figure and one line a source, in both languages, and what is not shown."""
    answered = run_rule(RULES["longer"], Battery(frames("en")[:3] + frames("pt")[:3], (), 2))
    told = report(figures(answered, seed=1), answered=answered, model="the <longer>",
                  model_digest="0" * 64, seed=1, limit=3, sources={})  # fmt: skip
    write_moral_page(told, tmp_path / "moral.html")
    text = (tmp_path / "moral.html").read_text(encoding="utf-8")
    names = {(f.part, f.name) for f in told.figures}

    assert len(re.findall(r'<svg class="panel"', text)) == 2 * len(names)
    assert len(re.findall(r'<tr class="figure">', text)) == 2 * len(told.figures)
    assert text.count('class="s-range m-') == text.count('class="s-point m-') > 0
    assert "the &lt;longer&gt;" in text
    assert "the <longer>" not in text
    for words in ("What this does not show", "O que isto não mostra", "net flips, you to she or he",
                  "viradas líquidas, de você para ela ou ele"):  # fmt: skip
        assert words in text
