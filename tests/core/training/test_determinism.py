"""PyTorch made deterministic: an error of what has no such form, one thread, and no compiler for it."""

import sys

import pytest
import torch

from golden_core.training.determinism import activate
from golden_core.training.device import prepare


@pytest.fixture
def _as_before():
    mode, threads = torch.get_deterministic_debug_mode(), torch.get_num_threads()
    yield
    torch.set_deterministic_debug_mode(mode)
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_as_before")
def test_it_is_an_error_and_not_a_warning_on_one_thread_without_the_compiler(monkeypatch):
    torch.set_deterministic_debug_mode("default")
    torch.set_num_threads(2)
    monkeypatch.setitem(sys.modules, "torch._inductor.config", None)  # to import it raises
    activate()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("_as_before")
def test_a_device_that_is_made_ready_rounds_no_float32_to_tf32(monkeypatch):
    """As torch is imported, cuDNN's convolutions may, and matrix products may not."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    prepare("cpu")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
