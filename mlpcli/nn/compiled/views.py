"""Parts of an array as vectors and matrices, made in no time, for compiled code to use.

Slices of numba count their references to the array, which takes 80 ns each. These do not, so they
are good for as long as whoever called compiled code keeps the array.
"""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array


@intrinsic  # type: ignore[untyped-decorator] # numba has no types
def vector(_: Any, array: Any, start: Any, n: Any) -> Any:
    """Return n numbers of a C-contiguous array, from the one at `start` of all."""
    return _view(array, start, n)


@intrinsic  # type: ignore[untyped-decorator]
def matrix(_: Any, array: Any, start: Any, m: Any, n: Any) -> Any:
    """Return m rows of n numbers of a C-contiguous array, from the one at `start` of all."""
    return _view(array, start, m, n)


def _view(array: Any, *integers: Any) -> Any:
    """Return the types of such a function, and what writes its code."""
    if array.layout != "C":
        raise TypingError("a view is of an array whose numbers follow one another")
    result = types.Array(array.dtype, len(integers) - 1, "C")

    def write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole, integer = signature.args[0], context.get_value_type(types.intp)
        start, *shape = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
        ]
        base = make_array(whole)(context, builder, arguments[0])
        size = context.get_abi_sizeof(context.get_data_type(whole.dtype))
        # Bytes from one number to the next in each dimension, the last being the innermost.
        strides = [integer(size)]
        for length in reversed(shape[1:]):
            strides.insert(0, builder.mul(strides[0], length))
        view = make_array(result)(context, builder)
        populate_array(
            view,
            data=builder.gep(base.data, [start]),
            shape=cgutils.pack_array(builder, shape),
            strides=cgutils.pack_array(builder, strides),
            itemsize=integer(size),
            meminfo=None,
        )
        return view._getvalue()

    return result(array, *integers), write
