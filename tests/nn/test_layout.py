"""What theta consists of, counted by hand."""

from mlpcli.nn.layout import PER_NUMBER, Layout


def test_what_theta_has():
    """A number becomes two inputs per frequency, and members have scales of all inputs."""
    layout = Layout((3, 4, 2), members=5, numbers=2)
    inputs = 1 + 2 * 2 * PER_NUMBER
    assert layout.layers == (inputs, 4, 10)
    assert layout.extras == {"scales": (5, inputs), "frequencies": (2, PER_NUMBER)}
    weights = (inputs + 1) * 4 + (4 + 1) * 10
    assert layout.parameters == weights + 5 * inputs + 2 * PER_NUMBER
    assert Layout((3, 4, 2)) == ((3, 4, 2), None, 0)
    assert Layout((3, 4, 2)).parameters == (3 + 1) * 4 + (4 + 1) * 2
