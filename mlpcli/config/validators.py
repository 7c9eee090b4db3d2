"""What the value of a key may be: in words, for errors and documentation, and as a check."""

import math
import reprlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple


class Validator(NamedTuple):
    """What a value must be, in words, and a function that returns it or raises ValueError."""

    expects: str
    parse: Callable[[Any], Any]


class PartError(ValueError):
    """A part of a mapping that is not what it must be.

    Args:
        part: its name.
        problem: what is wrong with it.
        remedy: what to do about it.
    """

    def __init__(self, part: str, problem: str, remedy: str) -> None:
        super().__init__(part, problem, remedy)
        self.part = part
        self.problem = problem
        self.remedy = remedy


def parse_parts(validators: Mapping[str, Validator], given: Mapping[Any, Any]) -> dict[str, Any]:
    """Parse each part of a mapping by its own validator.

    Raises:
        PartError: if there is no such part, or it is not what it must be.
    """
    parsed = {}
    for part, value in given.items():
        if part not in validators:
            remedy = f"the parts are {', '.join(validators)}"
            raise PartError(str(part), "there is no such part", remedy)
        try:
            parsed[part] = validators[part].parse(value)
        except PartError as error:
            raise PartError(f"{part}.{error.part}", error.problem, error.remedy) from None
        except (OverflowError, ValueError):
            problem = f"must be {validators[part].expects}, not {show(value)}"
            raise PartError(part, problem, "see configs/README.md") from None
    return parsed


def show(value: Any) -> str:
    """Return a value as a short piece of YAML, for an error."""
    if value is None or type(value) is bool:
        return "null" if value is None else str(value).lower()
    try:
        text = _SHORT.repr(value)
    except ValueError:  # Python declines to write out thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


# Aliases can make a few lines of YAML stand for a value too large to be written out.
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxstring, _SHORT.maxlong = 4, 10, 60, 60


def integer(low: int, high: int | None = None) -> Validator:
    """Return the validator of whole numbers from `low` to `high`, or to what 64 bits hold."""
    highest = 2**63 - 1 if high is None else high

    def parse(value: Any) -> int:
        if type(value) is not int or not low <= value <= highest:
            raise ValueError
        return value

    return Validator(
        f"a whole number from {low}" + (f" to {high}" if high is not None else ""), parse
    )


def number(
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Validator:
    """Return the validator of finite numbers within open or closed bounds."""
    words = [
        f"above {above:g}" if above is not None else "",
        f"from {at_least:g}" if at_least is not None else "",
        f"and below {below:g}" if below is not None else "",
        f"and at most {at_most:g}" if at_most is not None else "",
    ]

    def parse(value: Any) -> float:
        if (
            type(value) not in (int, float)
            or not math.isfinite(value)
            or (above is not None and value <= above)
            or (at_least is not None and value < at_least)
            or (below is not None and value >= below)
            or (at_most is not None and value > at_most)
        ):
            raise ValueError
        return float(value)

    return Validator(" ".join(["a number", *filter(None, words)]), parse)


def choice(*names: str) -> Validator:
    """Return the validator of words among `names`."""

    def parse(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return Validator(" or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names), parse)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError
    return value


BOOLEAN = Validator("true or false", _boolean)


def list_of(validator: Validator) -> Validator:
    """Return the validator of lists, which become tuples."""

    def parse(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise ValueError
        return tuple(map(validator.parse, value))

    return Validator(f"a list, each {validator.expects}", parse)


def mapping_of(parts: Mapping[str, Validator], optional: Collection[str] = ()) -> Validator:
    """Return the validator of mappings that have these parts and no others."""

    def parse(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise ValueError
        for part in parts:
            if part not in value and part not in optional:
                raise PartError(part, "is missing", "see configs/README.md")
        return parse_parts(parts, value)

    return Validator(f"a mapping of {', '.join(parts)}", parse)


def one_or_list(validator: Validator, per: str) -> Validator:
    """Return the validator of one value, or a list of values, one per something."""
    one = validator.parse

    def parse(value: Any) -> Any:
        return tuple(map(one, value)) if type(value) is list else one(value)

    return Validator(f"{validator.expects}, or a list of these, {per}", parse)


class Variant(NamedTuple):
    """One of several things, by name, with the settings it has."""

    name: str
    settings: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name

    def to_mapping(self) -> dict[str, Any]:
        """Return name and settings as plain YAML or JSON values."""
        return {"name": self.name, **self.settings}


def variant_of(options: Mapping[str, Mapping[str, tuple[Validator, Any]]]) -> Validator:
    """Return the validator of a name, or a mapping of `name` and that name's own settings.

    Args:
        options: by name, the validator and default of each of its settings.

    Its values are parsed to `Variant`, with every setting.
    """

    def parse(value: Any) -> Variant:
        given = value if type(value) is dict else {"name": value}
        name = names.parse(given.get("name"))
        settings = options[name]
        validators = {"name": names} | {s: validator for s, (validator, _) in settings.items()}
        parts = parse_parts(validators, given)
        return Variant(name, {s: parts.get(s, default) for s, (_, default) in settings.items()})

    names = choice(*options)
    return Validator(names.expects + ", or {name: NAME, SETTING: VALUE}", parse)
