"""The section `economics` and the claims about it and about quantiles: what lacks is named, with the fix."""

import pytest

from golden_core.study import Study, describe

PROTOCOL = (
    "protocol={kinds: [KINDS], scopes: [series], loss: squared, margin: 0.01, family: kind, alpha: 0.05, power: 0.8}"
)
PIPS = "{sydney: 1, tokyo: 1, london: 0.2, new_york: 0.2, otherwise: 2}"
ECONOMICS = (
    "economics={signal: {rule: sign, threshold: 0, source: assumed}, position_limit: {multiple: 1, source: assumed}, "
    f"half_spread: {{pips: {{EURUSD: {PIPS}}}, source: a vendor}}, slippage: {{pips: 0, source: assumed}}, "
    "swap: {pips: {EURUSD: {long: -1, short: 0}}, source: assumed}, bootstrap_block: 20}"
)
QUANTILES = "quantiles={levels: [0.1, 0.5, 0.9], calibration: {method: split, share: 0.5}}"
COVERAGE = "protocol.coverage={level: 0.8, margin: 0.05}"
ONE_PAIR = "data.pairs=[EURUSD]"


def asking(*kinds):
    return PROTOCOL.replace("KINDS", ", ".join(kinds))


def test_profit_is_not_asked_of_a_study_that_trades_nothing(read, faults, valid_text):
    (found,) = faults(valid_text, [asking("profitable")])
    assert "protocol.kinds: asks for profitable" in found
    assert "add the section `economics`" in found
    read(valid_text, [asking("profitable"), ECONOMICS, ONE_PAIR])


def test_coverage_is_not_asked_without_quantiles_nor_without_saying_of_what(read, faults, valid_text):
    (found,) = faults(valid_text, [asking("covers"), COVERAGE])
    assert "protocol.kinds: asks for covers, which is about quantiles: add the section `quantiles`" in found
    (found,) = faults(valid_text, [asking("covers"), QUANTILES])
    assert "protocol.kinds: asks for covers, which needs to know of what: add `coverage:" in found
    read(valid_text, [asking("covers"), QUANTILES, COVERAGE])


@pytest.mark.parametrize(("override", "said"), [
    ("protocol.coverage.level=0.9", "coverage.level: must lie between a pair of quantiles.levels, which give 0.8"),
    ("protocol.coverage.margin=0.3", "protocol.coverage.margin: must be < 0.2"),
    ("data.price=mean", "data.price: is no price that anybody could trade at"),
    ("data.pairs=[EURUSD, USDJPY]", "lacks USDJPY: every pair of data.pairs needs its cost"),
    ("economics.signal.rule=scaled", "economics.signal.gain: is required"),
    ("economics.slippage.source=''", "economics.slippage.source: must not be empty"),
    ("economics.swap.pips.EURUSD.long=x", "economics.swap.pips.EURUSD.long: must be a number"),
    ("economics.swap.pips.EURUSD={long: 50, short: -49.5}", "holds nothing: EURUSD gives 0.5 pips a night"),
    ("economics.half_spread.pips.EURUSD.london=-1", "london: must be ≥ 0"),
])  # fmt: skip
def test_every_fault_is_named_with_its_place(faults, valid_text, override, said):
    found = faults(valid_text, [asking("covers", "profitable"), QUANTILES, COVERAGE, ECONOMICS, ONE_PAIR, override])
    assert any(said in line for line in found)


def test_a_study_from_before_there_was_money_is_what_it_was(read, valid_text):
    without = read(valid_text)
    assert "economics" not in without.canonical()
    assert read(valid_text, ["economics=null"]).hash() == without.hash()
    assert "coverage" not in read(valid_text, [asking("predicts")]).canonical()
    with_it = read(valid_text, [ECONOMICS, ONE_PAIR])
    assert Study.model_validate(with_it.model_dump()) == with_it
    assert "{sydney: 1.0, tokyo: 1.0, london: 0.2, new_york: 0.2, otherwise: 2.0}" in describe(with_it)


def test_other_costs_make_another_claim_of_profit_and_of_nothing_else(read, valid_text):
    def registered(kind, *more):
        return read(valid_text, [asking(kind), ECONOMICS, ONE_PAIR, *more]).protocol_hash()

    dearer = "economics.slippage.pips=1"
    assert registered("profitable") != registered("profitable", dearer)
    assert registered("predicts") == registered("predicts", dearer)
    finer = "quantiles.calibration.share=0.4"
    covers = [
        read(valid_text, [asking("covers"), QUANTILES, COVERAGE, *more]).protocol_hash() for more in ([], [finer])
    ]
    assert covers[0] != covers[1]
