// What is drawn or typed goes through the network, and its answer is shown at once.

const byId = (id) => document.getElementById(id);
const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
// What is read back, or drawn on at every move, is quicker without the graphics card.
const brushOf = (canvas) => canvas.getContext("2d", { willReadFrequently: true });
const MOST_SHOWN = 12;

function show(net, outputs, into) {
  into.replaceChildren();
  if (net.kind === "Quantities") {
    outputs.forEach((value, i) =>
      into.append(element("p", { className: "answer" }, `${net.names[i]}: `,
        element("data", { value }, value.toPrecision(5).replace(/\.?0+$/, "")))));
    return;
  }
  const order = outputs.map((_, i) => i);
  const best = outputs.indexOf(Math.max(...outputs));
  const labels = net.kind === "Labels";
  const had = order.filter((i) => outputs[i] >= net.threshold).map((i) => net.names[i]);
  const text = labels ? had.join(", ") || "none of the labels" : net.names[best];
  into.append(element("p", { className: "answer" }, text));
  if (order.length > MOST_SHOWN) order.sort((i, j) => outputs[j] - outputs[i]).splice(MOST_SHOWN);
  const list = element("ol", { className: "bars" });
  for (const i of order) {
    const bar = element("span", { className: "bar" });
    bar.style.setProperty("--share", outputs[i]);
    const marked = labels ? outputs[i] >= net.threshold : i === best;
    list.append(element("li", { className: marked ? "best" : "" },
      element("span", { className: "of" }, net.names[i]), bar,
      element("data", { value: outputs[i] }, outputs[i].toFixed(3))));
  }
  into.append(list);
}

function form(net, given, into) {
  const inputs = [...document.querySelectorAll("#live input[data-column]")];
  const update = () => {
    const { problems, outputs } = net.ofCells(inputs.map((input) => input.value));
    inputs.forEach((input, i) => {
      const note = byId(input.getAttribute("aria-describedby"));
      note.textContent = problems.get(i) ?? "";
      input.setAttribute("aria-invalid", problems.has(i));
    });
    if (outputs) show(net, outputs, into);
    else into.replaceChildren(element("p", { className: "answer" }, problems.get(-1) ?? "–"));
    return outputs;
  };
  const fill = (cells) => { inputs.forEach((input, i) => { input.value = cells[i]; }); return update(); };
  byId("live").addEventListener("input", update);
  byId("typical").addEventListener("click", () => fill(given.typical));
  fill(given.typical);
  globalThis.mlp = { predict: fill };
}

