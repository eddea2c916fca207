"""The contracts that models and data sets are plugged into, drawn from the code: members, and what is passed on."""

from __future__ import annotations

import inspect
import io
import re
import textwrap
from collections import defaultdict
from dataclasses import dataclass

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from golden_core.forecasters.base import Context, Forecaster
from golden_core.inputs.windows import Examples, Windows
from golden_core.sources.base import Source
from golden_core.store.randomness import Stream
from golden_core.trials.campaign import Outcome
from golden_core.trials.identity import SeriesInputs, Trial

CLASSES: tuple[type, ...] = (Source, Forecaster, SeriesInputs, Examples, Outcome, Windows, Context, Stream, Trial)
LETTERS = 46  # of a line within a box
WIDTH, GAP, LINE, LEAST = 3.4, 1.0, 0.17, 0.3  # inches: of a box, between columns, between lines, between boxes


@dataclass(frozen=True)
class Interface:
    """A class: its public fields and methods as they are declared, and which of the others they name."""

    name: str
    module: str
    says: str
    members: dict[str, str]
    uses: tuple[str, ...]


def interfaces() -> tuple[Interface, ...]:
    """Return every contract."""
    return tuple(_interface(one) for one in CLASSES)


def svg(found: tuple[Interface, ...]) -> str:
    """Return the contracts as a picture, the same bytes for the same code: whoever uses stands left of what it uses."""
    columns: dict[int, list[Interface]] = defaultdict(list)
    deepest = max(_depth(one, found) for one in found)
    for one in found:
        alone = not one.uses and not any(one.name in other.uses for other in found)
        columns[0 if alone else deepest - _depth(one, found)].append(one)
    height = 0.6 + max(sum(_height(one) + LEAST for one in column) for column in columns.values())
    width = (deepest + 1) * (WIDTH + GAP)
    with matplotlib.style.context(["default", {"svg.fonttype": "none", "svg.hashsalt": "interfaces"}]):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        places = {}
        for number, column in columns.items():
            between = (height - sum(map(_height, column))) / (len(column) + 1)
            x, y = GAP / 2 + number * (WIDTH + GAP), between
            for one in column:
                places[one.name] = (x, y + _height(one) / 2)
                _box(axes, one, x, y)
                y += _height(one) + between
        for user, used in [(one.name, other) for one in found for other in one.uses]:
            (x, y), (end, below) = places[user], places[used]
            arrow = FancyArrowPatch((x + WIDTH, y), (end, below), arrowstyle="-|>", mutation_scale=10, zorder=0)
            axes.add_patch(arrow)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _box(axes: Axes, one: Interface, x: float, y: float) -> None:
    axes.add_patch(Rectangle((x, y), WIDTH, _height(one), facecolor="#f5f6f8", edgecolor="#4a5663"))
    axes.text(x + 0.1, y + 0.2, one.name, size=10, weight="bold", va="center")
    for number, line in enumerate(_lines(one)):
        axes.text(x + 0.1, y + 0.45 + LINE * number, line, size=7, family="monospace", va="center", parse_math=False)


def _interface(kind: type) -> Interface:
    fields = {name: f": {annotation}" for name, annotation in inspect.get_annotations(kind).items() if name[0] != "_"}
    methods = {
        name: _signature(member)
        for name, member in vars(kind).items()
        if name[0] != "_" and (inspect.isfunction(member) or isinstance(member, property | classmethod))
    }
    members = fields | methods
    constructor = str(inspect.signature(kind.__init__)) if kind is Forecaster else ""
    words = set(re.findall(r"\w+", " ".join([*members.values(), constructor])))
    uses = tuple(other.__name__ for other in CLASSES if other is not kind and other.__name__ in words)
    says = (inspect.getdoc(kind) or "").partition("\n")[0]
    return Interface(kind.__name__, kind.__module__, says, members, uses)


def _signature(member: object) -> str:
    if isinstance(member, property):
        return f": {inspect.signature(member.fget).return_annotation}" if member.fget else ""
    function = member.__func__ if isinstance(member, classmethod) else member
    said = str(inspect.signature(function)) if callable(function) else ""
    return re.sub(r"\((self|cls)(, )?", "(", said).replace("'", "")


def _depth(one: Interface, found: tuple[Interface, ...]) -> int:
    """Return how many contracts follow one another below this one."""
    return max((1 + _depth(other, found) for other in found if other.name in one.uses), default=0)


def _lines(one: Interface) -> list[str]:
    said = (f"{name}{rest}" for name, rest in one.members.items())
    return [line for text in said for line in textwrap.wrap(text, LETTERS, subsequent_indent="  ")]


def _height(one: Interface) -> float:
    return 0.55 + LINE * len(_lines(one))
