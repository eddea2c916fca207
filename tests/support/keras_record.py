"""What Keras made of weights and windows that are drawn here: its outputs, and its losses over five training steps."""

import csv
import math
import re
from pathlib import Path

import numpy as np

from support.keras_files import VARIABLES, layout, write_tensors

RECORD = Path(__file__).parents[1] / "core/legacy/keras_record.csv"
RANGES = {"gamma": (0.7, 1.3), "moving_variance": (1.0, 1.5), "scale": (-1.0, 1.0)}
SETTINGS = {"steps": 5, "learning_rate": 1e-3, "weight_decay": 0.004}


def record(variant):
    """Return {quantity: values} as Keras 3.15.1 recorded them.

    ``outputs`` [32] in float32 before any step; ``losses`` [5] and ``outputs_after`` [32] of steps in float64;
    ``outputs_after_float32`` and ``outputs_after_graph`` [32] of the same steps in float32, op by op and compiled.
    """
    with RECORD.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["variant"] == variant]
    return {row["quantity"]: np.array(row["values"].split(), dtype=np.float64) for row in rows}


def windows(variant):
    """Return training windows [64, 3, 4], their targets [64, 1] and other windows [32, 3, 4]."""
    generator = np.random.Generator(np.random.PCG64(100 + int(variant[1:])))
    x_train = generator.uniform(-2, 2, (64, 3, 4)).astype(np.float32)
    y_train = 0.5 * x_train[:, -1, 3:] + generator.uniform(-0.2, 0.2, (64, 1))
    return x_train, y_train.astype(np.float32), generator.uniform(-2, 2, (32, 3, 4)).astype(np.float32)


def write_record_weights(path, variant):
    """Write the weights that Keras read, as a ``.weights.h5`` file."""
    generator = np.random.Generator(np.random.PCG64(int(variant[1:])))
    tensors = {}
    for group, name, shapes in layout(variant):
        variables = VARIABLES[re.sub(r"_\d+$", "", group.split("/")[0])]
        tensors[group] = [
            generator.uniform(*bounds(variable, name, shape), shape).astype(np.float32)
            for variable, shape in zip(variables, shapes, strict=True)
        ]
    return write_tensors(path, variant, tensors)


def bounds(variable, name, shape):
    """Kernels keep the variance of their inputs."""
    if not variable.endswith("kernel"):
        return RANGES.get(variable, (-0.2, 0.2))
    inputs = shape[0] if name in {"query", "key", "value"} else math.prod(shape[:-1])
    return -math.sqrt(3 / inputs), math.sqrt(3 / inputs)
