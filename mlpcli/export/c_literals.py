"""What C says of names, texts, numbers and arrays."""

import re
from collections.abc import Iterable, Sequence

from mlpcli.errors import ConfigError

# Words of C, C++ and of their usual macros in lower case.
RESERVED = re.compile(
    r"""(?x)
    alignas | alignof | and | and_eq | asm | assert | auto | bitand | bitor | bool | break |
    case | catch | char | class | compl | complex | concept | const | const_cast | constexpr |
    continue | decltype | default | delete | do | double | dynamic_cast | else | enum | errno |
    explicit | export | extern | false | far | float | for | friend | goto | i386 | if |
    imaginary | inline | int | linux | long | mutable | namespace | near | new | noexcept | not
    | not_eq | nullptr | operator | or | or_eq | private | protected | public | register |
    reinterpret_cast | requires | restrict | return | short | signed | sizeof | static |
    static_assert | static_cast | stderr | stdin | stdout | struct | switch | template | this |
    thread_local | throw | true | try | typedef | typeid | typename | typeof | union | unix |
    unsigned | using | virtual | void | volatile | wchar_t | while | xor | xor_eq
    """
)
LONGEST_IDENTIFIER = 40
# C99 promises that a compiler takes literals of 4095 characters.
LONGEST_TEXT = 4095
VALUES_PER_LINE = 8


def identifier(text: str, otherwise: str) -> str:
    """Return a name of C's that is like a text."""
    name = re.sub("[^0-9a-z]+", "_", text.lower()).strip("_")[:LONGEST_IDENTIFIER]
    if not name or name[0].isdigit():
        name = f"{otherwise}_{name}".rstrip("_")
    return f"{name}_" if RESERVED.fullmatch(name) else name


def text_literal(text: str) -> str:
    """Return a literal of a text's UTF-8.

    Raises:
        ConfigError: if C cannot say it.
    """
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = b"\0"
    if b"\0" in content or len(content) > LONGEST_TEXT:
        problem = f"{text[:40]!r} has a NUL or a surrogate, or more than {LONGEST_TEXT} bytes"
        raise ConfigError("model", f"{problem}, which C cannot say", "use --format python")
    plain = (chr(c) if 32 <= c < 127 and chr(c) not in '"\\?@' else f"\\{c:03o}" for c in content)
    return '"' + "".join(plain) + '"'


def double(value: float) -> str:
    """Return a double, exactly."""
    return repr(float(value))


def define(declaration: str, values: Iterable[str]) -> str:
    """Return the definition of a constant array."""
    written = list(values)
    lines = (
        "    " + ", ".join(written[i : i + VALUES_PER_LINE])
        for i in range(0, len(written), VALUES_PER_LINE)
    )
    return f"static const {declaration} = {{\n" + ",\n".join(lines) + "\n};"


def define_doubles(name: str, values: Sequence[float]) -> str:
    """Return the definition of a constant array of doubles."""
    return define(f"double @{name}[{len(values)}]", map(double, values))


def define_texts(name: str, texts: Sequence[str]) -> str:
    """Return the definition of a constant array of texts."""
    return define(f"char *const @{name}[{len(texts)}]", map(text_literal, texts))
