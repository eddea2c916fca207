"""Pictures of the data flow: equal if and only if the facts are, everything in its place, nothing on top of another."""

import itertools
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.legacy.flow import flow_source, flow_svg
from golden_core.legacy.flow.content import data_flow
from golden_core.legacy.flow.layout import LABEL, PADDING, TEXT, TITLE, WIDTH, lay_out
from golden_core.legacy.flow.picture import draw
from golden_core.legacy.flow.protocol import Facts, read_facts
from golden_core.legacy.flow.source import write
from golden_core.legacy.flow.typography import text_width, wrap
from golden_core.legacy.risks import read_risks
from golden_core.models.architecture import VARIANTS

SVG = "{http://www.w3.org/2000/svg}"

# What a fact becomes that may only have certain values.
_OTHER = {
    "mixed_float16_on_gpu": "float32",
    "float32": "mixed_float16",
    "mixed_float16": "float32",
    "absolute": "relative",
    "linear": "softmax",
    "dot": "additive",
    "train": "validation",
}


def _nameless(variant: str) -> Facts:
    return read_facts(variant).model_copy(update={"variant": "v00"})


def _leaves(value, path=()):
    """Yield the path of every fact in a tree of facts."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves(below, (*path, index))
    elif value is not None:
        yield path


def _changed(facts: Facts, path) -> Facts:
    """Return the facts with one of them changed a little."""
    document = json.loads(facts.model_dump_json())
    at = document
    for name in path[:-1]:
        at = at[name]
    value = at[path[-1]]
    if isinstance(value, bool):
        at[path[-1]] = not value
    elif isinstance(value, int):
        at[path[-1]] = value + 2  # a kernel stays odd
    elif isinstance(value, float):
        at[path[-1]] = value * 0.99 if value else 0.01
    else:
        at[path[-1]] = _OTHER.get(value, value + "x")
    return Facts.model_validate_json(json.dumps(document))


def test_no_two_variants_share_a_picture_unless_they_are_equal():
    for one, other in itertools.combinations(VARIANTS, 2):
        equal = _nameless(one) == _nameless(other)
        assert (draw(_nameless(one), ()) == draw(_nameless(other), ())) == equal
        assert (write(_nameless(one), ()) == write(_nameless(other), ())) == equal
    assert len({flow_svg(variant) for variant in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_equal_facts_have_equal_pictures(variant):
    again = Facts.model_validate_json(read_facts(variant).model_dump_json())
    assert draw(again, read_risks()) == flow_svg(variant)
    assert write(again, read_risks()) == flow_source(variant)


@pytest.mark.parametrize("variant", ["v01", "v06", "v08"])
def test_every_single_fact_changes_the_picture_and_the_source(variant):
    facts = read_facts(variant)
    picture, source = draw(facts, ()), write(facts, ())
    paths = [
        path
        for path in _leaves(json.loads(facts.model_dump_json()))
        if path[-1] != "kind" or path[0] == "gate"  # another kind of layer is another set of facts, as between variants
    ]
    assert len(paths) > 80
    unseen = [path for path in paths if draw(_changed(facts, path), ()) == picture]
    unwritten = [path for path in paths if write(_changed(facts, path), ()) == source]
    assert (unseen, unwritten) == ([], [])


def test_another_kind_of_attention_changes_the_picture():
    facts = _nameless("v04")
    dot = facts.architecture.model_copy(update={"attention": read_facts("v03").architecture.attention})
    assert draw(facts.model_copy(update={"architecture": dot}), ()) != draw(facts, ())


def test_the_bytes_do_not_depend_on_the_process():
    code = "import sys; from golden_core.legacy.flow import *; sys.stdout.write(flow_svg('v08') + flow_source('v08'))"
    environment = {"PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert found.stdout.decode() == flow_svg("v08") + flow_source("v08")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_risk_has_its_badge_at_its_place_and_in_the_legend(variant):
    root = ElementTree.fromstring(flow_svg(variant))
    expected = {risk for risk in read_risks() if variant in risk.variants}
    groups = [group for group in root.findall(f"{SVG}g") if _title(group).startswith("evidence: ")]
    found = {
        (group.find(f"{SVG}text").text.removesuffix(", to scale"), _title(badge)[:3])
        for group in groups
        for badge in group.findall(f"{SVG}g")
    }
    graph = data_flow(read_facts(variant), read_risks())
    assert found == {(graph.node(risk.place).title, risk.id) for risk in expected}
    legend = [_title(group)[:3] for group in root.findall(f"{SVG}g") if not _title(group).startswith("evidence: ")]
    assert legend == [risk.id for risk in sorted(expected, key=lambda risk: risk.number)]


def test_a_risk_of_one_variant_is_not_drawn_for_another():
    assert "R05: " in flow_svg("v01")
    assert "R05: " not in flow_svg("v02")


@pytest.mark.parametrize(
    ("variant", "labels"),
    [
        ("v01", ["88,726 (94.00 %)", "91,558 (97.00 %)", "94,390 (100.00 %)", "Rows 91,558 … 94,389"]),
        ("v08", ["90,614 (96.00 %)", "92,502 (98.00 %)", "94,390 (100.00 %)", "Rows 92,502 … 94,389"]),
    ],
)
def test_boundaries_are_named_and_to_scale(variant, labels):
    root = ElementTree.fromstring(flow_svg(variant))
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert set(labels) <= texts
    strip = [rect for rect in root.iter(f"{SVG}rect") if rect.get("stroke") == "#ffffff"]
    widths = [float(rect.get("width")) for rect in strip]
    ratios = read_facts(variant).ratios
    shares = [width / sum(widths) for width in widths]
    assert shares == pytest.approx([ratios.train, ratios.validation, ratios.test], abs=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_boxes_do_not_overlap_and_text_stays_inside(variant):
    graph = data_flow(read_facts(variant), read_risks())
    layout = lay_out(graph)
    for (one, a), (other, b) in itertools.combinations(layout.boxes.items(), 2):
        apart = a.right <= b.x or b.right <= a.x or a.bottom <= b.y or b.bottom <= a.y
        assert apart, f"{one} and {other} overlap"
    for node in graph.nodes:
        box, lines = layout.boxes[node.id], layout.lines[node.id]
        badges = 22 * len(graph.risks_at(node.id))
        assert text_width(node.title, TITLE, bold=True) + badges + 2 * PADDING <= box.width
        assert all(text_width(line.text, TEXT) + 2 * PADDING <= box.width for line in lines)
        assert not lines or lines[-1].below + 18 + PADDING <= box.height
    for block, box in zip(graph.node("network").blocks, layout.blocks, strict=True):
        assert max(text_width(line, LABEL) for line in block.lines) <= box.width
        assert box.right <= layout.boxes["network"].right


@pytest.mark.parametrize("variant", VARIANTS)
def test_arrows_cross_no_foreign_box_and_stay_on_the_page(variant):
    layout = lay_out(data_flow(read_facts(variant), read_risks()))
    for edge, path in layout.paths.items():
        for (x, y), (end_x, end_y) in itertools.pairwise(path):
            low, high, top, bottom = min(x, end_x), max(x, end_x), min(y, end_y), max(y, end_y)
            assert 0 < low <= high < WIDTH
            for name, box in layout.boxes.items():
                inside = low < box.right and high > box.x and top < box.bottom and bottom > box.y
                assert not inside, f"{edge.source} → {edge.target} crosses {name}"


def test_signs_of_markup_in_a_fact_are_only_text():
    facts = read_facts("v08")
    hostile = '</text><script>"&\\'
    facts = facts.model_copy(update={"candles": facts.candles.model_copy(update={"what": hostile})})
    root = ElementTree.fromstring(draw(facts, ()))
    assert root.find(f".//{SVG}script") is None
    assert any(hostile in (text.text or "") for text in root.iter(f"{SVG}text"))
    assert '<script>\\"&\\\\, 2010' in write(facts, ())


def test_more_layers_than_fit_are_refused():
    facts = read_facts("v08")
    gate = facts.gate.model_copy(update={"kind": "linear " * 60})
    with pytest.raises(ValueError, match="the layers need"):
        draw(facts.model_copy(update={"gate": gate}), ())


@given(st.lists(st.text("abcWil…", min_size=1, max_size=12), min_size=1, max_size=20), st.floats(20, 300))
def test_wrapping_keeps_every_word_and_the_width(words, width):
    lines = wrap(" ".join(words), width, TEXT)
    assert " ".join(lines) == " ".join(words)
    assert all(text_width(line, TEXT) <= width or " " not in line for line in lines)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_source_declares_what_it_joins_and_says_what_the_picture_says(variant):
    source = flow_source(variant)
    graph = data_flow(read_facts(variant), read_risks())
    assert source.startswith(f"digraph {variant} {{\n")
    assert source.count("{") == source.count("}") == 4
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', '""', source)
    assert '"' not in unquoted.replace('""', "")
    declared = set(re.findall(r"^ +(\w+) \[label=", unquoted, re.MULTILINE))
    joined = set(itertools.chain(*re.findall(r"^ +(\w+) -> (\w+) ", unquoted, re.MULTILINE)))
    assert declared == joined == {node.id for node in graph.nodes}
    for part in ("train", "validation", "test"):
        cluster = source.split(f"subgraph cluster_{part} {{")[1].split("  }\n")[0]
        assert all((f"    {node.id} [" in cluster) == (node.part == part) for node in graph.nodes)
    picture = {text.text for text in ElementTree.fromstring(flow_svg(variant)).iter(f"{SVG}text")}
    for block in graph.node("network").blocks:
        assert {block.title, *block.lines} <= picture
        assert block.title in source
    for risk in graph.risks:
        assert f"// {risk.id} {risk.title} (at {risk.place};" in source


def _title(element: ElementTree.Element) -> str:
    return element.find(f"{SVG}title").text
