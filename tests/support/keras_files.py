"""Keras files written from the measured layout of the legacy checkpoints (keras_layout.csv), not from the importer."""

import csv
import io
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np
import torch

from golden_core.models.legacy import build

LAYOUT = Path(__file__).parents[1] / "core/legacy/keras_layout.csv"
CONTAINERS = ("keras", "weights.h5", "h5")
VARIABLES = {
    "conv1d": ["kernel", "bias"],
    "dense": ["kernel", "bias"],
    "batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"],
    "additive_attention": ["scale"],
    "multi_head_attention": ["kernel", "bias"],
    "mix_of_experts": ["kernel", "bias"],
    "bidirectional": ["kernel", "recurrent_kernel", "bias"],
}
# The layers that consist of sublayers, as the code of the variants calls them; the layout knows only the sublayers.
COMPOSITES = ("bidirectional", *(f"multi_head_attention{number}" for number in ("", "_1", "_2")), "mix_of_experts")
COMPOSITE_NAMES = {
    variant: {layer: name for layer, name in zip(COMPOSITES, names, strict=False) if name}
    for variant, names in {
        "v01": ("bilstm_layer_1",),
        "v02": ("bilstm_layer_1", "block0_mha1a", "block0_mha1b"),
        "v03": ("bilstm_layer_1", "resblock0_mha1", "resblock0_mha2"),
        "v04": ("bilstm_layer_1", "resblock0_mha1", "resblock0_mha2"),
        "v05": ("bilstm_layer_1", "resblock0_mha1a", "resblock0_mha1b", "final_mha_after_lstm"),
        "v06": ("bilstm_layer_1", "resblock0_mha1", "resblock0_mha2", "post_lstm_mha"),
        "v07": ("bilstm_layer_1", "resblock0_mha1", "resblock0_mha2", "post_lstm_mha", "mix_of_experts"),
        "v08": ("bidirectional_2", "res_block0_mha1", "res_block0_mha2", "mha_after_lstm", "mix_of_experts"),
        "v09": ("bidirectional", "", "", "", "moe_layer"),
        "v10": ("bidirectional_7", "res_block0_mha1", "res_block0_mha2", "", "moe_layer"),
    }.items()
}


def layout(variant):
    """Yield (group, name, shapes) of every group with weights."""
    with LAYOUT.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["variant"] == variant:
                shapes = [tuple(int(size) for size in shape.split()) for shape in row["shapes"].split("; ")]
                yield row["group"], row["name"], shapes


def random_network(variant, seed=0):
    """A network in inference mode in which no two numbers are equal, moving statistics included."""
    network = build(variant)
    generator = torch.Generator().manual_seed(seed)
    for name, values in network.state_dict().items():
        values.normal_(0, 0.3, generator=generator)
        if name.endswith("running_var"):
            values.abs_().add_(0.5)
    return network.eval()


def tensors_of(variant, network):
    """Return {group: [arrays]} in Keras' shapes, each checked against the layout."""
    state = {name: values.numpy() for name, values in network.state_dict().items()}
    tensors = {}
    for group, name, shapes in layout(variant):
        tensors[group] = values_of(group, name, state)
        assert [values.shape for values in tensors[group]] == shapes, group
    return tensors


