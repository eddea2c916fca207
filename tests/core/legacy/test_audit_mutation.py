"""The audit measured: never accuses a correct table that was rounded, always catches a digit that breaks an identity.

"Breaks an identity beyond rounding" means, here and for the oracle below: a printed number x with its last digit worth
u stands for every value in [x − u/2, x + u/2]; a table is *broken* if no choice of values, one per cell, satisfies
MAE ≥ 0, RMSE ≥ 0, MSE ≥ 0, R² ≤ 1, RMSE² = MSE, MAE ≤ RMSE in every row, and MSE = V · (1 − R²) with one number V per
declared test set. The oracle decides that in exact fractions, by trying as V every value at which a row starts or
stops to fit. It shares no code with the audit, which divides intervals and sweeps over their ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from golden_core.legacy.audit.auditing import audit_table
from golden_core.store.randomness import Stream

STREAM = Stream(20250218, ("tests", "audit"))
HEADINGS = {
    "mae": ("MAE", "mae", "Mean Absolute Error", "MAE (price)"),
    "mse": ("MSE", "mse", "Mean Squared Error"),
    "rmse": ("RMSE", "rmse", "Root Mean Squared Error"),
    "r2": ("R2", "R²", "r_squared", "R-squared"),
}


@dataclass(frozen=True)
class Made:
    """A generated table: text cells by row, and what it is."""

    metrics: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    test_sets: tuple[str, ...]
    percent: bool
    averaging: str

    def write(self, path, generator=None):
        pick = generator.choice if generator is not None else (lambda names: names[0])
        names = [str(pick(HEADINGS[m])) + (" (%)" if m == "r2" and self.percent else "") for m in self.metrics]
        lines = [",".join(["model", "dataset", *names])]
        lines += [
            f"m{i},{t},{','.join(row)}" for i, (t, row) in enumerate(zip(self.test_sets, self.cells, strict=True))
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def make(generator, *, averaging, digits=(1, 7), whole=True):
    """Score random forecasts of random targets, average over seeds where asked, and print with random digits.

    Whole numbers without a decimal point are left out where asked: their final zeros may only hold a place, so that
    text alone does not tell an oracle what was rounded.
    """
    count, sets, seeds = int(generator.integers(3, 21)), int(generator.integers(1, 4)), 1
    if averaging == "seeds":
        seeds = int(generator.integers(2, 7))
    targets = [_targets(generator) for _ in range(sets)]
    place = generator.integers(0, sets, size=count)
    values = np.array([_scores(generator, targets[place[i]], seeds) for i in range(count)])
    metrics = ("mae", "mse", "rmse", "r2")
    if generator.random() < 0.4:
        dropped = generator.choice(["mae", "mse", "rmse", "r2"])
        metrics = tuple(m for m in metrics if m != dropped)
    percent = bool(generator.random() < 0.25)
    columns = []
    for number, metric in enumerate(("mae", "mse", "rmse", "r2")):
        column = values[:, number] * (100 if metric == "r2" and percent else 1)
        printed = _printed(generator, column, metric, digits)
        columns.append(
            printed if whole or all("." in x for x in printed) else [f"{x:.{digits[1] - 2}e}" for x in column]
        )
    cells = tuple(tuple(columns[("mae", "mse", "rmse", "r2").index(m)][i] for m in metrics) for i in range(count))
    return Made(metrics, cells, tuple(f"d{p}" for p in place), percent, averaging)


def _targets(generator):
    n, scale = int(generator.integers(50, 400)), 10.0 ** generator.uniform(-4, 3)
    if generator.random() < 0.5:
        return scale * (generator.uniform(0, 50) + np.cumsum(generator.normal(size=n)))
    return scale * generator.standard_t(4, size=n)


def _scores(generator, y, seeds):
    noise, bias = y.std() * 10.0 ** generator.uniform(-1.7, 0.2), y.std() * generator.uniform(-0.1, 0.1)
    runs = []
    for _ in range(seeds):
        error = bias + noise * generator.uniform(0.6, 1.4) * generator.standard_t(3, size=len(y))
        mse = np.mean(error**2)
        runs.append((np.mean(np.abs(error)), mse, np.sqrt(mse), 1 - mse / y.var()))
    return np.mean(runs, axis=0)


def _printed(generator, column, metric, digits):
    """Print a column with random decimals, significant digits, or in scientific notation."""
    wanted = int(generator.integers(*digits))
    style = generator.choice(["decimals", "significant", "scientific"])
    if metric == "r2":
        style = "decimals"
    if style == "scientific":
        return [f"{x:.{wanted - 1}e}" for x in column]
    if style == "significant":
        return [np.format_float_positional(float(f"{x:.{wanted - 1}e}"), trim="-") for x in column]
    size = int(np.floor(np.log10(np.abs(column).max())))
    places = max(wanted, 1) if metric == "r2" else max(0, wanted - 1 - size)
    return [f"{x:.{places}f}" for x in column]


# ---------------------------------------------------------------------------------------------------------- the oracle


def _box(text, scale=Fraction(1)):
    """Return the ends of the values that are printed like this, from the text alone."""
    mantissa, _, exponent = text.lower().partition("e")
    last = Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return (Fraction(text) - last / 2) * scale, (Fraction(text) + last / 2) * scale


def _feasible_row(row, percent):
    """Return the range of MSE and of 1 − R² that a row can have; None if the row is broken by itself."""
    low, high = Fraction(0), None
    floor, unexplained = Fraction(0), None
    for metric, text in row.items():
        a, b = _box(text, Fraction(1, 100) if metric == "r2" and percent else Fraction(1))
        if metric == "r2":
            if a > 1:
                return None
            unexplained = (max(Fraction(0), 1 - b), 1 - a)
            continue
        if b < 0:
            return None
        a = max(a, Fraction(0))
        if metric == "mae":
            floor = a * a
        else:
            a, b = (a, b) if metric == "mse" else (a * a, b * b)
            low, high = max(low, a), b if high is None else min(high, b)
    low = max(low, floor)
    if high is not None and low > high:
        return None
    return low, high, unexplained


def broken(table):
    """Whether no values inside the printed digits satisfy every identity."""
    by_set: dict[str, list] = {}
    for name, cells in zip(table.test_sets, table.cells, strict=True):
        found = _feasible_row(dict(zip(table.metrics, cells, strict=True)), table.percent)
        if found is None:
            return True
        if found[1] is not None and found[2] is not None:
            by_set.setdefault(name, []).append(found)
    return any(not _one_variance(rows) for rows in by_set.values())


def _one_variance(rows):
    # A row fits V if [V · low(1 − R²), V · high(1 − R²)] meets [low MSE, high MSE].
    tried = {low / u[1] for low, _, u in rows} | {high / u[0] for _, high, u in rows if u[0] > 0}
    return any(all(v * u[0] <= high and v * u[1] >= low for low, high, u in rows) for v in tried)


# ----------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("block", range(10))
def test_correct_tables_are_never_accused(tmp_path, block):
    """1,000 tables in all: single runs, and means over seeds that are declared; several test sets, where declared."""
    for index in range(100):
        generator = STREAM.child("correct", block, index).generator()
        made = make(generator, averaging="seeds" if index % 4 == 3 else "none")
        averaging = "undeclared" if made.averaging == "none" else made.averaging
        audit = audit_table(made.write(tmp_path / "table.csv", generator), averaging=averaging)
        assert audit.findings == (), (block, index, audit.findings, made)
        assert all(found.number == 1 for found in audit.test_sets)


def test_means_that_nobody_declared_are_left_open(tmp_path):
    """Means over seeds read as single runs contradict the identities, but an innocent reading explains it."""
    opened = 0
    for index in range(150):
        generator = STREAM.child("undeclared", index).generator()
        audit = audit_table(make(generator, averaging="seeds").write(tmp_path / "table.csv", generator))
        assert {finding.verdict for finding in audit.findings} <= {"open"}, (index, audit.findings)
        opened += bool(audit.findings)
    assert opened > 75


def test_a_row_from_another_test_set_is_singled_out(tmp_path):
    """One row of a correct table is scored on targets of another variance, and printed with four digits or more."""
    for index in range(100):
        generator = STREAM.child("stranger", index).generator()
        first = _targets(generator)
        second = first.mean() + (first - first.mean()) * np.sqrt(generator.choice([0.5, 0.8, 1.25, 3.5]))
        rows = [_scores(generator, first, 1) for _ in range(9)] + [_scores(generator, second, 1)]
        digits = [(f"{mae:.4e}", f"{rmse:.4e}", f"{r2:.6f}") for mae, _, rmse, r2 in rows]
        made = Made(("mae", "rmse", "r2"), tuple(digits), ("d0",) * 10, False, "none")
        audit = audit_table(made.write(tmp_path / "table.csv"), averaging="none")
        found = [finding for finding in audit.findings if finding.kind == "target_variance"]
        assert [(f.verdict, f.rows) for f in found] == [("different_test_sets", ("m9",))], (index, audit.findings)


def _mutated(generator, made):
    """Change one digit of one cell to another digit."""
    row, column = int(generator.integers(len(made.cells))), int(generator.integers(len(made.metrics)))
    text = made.cells[row][column]
    places = [i for i, c in enumerate(text.partition("e")[0]) if c.isdigit()]
    at = int(generator.choice(places))
    digit = str(generator.choice([d for d in "0123456789" if d != text[at]]))
    cells = [list(cells) for cells in made.cells]
    cells[row][column] = text[:at] + digit + text[at + 1 :]
    return Made(made.metrics, tuple(map(tuple, cells)), made.test_sets, made.percent, made.averaging), row


def test_every_digit_that_breaks_an_identity_is_caught(tmp_path):
    """200 broken tables; and where the oracle says that a changed table is still possible, the audit is silent."""
    caught = silent = named = 0
    for index in range(2000):
        generator = STREAM.child("mutation", index).generator()
        made = make(generator, averaging="none", digits=(2, 8), whole=False)
        changed, row = _mutated(generator, made)
        audit = audit_table(changed.write(tmp_path / "table.csv"), averaging="none")
        if not broken(changed):
            assert audit.findings == (), (index, audit.findings, changed)
            silent += 1
            continue
        assert audit.findings, (index, changed)
        named += any(f"m{row}" in {name.split(" / ")[-1] for name in f.rows} for f in audit.findings)
        caught += 1
        if caught == 200:
            break
    assert caught == 200
    assert silent > 20
    assert named == 200
