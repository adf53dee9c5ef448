"""How far training in float32 is from training in float64: optc's and PyTorch's own; prints one line of JSON.

usage: train_agreement.py FOLDER STEPS OPTIMIZER...        # adam:RATE or sgd:RATE

FOLDER is written by 'bench train-agreement'; it holds the gradients of optc's first step as gradient.NAME.npy. Gradients are
compared by |g - g64| / |g64| (Euclidean), each variable for itself. Three runs of PyTorch: float64, float32 channels_last, and
float32 in its usual order (NCHW), whose kernels add in another order.
"""
import glob
import json
import os
import sys

import torch

from exported import Export, Model, steps

folder, count, optimizers = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
export = Export(folder)
torch.set_num_threads(1)
KINDS = ["float64", "channels_last", "nchw"]


def optimizer_for(parameters, text):
    name, rate = text.split(":")
    return {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[name](parameters, lr=float(rate))


def run(kind, optimizer):
    dtype = torch.float64 if kind == "float64" else torch.float32
    layout = torch.contiguous_format if kind == "nchw" else torch.channels_last
    model = Model(export, exact_padding=True).to(dtype).to(memory_format=layout)
    x = export.images().to(dtype).contiguous(memory_format=layout)
    training = steps(model, x, export.labels(), optimizer_for(model.parameters(), optimizer))
    losses = [next(training).item()]
    gradients = {model.names[p]: p.grad.double() for p in model.parameters()}
    losses += [next(training).item() for _ in range(count - 1)]
    return losses, gradients


def row(name, op):
    g = export.tensor("gradient." + name.replace("/", ".")).double()
    return g.permute(0, 3, 1, 2) if op == "conv" else g.permute(3, 0, 1, 2) if op == "depthwise" else g


runs = {optimizer: {kind: run(kind, optimizer) for kind in KINDS} for optimizer in optimizers}
losses = {optimizer: {kind: runs[optimizer][kind][0] for kind in KINDS} for optimizer in optimizers}
exact, last, usual = [runs[optimizers[0]][kind][1] for kind in KINDS]
ours = {os.path.basename(f)[len("gradient."):-len(".npy")] for f in glob.glob(os.path.join(folder, "gradient.*.npy"))}
theirs = {name.replace("/", ".") for name, _ in exact}
assert ours == theirs, f"only one side learns {ours ^ theirs}"
rows = []
for key, g in exact.items():
    def distance(other):
        return ((other - g).norm() / g.norm()).item()
    rows.append({
        "name": key[0],
        "optc": distance(row(*key)), "channels_last": distance(last[key]), "nchw": distance(usual[key])})
print(json.dumps({"losses": losses, "gradients": rows}))
