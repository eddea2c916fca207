"""Named streams: a stream depends on its root and its names, and on nothing else."""

import hashlib
import itertools
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_core.store.randomness import Stream

NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8) | st.integers(0, 99)
PATH = st.lists(NAME, max_size=4)
ROOT = st.integers(0, 2**63 - 1)


@given(root=ROOT, path=PATH)
def test_same_root_and_names_give_the_same_numbers(root, path):
    one, other = Stream(root).child(*path), Stream(root).child(*path)
    assert one == other
    assert one.integer() == other.integer()
    assert np.array_equal(one.generator().random(5), other.generator().random(5))


@given(root=ROOT, one=PATH, other=PATH)
def test_other_names_give_other_numbers(root, one, other):
    a, b = Stream(root).child(*one), Stream(root).child(*other)
    assert (a.integer() == b.integer()) == (a.path == b.path)


@given(one=ROOT, other=ROOT, path=PATH)
def test_other_roots_give_other_numbers(one, other, path):
    a, b = Stream(one).child(*path), Stream(other).child(*path)
    assert (a.integer() == b.integer()) == (one == other)


@given(root=ROOT, path=PATH, split=st.integers(0, 4))
def test_a_path_may_be_walked_in_steps(root, path, split):
    assert Stream(root).child(*path[:split]).child(*path[split:]) == Stream(root).child(*path)


def test_where_names_end_matters_and_numbers_are_their_text():
    paths = [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("c", "ab"), ()]
    assert len({Stream(1).child(*path).integer() for path in paths}) == len(paths)
    assert Stream(1).child("seed", 3) == Stream(1).child("seed", "3")


def test_drawing_from_one_stream_changes_no_other():
    parent = Stream(5).child("v08")
    before = parent.child("init").generator().random(3)
    parent.generator().random(1000)
    parent.child("shuffle").integer()
    assert np.array_equal(parent.child("init").generator().random(3), before)


def test_ten_thousand_trials_have_ten_thousand_streams():
    names = itertools.product(range(10), range(10), range(10), range(10))
    assert len({Stream(0).child("trial", *name).integer() for name in names}) == 10_000


def test_integer_has_63_bits():
    drawn = np.array([Stream(3).child(index).integer() for index in range(4000)], dtype=np.uint64)
    assert drawn.max() < 2**63
    bits = (drawn[:, None] >> np.arange(63, dtype=np.uint64)) & np.uint64(1)
    # Each bit is a fair coin: 4,000 throws stay within 5 standard deviations (0.5 ± 0.04).
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.04


@pytest.mark.parametrize(
    "streams",
    [[Stream(7).child("seed", index) for index in range(40)], [Stream(root).child("init") for root in range(40)]],
    ids=["siblings", "neighbouring roots"],
)
def test_streams_are_uncorrelated_and_normal(streams):
    draws = np.stack([stream.generator().standard_normal(2000) for stream in streams])
    correlation = np.corrcoef(draws)[np.triu_indices(40, k=1)]
    # 780 correlations of 2,000 pairs: standard deviation 1/√2000 = 0.022, five of them 0.112.
    assert np.abs(correlation).max() < 0.112
    assert abs(float(draws.mean())) < 5 / np.sqrt(draws.size)
    assert abs(float(draws.std()) - 1) < 5 / np.sqrt(2 * draws.size)


def test_second_derivation_by_hand():
    """SHA-256 of the names as JSON, cut into eight little-endian words, is the spawn key of NumPy's seed sequence."""
    digest = hashlib.sha256(b'["init", "v08", "EURUSD_h1", "3"]').digest()
    key = tuple(int.from_bytes(digest[start : start + 4], "little") for start in range(0, 32, 4))
    sequence = np.random.SeedSequence(20080915, spawn_key=key)
    stream = Stream(20080915).child("init", "v08", "EURUSD_h1", 3)
    assert stream.integer() == int(sequence.generate_state(1, np.uint64)[0]) >> 1
    assert np.array_equal(stream.generator().random(9), np.random.Generator(np.random.PCG64(sequence)).random(9))


@pytest.mark.parametrize("hash_seed", ["0", "7"])
def test_numbers_do_not_depend_on_the_process(hash_seed):
    code = "from golden_core.store.randomness import Stream; print(Stream(9).child('init', 'v08', 3).integer())"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    process = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(process.stdout) == Stream(9).child("init", "v08", 3).integer()


def test_stream_is_frozen_and_pickles():
    stream = Stream(9).child("init")
    assert pickle.loads(pickle.dumps(stream)) == stream
    with pytest.raises(AttributeError):
        stream.root = 3


def test_global_generators_are_left_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002  that nobody touches it is what is tested
    Stream(9).child("init").generator().random(100)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
