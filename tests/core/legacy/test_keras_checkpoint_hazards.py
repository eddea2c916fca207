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
KERNEL, BIAS = f"{CONV}/0", f"{CONV}/1"
HDF5 = b"\x89HDF\r\n\x1a\n"


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


# ------------------------------------------------------------------------------------------------ a table of hazards


def replaced(name, values):
    def change(file):
        del file[name]
        file[name] = values

    return change


def typed(values):
    """Store the bias as something else than floating-point numbers."""

    def change(file):
        del file[BIAS]
        file.create_dataset(BIAS, data=values, dtype=h5py.string_dtype() if values.dtype == object else values.dtype)

    return change


def extra(name):
    return lambda file: file.create_dataset(name, data=np.zeros(8, np.float32))


def deleted(name):
    return lambda file: file.__delitem__(name)


def named(layer, name):
    return lambda file: file[f"layers/{layer}/vars"].attrs.__setitem__("name", name)


def declared(name, *shape, **how):
    """Declare a tensor and write nothing of it."""

    def change(file):
        del file[name]
        file.create_dataset(name, shape, "f4", **how)

    return change


def poisoned(value):
    return lambda file: file[KERNEL].__setitem__((1, 2, 3), value)


def reference(file):
    replaced(BIAS, np.array([file["layers"].ref] * 8, dtype=h5py.ref_dtype))(file)


def second_name(file):
    replaced("layers/conv1d_1/vars/1", file[BIAS])(file)


def crowded(file):
    for index in range(3_000):
        file.create_group(f"layers/group_{index}")


def beside(file):
    return str(Path(file.filename).with_name("other.h5"))


def external_link(file):
    replaced(CONV, h5py.ExternalLink(beside(file), f"/{CONV}"))(file)


def external_values(file):
    declared(BIAS, 8, external=[(beside(file), 0, 32)])(file)


def virtual(file):
    del file[BIAS]
    layout = h5py.VirtualLayout((8,), "f4")
    layout[:] = h5py.VirtualSource(beside(file), BIAS, (8,))
    file.create_virtual_dataset(BIAS, layout)


def large_chunk(file):
    declared(BIAS, 8, maxshape=(None,), chunks=(2**22,))(file)
    file[BIAS][:] = 1.0


def filtered(*filters):
    """Store 32 bytes that each filter in turn says to be 64 MiB of zeros, packed: any number would come out."""

    def change(file):
        del file[BIAS]
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((8,))
        content = bytes(2**26)
        for number in filters:
            plan.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (6,))
            content = zlib.compress(content)
        space = h5py.h5s.create_simple((8,))
        h5py.h5d.create(file[CONV].id, b"1", h5py.h5t.IEEE_F32LE, space, plan).write_direct_chunk((0,), content)

    return change


