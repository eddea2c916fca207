"""A full disk is recognised whoever tells of it, and looking for its cause comes to an end."""

import errno
import itertools

import pytest

from golden_core.store.health import FullDiskError, disk_is_full, readable, telling_of


def chained(*errors):
    for one, cause in itertools.pairwise(errors):
        one.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "no room"), True),
        (RuntimeError("IO Error: Disk is full"), True),
        (chained(ValueError("a"), KeyError("b"), OSError(errno.EDQUOT, "quota")), True),
        (chained(ValueError("a"), KeyError("b")), False),
        (None, False),
    ],
)
def test_the_cause_counts(error, full):
    assert disk_is_full(error) == full


@pytest.mark.timeout(20)
def test_an_error_that_is_its_own_cause_has_an_end():
    one, other = ValueError("a"), KeyError("b")
    one.__cause__, other.__cause__ = other, one
    assert not disk_is_full(one)


def test_the_file_is_named(tmp_path):
    with pytest.raises(FullDiskError, match=r"table: the disk is full"), telling_of(tmp_path / "table"):
        raise RuntimeError("no space left on device")


def test_a_large_disk_is_told_in_gigabytes():
    assert [readable(size) for size in (0, 7.25e5, 9.994e8, 6.154e10)] == ["0.0 MB", "0.7 MB", "999.4 MB", "61.5 GB"]
