"""The ten variants: parameter counts, shapes, and what makes them differ."""

import pytest
import torch
from pydantic import ValidationError

from golden_core.models import architecture
from golden_core.models.architecture import VARIANTS, read_architecture
from golden_core.models.legacy import build

torch.set_num_threads(1)

# Trainable, non-trainable (moving statistics) and total: Table II of the publication of the legacy experiments.
TABLE_II = {
    "v01": (336_737, 832, 337_569), "v02": (337_625, 864, 338_489), "v03": (337_681, 880, 338_561),
    "v04": (338_081, 880, 338_961), "v05": (434_261, 880, 435_141), "v06": (670_753, 1_392, 672_145),
    "v07": (675_629, 1_008, 676_637), "v08": (795_633, 1_008, 796_641), "v09": (649_141, 1_008, 650_149),
    "v10": (649_981, 1_008, 650_989),
}  # fmt: skip


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(*shape):
    return torch.randn(*shape, generator=generator(7))


def test_parameter_counts_equal_table_ii():
    counts = {}
    for variant in VARIANTS:
        network = build(variant)
        trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
        moving = sum(buffer.numel() for buffer in network.buffers())
        counts[variant] = (trainable, moving, sum(value.numel() for value in network.state_dict().values()))
    assert counts == TABLE_II
    assert not build("v05").lstm.forward_input.any()  # without a generator the kernels are zero


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", [(3, 4), (5, 3), (1, 1), (7, 8)])
def test_any_window_becomes_one_number(variant, shape):
    network = build(variant, *shape, generator=generator())
    network.train()
    outputs = network(windows(6, *shape))
    assert outputs.shape == (6,)
    outputs.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_forecast_depends_on_its_own_window_alone_and_on_its_order_of_time(variant):
    network = build(variant, generator=generator()).eval()
    x = windows(4, 3, 4)
    changed = x.clone()
    changed[1:] += 10
    with torch.no_grad():
        assert torch.equal(network(x)[0], network(changed)[0])
        assert not torch.equal(network(x)[1], network(changed)[1])
        assert not torch.allclose(network(x), network(x.flip(1)), atol=1e-4)


def test_where_the_widths_agree_the_shortcut_is_the_input():
    assert not list(build("v08", 3, 8).front.shortcut_conv.parameters())
    assert [tuple(p.shape) for p in build("v08", 3, 4).front.shortcut_conv.parameters()] == [(8, 4), (8,)]


def test_the_gate_is_linear_unless_asked():
    assert build("v08").experts.gate == "linear"
    linear, softmax = (build("v08", gate=gate, generator=generator()).eval() for gate in ("linear", "softmax"))
    with torch.no_grad():
        assert not torch.allclose(linear(windows(2, 3, 4)), softmax(windows(2, 3, 4)))


def test_a_hidden_slope_of_zero_is_a_relu():
    head = build("v08").head
    assert head.slope == 0.0
    torch.nn.init.constant_(head.hidden.bias, -1.0)
    torch.nn.init.constant_(head.output.weight, 1.0)
    assert torch.equal(head(torch.zeros(2, 3, 64)), torch.zeros(2))


def test_no_copy_of_a_variant_differs_only_in_name():
    facts = [read_architecture(variant) for variant in VARIANTS]
    assert all(a != b for i, a in enumerate(facts) for b in facts[:i])


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="no legacy variant is called 'v11'; there are v01 … v10"):
        build("v11")


def test_an_unknown_fact_is_refused(tmp_path, monkeypatch):
    text = architecture.architecture_path("v01").read_text()
    (tmp_path / "v01.yaml").write_text(text + "pooling: 2\n")
    monkeypatch.setattr(architecture, "FOLDER", tmp_path)
    with pytest.raises(ValidationError, match="pooling"):
        build("v01")


def test_a_processor_without_a_reduced_lstm_is_told_what_to_set(monkeypatch):
    def primitive(*_):
        raise RuntimeError("could not create a primitive descriptor")

    network = build("v01")
    monkeypatch.setattr(torch, "lstm", primitive)
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(RuntimeError, match=r"use training\.precision float32"):
        network(windows(2, 3, 4))
    with pytest.raises(RuntimeError, match=r"^could not create"):
        network(windows(2, 3, 4))