SURPLUS = {
    "a third variable": (extra(f"{CONV}/2"), r"with conv1d \(bias \[8\], kernel \[3, 4, 8\]\), found .*vars/2 \[8\]"),
    "a second head": (extra("layers/dense_1/vars/0"), r"found instead dense \(kernel \[8\]\)"),
    "another class": (extra("layers/gru/vars/0"), r"found instead gru \(vars/0 \[8\]\)"),
    "a sublayer": (extra("layers/conv1d/more/vars/0"), r"more/vars/0 \[8\]"),
    "outside": (extra("vars/0"), "every tensor in a layer under 'layers', found the tensor vars/0 elsewhere"),
    "at the root": (extra("surplus"), "found the tensor surplus elsewhere"),
    "as a layer": (extra("layers/surplus"), "found the tensor layers/surplus elsewhere"),
    "twice": (lambda file: file.copy("layers/conv1d", "layers/conv1d_0"), "the layers of v01"),
    "hostile": (extra("layers/gru/vars/\x1b[2J\n" + "x" * 5_000), r"found instead gru \(vars/\?\[2J\?xxx"),
}
OTHER_SHAPES = {
    "no bias": (deleted(BIAS), r"found instead conv1d \(kernel \[3, 4, 8\]\): no variant has these shapes"),
    "no head": (deleted("layers/dense"), r"with dense \(bias \[1\], kernel \[1200, 1\]\), found instead nothing"),
    "turned": (replaced(KERNEL, np.zeros((8, 4, 3), np.float32)), r"kernel \[8, 4, 3\]"),
    "scalar": (replaced(KERNEL, np.float32(1)), r"kernel \[\]"),
    "null": (replaced(BIAS, h5py.Empty("f4")), r"bias \[\]"),
    "longer": (
        replaced("layers/dense/vars/0", np.zeros((2000, 1), np.float32)),
        "for windows of 3 bars and 4 features",
    ),
}
NAMES = {
    "unknown": (
        named("batch_normalization_1", "somebody_elses_bn"),
        r"batch_normalization layers of v01 named conv1d_block2_bn \(front.norm2\), found somebody_elses_bn: ",
    ),
    "twice": (named("conv1d_1", "conv1d_block1_conv"), "named conv1d_block2_conv .* found another of them twice: "),
}
NOT_FINITE = "finite numbers in front.conv1 kernel, found 1 of 96 that are not: choose an epoch"
NO_NUMBERS = "floating-point numbers in front.conv1 bias, found the type"
VALUES = {
    "nan": (poisoned(np.nan), NOT_FINITE),
    "inf": (poisoned(np.inf), NOT_FINITE),
    "-inf": (poisoned(-np.inf), NOT_FINITE),
    "beyond float32": (replaced(BIAS, np.full(8, 1e300)), "found 8 of 8 that are not"),
    "integers": (typed(np.zeros(8, np.int32)), NO_NUMBERS),
    "complex": (typed(np.zeros(8, np.complex64)), NO_NUMBERS),
    "compound": (typed(np.zeros(8, [("a", "<f4"), ("b", "<f4")])), NO_NUMBERS),
    "strings": (typed(np.array([b"pickle"] * 8, dtype=object)), NO_NUMBERS),
    "opaque": (typed(np.zeros(8, "V4")), NO_NUMBERS),
    "booleans": (typed(np.zeros(8, np.bool_)), NO_NUMBERS),
    "references": (reference, NO_NUMBERS),
}
TREE = "a tree of groups and datasets, each with one name, found"
LINKS = {
    "external": (external_link, f"{TREE} {CONV}"),
    "soft": (replaced(CONV, h5py.SoftLink("/layers/conv1d_1/vars")), f"{TREE} {CONV}"),
    "dangling": (replaced(BIAS, h5py.SoftLink("/nowhere")), f"{TREE} {BIAS}"),
    "second name": (second_name, f"{TREE} layers/conv1d"),
    "cycle": (lambda file: file.__setitem__("layers/conv1d/self", file["layers"]), TREE),
    "bottomless": (lambda file: file.create_group("layers/" + "/".join("deep" * 30)), TREE),
    "endless": (crowded, TREE),
    "a type": (lambda file: file.__setitem__("layers/type", np.dtype("f4")), "found layers/type"),
}
ABSENT = "the values of front.conv1 bias in the file itself, found a declaration without them"
FILTER = "plain values of front.conv1 bias, as Keras stores them, found a filter, such as compression"
DECLARATIONS = {
    "in another file": (external_values, ABSENT),
    "virtual": (virtual, ABSENT),
    "never written": (declared(BIAS, 8), ABSENT),
    "in a larger chunk": (large_chunk, ABSENT),
    "deflated": (filtered(h5py.h5z.FILTER_DEFLATE), FILTER),
    "deflated three times": (filtered(*[h5py.h5z.FILTER_DEFLATE] * 3), FILTER),
    "checksummed": (filtered(h5py.h5z.FILTER_FLETCHER32), FILTER),
    "by a plugin": (filtered(32_015), FILTER),
}
HAZARDS = {
    "surplus": SURPLUS,
    "shape": OTHER_SHAPES,
    "name": NAMES,
    "values": VALUES,
    "link": LINKS,
    "declared": DECLARATIONS,
}


@pytest.mark.parametrize(
    ("change", "match"),
    [pytest.param(*case, id=f"{kind}: {name}") for kind, hazards in HAZARDS.items() for name, case in hazards.items()],
)
def test_a_hazard_is_refused(change, match, broken):
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


