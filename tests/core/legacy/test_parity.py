"""The table of a folder of Keras files: right ones meet the limits, and each kind of difference does not."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.keras_files import random_network, write_keras_file

from golden_core.legacy.keras_files import KerasCheckpointError, ParityError
from golden_core.legacy.parity import parity, replay_steps

torch.set_num_threads(1)
SETTINGS = {"learning_rate": 1e-3, "weight_decay": 0.004}


def windows(count, seed):
    return np.random.default_rng(seed).standard_normal((count, 3, 4)).astype(np.float32)


def outputs(network, x):
    with torch.no_grad():
        return network(torch.from_numpy(x)).numpy()[:, None]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Records that a network of the project itself made, in place of Keras."""
    tmp_path, network, x = tmp_path_factory.mktemp("parity"), random_network("v01"), windows(32, 1)
    write_keras_file(tmp_path / "v_01_hash.weights.h5", "v01", network, "weights.h5")
    np.savez(tmp_path / "v_01_hash.npz", x=x, y=outputs(network, x))
    x_train = windows(64, 2)
    y_train = x_train[:, -1, 3:]
    losses = replay_steps(network, x_train, y_train, steps=3, **SETTINGS)
    np.savez(
        tmp_path / "v_01_steps.npz",
        **{"x_train": x_train, "y_train": y_train, "losses": losses, "x": x, "y": outputs(network, x)},
        **SETTINGS,
    )
    return tmp_path


@pytest.fixture
def folder(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "parity"))


def change(path, **arrays):
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    np.savez(path, **{**kept, **{name: alter(kept[name]) for name, alter in arrays.items()}})


def verdicts(folder):
    return dict(parity(folder).select("claim", "met").iter_rows())


def test_what_the_same_network_computed_is_met(folder):
    found = parity(folder)
    assert found["claim"].to_list() == ["outputs", "losses", "outputs after the steps"]
    assert found["checkpoint"].unique().to_list() == ["v_01_hash.weights.h5"]
    assert found["met"].all()


@pytest.mark.parametrize(
    ("name", "array", "alter", "missed"),
    [
        ("v_01_hash.npz", "y", lambda y: y + 3e-5 * np.ptp(y) * (np.arange(len(y)) == 5)[:, None], {"outputs"}),
        ("v_01_steps.npz", "losses", lambda a: a * (1 + 2e-4 * (np.arange(3) == 2)), {"losses"}),
        ("v_01_steps.npz", "y", lambda y: y + 2e-3 * np.ptp(y), {"outputs after the steps"}),
        ("v_01_steps.npz", "learning_rate", lambda rate: 2 * rate, {"losses", "outputs after the steps"}),
    ],
)
def test_a_difference_beyond_its_limit_is_not_met(folder, name, array, alter, missed):
    change(folder / name, **{array: alter})
    assert {claim for claim, met in verdicts(folder).items() if not met} == missed


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda folder: [path.unlink() for path in folder.iterdir()], r"has no record such as v_08_trained\.npz"),
        (
            lambda folder: (folder / "v_01_hash.weights.h5").unlink(),
            r"expected one of v_01_hash\.keras, v_01_hash\.weights\.h5, v_01_hash\.h5",
        ),
        (lambda folder: (folder / "v_01_hash.npz").rename(folder / "v_11_hash.npz"), r"v11 is none of v01 … v10"),
        (
            lambda folder: change(folder / "v_01_steps.npz", learning_rate=lambda _: 1e300),
            r"v_01_steps\.npz cannot be replayed from v_01_hash\.weights\.h5: the loss is",
        ),
    ],
    ids=["no record", "no checkpoint", "no variant", "steps that diverge"],
)
def test_a_folder_with_nothing_to_compare_is_refused(spoil, match, folder):
    spoil(folder)
    with pytest.raises(ParityError, match=match):
        parity(folder)


def test_every_checkpoint_of_a_record_is_compared(folder):
    network = random_network("v01")
    with torch.no_grad():
        network.head.output.bias += 1
    write_keras_file(folder / "v_01_hash.h5", "v01", network, "h5")
    found = parity(folder).filter(claim="outputs")
    assert found["checkpoint"].to_list() == ["v_01_hash.weights.h5", "v_01_hash.h5"]
    assert found["met"].to_list() == [True, False]


def test_any_name_of_a_variant_is_a_record(folder):
    for name in ("hash.weights.h5", "hash.npz", "steps.npz"):
        (folder / f"v_01_{name}").rename(folder / f"v_01_seed-7.1_{name}")
    assert parity(folder)["met"].to_list() == [True] * 3


@pytest.mark.parametrize(
    ("write", "match"),
    [
        (lambda record: record.write_bytes(b"text"), "a whole archive, found"),
        (lambda record: record.write_bytes(record.read_bytes()[:-100]), "a whole archive, found"),
        (lambda record: np.savez(record, x=windows(3, 1)), r"one y\.npy in the archive, found \['x\.npy'\]"),
    ],
)
def test_what_is_no_record_is_refused(write, match, folder):
    write(folder / "v_01_hash.npz")
    with pytest.raises(KerasCheckpointError, match=rf"v_01_hash\.npz: expected {match}"):
        parity(folder)


@pytest.mark.parametrize(
    ("name", "array", "alter", "match"),
    [
        ("hash", "x", lambda x: x.transpose(0, 2, 1), r"windows x \[N, 3, 4\] .* found the shapes \[32, 4, 3\]"),
        ("hash", "x", lambda x: x[:0], r"found the shapes \[0, 3, 4\]"),
        ("hash", "x", lambda x: x[0, 0, 0], r"found the shapes \[\]"),
        ("hash", "x", lambda x: x + 1j, "an array x of numbers, found the type complex"),
        ("hash", "y", lambda y: np.array([{}] * len(y)), "a whole array y of numbers, found .*allow_pickle"),
        ("hash", "y", lambda y: y[:31], r"as many y \[N\] or \[N, 1\], found the shapes \[32, 3, 4\] and \[31, 1\]"),
        ("hash", "y", lambda y: y @ y.T, r"as many y .* and \[32, 32\]"),
        ("hash", "y", lambda y: y * np.nan, "finite numbers in y, found 32 of 32"),
        ("hash", "y", lambda y: 0 * y, "outputs y that differ, found 32"),
        ("steps", "y_train", lambda y: y[:5], "as many y_train"),
        ("steps", "losses", lambda losses: losses[:0], "1 to 1,000 positive losses, found 0"),
        ("steps", "losses", lambda losses: 0 * losses, "1 to 1,000 positive losses, found 3"),
        ("steps", "losses", lambda _: np.ones(10**6), "positive losses, found 1,000,000"),
        ("steps", "learning_rate", lambda rate: np.full(5, rate), "one learning_rate and one weight_decay, found 5, 1"),
    ],
)
def test_arrays_that_cannot_be_compared_are_refused(name, array, alter, match, folder):
    change(folder / f"v_01_{name}.npz", **{array: alter})
    with pytest.raises(KerasCheckpointError, match=f"v_01_{name}.npz: expected .*{match}"):
        parity(folder)


def test_a_learning_rate_may_be_an_array_of_one(folder):
    change(folder / "v_01_steps.npz", learning_rate=lambda rate: np.array([rate]))
    assert parity(folder)["met"].all()
