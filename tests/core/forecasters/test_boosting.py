"""Boosted trees: our reading of them against the library's own forecasts, and what the validation part chooses."""

import lightgbm
import numpy as np
import pytest

from golden_core.forecasters import boosting
from golden_core.forecasters.base import FitError
from golden_core.forecasters.boosting import LightGBM
from golden_core.forecasters.trees import Trees

TRAIN, VALIDATION, TEST = range(40, 240), range(245, 285), range(290, 350)
SETTINGS = {"leaves": (2, 6), "rows_per_leaf": 10, "learning_rate": 0.2, "rounds": 60, "patience": 10}


def fitted(market, stream, **changes):
    forecaster = LightGBM(SETTINGS | changes, market.context)
    forecaster.fit(market.examples(TRAIN), market.examples(VALIDATION), stream)
    return forecaster


def grown(rounds=20, **changes):
    generator = np.random.default_rng(3)
    X = generator.normal(size=(300, 4))
    y = np.sign(X[:, 0]) * X[:, 1] + 0.1 * generator.normal(size=300)
    given = boosting.ALWAYS | {"objective": "regression", "num_leaves": 7} | changes
    return lightgbm.train(given, lightgbm.Dataset(X, y), rounds), generator.normal(size=(200, 4))


@pytest.mark.parametrize("changes", [{}, {"objective": "quantile", "alpha": 0.9}, {"num_leaves": 2}])
def test_trees_say_what_the_library_says(changes):
    model, X = grown(**changes)
    trees = Trees.read(model.model_to_string())
    assert len(trees.root) == 20
    np.testing.assert_allclose(trees.sum(X), model.predict(X), rtol=1e-12, atol=1e-14)
    some = model.model_to_string(num_iteration=5)
    np.testing.assert_allclose(Trees.read(some).sum(X), model.predict(X, num_iteration=5), rtol=1e-12, atol=1e-14)


def test_on_a_threshold_a_row_goes_left_and_trees_add_up():
    trees = Trees(
        column=np.array([1, 0]), threshold=np.array([0.5, 2.0]), left=np.array([~0, ~2]), right=np.array([1, ~1]),
        leaf=np.array([10.0, 20.0, 30.0, 0.5]), root=np.array([0, ~3]),
    )  # fmt: skip
    assert trees.sum(np.array([[9.0, 0.5], [2.0, 0.6], [2.1, 0.6]])).tolist() == [10.5, 30.5, 20.5]
    assert trees.scaled(2.0).sum(np.array([[9.0, 0.5]])).tolist() == [21.0]


def test_a_model_of_no_split_is_its_constant_and_one_of_no_tree_is_refused():
    model, X = grown(rounds=3, min_data_in_leaf=200)
    np.testing.assert_allclose(Trees.read(model.model_to_string()).sum(X), model.predict(X), rtol=1e-12)
    with pytest.raises(ValueError, match="the model holds no tree"):
        Trees.read("tree\nend of trees\n")


def test_the_validation_part_chooses_size_and_number_of_trees(momentum, stream):
    market = momentum(360)
    errors = {}
    for leaves in SETTINGS["leaves"]:
        one = fitted(market, stream, leaves=(leaves,))
        held = market.examples(VALIDATION)
        errors[leaves] = np.mean((held.y - one.predict(held.windows)) ** 2)
        assert len(one.state()["mean.root"]) < SETTINGS["rounds"]
    best, both = min(errors, key=errors.get), fitted(market, stream)
    expected = fitted(market, stream, leaves=(best,)).predict(market.windows(TEST))
    assert both.predict(market.windows(TEST)).tobytes() == expected.tobytes()
    assert errors[2] != errors[6]


def steps(market, stream):
    """A market that rises after every large move, whichever way it went, and examples of its parts."""
    generator = stream.child("steps").generator()
    noise, returns = 0.002 * generator.standard_normal(1400), np.zeros(1400)
    for bar in range(1, 1400):
        returns[bar] = noise[bar] + 0.004 * (abs(returns[bar - 1]) > 0.003)
    made = market(1.1 * np.exp(np.concatenate([[0.0], np.cumsum(returns)])), context_length=3)
    return made.context, *(made.examples(rows) for rows in (range(40, 1000), range(1001, 1100), range(1101, 1390)))


def test_it_learns_what_a_line_cannot(market, stream):
    context, train, validation, test = steps(market, stream)
    forecaster = LightGBM(SETTINGS, context)
    forecaster.fit(train, validation, stream)
    error = np.mean((test.y - forecaster.predict(test.windows)) ** 2)
    assert error < 0.6 * test.y.var()
    assert error == pytest.approx(0.002**2, rel=0.4)


def test_the_number_of_trees_is_where_the_validation_error_is_least(market, stream):
    context, train, validation, _ = steps(market, stream)

    def errors(**changes):
        forecaster = LightGBM(SETTINGS | {"leaves": (3,), "rounds": 90} | changes, context)
        forecaster.fit(train, validation, stream)
        trees, inputs = forecaster._trees["mean"], boosting._inputs(validation.windows)
        parts = (Trees(**trees.arrays() | {"root": trees.root[: n + 1]}) for n in range(len(trees.root)))
        return [np.mean((validation.y - part.sum(inputs)) ** 2) for part in parts]

    kept = errors()
    assert 5 < len(kept) < 80
    assert np.argmin(kept) == len(kept) - 1
    assert errors(patience=90) == pytest.approx(kept)  # grown to the end, and cut back


def test_too_few_rows_and_a_constant_series_are_refused(walk, market, stream):
    with pytest.raises(FitError, match="at least 20 training and 20 validation rows, there are 200 and 9"):
        LightGBM(SETTINGS, walk(360).context).fit(
            walk(360).examples(TRAIN), walk(360).examples(range(245, 254)), stream
        )
    still = market(np.full(360, 1.1))
    with pytest.raises(FitError, match="need returns that vary, all 200 training rows have the same"):
        fitted(still, stream)
