"""The C99 functions that an exported file is put together from; `@` stands for its prefix.

They use no library, and so need none to be linked: not even that of `exp`.
"""

from mlpcli.nn.activations import (
    GELU_CUBIC,
    GELU_SCALE,
    LEAK,
    MISH_LIMIT,
    SELU_ALPHA,
    SELU_SCALE,
)

EXP = """\
/* exp(x) = 2^k exp(r) with |r| <= log(2) / 2, to the last digit or two. */
static double @exp(double x)
{
    static const double c[14] = {
        1.0, 1.0, 0.5, 0.16666666666666666, 0.041666666666666664, 0.008333333333333333,
        0.001388888888888889, 0.0001984126984126984, 2.48015873015873e-05,
        2.7557319223985893e-06, 2.755731922398589e-07, 2.505210838544172e-08,
        2.08767569878681e-09, 1.6059043836821613e-10
    };
    double power = 0.0;
    int i, k;
    if (x != x)
        return x;
    if (x < -700.0)
        return 0.0;
    if (x > 700.0)
        x = 700.0;
    k = (int)(x * 1.4426950408889634 + (x < 0.0 ? -0.5 : 0.5));
    x -= k * 0.6931471805599453;
    for (i = 13; i >= 0; i--)
        power = power * x + c[i];
    for (; k > 0; k--)
        power *= 2.0;
    for (; k < 0; k++)
        power *= 0.5;
    return power;
}
"""
TANH = """\
static double @tanh(double x)
{
    return 1.0 - 2.0 / (@exp(2.0 * x) + 1.0);
}
"""


def elementwise(name: str, value: str) -> str:
    """Return the function that replaces every z of a layer by a value."""
    return f"""\
static void @apply_{name}(double *a, int n)
{{
    int i;
    for (i = 0; i < n; i++) {{
        double z = a[i];
        a[i] = {value};
    }}
}}
"""


SOFTMAX = """\
static void @apply_softmax(double *a, int n)
{
    double largest = a[0], total = 0.0;
    int i;
    for (i = 1; i < n; i++)
        if (a[i] > largest)
            largest = a[i];
    for (i = 0; i < n; i++) {
        a[i] = @exp(a[i] - largest);
        total += a[i];
    }
    for (i = 0; i < n; i++)
        a[i] /= total;
}
"""
GELU_INNER = f"{GELU_SCALE!r} * z * (1.0 + {GELU_CUBIC!r} * z * z)"
SELU_BELOW = f"{SELU_ALPHA!r} * (@exp(z) - 1.0)"
MISH_BELOW = "z - 2.0 * z / (@exp(z) * (@exp(z) + 2.0) + 2.0)"
# By name, the functions that each needs, in order. What is not a number stays so: comparisons with
# it are false.
ACTIVATIONS = {
    "sigmoid": [EXP, elementwise("sigmoid", "1.0 / (1.0 + @exp(-z))")],
    "tanh": [EXP, TANH, elementwise("tanh", "@tanh(z)")],
    "relu": [elementwise("relu", "z < 0.0 ? 0.0 : z")],
    "leaky_relu": [elementwise("leaky_relu", f"z < 0.0 ? {LEAK!r} * z : z")],
    "gelu": [EXP, TANH, elementwise("gelu", f"0.5 * z * (1.0 + @tanh({GELU_INNER}))")],
    "selu": [EXP, elementwise("selu", f"{SELU_SCALE} * (z < 0.0 ? {SELU_BELOW} : z)")],
    "mish": [EXP, elementwise("mish", f"z > {MISH_LIMIT!r} ? z : {MISH_BELOW}")],
    "softmax": [EXP, SOFTMAX],
}
LOG = """\
/* log(x) of 0 < x <= 1: x = 2^k y, and log(y) = 2 (s + s^3 / 3 + ...), s = (y - 1) / (y + 1). */
static double @log(double x)
{
    double s, power, sum = 0.0;
    int i, k = 0;
    if (x < 1e-300)
        x = 1e-300;
    for (; x < 0.5; k--)
        x *= 2.0;
    s = power = (x - 1.0) / (x + 1.0);
    for (i = 1; i < 33; i += 2) {
        sum += power / i;
        power *= s * s;
    }
    return 2.0 * sum + k * 0.6931471805599453;
}
"""
# By the outputs' activation, what turns σ(z) into z / temperature.
COOLED = {
    "softmax": "@log(outputs[i]) / TEMPERATURE",
    "sigmoid": "(@log(outputs[i]) - @log(1.0 - outputs[i])) / TEMPERATURE",
}
# Where digits no longer tell a number's place in its period, it is taken for 0.
TURN = """\
/* cos(v) and sin(v), of v less the whole quarters of a turn in it. */
static void @turn(double v, double *cosine, double *sine)
{
    double quarters, c = 1.0, s = 1.0;
    long long k;
    int i;
    v = v < 1e15 && v > -1e15 ? v : 0.0;
    quarters = v * 0.6366197723675814;
    k = (long long)(quarters + (v < 0.0 ? -0.5 : 0.5));
    v = (v - (double)k * 1.5707963267341256) - (double)k * 6.077100506506192e-11;
    for (i = 16; i > 0; i -= 2) {
        c = 1.0 - c * v * v / (i * (i - 1));
        s = 1.0 - s * v * v / (i * (i + 1));
    }
    s *= v;
    *cosine = k % 2 ? s : c;
    *sine = k % 2 ? c : s;
    k = (k % 4 + 4) % 4;
    if (k == 1 || k == 2)
        *cosine = -*cosine;
    if (k > 1)
        *sine = -*sine;
}
"""
EMBED = """\
/* What stands for features: those that are no numbers, then cosines, then sines of the others. */
static void @embed(const double *x, double *a)
{
    int i, j, k = 0, other = 0;
    for (i = 0; i < FEATURES; i++)
        if (!@is_number[i])
            a[other++] = FACTOR * x[i];
        else
            for (j = 0; j < EACH; j++, k++)
                @turn(@frequencies[k] * x[i], a + OTHERS + k, a + OTHERS + COSINES + k);
}
"""
AFFINE = """\
/* z = factor * x W + b. A compiler can make vectors of the inner loop, over the outputs. */
static void @affine(const double *x, int n_in, const FLOAT *W, const FLOAT *b, double factor,
                    double *z, int n_out)
{
    int i, j;
    for (j = 0; j < n_out; j++)
        z[j] = 0.0;
    for (i = 0; i < n_in; i++, W += n_out)
        if (x[i] != 0.0)
            for (j = 0; j < n_out; j++)
                z[j] += x[i] * W[j];
    for (j = 0; j < n_out; j++)
        z[j] = factor * z[j] + b[j];
}
"""
AFFINE_INT8 = """\
/* z = factor * x W + b; the weight from input i to output j is scale[j] * q[i * n_out + j]. */
static void @affine(const double *x, int n_in, const signed char *q, const FLOAT *scale,
                    const FLOAT *b, double factor, double *z, int n_out)
{
    int i, j;
    for (j = 0; j < n_out; j++)
        z[j] = 0.0;
    for (i = 0; i < n_in; i++, q += n_out)
        if (x[i] != 0.0)
            for (j = 0; j < n_out; j++)
                z[j] += x[i] * q[j];
    for (j = 0; j < n_out; j++)
        z[j] = factor * scale[j] * z[j] + b[j];
}
"""
