"""Portable kernels: square roots that are IEEE's, and networks that are the same bytes on another processor.

The other processors are emulated by QEMU 8 or later, where it is installed (`apt install qemu-user` of Debian 13); its
arithmetic is IEEE's, and its approximations of 1/x and 1/√x are neither Intel's nor AMD's, so that what depends on them
shows. Emulation takes a minute a processor.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from golden_core.store.kernels import variables

ROOTS = """
import numpy as np, torch
from golden_core.training.portable import activate
activate()
for dtype in (torch.float32, torch.float64):
    x = torch.from_numpy(np.random.default_rng(1).random((100, 100))).to(dtype)
    root = torch.from_numpy(np.sqrt(x.numpy()))
    out = torch.empty_like(x)
    given = x.clone().requires_grad_()
    given.sqrt().sum().backward()
    found = [x.sqrt(), x.clone().sqrt_(), torch.sqrt(x, out=out), torch._foreach_sqrt([x])[0], x.t().sqrt().t()]
    assert all(torch.equal(one, root) and one.dtype == dtype for one in (*found, out)), dtype
    assert torch.equal(given.grad, 1 / (2 * root))
    assert x[0, 0].sqrt().shape == () and torch.empty(0, dtype=dtype).sqrt().shape == (0,)
import warnings; warnings.simplefilter("error")
assert torch.tensor([4, 9]).sqrt().tolist() == [2.0, 3.0] and torch.tensor([-1.0]).sqrt().isnan().all()
short, root = torch.tensor([2.0]).bfloat16(), torch.tensor([2.0]).sqrt().bfloat16()
assert torch.equal(short.sqrt(), root) and torch.equal(short.sqrt_(), root)
assert torch.allclose(torch.tensor([-1.0 + 0j]).sqrt(), torch.tensor([1j]))
"""

TRAIN = """
import hashlib, sys
import numpy as np
import torch
from golden_core.models.legacy import build
from golden_core.training.determinism import activate
from golden_core.training.optimiser import make_optimiser

activate()
if "portable" in sys.argv:
    from golden_core.store.kernels import require
    from golden_core.training import portable
    require("portable")
    portable.activate()
draw = np.random.default_rng(0)
X, y = (torch.from_numpy(draw.standard_normal(shape).astype("float32")) for shape in ((64, 5, 7), (64,)))
for variant, optimiser in (("v01", "adamw"), ("v06", "keras_adamw"), ("v10", "adamw")):
    network = build(variant, 5, 7, generator=torch.Generator().manual_seed(1))
    steps = make_optimiser(optimiser, network.parameters(), lr=1e-3, weight_decay=1e-2)
    for _ in range(3):
        steps.zero_grad()
        (network(X).squeeze() - y).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        steps.step()
    weights = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
    print(variant, hashlib.sha256(weights).hexdigest())
wide = X.double().numpy().reshape(64, 35)
print("NumPy", hashlib.sha256((np.exp(wide) @ np.log(np.abs(wide.T))).tobytes()).hexdigest())
"""


def said_by(code, *arguments, before=(), portable=True):
    environment = {**os.environ, **(variables() if portable else {})}
    command = [*before, sys.executable, "-c", code, *(["portable"] if portable else []), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_roots_are_the_nearest_numbers_whatever_the_way_to_ask_for_them():
    said_by(ROOTS)


@pytest.fixture(scope="module")
def emulator():
    """Return QEMU for programs of Linux, where there is one with the whole of AVX2."""
    found = shutil.which("qemu-x86_64")
    told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
    release = re.search(r"version (\d+)", told)
    if not release or int(release[1]) < 8:
        pytest.skip("no qemu-x86_64 of release 8 or later: another processor is not emulated")
    return found


def test_networks_are_the_same_bytes_on_other_processors(emulator):
    here = said_by(TRAIN)
    for processor in ("Haswell", "EPYC-Rome"):
        assert said_by(TRAIN, before=(emulator, "-cpu", processor)) == here, processor
    # What the setting is there for; on a machine that is such a Haswell, native is the same.
    assert said_by(TRAIN, portable=False) != here