def test_an_enormous_declaration_is_refused_before_it_is_read(broken):
    path = broken(declared(KERNEL, 10**6, 10**5, 8))
    tracemalloc.start()
    assert_refused(path, r"kernel \[1000000, 100000, 8\]")
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_name_that_is_no_string_is_no_name(broken):
    """A list where a string was once made libhdf5 crash: found by flipping bytes."""

    def change(file):
        del file[CONV].attrs["name"]
        numbers = h5py.h5t.py_create(h5py.vlen_dtype(np.int32), logical=True)
        h5py.h5a.create(file[CONV].id, b"name", numbers, h5py.h5s.create(h5py.h5s.SCALAR))

    load_keras_checkpoint("v01", broken(change))


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
        file.write(HDF5)
        file.truncate(2**40)
    assert_refused(path, "at most 67,108,864 bytes, found more")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("members", "compression", "match"),
    [
        ([("config.json", "{}")], zipfile.ZIP_STORED, r"one model.weights.h5 .* found 0 among \['config"),
        ([], zipfile.ZIP_STORED, "found 0 among"),
        ([("model.weights.h5", None)] * 2, zipfile.ZIP_STORED, "found 2 among"),
        ([("model.weights.h5", "text")], zipfile.ZIP_STORED, "a whole HDF5 file"),
        ([("model.weights.h5", None)], zipfile.ZIP_LZMA, "a stored or deflated member, found compression type 14"),
    ],
)
def test_an_archive_without_one_plain_member_of_weights_is_refused(members, compression, match, tmp_path, written):
    held = [(name, written["weights.h5"] if content is None else content) for name, content in members]
    assert_refused(archive(tmp_path / "model.keras", held, compression), match)


def test_a_deflated_archive_is_read(tmp_path, written):
    path = archive(tmp_path / "packed", [("model.weights.h5", written["weights.h5"])], zipfile.ZIP_DEFLATED)
    load_keras_checkpoint("v01", path)


def test_a_crowded_archive_is_refused_before_its_directory_is_read(tmp_path, written):
    members = [(f"{number:x}", b"") for number in range(MAXIMUM_MEMBERS)]
    crowded = archive(tmp_path / "crowded.keras", [("model.weights.h5", written["weights.h5"]), *members])
    assert_refused(crowded, "at most 1,000 members in the archive, found 1,001")
    content = crowded.read_bytes()
    (tmp_path / "cut").write_bytes(content[: content.rfind(b"PK\5\6")])  # zipfile would find no directory to read
    assert_refused(tmp_path / "cut", "at most 1,000 members")


def encrypted(content):
    content = bytearray(content["keras"])
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.rfind(signature) + offset] |= 1
    return content


def endless_heap(content):
    """Reading a name out of it, libhdf5 would not come back: found by flipping bytes."""
    content = bytearray(content["weights.h5"])
    first = content.index(b"GCOL") + 16  # number (2 bytes), …, size (8 bytes) of the first string
    content[first : first + 16] = bytes(16)
    return content


def nested_heaps(_):
    """Each of them ends, and walking all of them would take hours for a file of a megabyte."""
    count, size = 30_000, 32
    left = [16 + size * (count - number) for number in range(count)]
    heaps = b"".join(b"GCOL\1\0\0\0" + struct.pack("<QHHIQ", one, 1, 1, 0, 16) for one in left)
    return HDF5 + bytes(8) + heaps + bytes(16)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (lambda _: b"", "found an empty file"),
        (lambda _: b"\x80\x04\x95pickle", r"a file that begins with b'\\x80"),
        (lambda _: HDF5, "a whole HDF5 file"),
        (lambda _: b"PK\x03\x04", "a whole archive"),
        (encrypted, "a whole archive, found .*encrypted"),
        (endless_heap, "a heap of strings with an end, found none at byte"),
        (nested_heaps, "a heap of strings with an end, found none at byte 48"),
    ],
)
def test_other_bytes_are_refused(content, match, tmp_path, written):
    path = tmp_path / "model.keras"
    path.write_bytes(content(written))
    assert_refused(path, match)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["prices"] = np.arange(5.0)
    assert_refused(tmp_path / "data.h5", r"a group 'layers' or 'model_weights', found \['prices'\]")


def test_what_is_not_a_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "missing")
    found = {"missing": "nothing", "dangling": "nothing", "pipe": "something else", ".": "something"}
    for name, what in found.items():
        assert_refused(tmp_path / name, f"expected a file, found {what}")
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


def test_nothing_is_left_open(tmp_path, written):
    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    path = tmp_path / "model.h5"
    path.write_bytes(written["h5"])
    before = open_files()
    for _ in range(3):
        load_keras_checkpoint("v01", path)
        with pytest.raises(KerasCheckpointError):
            load_keras_checkpoint("v02", path)
    assert open_files() == before
    assert path.read_bytes() == written["h5"]
