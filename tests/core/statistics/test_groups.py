"""Group tests against NIST's certified values, R's answers and closed forms, and what stays undefined."""

import os
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from scipy import stats

from golden_core.statistics.groups import anova, eta_squared, friedman, hedges_g, nemenyi_difference, pairwise

PLANT_GROWTH = (  # R's datasets, Dobson (1983)
    np.array([4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]),
    np.array([4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]),
    np.array([6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]),
)


@pytest.mark.parametrize(("name", "certified"), [
    ("SiRstv", 1.18046237440255), ("AtmWtAg", 15.946733567793), ("SmLs01", 21.0), ("SmLs05", 201.0), ("SmLs07", 21.0),
])  # fmt: skip
def test_anova_agrees_with_nist(name, certified):
    lines = files("scipy.stats.tests").joinpath(f"data/nist_anova/{name}.dat").read_text().splitlines()
    table = np.array([line.split() for line in lines[60:] if line.strip()], dtype=float)
    groups = [table[table[:, 0] == group, 1] for group in np.unique(table[:, 0])]
    # SmLs07's values share thirteen digits, so that float64 has few left for what differs.
    assert anova(groups).statistic == pytest.approx(certified, rel=1e-2 if name == "SmLs07" else 1e-8)


def test_plant_growth_agrees_with_r():
    assert anova(PLANT_GROWTH).statistic == pytest.approx(4.846088, abs=5e-7)
    assert anova(PLANT_GROWTH, equal_variances=False).statistic == pytest.approx(5.180972, abs=5e-7)
    p = pairwise(PLANT_GROWTH)
    np.testing.assert_allclose([p[0, 1], p[0, 2], p[1, 2]], [0.3908711, 0.1979960, 0.0120064], atol=5e-8)


@pytest.mark.parametrize("equal", [True, False])
def test_both_tests_agree_with_scipy(equal):
    generator = np.random.default_rng(4)
    for sizes in ((2, 2), (5, 5, 5), (3, 40, 7, 11)):
        groups = [generator.normal(0.1 * size, size, size) for size in sizes]
        found, theirs = anova(groups, equal_variances=equal), stats.f_oneway(*groups, equal_var=equal)
        assert found.statistic == pytest.approx(theirs.statistic, rel=1e-9)
        assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("core", ["Haswell", "SkylakeX"])
def test_no_digit_depends_on_the_processor(core):
    """Products of vectors are summed in the order that a processor likes best."""
    code = (
        "import numpy as np; from golden_core.statistics.groups import anova, eta_squared;"
        "g = [np.random.default_rng(k).normal(k, 1 + k, 40) for k in range(12)];"
        "print(anova(g), anova(g, equal_variances=False), eta_squared(g))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OPENBLAS_CORETYPE": core},
        capture_output=True,
        text=True,
        check=True,
    )
    groups = [np.random.default_rng(k).normal(k, 1 + k, 40) for k in range(12)]
    here = anova(groups), anova(groups, equal_variances=False), eta_squared(groups)
    assert said.stdout.strip() == " ".join(map(str, here))


def test_games_howell_by_its_formula():
    p = pairwise(PLANT_GROWTH, equal_variances=False)
    a, b = PLANT_GROWTH[0], PLANT_GROWTH[1]
    parts = [group.var(ddof=1) / len(group) for group in (a, b)]
    df = sum(parts) ** 2 / sum(part**2 / 9 for part in parts)
    q = abs(a.mean() - b.mean()) / np.sqrt(sum(parts) / 2)
    assert p[0, 1] == pytest.approx(stats.studentized_range.sf(q, 3, df), rel=1e-6)


def test_friedman_by_hand():
    # Ranks 1 2 3 in all of four blocks: χ² = 12/(4·3·4) · (4² + 8² + 12²) − 3·4·4 = 8.
    assert friedman(np.tile([1.0, 2.0, 3.0], (4, 1))).statistic == pytest.approx(8)
    assert friedman(np.tile([1.0, 2.0, 3.0], (2, 1))).statistic == pytest.approx(4)  # two blocks are enough


