"""Files that are not what they seem: each is refused with one error that names file, expectation, finding and fix."""

import os
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from support.keras_files import CONTAINERS, random_network, write_keras_file

from golden_core.legacy.keras_checkpoint import KerasCheckpointError, load_keras_checkpoint
from golden_core.legacy.untrusted import MAXIMUM_BYTES, MAXIMUM_MEMBERS
from golden_core.models.architecture import VARIANTS

torch.set_num_threads(1)

CONV = "layers/conv1d/vars"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Bytes of a sound v01 file in every container."""
    folder = tmp_path_factory.mktemp("sound")
    network = random_network("v01")
    return {name: write_keras_file(folder / name, "v01", network, name).read_bytes() for name in CONTAINERS}


@pytest.fixture
def broken(tmp_path, written):
    """Break a sound v01 file: pass a function of the open HDF5 file, get the path."""

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


# ------------------------------------------------------------------------------------------ another model, other shapes


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("asked", "held"), list(zip(VARIANTS, (*VARIANTS[1:], "v01"), strict=True)))
def test_a_wrong_variant_is_named(asked, held, container, tmp_path):
    path = write_keras_file(tmp_path / "model", held, random_network(held), container)
    assert_refused(path, f"expected the layers of {asked}, found those of {held}: import it as {held}", asked)


def test_an_unknown_variant_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no legacy variant is called 'v_01'"):
        load_keras_checkpoint("v_01", tmp_path / "anything")


def replace(name, values):
    def change(file):
        del file[name]
        file[name] = values

    return change


def extra(name):
    return lambda file: file.create_dataset(name, data=np.zeros(8, np.float32))


def delete(name):
    return lambda file: file.__delitem__(name)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (extra(f"{CONV}/2"), r"with conv1d \(bias \[8\], kernel \[3, 4, 8\]\), found instead .*vars/2 \[8\]"),
        (extra("layers/dense_1/vars/0"), r"found instead dense \(kernel \[8\]\)"),
        (extra("layers/gru/vars/0"), r"found instead gru \(vars/0 \[8\]\)"),
        (extra("layers/conv1d/more/vars/0"), r"more/vars/0 \[8\]"),
        (extra("vars/0"), "every tensor in a layer under 'layers', found the tensor vars/0 elsewhere"),
        (extra("surplus"), "found the tensor surplus elsewhere"),
        (extra("layers/surplus"), "found the tensor layers/surplus elsewhere"),
        (delete(f"{CONV}/1"), r"found instead conv1d \(kernel \[3, 4, 8\]\): no variant has these shapes"),
        (delete("layers/dense"), r"with dense \(bias \[1\], kernel \[1200, 1\]\), found instead nothing"),
        (replace(f"{CONV}/0", np.zeros((8, 4, 3), np.float32)), r"kernel \[8, 4, 3\]"),
        (replace(f"{CONV}/0", np.float32(1)), r"kernel \[\]"),
        (replace("layers/dense/vars/0", np.zeros((2000, 1), np.float32)), "for windows of 3 bars and 4 features"),
    ],
)
def test_every_tensor_is_expected_and_used_once(change, match, broken):
    assert_refused(broken(change), match)


def test_a_surplus_tensor_in_a_whole_model_is_refused(broken):
    path = broken(extra("model_weights/attention_bn/attention_bn/gamma_2"), "h5")
    assert_refused(path, r"gamma_2 \[8\]")
    twice = broken(extra("model_weights/attention_bn/elsewhere/gamma"), "h5")
    assert_refused(twice, "different tensors in attention_bn, found two of the same name")
    top = broken(extra("model_weights/top_level_model_weights/variable"), "h5")
    assert_refused(top, r"variable \[8\]")


def test_the_same_layer_under_two_numbers_is_refused(broken):
    assert_refused(broken(lambda file: file.copy("layers/conv1d", "layers/conv1d_0")), "the layers of v01")


def test_an_unknown_name_is_refused(broken):
    def rename(file):
        file["layers/batch_normalization_1/vars"].attrs["name"] = "somebody_elses_bn"

    assert_refused(
        broken(rename),
        r"batch_normalization layers of v01 named conv1d_block2_bn \(front.norm2\), found somebody_elses_bn: ",
    )


def test_an_unknown_name_in_a_whole_model_is_refused(broken):
    def rename(file):
        file.move("model_weights/conv1d_block2_conv", "model_weights/conv1d_block3_conv")

    assert_refused(broken(rename, "h5"), r"named conv1d_block2_conv .* found conv1d_block3_conv: ")


def test_what_a_file_calls_things_is_quoted_with_care(broken):
    hostile = "layers/gru/vars/\x1b[2J\n" + "x" * 5_000
    assert_refused(broken(extra(hostile)), r"found instead gru \(vars/\?\[2J\?xxx")


def test_two_layers_of_one_name_are_refused(broken):
    def rename(file):
        file["layers/conv1d_1/vars"].attrs["name"] = "conv1d_block1_conv"

    assert_refused(broken(rename), "named conv1d_block2_conv .* found another of them twice: ")


# ------------------------------------------------------------------------------------------------------- odd values


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(value, broken):
    def poison(file):
        file[f"{CONV}/0"][1, 2, 3] = value

    assert_refused(broken(poison), "finite numbers in front.conv1 kernel, found 1 of 96 that are not: choose an epoch")


def test_a_number_too_large_for_float32_is_refused(broken):
    assert_refused(broken(replace(f"{CONV}/1", np.full(8, 1e300))), "found 8 of 8 that are not")


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(8, np.int32),
        np.zeros(8, np.complex64),
        np.zeros(8, [("a", "<f4"), ("b", "<f4")]),
        np.array([b"pickle"] * 8, dtype=object),
        np.zeros(8, "V4"),
        np.zeros(8, np.bool_),
    ],
    ids=["integers", "complex", "compound", "strings", "opaque", "booleans"],
)
def test_anything_but_floating_point_numbers_is_refused(values, broken):
    def change(file):
        del file[f"{CONV}/1"]
        kind = h5py.string_dtype() if values.dtype == object else values.dtype
        file.create_dataset(f"{CONV}/1", data=values, dtype=kind)

    assert_refused(broken(change), "floating-point numbers in front.conv1 bias, found the type")


def test_a_null_dataspace_is_refused(broken):
    assert_refused(broken(replace(f"{CONV}/1", h5py.Empty("f4"))), r"bias \[\]")


def test_object_references_are_refused(broken):
    def change(file):
        reference = file["layers"].ref
        replace(f"{CONV}/1", np.array([reference] * 8, dtype=h5py.ref_dtype))(file)

    assert_refused(broken(change), "floating-point numbers")


# ---------------------------------------------------------------------------------------- links, sizes, declarations


def link(name, target):
    def change(file):
        del file[name]
        file[name] = target

    return change


def test_links_are_refused(broken, tmp_path, written):
    (tmp_path / "other.h5").write_bytes(written["weights.h5"])
    outside = link(CONV, h5py.ExternalLink(str(tmp_path / "other.h5"), f"/{CONV}"))
    assert_refused(broken(outside), f"a tree of groups and datasets, each with one name, found {CONV}")
    assert_refused(broken(link(CONV, h5py.SoftLink("/layers/conv1d_1/vars"))), f"one name, found {CONV}")
    assert_refused(broken(link(f"{CONV}/1", h5py.SoftLink("/nowhere"))), f"one name, found {CONV}/1")


def test_a_second_name_for_a_tensor_is_refused(broken):
    def change(file):
        del file["layers/conv1d_1/vars/1"]
        file["layers/conv1d_1/vars/1"] = file[f"{CONV}/1"]

    assert_refused(broken(change), "each with one name, found layers/conv1d")


def test_a_cycle_of_groups_is_refused(broken):
    def change(file):
        file["layers/conv1d/self"] = file["layers"]

    assert_refused(broken(change), "a tree of groups and datasets")


def test_a_bottomless_or_endless_file_is_refused(broken):
    assert_refused(broken(lambda file: file.create_group("layers/" + "/".join("deep" * 30))), "a tree")

    def crowd(file):
        for index in range(3_000):
            file.create_group(f"layers/group_{index}")

    assert_refused(broken(crowd), "a tree")


def test_a_named_type_is_refused(broken):
    def change(file):
        file["layers/type"] = np.dtype("f4")

    assert_refused(broken(change), "found layers/type")


def test_values_outside_of_the_file_are_refused(broken, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 32)

    def elsewhere(file):
        del file[f"{CONV}/1"]
        file.create_dataset(f"{CONV}/1", (8,), "f4", external=[(str(secret), 0, 32)])

    def virtual(file):
        del file[f"{CONV}/1"]
        layout = h5py.VirtualLayout((8,), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (8,))
        file.create_virtual_dataset(f"{CONV}/1", layout)

    for change in (elsewhere, virtual):
        assert_refused(broken(change), "the values of front.conv1 bias in the file itself, found a declaration")


def test_values_that_were_never_written_are_refused(broken):
    def change(file):
        del file[f"{CONV}/1"]
        file.create_dataset(f"{CONV}/1", (8,), "f4")

    assert_refused(broken(change), "found a declaration without them")


def test_an_enormous_declaration_is_refused_before_it_is_read(broken):
    def change(file):
        del file[f"{CONV}/0"]
        file.create_dataset(f"{CONV}/0", (10**6, 10**5, 8), "f4")

    path = broken(change)
    tracemalloc.start()
    assert_refused(path, r"kernel \[1000000, 100000, 8\]")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_chunk_larger_than_its_tensor_is_refused(broken):
    def change(file):
        del file[f"{CONV}/1"]
        chunked = file.create_dataset(f"{CONV}/1", (8,), "f4", maxshape=(None,), chunks=(2**22,))
        chunked[:] = 1.0

    assert_refused(broken(change), "found a declaration")


def filtered(*filters):
    """Store 32 bytes that each filter in turn says to be 64 MiB of zeros, packed."""

    def change(file):
        del file[f"{CONV}/1"]
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((8,))
        content = bytes(2**26)
        for number in filters:
            plan.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (6,))
            content = zlib.compress(content)
        space = h5py.h5s.create_simple((8,))
        h5py.h5d.create(file[CONV].id, b"1", h5py.h5t.IEEE_F32LE, space, plan).write_direct_chunk((0,), content)

    return change


@pytest.mark.parametrize(
    "filters",
    [(h5py.h5z.FILTER_DEFLATE,), (h5py.h5z.FILTER_DEFLATE,) * 3, (h5py.h5z.FILTER_FLETCHER32,), (32_015,)],
    ids=["deflated", "deflated three times", "checksummed", "by a plugin"],
)
def test_filtered_tensors_are_refused_before_they_are_unpacked(filters, broken):
    """A filter unpacks whatever comes out: a chunk of 32 bytes took 64 MiB, or any number."""
    path = broken(filtered(*filters))
    assert_refused(path, "plain values of front.conv1 bias, as Keras stores them, found a filter, such as compression")


# ------------------------------------------------------------------------------------------------ archives and bytes


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def test_a_bomb_is_not_unpacked(tmp_path):
    size = MAXIMUM_BYTES + 2**20
    bomb = archive(tmp_path / "bomb.keras", [("model.weights.h5", bytes(size))], zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 2**18
    # The directory may lie about the size: the reading is bounded, not the declaration.
    content = bomb.read_bytes().replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    liar = tmp_path / "liar.keras"
    liar.write_bytes(content)
    assert_refused(bomb, "at most 67,108,864 bytes, found more")
    assert_refused(liar, "a whole archive")


def test_a_file_beyond_any_legacy_model_is_refused(tmp_path):
    path = tmp_path / "sparse.h5"
    with path.open("wb") as file:
        file.write(b"\x89HDF\r\n\x1a\n")
        file.truncate(2**40)
    assert_refused(path, "at most 67,108,864 bytes, found more")


def test_archives_without_one_member_of_weights_are_refused(tmp_path, written):
    assert_refused(
        archive(tmp_path / "none", [("config.json", "{}")]), r"one model.weights.h5 .* found 0 among \['config"
    )
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = archive(tmp_path / "two", [("model.weights.h5", written["weights.h5"])] * 2)
    assert_refused(twice, "found 2 among")
    assert_refused(archive(tmp_path / "empty", []), "found 0 among")
    assert_refused(archive(tmp_path / "text", [("model.weights.h5", "text")]), "a whole HDF5 file")
    packed = archive(tmp_path / "lzma", [("model.weights.h5", written["weights.h5"])], zipfile.ZIP_LZMA)
    assert_refused(packed, "a stored or deflated member, found compression type 14")


def test_a_crowded_archive_is_refused_before_its_directory_is_read(tmp_path, written):
    members = [(f"{number:x}", b"") for number in range(MAXIMUM_MEMBERS)]
    crowded = archive(tmp_path / "crowded.keras", [("model.weights.h5", written["weights.h5"]), *members])
    assert_refused(crowded, "at most 1,000 members in the archive, found 1,001")
    content = crowded.read_bytes()
    (tmp_path / "cut").write_bytes(content[: content.rfind(b"PK\5\6")])  # zipfile would find no directory to read
    assert_refused(tmp_path / "cut", "at most 1,000 members")


def test_an_encrypted_archive_is_refused(tmp_path, written):
    content = bytearray(written["keras"])
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        position = content.rfind(signature)
        content[position + offset] |= 1
    path = tmp_path / "encrypted.keras"
    path.write_bytes(content)
    assert_refused(path, "a whole archive, found .*encrypted")


def test_a_deflated_archive_is_read(tmp_path, written):
    path = archive(tmp_path / "packed", [("model.weights.h5", written["weights.h5"])], zipfile.ZIP_DEFLATED)
    load_keras_checkpoint("v01", path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "found an empty file"),
        (b"\x80\x04\x95pickle", r"a file that begins with b'\\x80"),
        (b"\x89HDF\r\n\x1a\n", "a whole HDF5 file"),
        (b"PK\x03\x04", "a whole archive"),
    ],
)
def test_other_files_are_refused(content, match, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    assert_refused(path, match)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["prices"] = np.arange(5.0)
    assert_refused(tmp_path / "data.h5", r"a group 'layers' or 'model_weights', found \['prices'\]")


def test_what_is_not_a_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    for name, found in (
        ("missing", "nothing"),
        ("dangling", "nothing"),
        ("pipe", "something else"),
        (".", "something"),
    ):
        assert_refused(tmp_path / name, f"expected a file, found {found}")
    with pytest.raises(KerasCheckpointError):
        load_keras_checkpoint("v01", tmp_path / "loop")


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.9, 0.99999])
def test_a_truncated_file_is_refused(container, share, tmp_path, written):
    path = tmp_path / "cut"
    path.write_bytes(written[container][: max(1, int(share * len(written[container])))])
    assert_refused(path, "expected")


@pytest.mark.parametrize("container", CONTAINERS)
def test_flipped_bytes_are_survived(container, tmp_path, written):
    """Damage is refused, or hits values alone: nothing else is raised."""
    generator = np.random.Generator(np.random.PCG64(3))
    sound = written[container]
    path = tmp_path / "flipped"
    refused = 0
    for _ in range(60):
        content = bytearray(sound)
        # Half of the flips among the first bytes, where the structure of HDF5 and ZIP is.
        for limit in (4_000, len(content)):
            content[generator.integers(limit)] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        try:
            network = load_keras_checkpoint("v01", path)
        except KerasCheckpointError:
            refused += 1
        else:
            assert all(torch.isfinite(values).all() for values in network.state_dict().values())
    assert refused


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_heap_without_end_is_refused(tmp_path, written):
    """Reading a name out of it, libhdf5 would not come back: found by flipping bytes."""
    content = bytearray(written["weights.h5"])
    first = content.index(b"GCOL") + 16  # number (2 bytes), …, size (8 bytes) of the first string
    content[first : first + 16] = bytes(16)
    path = tmp_path / "endless.h5"
    path.write_bytes(content)
    assert_refused(path, "a heap of strings with an end, found none at byte")


def test_heaps_within_heaps_are_refused(tmp_path):
    """Each of them ends, and walking all of them would take hours for a file of a megabyte."""
    count, size = 30_000, 32
    total = 16 + size * count + 16
    heaps = b"".join(
        b"GCOL\1\0\0\0" + struct.pack("<QHHIQ", total - 16 - size * number, 1, 1, 0, 16) for number in range(count)
    )
    path = tmp_path / "nested.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(8) + heaps + bytes(16))
    assert_refused(path, "a heap of strings with an end, found none at byte 48")


def test_a_name_that_is_no_string_is_no_name(broken):
    """A list where a string was once made libhdf5 crash: found by flipping bytes."""

    def change(file):
        del file[CONV].attrs["name"]
        numbers = h5py.h5t.py_create(h5py.vlen_dtype(np.int32), logical=True)
        h5py.h5a.create(file[CONV].id, b"name", numbers, h5py.h5s.create(h5py.h5s.SCALAR))

    load_keras_checkpoint("v01", broken(change))


def test_nothing_is_left_open(tmp_path, written):
    path = tmp_path / "model.h5"
    path.write_bytes(written["h5"])
    before = open_files()
    for _ in range(3):
        load_keras_checkpoint("v01", path)
        with pytest.raises(KerasCheckpointError):
            load_keras_checkpoint("v02", path)
    assert open_files() == before
    assert path.read_bytes() == written["h5"]
