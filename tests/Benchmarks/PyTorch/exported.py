"""A model exported by PyTorchExport as a module of PyTorch, channels_last.

FOLDER holds graph.json, and tensors as .npy. ``exact_padding`` takes the padding of TensorFlow (SAME, more behind than in
front); without it padding is symmetric, as the layers of PyTorch have it built in. Sizes are the same.
"""
import json
import os

import numpy
import torch
import torch.nn.functional as F

ACTIVATIONS = {"None": lambda x: x, "Relu": lambda x: F.relu(x, inplace=True), "Relu6": lambda x: F.relu6(x, inplace=True)}


class Export:
    def __init__(self, folder):
        self.folder = folder
        self.graph = json.load(open(os.path.join(folder, "graph.json")))

    def tensor(self, name):
        return torch.from_numpy(numpy.load(os.path.join(self.folder, name + ".npy")))

    def images(self):
        return self.tensor("x").permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def labels(self):
        return self.tensor("labels").long()


class Model(torch.nn.Module):
    def __init__(self, export, exact_padding):
        super().__init__()
        self.exact_padding = exact_padding
        self.export = export
        self.layers = torch.nn.ModuleList()
        self.names = {}
        self.steps = []
        for node in export.graph["nodes"]:
            layer, pad = self.layer(node)
            if layer is not None:
                self.layers.append(layer)
            self.steps.append((node["op"], node["inputs"], node["output"], layer, pad, ACTIVATIONS[node.get("activation", "None")]))

    def layer(self, node):
        op, tensor = node["op"], self.export.tensor
        if op in ("conv", "depthwise"):
            w = tensor(node["w"])
            w = w.permute(0, 3, 1, 2) if op == "conv" else w.permute(3, 0, 1, 2)
            pads = node["pads"]
            built_in = [max(pads[0], pads[1]), max(pads[2], pads[3])]
            symmetric = pads[0] == pads[1] and pads[2] == pads[3]
            exact = self.exact_padding and not symmetric
            layer = torch.nn.Conv2d(
                node["depth"], w.shape[0], w.shape[2:], node["stride"], 0 if exact else built_in,
                groups=node["depth"] if op == "depthwise" else 1, bias="bias" in node)
            layer.weight.data = w.contiguous(memory_format=torch.channels_last)
            self.names[layer.weight] = node["name"] + "/w", op
            if "bias" in node:
                layer.bias.data = tensor(node["bias"])
                self.names[layer.bias] = node["name"] + "/bias", "bias"
            return layer, (pads[2], pads[3], pads[0], pads[1]) if exact else None
        if op == "norm":
            layer = torch.nn.BatchNorm2d(node["channels"], eps=node["epsilon"])
            self.names[layer.weight] = node["name"] + "/gamma", op
            self.names[layer.bias] = node["name"] + "/beta", op
            return layer, None
        if op == "dense":
            w = tensor(node["w"])
            layer = torch.nn.Linear(w.shape[1], w.shape[0])
            layer.weight.data = w
            layer.bias.data = tensor(node["bias"])
            self.names[layer.weight] = node["name"] + "/w", op
            self.names[layer.bias] = node["name"] + "/bias", op
            return layer, None
        return None, None

    def forward(self, x):
        values = {self.export.graph["input"]: x}
        for op, inputs, output, layer, pad, activation in self.steps:
            v = values[inputs[0]]
            if op == "add":
                v = v + values[inputs[1]]
            elif op == "mean":
                v = v.mean((2, 3))
            elif op != "flatten":
                v = layer(F.pad(v, pad) if pad else v)
            values[output] = activation(v)
        return values[self.export.graph["output"]]


def steps(model, x, labels, optimizer):
    """Trains for ever; gives the loss of every step."""
    model.train()
    while True:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        yield loss
