"""The C99 functions that make features of cells; `@` stands for the file's prefix."""

NUMBER = """\
/* Make a feature of a number: 0 where it has no meaning. */
static int @number(double value, int fills, double fill, double center, double spread, double *x)
{
    int missing = MISSING;
    if (missing ? !fills : value - value != 0.0)
        return 0;
    value = ((missing ? fill : value) - center) / spread;
BEND    *x = value;
    return value >= -LARGEST && value <= LARGEST;
}
"""
BINNED = """\
/* Make a feature of a number for each of n bins: 0 where it has no meaning. */
static int @binned(double value, int fills, double fill, const double *ends, int n, double spread,
                   double *x)
{
    int i;
    if (!@plain(value, fills, fill, 0.0, 1.0, &value))
        return 0;
    for (i = 0; i < n; i++) {
        x[i] = (value - ends[i]) / (ends[i + 1] - ends[i]);
        if (i > 0 && x[i] < 0.0)
            x[i] = 0.0;
        if (i < n - 1 && x[i] > 1.0)
            x[i] = 1.0;
        x[i] /= spread;
    }
    return x[0] >= -LARGEST && x[n - 1] <= LARGEST;
}
"""
# sqrt(1 + t * t) lies between 1 + |t| and 1 / sqrt(2) of that: five of Newton's steps are enough.
BEND = """\
    {
        double t = value / LIMIT, root = 1.0 + (t < 0.0 ? -t : t);
        int i;
        for (i = 0; i < 5; i++)
            root = 0.5 * (root + 1.0 / root + t * (t / root));
        value /= root;
    }
"""
# n are quarters of days: from March 1 of the year 0 on, so that leap days are last in their years,
# then of a century. 400 years have 146,097 days, four 1,461, and five months from March on 153.
DATE = """\
/* Year, month (0 to 11), weekday (0 is Monday) and time of a date in the years 1 to 9999. */
static void @date_parts(double seconds, double *parts)
{
    double quotient = seconds / 86400.0;
    long days = (long)quotient, n, century, month;
    if ((double)days > quotient)
        days--;
    n = 4 * (days + 719468) + 3;
    century = n / 146097;
    n = n % 146097 / 4 * 4 + 3;
    month = (n % 1461 / 4 * 5 + 2) / 153 + 2;
    parts[0] = (double)(100 * century + n / 1461 + month / 12);
    parts[1] = (double)(month % 12);
    parts[2] = (double)((days + 719470) % 7);
    parts[3] = seconds - (double)days * 86400.0;
}

/* Make features of n parts of a date, in seconds from 1970 on: 0 where it has no meaning. */
static int @date(double seconds, const double *fill, const unsigned char *which, int n,
                 const double *centers, const double *spreads, double *x)
{
    static const double turns[4] = {TURNS};
    double parts[4];
    int i, width = 0, missing = seconds != seconds;
    if (missing ? !fill : seconds < -62135596800.0 || seconds >= 253402300800.0)
        return 0;
    @date_parts(missing ? 0.0 : seconds, parts);
    for (i = 0; i < n; i++)
        if (which[i]) {
            @turn(turns[which[i]] * parts[which[i]], x + width + 1, x + width);
            width += 2;
        } else
            x[width++] = parts[0];
    for (i = 0; i < width; i++) {
        double value = ((missing ? fill[i] : x[i]) - centers[i]) / spreads[i];
BEND        x[i] = value;
    }
    return 1;
}
"""
CATEGORY = """\
static int @equal(const char *one, const char *other)
{
    while (*one && *one == *other)
        one++, other++;
    return *one == *other;
}

/* Whether a text stands for a missing value, whatever its case and the white space around it. */
static int @missing(const char *text)
{
    static const char *const words[] = {WORDS};
    int i;
    while (*text == ' ' || (*text >= '\\t' && *text <= '\\r'))
        text++;
    for (i = 0; i < (int)(sizeof words / sizeof *words); i++) {
        const char *word = words[i], *c = text;
        while (*word && *word == (*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c))
            word++, c++;
        while (*c == ' ' || (*c >= '\\t' && *c <= '\\r'))
            c++;
        if (!*word && !*c)
            return 1;
    }
    return 0;
}

/* Make n features of a text, or one where nothing is off: 0 where it has no meaning. */
static int @category(const char *text, const char *const *categories, int n, const double *on,
                     const double *off, const double *fill, int ignores, double *x)
{
    int i, found = n, width = off ? n : 1;
    for (i = 0; text && i < n && found == n; i++)
        if (@equal(text, categories[i]))
            found = i;
    if (found == n && (!text || @missing(text))) {
        for (i = 0; fill && i < width; i++)
            x[i] = fill[i];
        return fill != 0;
    }
    for (i = 0; i < width; i++)
        x[i] = found == n ? 0.0 : i == found || !off ? on[found] : off[i];
    return found < n || ignores;
}
"""
