"""What is searched where nobody says."""

from pathlib import Path

import pytest

from mlpcli.tuning.defaults import default_space, given_point, neighbours
from mlpcli.tuning.space import chosen_values
from mlpcli.tuning.template import read_template

CONFIG = """\
data: {train: t.csv, target: kind}
structure: [2, 8, 2]
eta: 0.1
bt_size: 16
epochs: 4
output: softmax
loss: cross_entropy
"""
CALIBRATED = ("validation=0.2", "calibrate=true")


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        CALIBRATED,
        ("label_smoothing=0.1", *CALIBRATED),
        ("dropout=[0.2, 0.2]", "members=4", "feature_scale=true"),
        ("structure=[2, 8, 8, 8, 2]", "dropout=0.4", "weight_decay=0.5"),
        ("structure=[2, 400, 400, 2]",),
    ],
)
def test_ranges_have_what_is_given_and_what_works(overrides):
    """The first trial is the configuration as it is, and any choice alone makes sense."""
    template = read_template(CONFIG.encode(), Path("t.yaml"), overrides)
    experiment = template.experiment({})
    space = default_space(template, experiment)
    given = chosen_values(space, given_point(experiment, space))
    assert template.experiment(given) == experiment
    keys = {dimension.key for dimension in space}
    assert {"eta", "weight_decay", "hidden", "dropout", "feature_scale"} <= keys
    # Errors of more smoothing are larger unless calibration follows.
    assert ("label_smoothing" in keys) == (CALIBRATED[1] in overrides)
    assert ("members" in keys) == (max(experiment.structure) < 400)
    for dimension in space:
        for end in dimension.ends:
            assert template.experiment({dimension.key: end})


@pytest.mark.parametrize(("size", "sizes"), [(8, [4, 11]), (400, [200])])
def test_neighbours_differ_from_what_is_given_in_one_key(size, sizes):
    """They are halfway to each end of a range, by factors; what is widest is not tried twice."""
    overrides = ("weight_decay=0.5", f"structure=[2, {size}, {size}, 2]")
    template = read_template(CONFIG.encode(), Path("t.yaml"), overrides)
    experiment = template.experiment({})
    space = default_space(template, experiment)
    given = given_point(experiment, space)
    changed = [
        {key: value for key, value in point.items() if value != given[key]}
        for point in neighbours(given, space)
    ]
    assert changed == [
        *({"eta": pytest.approx(0.1 * 3**p)} for p in (-0.5, 0.5)),
        *({"weight_decay": pytest.approx(0.5 * 10**p)} for p in (-0.5, 0.5)),
        *({"hidden": size} for size in sizes),
    ]
