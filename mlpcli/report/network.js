// The network: its steps, as `mlp export` has them, from a row's cells to what is predicted.

const ARRAYS = { float32: Float32Array, float64: Float64Array };
const array = ({ dtype, base64 }) =>
  new ARRAYS[dtype](Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer);

const expm1 = Math.expm1, tanh = Math.tanh;
const ACTIVATIONS = {
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  tanh,
  relu: (z) => Math.max(z, 0),
  leaky_relu: (z) => Math.max(z, 0.01 * z),
  gelu: (z) => (z * (1 + tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3)))) / 2,
  selu: (z) => 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * expm1(z)),
  mish: (z) => z * tanh(z > 40 ? z : Math.log1p(Math.exp(z))),
};

function softmax(z) {
  const most = Math.max(...z);
  const powers = z.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, value) => sum + value);
  return powers.map((value) => value / total);
}

// z = factor · x W + b; W lies row by row, a row for each input.
function affine({ W, b, factor }, x) {
  const z = new Float64Array(b.length);
  x.forEach((value, i) => {
    if (value) for (let j = 0; j < z.length; j++) z[j] += value * W[i * z.length + j];
  });
  return z.map((value, j) => factor * value + b[j]);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const asNumber = (cell) => (NUMBER.test(cell.trim()) ? Number(cell) : NaN);

const WRITTEN = /^(\d{4}-\d\d-\d\d)?(?:(?:^|[T ])(\d\d:\d\d(:\d\d(\.\d+)?)?))?$/;

// The features of the parts of a date, a time or both, as ISO 8601 and the page's fields write them.
function dateFeatures({ parts, periods }, text) {
  const found = WRITTEN.exec(text), day = found?.[1] ?? "1970-01-01";
  const date = new Date(`${day}T${found?.[2] ?? "00:00"}Z`);
  if (!found || isNaN(date) || !date.toISOString().startsWith(day)) throw new Error("is no date");
  const ofDate = { year: date.getUTCFullYear(), month: date.getUTCMonth(),
    weekday: (date.getUTCDay() + 6) % 7, time: (date - new Date(`${day}T00:00Z`)) / 1000 };
  return parts.flatMap((name, i) => {
    const angle = ((2 * Math.PI) / periods[i]) * ofDate[name];
    return periods[i] ? [Math.sin(angle), Math.cos(angle)] : [ofDate[name]];
  });
}

// The features of a cell; an Error says what is wrong with it.
function features(column, cell, missing) {
  const categories = column.categories, word = cell.trim().toLowerCase();
  const words = column.step === "Number" ? missing.number_words : missing.text_words;
  const gone = !word || words.includes(word) || missing.numbers.includes(asNumber(cell));
  const which = categories ? categories.indexOf(cell) : -1;
  if (gone && which < 0) {
    if (column.fill === null) throw new Error("is missing, and no missing value was in training");
    return categories ? column.fill : scaled(column, column.fill);
  }
  if (column.step === "Date") return scaled(column, dateFeatures(column, cell.trim()));
  if (!categories) {
    const number = asNumber(cell);
    if (!Number.isFinite(number)) throw new Error("is no number");
    return scaled(column, number);
  }
  // Without what is off, the column is one feature.
  const { on, off, ignore_unknown } = column;
  if (which >= 0) return off.length ? off.map((value, i) => (i === which ? on[i] : value)) : [on[which]];
  if (ignore_unknown) return (off.length ? off : on.slice(1)).map(() => 0);
  throw new Error("is no category seen in training");
}

// The features of a number: of bins the share of each that it has passed; of a date those of parts.
function scaled({ center, spread, centers, spreads, limit, bins }, value) {
  if (centers) return value.flatMap((part, i) =>
    scaled({ center: centers[i], spread: spreads[i], limit, bins: [] }, part));
  if (bins.length) return bins.slice(1).map((high, i, { length }) => {
    const share = (value - bins[i]) / (high - bins[i]);
    return Math.min(Math.max(share, i ? 0 : share), i < length - 1 ? 1 : Infinity) / spread;
  });
  const x = (value - center) / spread;
  return [limit === null ? x : x / Math.sqrt(1 + (x / limit) ** 2)];
}

const LARGEST = { float32: 3.4028234663852886e38, float64: Number.MAX_VALUE };

const withArrays = (layer) => ({
  ...layer,
  ...(layer.step === "Affine" && { W: array(layer.W), b: array(layer.b) }),
  ...(layer.step === "Members" && { layers: layer.layers.map(withArrays),
    scales: array(layer.scales), count: layer.scales.shape[0] }),
  ...(layer.step === "Periodic" && { frequencies: array(layer.frequencies),
    each: layer.frequencies.shape[1] }),
});

const activated = (name, x) =>
  name === "linear" ? x : name === "softmax" ? softmax(x) : x.map(ACTIVATIONS[name]);

function forward(layers, x) {
  return layers.reduce((a, layer) => {
    if (layer.step === "Members") return members(layer, a);
    if (layer.step === "Periodic") return periodic(layer, a);
    return layer.step === "Affine" ? affine(layer, a) : activated(layer.name, a);
  }, x);
}

// What stands for features: those that are no numbers, then cosines and sines of those that are.
function periodic({ is_number, frequencies, each, factor }, x) {
  const cells = [...x];
  const others = cells.filter((_, i) => !is_number[i]).map((value) => factor * value);
  const numbers = cells.filter((_, i) => is_number[i]);
  const v = [...frequencies].map((frequency, i) => frequency * numbers[Math.floor(i / each)]);
  return Float64Array.from([...others, ...v.map(Math.cos), ...v.map(Math.sin)]);
}

// The mean of the outputs of networks that share layers, σ(z), as σ(z / temperature).
function members({ count, scales, layers, output, temperature }, x) {
  let mean = null;
  for (let k = 0; k < count; k++) {
    const all = forward(layers, x.map((value, i) => value * scales[k * x.length + i]));
    const n = all.length / count, own = activated(output, all.slice(k * n, (k + 1) * n));
    mean = own.map((value, j) => (mean ? mean[j] : 0) + value / count);
  }
  if (temperature === 1) return mean;
  const log = (value) => Math.log(Math.max(value, 1e-300));
  const z = mean.map((a) => log(a) - (output === "sigmoid" ? log(1 - a) : 0));
  return activated(output, z.map((value) => value / temperature));
}

// What the outputs stand for, each with its name; all arithmetic is in float64.
function network(steps) {
  const layers = steps.layers.map(withArrays);
  const { step, names, means, stds, ranges } = steps.answer;
  const fits = (value) => Math.abs(value) <= LARGEST[steps.dtype];
  const outputs = (x) => {
    if (!x.every(fits)) throw new Error("a value is too large for the network's arithmetic");
    x = forward(layers, x);
    if (!x.every(fits)) throw new Error("values are too large for the network's arithmetic");
    if (step !== "Quantities") return [...x];
    return [...x].map((value, j) => {
      const number = value * stds[j] + means[j];
      return ranges ? Math.min(Math.max(number, ranges[j][0]), ranges[j][1]) : number;
    });
  };
  const ofNumbers = (numbers) =>
    outputs(Float64Array.from([...numbers].flatMap((value, i) => scaled(steps.columns[i], value))));
  // Of a row of texts; problems are by column, -1 for the whole, and then there are no outputs.
  const ofCells = (cells) => {
    const problems = new Map();
    const x = steps.columns.flatMap((column, i) => {
      try { return features(column, cells[i], steps.missing); }
      catch (error) { problems.set(i, error.message); return []; }
    });
    try { if (!problems.size) return { problems, outputs: outputs(Float64Array.from(x)) }; }
    catch (error) { problems.set(-1, error.message); }
    return { problems, outputs: null };
  };
  return { names, kind: step, threshold: steps.answer.threshold, ofNumbers, ofCells };
}