def test_effects_against_their_definitions():
    a, b, _ = PLANT_GROWTH
    g = hedges_g(a, b)
    pooled = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    approximately = 1 - 3 / (4 * 18 - 1)  # Hedges (1981), equation 7
    assert g.value == pytest.approx((a.mean() - b.mean()) / pooled * approximately, rel=2e-4)
    t, correction = stats.ttest_ind(a, b).statistic, g.value / ((a.mean() - b.mean()) / pooled)
    for bound, tail in ((g.low, 0.975), (g.high, 0.025)):
        assert stats.nct.cdf(t, 18, bound / correction / np.sqrt(0.2)) == pytest.approx(tail, abs=1e-6)
    eta = eta_squared(PLANT_GROWTH)
    everything = np.concatenate(PLANT_GROWTH)
    between = sum(10 * (group.mean() - everything.mean()) ** 2 for group in PLANT_GROWTH)
    assert eta.value == pytest.approx(between / ((everything - everything.mean()) ** 2).sum())
    for bound, tail in ((eta.low, 0.975), (eta.high, 0.025)):
        shift = 30 * bound / (1 - bound)
        assert stats.ncf.cdf(anova(PLANT_GROWTH).statistic, 2, 27, shift) == pytest.approx(tail, abs=1e-9)
    assert eta_squared([a, a + 1e-9]).low == 0


def test_effects_far_beyond_the_spread_within_groups():
    """Seeds that agree to the last digits: scipy's noncentral t does not come back from there, and its F gives NaN."""
    a, b, _ = PLANT_GROWTH
    squares = stats.chi2.ppf([0.025, 0.975], 18) / 18
    for apart in (1e9, -1e9):
        g = hedges_g(a + apart, b)
        assert [g.low, g.high] == pytest.approx(sorted(g.value * np.sqrt(squares)), rel=1e-9)
    for groups in ([a + 1e5, b], [a + 1e5, b, PLANT_GROWTH[2]]):
        eta, n = eta_squared(groups), 10 * len(groups)
        odds = eta.value / (1 - eta.value) * stats.chi2.ppf([0.025, 0.975], n - len(groups)) / n
        assert [eta.low, eta.high] == pytest.approx(odds / (1 + odds), rel=1e-12)
    near, far = (hedges_g(a + apart, b).low / apart for apart in (290.0, 400.0))  # on either side of the change
    assert near == pytest.approx(far, rel=5e-3)


@pytest.mark.parametrize("groups", [
    [np.ones(5), np.zeros(5)], [np.full(5, 0.1), np.full(5, 0.3)], [np.arange(5.0), np.array([1.0])],
    [np.arange(5.0), np.array([1.0, np.nan])], [np.arange(5.0)],
])  # fmt: skip
def test_groups_without_spread_or_values_are_undefined(groups):
    assert np.isnan(anova(groups).p_value)
    assert np.isnan(pairwise(groups)).all()
    assert np.isnan(eta_squared(groups).value)
    if len(groups) == 2:
        assert np.isnan(hedges_g(*groups).value)


def test_one_group_without_spread_undoes_what_weighs_by_variances():
    groups = [np.ones(5), np.arange(5.0), np.arange(5.0) + 1]
    assert np.isnan(anova(groups, equal_variances=False).p_value)
    assert np.isfinite(anova(groups).p_value)
    assert np.isnan(friedman(np.ones((4, 3))).p_value)


@pytest.mark.parametrize(("treatments", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_nemenyi_agrees_with_the_published_quantiles(treatments, q):
    """Demšar (2006), table 5(a), at 5 %."""
    expected = q * np.sqrt(treatments * (treatments + 1) / (6 * 14))
    assert nemenyi_difference(treatments, 14, 0.05) == pytest.approx(expected, rel=3e-4)