// Images: pixels from 0 to 255, row by row, colours side by side.
function images(net, given, into) {
  const { rows, columns, channels, framing, paper, black, white } = given;
  const pad = byId("pad"), seen = byId("seen"), centred = byId("centred"), ink = byId("ink");
  const side = Math.max(rows, columns), finer = 8, pen = side / 10;
  const sheet = element("canvas", { width: columns * finer, height: rows * finer });
  const brush = brushOf(sheet), padBrush = brushOf(pad), seenBrush = brushOf(seen);
  const small = element("canvas", { width: columns, height: rows });
  let base = null, strokes = [], pixels = blank();

  function blank() { return new Float32Array(rows * columns * channels).fill(paper); }
  const colour = (stroke) => stroke.ink;

  // What is beneath, and the strokes on it, whose points `place` moves.
  function draw(context, zoom, place) {
    context.setTransform(zoom, 0, 0, zoom, 0, 0);
    paint(context, base ?? blank());
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = pen;
    for (const stroke of strokes) {
      context.strokeStyle = colour(stroke);
      context.beginPath();
      stroke.points.map(place).forEach(([x, y], i) => {
        if (!i) context.moveTo(x, y);
        context.lineTo(x, y);
      });
      context.stroke();
    }
  }

  // Strokes as pixels: drawn fine, then averaged. `place` moves points on the sheet.
  function rendered(place) {
    draw(brush, finer, place);
    const { data } = brush.getImageData(0, 0, sheet.width, sheet.height);
    const result = new Float32Array(rows * columns * channels);
    for (let y = 0; y < sheet.height; y++) for (let x = 0; x < sheet.width; x++) {
      const into = (Math.floor(y / finer) * columns + Math.floor(x / finer)) * channels;
      for (let c = 0; c < channels; c++) result[into + c] += data[(y * sheet.width + x) * 4 + c];
    }
    return result.map((sum) => Math.round(sum / finer ** 2));
  }

  function paint(context, values) {
    const image = new ImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = values[i * channels + (channels > 1 ? c : 0)];
      image.data[4 * i + 3] = 255;
    }
    brushOf(small).putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0);
  }

  // As the training images are: as large, and the centre of the ink in the middle.
  function normalised() {
    const points = strokes.flatMap((stroke) => stroke.points);
    const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
    const left = Math.min(...xs), top = Math.min(...ys);
    const width = Math.max(...xs) - left, height = Math.max(...ys) - top;
    const scale = Math.max(framing * side - pen, 1) / Math.max(width, height, pen);
    const place = (dx, dy) => ([x, y]) => [
      (x - left - width / 2) * scale + columns / 2 + dx,
      (y - top - height / 2) * scale + rows / 2 + dy];
    const first = rendered(place(0, 0));
    let total = 0, across = 0, down = 0;
    first.forEach((value, i) => {
      const weight = Math.abs(value - paper);
      total += weight;
      across += weight * ((i % columns) + 0.5);
      down += weight * (Math.floor(i / columns) + 0.5);
    });
    if (!total) return first;
    return rendered(place(columns / 2 - across / total, rows / 2 - down / total));
  }

  function update() {
    if (strokes.length) pixels = centred?.checked ? normalised() : rendered((point) => point);
    else pixels = base ?? blank();
    return answer();
  }

  function answer() {
    const context = seenBrush;
    context.setTransform(1, 0, 0, 1, 0, 0);
    paint(context, pixels);
    drawPad();
    const outputs = net.ofNumbers(pixels.map((value) => black + (value * (white - black)) / 255));
    if (strokes.length || base) show(net, outputs, into);
    else into.replaceChildren(element("p", { className: "answer" }, "Draw, or choose an example."));
    return outputs;
  }

  function drawPad() {
    const context = padBrush;
    draw(context, pad.width / columns, (point) => point);
    if (cursor) {
      context.lineWidth = 0.3;
      context.strokeStyle = "#e8590c";
      context.strokeRect(cursor[0] - 1, cursor[1] - 1, 2, 2);
    }
  }

  let drawing = false, cursor = null;
  const begin = (point) => {
    if (base && centred?.checked) base = null;
    strokes.push({ ink: ink?.value ?? (paper > 127 ? "#000000" : "#ffffff"), points: [point] });
  };
  const extend = (point) => { strokes.at(-1).points.push(point); };
  const spot = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * columns,
      ((event.clientY - box.top) / box.height) * rows];
  };
  pad.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault(); // no text is selected on the way
    pad.focus({ preventScroll: true });
    try { pad.setPointerCapture(event.pointerId); } catch { /* not a real pointer */ }
    drawing = true;
    cursor = null;
    begin(spot(event));
    update();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    for (const each of event.getCoalescedEvents?.() ?? []) extend(spot(each));
    extend(spot(event));
    update();
  });
  for (const name of ["pointerup", "pointercancel"])
    pad.addEventListener(name, () => { drawing = false; });

  // The keyboard draws, too: arrows move the pen, the space bar puts it down and lifts it.
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let down = false;
  pad.addEventListener("keydown", (event) => {
    const move = ARROWS[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    cursor ??= [columns / 2, rows / 2];
    if (move) {
      cursor = [Math.min(Math.max(cursor[0] + move[0], 0), columns),
        Math.min(Math.max(cursor[1] + move[1], 0), rows)];
      if (down) extend(cursor);
    } else {
      down = !down;
      if (down) begin(cursor);
    }
    update();
  });
  pad.addEventListener("blur", () => { cursor = null; down = false; drawPad(); });

  const set = (values) => { strokes = []; base = Float32Array.from(values); return update(); };
  const clear = () => { strokes = []; base = null; update(); };
  byId("clear").addEventListener("click", clear);
  centred?.addEventListener("change", update);
  for (const button of document.querySelectorAll("#live [data-example]"))
    button.addEventListener("click", () => set(bytes(given.examples[button.dataset.example])));
  if (given.examples.length) set(bytes(given.examples[0]));
  else update();
  globalThis.mlp = { predict: set, pixels: () => [...pixels] };
}

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

const data = byId("network");
if (data) {
  const { steps, given } = JSON.parse(data.textContent);
  const net = network(steps);
  (steps.image_shape ? images : form)(net, given, byId("answer"));
}
