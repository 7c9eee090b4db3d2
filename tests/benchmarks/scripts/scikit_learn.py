"""The smallest script that does with scikit-learn what `mlp` does: TASK WEIGHTS DATA."""

import gzip
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier


def read(path, skip):
    """Read an IDX file."""
    content = gzip.decompress(path.read_bytes())
    return np.frombuffer(content, np.uint8, offset=skip)


def images(path):
    """Read images as floats from 0 to 1."""
    return read(path, 16).reshape(-1, 784) / np.float32(255)


task, weights, data = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
if task == "predict":
    image = np.fromfile(data, np.uint8, offset=16) / np.float32(255)
    print(pickle.loads(weights.read_bytes()).predict(image[np.newaxis])[0])
    sys.exit()
folder = data / "mnist"
if task == "train":
    warnings.simplefilter("ignore")
    classifier = MLPClassifier(
        [32], "logistic", solver="sgd", alpha=0, batch_size=256, learning_rate_init=0.3,
        max_iter=10, momentum=0, nesterovs_momentum=False,
    )  # fmt: skip
    labels = read(folder / "train-labels-idx1-ubyte.gz", 8)
    classifier.fit(images(folder / "train-images-idx3-ubyte.gz"), labels)
    weights.write_bytes(pickle.dumps(classifier))
else:
    classifier = pickle.loads(weights.read_bytes())
labels = read(folder / "t10k-labels-idx1-ubyte.gz", 8)
accuracy = (classifier.predict(images(folder / "t10k-images-idx3-ubyte.gz")) == labels).mean()
print(f"accuracy {accuracy:.4f}")