def values_of(group, name, state):
    kind = re.match(r"[a-z]+(?:_[a-z]+)*(?:1d)?", group)[0]
    if kind == "conv1d":
        place = "front.shortcut_conv" if "shortcut" in name else f"front.conv{stage(name)}"
        taps = 1 if "shortcut" in name else 3
        weight = state[place + ".weight"]
        return [weight.reshape(8, taps, -1).transpose(1, 2, 0), state[place + ".bias"]]
    if kind == "dense":
        place = "head.output" if name.startswith("output_") else "head.hidden"
        return [state[place + ".weight"].T, state[place + ".bias"]]
    if kind == "batch_normalization":
        return [state[f"{norm_place(name)}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    if kind == "additive_attention":
        return [state["attention.scale" if name.startswith("final") else f"front.attention{stage(name)}.scale"]]
    if kind == "bidirectional":
        side = "forward" if "forward" in group else "backward"
        return [state[f"lstm.{side}_{part}"].T for part in ("input", "recurrent", "bias")]
    if kind == "multi_head_attention":
        return attention_values(group, name, state)
    return expert_values(group, state)


def stage(name):
    """Tell the first stage of the front from the second: conv1, conv1a, block1 … against conv2, conv1b, block2."""
    return 1 if re.search(r"(block1_conv|block1_bn|[a-z]1a?)$", name) else 2


def norm_place(name):
    if name == "bn_after_moe":
        return "experts_norm"
    if name == "bn_after_dense_flatten":
        return "head.hidden_norm"
    if name.endswith("shortcut_bn"):
        return "front.shortcut_norm"
    if "block" not in name:
        return "attention_norm"
    return f"front.attention{stage(name)}_norm" if "after" in name else f"front.norm{stage(name)}"


def attention_values(group, name, state):
    layer = group.split("/")[0]
    place = {"": "front.attention1", "1": "front.attention2", "2": "attention"}[layer[len("multi_head_attention_") :]]
    heads = {8: (3, 4), 60: (6, 10), 16: (4, 4), 12: (3, 4)}[len(state[place + ".bias_qkv"]) // 3]
    if name == "attention_output":
        weight = state[place + ".weight_output"]
        return [weight.T.reshape(*heads, len(weight)), state[place + ".bias_output"]]
    third = ["query", "key", "value"].index(name)
    weight, bias = (np.split(state[f"{place}.{part}_qkv"], 3)[third] for part in ("weight", "bias"))
    return [weight.T.reshape(-1, *heads), bias.reshape(heads)]


def expert_values(group, state):
    if group.endswith("/gate"):
        return [state["experts.weight_gate"].T, state["experts.bias_gate"]]
    expert = int(group.rpartition("dense")[2].strip("_") or 0)
    own = slice(64 * expert, 64 * (expert + 1))
    return [state["experts.weight_experts"][own].T, state["experts.bias_experts"][own]]


def write_keras_file(path, variant, network, container):
    """Write one of the three containers, with the state of an optimiser and layers without weights."""
    tensors = tensors_of(variant, network)
    if container == "keras":
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
            write_by_class(file, variant, tensors)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", buffer.getvalue())
        return path
    with h5py.File(path, "w") as file:
        (write_by_class if container == "weights.h5" else write_by_user)(file, variant, tensors)
    return path


def write_tensors(path, variant, tensors):
    """Write {group: [arrays]} as a ``.weights.h5`` file."""
    with h5py.File(path, "w") as file:
        write_by_class(file, variant, tensors)
    return path


def write_by_class(file, variant, tensors):
    names = {group: name for group, name, _ in layout(variant)}
    for group, values in tensors.items():
        own = file.create_group(f"layers/{group}/vars")
        own.attrs["name"] = names[group]
        for index, array in enumerate(values):
            own[str(index)] = np.ascontiguousarray(array)
    for layer, name in COMPOSITE_NAMES[variant].items():
        file.create_group(f"layers/{layer}/vars").attrs["name"] = name
    file.create_group("layers/leaky_re_lu/vars").attrs["name"] = "some_relu"
    file.create_group("vars").attrs["name"] = "TimeSeriesForecasting"
    state = file.create_group("optimizer/vars")
    for index, array in enumerate([np.int64(7), np.float32(0.01), *(values[0] for values in tensors.values())]):
        state[str(index)] = array


def write_by_user(file, variant, tensors):
    names = {group: name for group, name, _ in layout(variant)}
    for group, values in tensors.items():
        folder, *sublayers = group.split("/")
        layer = COMPOSITE_NAMES[variant].get(folder, names[group])
        if folder == "bidirectional":
            scope = [layer, f"{sublayers[0].split('_')[0]}_lstm_11", "lstm_cell"]
        elif sublayers:
            scope = [layer, names[group]]
        else:
            scope = [layer]
        for variable, array in zip(VARIABLES[re.sub(r"_\d+$", "", folder)], values, strict=True):
            path = "/".join(["model_weights", layer, *scope, variable])
            file[path] = np.ascontiguousarray(array)
            file[f"optimizer_weights/adam_w_11/{'_'.join(scope)}_{variable}_momentum"] = np.zeros(3, np.float32)
    file.create_group("model_weights/flatten_layer").attrs["weight_names"] = np.array([])
    file.create_group("model_weights/top_level_model_weights").attrs["weight_names"] = np.array([])
    file.attrs["model_config"], file.attrs["keras_version"] = "{}", "3.15.1"
