"""Files that are not what they seem: each is refused with one error that names file, expectation, finding and fix."""

import functools
import zipfile

import h5py
import numpy as np
import pytest
import torch
from support import keras_files
from support.keras_files import CONTAINERS, write_keras_file

from golden_core.legacy.keras_checkpoint import KerasCheckpointError, load_keras_checkpoint
from golden_core.legacy.keras_files import MAXIMUM_BYTES
from golden_core.models.architecture import VARIANTS

torch.set_num_threads(1)

random_network = functools.cache(keras_files.random_network)  # nothing here changes one
CONV = "layers/conv1d/vars"
KERNEL, BIAS, HEAD = f"{CONV}/0", f"{CONV}/1", "layers/dense/vars/0"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Bytes of a sound v01 file in every container."""
    folder = tmp_path_factory.mktemp("sound")
    network = random_network("v01")
    return {name: write_keras_file(folder / name, "v01", network, name).read_bytes() for name in CONTAINERS}


@pytest.fixture
def broken(tmp_path, written):
    """Break a sound v01 file that lies beside another: pass a function of the open HDF5 file, get the path."""

    (tmp_path / "other.h5").write_bytes(written["weights.h5"])

    def breaking(change, container="weights.h5"):
        path = tmp_path / f"broken.{container}"
        path.write_bytes(written[container])
        with h5py.File(path, "r+") as file:
            change(file)
        return path

    return breaking


def assert_refused(path, match, variant="v01"):
    with pytest.raises(KerasCheckpointError, match=match) as caught:
        load_keras_checkpoint(variant, path)
    message = str(caught.value)
    assert message.startswith(f"{path}: expected ")
    assert ", found " in message
    assert "\n" not in message
    assert len(message) < 1_000


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("asked", "held"), list(zip(VARIANTS, (*VARIANTS[1:], "v01"), strict=True)))
def test_a_wrong_variant_is_named(asked, held, container, tmp_path):
    path = write_keras_file(tmp_path / "model", held, random_network(held), container)
    assert_refused(path, f"expected the layers of {asked}, found those of {held}: import it as {held}", asked)


def test_an_unknown_variant_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no legacy variant is called 'v_01'"):
        load_keras_checkpoint("v_01", tmp_path / "anything")


def replaced(name, values, **how):
    def change(file):
        del file[name]
        file.create_dataset(name, data=values, **how)

    return change


def extra(name):
    return lambda file: file.create_dataset(name, data=np.zeros(8, np.float32))


def named(layer, name):
    return lambda file: file[f"layers/{layer}/vars"].attrs.__setitem__("name", name)


def poisoned(value):
    return lambda file: file[KERNEL].__setitem__((1, 2, 3), value)


def linked(name, link):
    def change(file):
        del file[name]
        file[name] = link

    return change


def elsewhere(file):
    del file[BIAS]
    file.create_dataset(BIAS, (8,), "f4", external=[("other.h5", 0, 32)])


def virtual(file):
    del file[BIAS]
    layout = h5py.VirtualLayout((8,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", BIAS, (8,))
    file.create_virtual_dataset(BIAS, layout)


NOT_FINITE = "finite numbers in front.conv1 kernel, found 1 of 96 that are not: choose an epoch"
NO_NUMBERS = "floating-point numbers in front.conv1 bias, found"
HAZARDS = {
    "a third variable": (extra(f"{CONV}/2"), r"with conv1d \(bias \[8\], kernel \[3, 4, 8\]\), found .*vars/2 \[8\]"),
    "a second head": (extra("layers/dense_1/vars/0"), r"found instead dense \(kernel \[8\]\)"),
    "another class": (extra("layers/gru/vars/0"), r"found instead gru \(vars/0 \[8\]\)"),
    "a sublayer": (extra("layers/conv1d/more/vars/0"), r"more/vars/0 \[8\]"),
    "outside": (extra("vars/0"), "every tensor in a layer under 'layers', found the tensor vars/0 elsewhere"),
    "as a layer": (extra("layers/surplus"), "found the tensor layers/surplus elsewhere"),
    "a layer twice": (lambda file: file.copy("layers/conv1d", "layers/conv1d_0"), "the layers of v01"),
    "an expert twice": (
        lambda file: [extra(f"layers/dense/experts/{name}/vars/0")(file) for name in ("dense", "dense_0")],
        r"different tensors in dense, found two of the same name among \['bias', 'expert 0/kernel', 'expert 0/kernel'",
    ),
    "a hostile name": (extra("layers/gru/vars/\x1b[2J\n" + "x" * 5_000), r"found instead gru \(vars/\?\[2J\?xxx"),
    "no bias": (
        lambda file: file.__delitem__(BIAS),
        r"found instead conv1d \(kernel \[3, 4, 8\]\): no variant has these shapes",
    ),
    "turned": (replaced(KERNEL, np.zeros((8, 4, 3), np.float32)), r"kernel \[8, 4, 3\]"),
    "scalar": (replaced(KERNEL, np.float32(1)), r"kernel \[\]"),
    "longer": (replaced(HEAD, np.zeros((2000, 1), np.float32)), "for windows of 3 bars and 4 features"),
    "enormous": (replaced(HEAD, None, shape=(10**6, 10**6), dtype="f4"), r"kernel \[1000000, 1000000\]"),
    "an unknown name": (
        named("batch_normalization_1", "somebody_elses_bn"),
        r"batch_normalization layers of v01 named conv1d_block2_bn \(front.norm2\), found somebody_elses_bn: ",
    ),
    "a name twice": (named("conv1d_1", "conv1d_block1_conv"), "conv1d_block2_conv .* found another of them twice: "),
    "nan": (poisoned(np.nan), NOT_FINITE),
    "inf": (poisoned(-np.inf), NOT_FINITE),
    "beyond float32": (replaced(BIAS, np.full(8, 1e300)), "found 8 of 8 that are not"),
    "integers": (replaced(BIAS, np.zeros(8, np.int32)), NO_NUMBERS),
    "strings": (replaced(BIAS, np.array([b"pickle"] * 8, dtype=object), dtype=h5py.string_dtype()), NO_NUMBERS),
    "in another file": (elsewhere, NO_NUMBERS),
    "virtual": (virtual, NO_NUMBERS),
    "external link": (linked(CONV, h5py.ExternalLink("other.h5", f"/{CONV}")), "the layers of v01"),
    "soft link": (linked(BIAS, h5py.SoftLink("/layers/conv1d_1/vars/1")), "the layers of v01"),
    "cycle": (lambda file: file.__setitem__("layers/conv1d/self", file["layers"]), None),
}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_is_refused(hazard, broken):
    change, match = HAZARDS[hazard]
    if match is None:  # a second name of what is there harms nobody
        load_keras_checkpoint("v01", broken(change))
    else:
        assert_refused(broken(change), match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (extra("model_weights/attention_bn/attention_bn/gamma_2"), r"gamma_2 \[8\]"),
        (extra("model_weights/attention_bn/elsewhere/gamma"), "tensors in attention_bn, found two of the same name"),
        (extra("model_weights/top_level_model_weights/variable"), r"variable \[8\]"),
        (
            lambda file: file.move("model_weights/conv1d_block2_conv", "model_weights/conv1d_block3_conv"),
            "named conv1d_block2_conv .* found conv1d_block3_conv: ",
        ),
    ],
)
def test_a_hazard_in_a_whole_model_is_refused(change, match, broken):
    assert_refused(broken(change, "h5"), match)


def archive(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)


WEIGHTS = "model.weights.h5"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("write", "match"),
    [
        (lambda path: archive(path, ("config.json", "{}")), r"one model.weights.h5 in the archive, found \['config"),
        (lambda path: archive(path, (WEIGHTS, "a"), (WEIGHTS, "b")), "one model.weights.h5 in the archive"),
        (lambda path: archive(path, (WEIGHTS, "text")), r"a .keras, .weights.h5 or whole-model .h5 file"),
        (lambda path: archive(path, (WEIGHTS, bytes(MAXIMUM_BYTES + 1))), "at most 67,108,864 bytes, found 67,108,865"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "a whole archive"),
        (lambda path: path.write_bytes(b""), "a .keras, .weights.h5 or whole-model .h5 file"),
        (lambda path: path.write_bytes(b"\x80\x04\x95pickle"), "a .keras, .weights.h5 or whole-model .h5 file"),
        (lambda path: path.mkdir(), "a file, found something else"),
        (lambda path: None, "a file, found nothing"),
    ],
)
def test_other_files_are_refused(write, match, tmp_path):
    write(tmp_path / "model.keras")
    assert_refused(tmp_path / "model.keras", match)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["prices"] = np.arange(5.0)
    assert_refused(tmp_path / "data.h5", r"a group 'layers' or 'model_weights', found \['prices'\]")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("share", [0.0001, 0.3, 0.99999])
def test_a_truncated_file_is_refused(container, share, tmp_path, written):
    path = tmp_path / "cut"
    path.write_bytes(written[container][: max(1, int(share * len(written[container])))])
    assert_refused(path, "expected")
