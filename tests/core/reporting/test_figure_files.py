"""Figures as files: every panel and the legend on one sheet, and the same bytes for the same data."""

import re

from golden_core.reporting.figure_files import figure_files
from golden_core.reporting.figures import Plot
from golden_core.reporting.svg import legend_key, panel


def plot(count, ending=2.0):
    def draw(axes):
        axes.plot([0, 1], [1, ending])

    panels = tuple(panel("gain", f"panel {number}", "", draw, height=1.0) for number in range(count))
    return Plot("gain", "A caption.", panels, None, (legend_key("gain", "ar", "#1f5f8b", (0, (5, 1))),))


def test_every_panel_and_the_legend_are_there_in_both_formats():
    files = figure_files([plot(4), plot(0)])
    assert files.keys() == {"gain.pdf", "gain.svg"}
    drawn = files["gain.svg"].decode()
    assert re.findall(r">(panel \d|ar)<", drawn) == ["panel 0", "panel 1", "panel 2", "panel 3", "ar"]
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) (\S+)"', drawn).groups())
    assert (width, height) == (3 * 3.5 * 72, 172.8)  # points: 3 panels of 3.5 inches; 2 of 1, and 0.4
    assert files["gain.pdf"].startswith(b"%PDF")


def test_equal_data_give_equal_bytes_and_nothing_says_when():
    files = figure_files([plot(2)])
    assert figure_files([plot(2)]) == files
    assert figure_files([plot(2, ending=3.0)]) != files
    assert b"CreationDate" not in files["gain.pdf"]
    assert b"dc:date" not in files["gain.svg"]
