"""An ensemble of binary trees as arrays, and what it says of inputs. How trees are grown belongs elsewhere.

Shape letters: N rows, K columns, T trees, S splits, V leaves, all trees one after another.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from golden_core.inputs.windows import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Trees:
    """Splits go left where a column is at most a threshold; a child below zero is the leaf of that number's complement.

    ``column`` [S], ``threshold`` [S], ``left`` [S], ``right`` [S], ``leaf`` [V] the values, ``root`` [T] a split or, of
    a tree that is one leaf, its complement.
    """

    column: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    leaf: FloatArray
    root: IntArray

    @classmethod
    def read(cls, text: str) -> Trees:
        """Read the text of a LightGBM model without categories and missing values.

        Raises
        ------
        ValueError
            If the text holds no tree.
        """
        trees = [dict(line.split("=", 1) for line in part.splitlines() if "=" in line) for part in _trees_of(text)]
        if not trees:
            raise ValueError("the model holds no tree")
        values = [_numbers(tree, "leaf_value", np.float64) for tree in trees]
        splits = [_numbers(tree, "split_feature", np.int64) for tree in trees]
        before = np.cumsum([0, *map(len, splits)])[:-1], np.cumsum([0, *map(len, values)])[:-1]
        return cls(
            column=np.concatenate(splits),
            threshold=np.concatenate([_numbers(tree, "threshold", np.float64) for tree in trees]),
            left=_children(trees, "left_child", *before),
            right=_children(trees, "right_child", *before),
            leaf=np.concatenate(values),
            root=np.array([s if len(own) else ~v for own, s, v in zip(splits, *before, strict=True)], dtype=np.int64),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name).copy() for field in dataclasses.fields(self)}

    def scaled(self, factor: float) -> Trees:
        """Return trees that say ``factor`` times as much."""
        return dataclasses.replace(self, leaf=self.leaf * factor)

    def sum(self, inputs: FloatArray) -> FloatArray:
        """Return the sum over trees [N] for inputs [N, K]; each row by itself, in the order of the trees."""
        place = np.broadcast_to(self.root, (len(inputs), len(self.root))).copy()
        while (inner := place >= 0).any():
            rows, splits = np.nonzero(inner)[0], place[inner]
            goes_left = inputs[rows, self.column[splits]] <= self.threshold[splits]
            place[inner] = np.where(goes_left, self.left[splits], self.right[splits])
        return np.asarray(self.leaf[~place].sum(axis=1))


def _trees_of(text: str) -> list[str]:
    return text.partition("end of trees")[0].split("\nTree=")[1:]


def _numbers(tree: dict[str, str], key: str, dtype: type) -> npt.NDArray[Any]:
    return np.array(tree.get(key, "").split(), dtype=dtype)


def _children(trees: list[dict[str, str]], key: str, splits: IntArray, leaves: IntArray) -> IntArray:
    """Return children in one numbering of all splits and leaves."""
    own = [_numbers(tree, key, np.int64) for tree in trees]
    return np.concatenate([np.where(c >= 0, c + s, c - v) for c, s, v in zip(own, splits, leaves, strict=True)])
