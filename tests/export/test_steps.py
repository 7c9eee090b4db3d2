"""Steps as JSON values."""

import base64
import json

import exported
import numpy as np

from mlpcli.export.of_model import steps_of
from mlpcli.export.steps import to_mapping


def test_steps_become_json(tmp_path):
    """Every record is a mapping that names its step, and parameters are exact."""
    steps = steps_of(exported.table_model(tmp_path, "filled"))
    mapping = json.loads(json.dumps(to_mapping(steps)))
    assert [column["step"] for column in mapping["columns"]] == ["Number", "Category"] + [
        "Number"
    ] * 2
    assert mapping["answer"] == {"step": "Classes", "names": ["maybe", "no", "yes"]}
    W = mapping["layers"][0]["W"]
    read = np.frombuffer(base64.b64decode(W["base64"]), "<f4").reshape(W["shape"])
    assert np.array_equal(read, steps.affine[0].W)
