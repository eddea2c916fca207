"""Examples with a known answer, and a training section to vary."""

import numpy as np
import pytest
import torch

from golden_core.inputs.windows import Examples, Target, cut_windows
from golden_core.store.randomness import Stream
from golden_core.study import TrainingSection

torch.set_num_threads(1)


@pytest.fixture
def stream():
    return Stream(20260101, ("tests", "training"))


@pytest.fixture
def training():
    """Return a builder of training sections: plain full float32 descent, but for what a test changes."""
    plain = {
        "epochs": 3, "batch_size": 16, "shuffle": True, "optimiser": "keras_adamw", "learning_rate": 0.01,
        "weight_decay": 0.0, "gradient_clip": None, "precision": "float32", "early_stopping": None, "plateau": None,
    }  # fmt: skip
    return lambda **changes: TrainingSection(**{**plain, **changes})


@pytest.fixture
def examples(stream):
    """Return a builder of N examples, context 4, two features, whose target is the last value of the first one."""

    def build(count, name="train", noise=0.1):
        generator = stream.child("examples", name).generator()
        matrix = generator.normal(size=(count + 3, 2)).astype(np.float32)
        windows = cut_windows(
            matrix,
            np.ones(count + 3),
            np.datetime64("2001-01-01", "us") + np.arange(count + 3) * np.timedelta64(1, "D"),
            range(3, count + 3),
            context_length=4,
            horizon=1,
            target=Target("log_return", mean=0.0, scale=0.01),
        )
        return Examples(windows, 0.01 * (matrix[3:, 0] + noise * generator.normal(size=count)))

    return build
