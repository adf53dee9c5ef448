"""Times training steps of an exported model in PyTorch on the CPU, channels_last, Adam; prints one line of JSON.

usage: train_step.py FOLDER THREADS WARM_UP REPEATS

FOLDER is written by 'bench train-step FILTER PYTHON': graph.json, tensors as .npy. First the losses of six steps with the
padding of TensorFlow (SAME, more behind than in front), then the times of steps with the symmetric padding that the layers
of PyTorch have built in; sizes are the same.
"""
import json
import os
import sys
import time

import numpy
import torch
import torch.nn.functional as F

folder, threads, warm_up, repeats = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
graph = json.load(open(os.path.join(folder, "graph.json")))


def tensor(name):
    return torch.from_numpy(numpy.load(os.path.join(folder, name + ".npy")))


ACTIVATIONS = {"None": lambda x: x, "Relu": lambda x: F.relu(x, inplace=True), "Relu6": lambda x: F.relu6(x, inplace=True)}


class Model(torch.nn.Module):
    def __init__(self, exact_padding):
        super().__init__()
        self.exact_padding = exact_padding
        self.layers = torch.nn.ModuleList()
        self.steps = []
        for node in graph["nodes"]:
            layer, pad = self.layer(node)
            if layer is not None:
                self.layers.append(layer)
            self.steps.append((node["op"], node["inputs"], node["output"], layer, pad, ACTIVATIONS[node.get("activation", "None")]))

    def layer(self, node):
        op = node["op"]
        if op in ("conv", "depthwise"):
            w = tensor(node["w"])
            w = w.permute(0, 3, 1, 2) if op == "conv" else w.permute(3, 0, 1, 2)
            pads = node["pads"]
            built_in = [max(pads[0], pads[1]), max(pads[2], pads[3])]
            symmetric = pads[0] == pads[1] and pads[2] == pads[3]
            exact = self.exact_padding and not symmetric
            layer = torch.nn.Conv2d(
                node["depth"], w.shape[0], w.shape[2:], node["stride"], 0 if exact else built_in,
                groups=node["depth"] if op == "depthwise" else 1, bias=False)
            layer.weight.data = w.contiguous(memory_format=torch.channels_last)
            return layer, (pads[2], pads[3], pads[0], pads[1]) if exact else None
        if op == "norm":
            return torch.nn.BatchNorm2d(node["channels"], eps=node["epsilon"]), None
        if op == "dense":
            w = tensor(node["w"])
            layer = torch.nn.Linear(w.shape[1], w.shape[0])
            layer.weight.data = w
            layer.bias.data = tensor(node["bias"])
            return layer, None
        return None, None

    def forward(self, x):
        values = {graph["input"]: x}
        for op, inputs, output, layer, pad, activation in self.steps:
            v = values[inputs[0]]
            if op == "add":
                v = v + values[inputs[1]]
            elif op == "mean":
                v = v.mean((2, 3))
            elif op != "flatten":
                v = layer(F.pad(v, pad) if pad else v)
            values[output] = activation(v)
        return values[graph["output"]]


x = tensor("x").permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
labels = tensor("labels").long()


def steps(model):
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=graph["rate"])
    while True:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        yield loss


run = steps(Model(exact_padding=True))
losses = [next(run).item() for _ in range(6)]
run = steps(Model(exact_padding=False))
for _ in range(warm_up):
    next(run)
times = []
for _ in range(repeats):
    start = time.perf_counter()
    next(run)
    times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"version": torch.__version__, "losses": losses, "milliseconds": times}))
