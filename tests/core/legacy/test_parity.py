"""The table of a folder of Keras files: right ones meet the limits, and each kind of difference does not."""

import numpy as np
import pytest
import torch
from support.keras_files import random_network, write_keras_file

from golden_core.legacy.alignment import replay_steps
from golden_core.legacy.parity import ParityError, parity

torch.set_num_threads(1)
SETTINGS = {"learning_rate": 1e-3, "weight_decay": 0.004}


def windows(count, seed):
    return np.random.default_rng(seed).standard_normal((count, 3, 4)).astype(np.float32)


def outputs(network, x):
    with torch.no_grad():
        return network(torch.from_numpy(x)).numpy()[:, None]


@pytest.fixture
def folder(tmp_path):
    """Records that a network of the project itself made, in place of Keras."""
    network, x = random_network("v01"), windows(32, 1)
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


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(ParityError, match=r"has no record such as v_08_trained\.npz"):
        parity(tmp_path)


def test_a_record_without_its_checkpoint_is_refused(folder):
    (folder / "v_01_hash.weights.h5").unlink()
    with pytest.raises(ParityError, match=r"expected one of v_01_hash\.keras, v_01_hash\.weights\.h5, v_01_hash\.h5"):
        parity(folder)


def test_a_record_of_no_variant_is_refused(folder):
    (folder / "v_01_hash.npz").rename(folder / "v_11_hash.npz")
    with pytest.raises(ParityError, match=r"v11 is none of v01 … v10"):
        parity(folder)


def test_a_record_that_lacks_an_array_is_refused(folder):
    np.savez(folder / "v_01_hash.npz", x=windows(3, 1))
    with pytest.raises(ParityError, match="has no array 'y'; it has x"):
        parity(folder)


def test_a_pickled_array_is_refused(folder):
    np.savez(folder / "v_01_hash.npz", x=windows(3, 1), y=np.array([{}], dtype=object))
    with pytest.raises(ParityError, match="is no archive of arrays"):
        parity(folder)
