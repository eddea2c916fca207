"""Schedules against hand-made curves and, for the plateau, against torch's implementation."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from golden_core.study import EarlyStopping, Plateau
from golden_core.training.schedule import PlateauSchedule, StoppingRule


def plateau(rate=1.0, **changes):
    plain = {"factor": 0.5, "patience": 2, "min_delta": 0.0, "threshold": "absolute", "min_learning_rate": 0.0}
    return PlateauSchedule(Plateau(**{**plain, **changes}), rate)


def stopping(patience=2, min_delta=0.0):
    return StoppingRule(EarlyStopping(patience=patience, min_delta=min_delta, restore_best=True))


@pytest.mark.parametrize(
    ("settings", "losses", "rates"),
    [
        ({"patience": 2}, [5, 4, 4, 4, 4, 4, 3, 3, 3], [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]),
        ({"patience": 2}, [5, 6, 4, 6, 3, 6, 2], [1] * 7),  # an improvement starts the count again
        # Keras keeps the reference until it is beaten by more than min_delta, so slow progress counts in the end.
        ({"patience": 3, "min_delta": 1.0}, [10, 9.5, 8.9, 8.5, 8.0, 7.8], [1] * 6),
    ],
)
def test_the_rate_is_cut_after_patience_epochs_and_the_count_starts_again(settings, losses, rates):
    schedule = plateau(**settings)
    assert [schedule.update(loss) for loss in losses] == rates


def test_an_absolute_threshold_is_subtracted_and_a_relative_one_multiplied():
    # From 10 to 9.5 is a decrease of 0.5, which is 5 %.
    assert plateau_after([10, 9.5], threshold="absolute", min_delta=0.4) == 1
    assert plateau_after([10, 9.5], threshold="absolute", min_delta=0.6) == 0.5
    assert plateau_after([10, 9.5], threshold="relative", min_delta=0.04) == 1
    assert plateau_after([10, 9.5], threshold="relative", min_delta=0.06) == 0.5


def plateau_after(losses, **settings):
    schedule = plateau(patience=1, **settings)
    return [schedule.update(loss) for loss in losses][-1]


def test_the_legacy_path_of_rates():
    # Factor 0.1, patience 1, an absolute 1e-4 and a floor of 5e-7: a loss of 3e-4 cannot improve enough to count.
    schedule = plateau(0.01, factor=0.1, patience=1, min_delta=1e-4, min_learning_rate=5e-7)
    rates = [schedule.update(loss) for loss in [3e-4, 2.9e-4, 2.8e-4, 2.7e-4, 2.6e-4, 2.5e-4, 2.4e-4, 2.3e-4]]
    assert rates == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 5e-7, 5e-7, 5e-7])


@given(
    losses=st.lists(st.floats(0.01, 10), min_size=1, max_size=40),
    patience=st.integers(1, 4),
    min_delta=st.sampled_from([0.0, 1e-4, 0.3]),
    threshold=st.sampled_from(["absolute", "relative"]),
    floor=st.sampled_from([0.0, 0.01, 0.3]),
)
@example(losses=[1.0] * 30, patience=1, min_delta=0.0, threshold="absolute", floor=0.01)
def test_it_follows_torch_whose_patience_is_one_less(losses, patience, min_delta, threshold, floor):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser,
        factor=0.5,
        patience=patience - 1,
        threshold=min_delta,
        threshold_mode=threshold[:3],
        min_lr=floor,
        eps=0.0,
    )
    ours = plateau(patience=patience, min_delta=min_delta, threshold=threshold, min_learning_rate=floor)
    for loss in losses:
        theirs.step(loss)
        assert ours.update(loss) == optimiser.param_groups[0]["lr"]


def follow(rule, losses):
    """Return the epochs that were the best so far, and the epoch after which training stops."""
    best = []
    for epoch, loss in enumerate(losses, start=1):
        if rule.improves(loss):
            best.append(epoch)
        if rule.exhausted:
            return best, epoch
    return best, None


def test_training_stops_after_patience_epochs_without_improvement():
    assert follow(stopping(2), [5, 4, 4, 3, 3, 3.5, 1]) == ([1, 2, 4], 6)
    assert follow(stopping(3), [5, 4, 4, 3, 3, 3.5, 1]) == ([1, 2, 4, 7], None)
    assert follow(stopping(1), [5, 5, 1]) == ([1], 2)


def test_the_first_epoch_is_always_the_best_so_far():
    assert follow(stopping(5, min_delta=1e9), [1e300, 1.0, 0.5]) == ([1, 2], None)
    assert stopping(1).improves(1e308)


def test_an_improvement_within_min_delta_does_not_count():
    assert follow(stopping(3, min_delta=1.0), [10, 9.5, 9.2, 9.1]) == ([1], 4)
    assert follow(stopping(3, min_delta=1.0), [10, 9.5, 8.9, 9.1]) == ([1, 3], None)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=30), st.integers(1, 5))
def test_without_a_threshold_the_kept_epoch_is_the_first_lowest_before_the_stop(losses, patience):
    best, stopped = follow(stopping(patience), losses)
    seen = losses[:stopped]
    assert best[-1] - 1 == seen.index(min(seen))
    assert stopped is None or stopped - best[-1] == patience
