"""Weights from Keras files: every variant in every container, names before positions, and on into a forecaster."""

import functools
import re

import h5py
import numpy as np
import pytest
import torch
from support import keras_files
from support.keras_files import COMPOSITE_NAMES, CONTAINERS, layout, write_keras_file
from support.keras_record import record, write_record_weights
from support.keras_record import windows as windows_of

from golden_core.forecasters import forecaster_class
from golden_core.forecasters.base import Context
from golden_core.inputs.windows import Target, Windows, cut_windows
from golden_core.legacy.keras_checkpoint import (
    KINDS,
    KerasCheckpointError,
    blocks_in_order,
    import_checkpoint,
    load_keras_checkpoint,
)
from golden_core.models.architecture import VARIANTS
from golden_core.models.legacy import build
from golden_core.store.lake import hash_file
from golden_core.training.checkpoint import load_checkpoint

torch.set_num_threads(1)

# Of model.weights.h5, beside the optimiser: counted in files that Keras 3.15.1 wrote.
MODEL_DATASETS = {
    **{"v01": 24, "v02": 48, "v03": 54, "v04": 55, "v05": 62, "v06": 68, "v07": 92, "v08": 94},
    **{"v09": 71, "v10": 85},
}


random_network = functools.cache(keras_files.random_network)  # nothing here changes one


def outputs(network):
    x = torch.randn(16, 3, 4, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return network(x)


def assert_equal_networks(ours, theirs):
    ours_state, theirs_state = ours.state_dict(), theirs.state_dict()
    assert list(ours_state) == list(theirs_state)
    for name, values in ours_state.items():
        assert torch.equal(values, theirs_state[name]), name
    assert torch.equal(outputs(ours), outputs(theirs))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_layout_is_whole(variant):
    assert sum(len(shapes) for _, _, shapes in layout(variant)) == MODEL_DATASETS[variant]


def without_names(file, _):
    file.visititems(lambda _, item: item.attrs.pop("name", None) and None)


def exchanged(file, variant):
    """Exchange the first and the last layer of every class, names and all."""
    kinds = [KINDS[type(block)] for block in blocks_in_order(build(variant)).values()]
    for kind in {kind for kind in kinds if kinds.count(kind) > 1}:
        first, last = kind, f"{kind}_{kinds.count(kind) - 1}"
        file.move(f"layers/{first}", "layers/aside")
        file.move(f"layers/{last}", f"layers/{first}")
        file.move("layers/aside", f"layers/{last}")


def numbered(file, variant):
    """Call every layer as Keras does by itself: by its class, and here by numbers that run against the model."""
    folders = {group.split("/")[0]: name for group, name, _ in layout(variant)} | COMPOSITE_NAMES[variant]
    names = {}
    for folder in sorted(folders, key=lambda folder: re.sub(r"\d+", lambda digits: digits[0].zfill(3), folder)):
        kind, _, number = re.fullmatch(r"(.+?)(_(\d+))?", folder).groups()
        names[folder] = f"{kind}_{30 - int(number or 0)}"
    for folder, name in names.items():
        if "layers" in file:
            file[f"layers/{folder}/vars"].attrs["name"] = name
        else:
            file.move(f"model_weights/{folders[folder]}", f"model_weights/{name}")
    if "model_weights" in file:
        file["model_weights"].attrs["layer_names"] = ["input_layer", *names.values(), "flatten_layer"]


def written(path, variant, container, *changes):
    network = random_network(variant)
    write_keras_file(path, variant, network, container)
    for change in changes:
        with h5py.File(path, "r+") as file:
            change(file, variant)
    return network


@pytest.mark.parametrize(
    ("container", "changes"),
    [
        *((container, ()) for container in CONTAINERS),
        ("weights.h5", (without_names,)),  # the position in the class decides
        ("weights.h5", (exchanged,)),  # the names decide, not the position
        ("weights.h5", (numbered,)),  # a number is no name
        ("h5", (numbered,)),
    ],
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_comes_back_from_every_container(variant, container, changes, tmp_path):
    network = written(tmp_path / "weights.of.someone", variant, container, *changes)  # the content decides, not a name
    link = tmp_path / "link.keras"
    link.symlink_to(tmp_path / "weights.of.someone")
    loaded = load_keras_checkpoint(variant, str(link))
    assert not loaded.training
    assert_equal_networks(loaded, network)


def test_layers_that_keras_numbered_are_not_guessed_without_the_order_of_the_model(tmp_path):
    written(tmp_path / "model", "v08", "h5", numbered, lambda file, _: file["model_weights"].attrs.pop("layer_names"))
    with pytest.raises(KerasCheckpointError, match=r"named res_block0_conv1 .* found conv1d_28, conv1d_29, conv1d_30"):
        load_keras_checkpoint("v08", tmp_path / "model")


def test_a_name_must_fit_the_position_of_its_numbered_neighbours(tmp_path):
    def called(name):
        return lambda file, _: file["layers/conv1d/vars"].attrs.__setitem__("name", name)

    written(tmp_path / "model", "v08", "weights.h5", numbered, called("res_block0_conv1"))
    load_keras_checkpoint("v08", tmp_path / "model")
    written(tmp_path / "model", "v08", "weights.h5", numbered, called("res_block0_conv2"))
    with pytest.raises(KerasCheckpointError, match=r"next res_block0_conv1 \(front.conv1\), found res_block0_conv2"):
        load_keras_checkpoint("v08", tmp_path / "model")


def test_experts_are_sorted_by_number_not_by_letter(tmp_path):
    # dense_10 stands before dense_2 in the file; expert 2 is the third all the same.
    network = random_network("v08")
    path = write_keras_file(tmp_path / "model.h5", "v08", network, "weights.h5")
    with h5py.File(path) as file:
        assert list(file["layers/mix_of_experts/experts"])[2] == "dense_10"
        third = file["layers/mix_of_experts/experts/dense_2/vars/0"][()]
    loaded = load_keras_checkpoint("v08", path)
    assert np.array_equal(loaded.experts.weight_experts[128:192].detach().numpy(), third.T)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 0.0), (np.float16, 1e-3)])
