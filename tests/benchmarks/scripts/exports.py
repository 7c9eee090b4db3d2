"""Prints seconds per row, of single rows and of many at once, with mlpcli.load or onnxruntime."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

rows = np.load("many.npy")
if sys.argv[1] == "mlp":
    import mlpcli

    predict = mlpcli.load("network.npy").predict_proba
else:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(Path("network.onnx").read_bytes(), options)

    def predict(some):
        """Return the outputs for some images."""
        return session.run(["proba"], {"image": some.reshape(-1, 28, 28).astype(np.float32)})


def seconds(call, times):
    """Return the seconds of a call, the mean of so many."""
    call()
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


latency = seconds(lambda: predict(rows[:1]), 500)
many = seconds(lambda: predict(rows), 5)
print(json.dumps({"latency": latency, "rate": len(rows) / many}))
