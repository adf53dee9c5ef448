"""Times training steps of an exported model in PyTorch on the CPU, channels_last, Adam; prints one line of JSON.

usage: train_step.py FOLDER THREADS WARM_UP REPEATS

FOLDER is written by 'bench train-step FILTER PYTHON'. First the losses of six steps with the padding of TensorFlow, then the
times of steps with the symmetric padding that the layers of PyTorch have built in; sizes are the same.
"""
import json
import sys
import time

import torch

from exported import Export, Model, steps

folder, threads, warm_up, repeats = sys.argv[1], *map(int, sys.argv[2:5])
torch.set_num_threads(threads)
export = Export(folder)
x, labels = export.images(), export.labels()


def run(exact_padding):
    model = Model(export, exact_padding).to(memory_format=torch.channels_last)
    return steps(model, x, labels, torch.optim.Adam(model.parameters(), lr=export.graph["rate"]))


exact = run(exact_padding=True)
losses = [next(exact).item() for _ in range(6)]
timed = run(exact_padding=False)
for _ in range(warm_up):
    next(timed)
times = []
for _ in range(repeats):
    start = time.perf_counter()
    next(timed)
    times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"version": torch.__version__, "losses": losses, "milliseconds": times}))