def test_other_precisions_become_float32(dtype, tolerance, tmp_path):
    network = random_network("v01")
    path = write_keras_file(tmp_path / "model.weights.h5", "v01", network, "weights.h5")
    with h5py.File(path, "r+") as file:
        values = file["layers/dense/vars/0"][()]
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = values.astype(dtype)
    weight = load_keras_checkpoint("v01", path).head.output.weight
    assert weight.dtype == torch.float32
    assert (weight - network.head.output.weight).abs().max() <= tolerance


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_order_of_keras_names_every_block_with_weights(variant):
    network = build(variant)
    weights = {name.rpartition(".")[0] for name in network.state_dict()}
    assert set(blocks_in_order(network)) == weights


# ---------------------------------------------------------------------------------- into a checkpoint that forecasts


def windows():
    bars = 60
    generator = np.random.Generator(np.random.PCG64(11))
    closes = 1.1 * np.exp(np.cumsum(generator.normal(0, 1e-3, bars)))
    return cut_windows(
        generator.normal(size=(bars, 4)).astype(np.float32),
        closes,
        np.datetime64("2020-01-01T00:00", "us") + np.arange(bars) * np.timedelta64(1, "h"),
        range(10, 50),
        context_length=3,
        horizon=1,
        target=Target("log_return", mean=1e-5, scale=2e-3),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_imported_checkpoint_forecasts_what_the_network_says(variant, tmp_path):
    network = random_network(variant)
    source = write_keras_file(tmp_path / "trained.keras", variant, network, "keras")
    out = tmp_path / "folder" / f"{variant}.safetensors"
    import_checkpoint(variant, source, out)
    state, metadata = load_checkpoint(out)
    assert metadata == {
        "forecaster": variant,
        "context_length": 3,
        "num_features": 4,
        "source": {"file": "trained.keras", "sha256": hash_file(source)},
    }
    settings = {"gate": "linear", "initialisers": "keras_3.8"}
    forecaster = forecaster_class(variant)(settings, Context(3, ("open", "high", "low", "close"), 1, training=None))
    forecaster.restore(state)
    cut: Windows = windows()
    with torch.no_grad():
        raw = network(torch.from_numpy(np.array(cut.X))).numpy()
    assert np.array_equal(forecaster.predict(cut), cut.target.log_return(raw, cut.last_close))


def test_a_failed_import_leaves_the_old_file(tmp_path):
    source = write_keras_file(tmp_path / "v01.keras", "v01", random_network("v01"), "keras")
    out = tmp_path / "v02.safetensors"
    out.write_bytes(b"old")
    with pytest.raises(KerasCheckpointError, match="those of v01"):
        import_checkpoint("v02", source, out)
    assert out.read_bytes() == b"old"


def test_a_checkpoint_is_not_replaced_by_its_import(tmp_path):
    source = write_keras_file(tmp_path / "v01.keras", "v01", random_network("v01"), "keras")
    content = source.read_bytes()
    (tmp_path / "other_name").symlink_to(source)
    for out in (source, tmp_path / "other_name"):
        with pytest.raises(KerasCheckpointError, match="expected another file to write, found the checkpoint itself"):
            import_checkpoint("v01", source, out)
    assert source.read_bytes() == content


# -------------------------------------------------------------------------------------------- against Keras' outputs


@pytest.mark.parametrize("variant", VARIANTS)
def test_outputs_of_recorded_weights_equal_those_of_keras(variant, tmp_path):
    network = load_keras_checkpoint(variant, write_record_weights(tmp_path / "model.weights.h5", variant))
    expected = record(variant)["outputs"]
    with torch.no_grad():
        difference = np.abs(network(torch.from_numpy(windows_of(variant)[2])).numpy() - expected).max()
    assert difference <= 2e-5 * np.ptp(expected)
