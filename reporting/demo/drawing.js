// Makes a drawing into an image like MNIST's, step by step as dae/pictures.py does with a photograph. Left out is what
// a sheet of known light does not need: to tell ink from shadows, lines and the edge of the paper.

// rounds halves to even numbers, as Python does
function round(number) {
  const low = Math.floor(number), rest = number - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

// blurs with a normal distribution, in rows, then in columns; beyond the edge there is the mirror image
function blurred(ink, side, deviation) {
  const radius = Math.floor(4 * deviation + 0.5), weights = [];
  for (let i = -radius; i <= radius; i++) weights.push(Math.exp(-i * i / (2 * deviation * deviation)));
  const total = weights.reduce((a, b) => a + b);
  const inside = i => i < 0 ? -1 - i : i >= side ? 2 * side - 1 - i : i;
  for (const [along, across] of [[1, side], [side, 1]]) {
    const from = ink;
    ink = new Float64Array(from.length);
    for (let line = 0; line < side; line++)
      for (let i = 0; i < side; i++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++) sum += weights[k + radius] * from[line * across + inside(i + k) * along];
        ink[line * across + i * along] = sum / total;
      }
  }
  return ink;
}

// interpolates between the two nearest values, as NumPy does
function percentile(values, percent) {
  const sorted = Float64Array.from(values).sort(), place = percent / 100 * (sorted.length - 1), low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

// numbers the blots from 1, in the order of their first pixels; pixels that touch at a corner are connected
function blots(mask, side) {
  const labels = new Int32Array(mask.length);
  let count = 0;
  mask.forEach((marked, start) => {
    if (!marked || labels[start]) return;
    const todo = [start];
    labels[start] = ++count;
    while (todo.length) {
      const place = todo.pop(), row = Math.floor(place / side), column = place % side;
      for (let y = Math.max(0, row - 1); y <= Math.min(side - 1, row + 1); y++)
        for (let x = Math.max(0, column - 1); x <= Math.min(side - 1, column + 1); x++)
          if (mask[y * side + x] && !labels[y * side + x]) {
            labels[y * side + x] = count;
            todo.push(y * side + x);
          }
    }
  });
  return labels;
}

// for each label, from 1: how many pixels have it, and in which rows and columns
function boxes(labels, side) {
  const found = [];
  labels.forEach((label, place) => {
    if (!label) return;
    const row = Math.floor(place / side), column = place % side;
    const box = found[label] ??= {size: 0, top: row, bottom: row, left: column, right: column};
    box.size++;
    box.bottom = row;
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column);
  });
  return found.filter(Boolean).map(box => ({...box, height: box.bottom - box.top + 1, width: box.right - box.left + 1}));
}

// the pixels that are not farther than `distance` from a marked one
function near(mask, side, distance) {
  const found = new Uint8Array(mask.length), reach = Math.floor(distance);
  mask.forEach((marked, place) => {
    if (!marked) return;
    const row = Math.floor(place / side), column = place % side;
    for (let y = Math.max(0, row - reach); y <= Math.min(side - 1, row + reach); y++)
      for (let x = Math.max(0, column - reach); x <= Math.min(side - 1, column + reach); x++)
        if ((y - row) ** 2 + (x - column) ** 2 <= distance ** 2) found[y * side + x] = 1;
  });
  return found;
}

// how many digits there are: groups of nearby blots that are tall enough for one
function digits(strokes, side, {join, tall}) {
  const length = Math.max(...boxes(blots(strokes, side), side).flatMap(box => [box.height, box.width]));
  const groups = blots(near(strokes, side, join * length / 2), side);
  const heights = boxes(groups.map((group, place) => strokes[place] ? group : 0), side).map(box => box.height);
  return heights.filter(height => height >= tall * Math.max(...heights)).length;
}

// how Pillow's bilinear filter makes `to` values of `from`: for each, the first value that it takes, and weights
function filter(from, to) {
  const scale = from / to, wide = Math.max(1, scale);
  return Array.from({length: to}, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - wide + 0.5)), last = Math.min(from, Math.floor(centre + wide + 0.5));
    const weights = [];
    for (let k = first; k < last; k++) weights.push(Math.max(0, 1 - Math.abs((k - centre + 0.5) / wide)));
    const total = weights.reduce((a, b) => a + b);
    return {first, weights: weights.map(weight => weight / total)};
  });
}

// `rows` arrays of equal length, made into `height` arrays of `width` values
function resized(rows, height, width) {
  const mix = (values, {first, weights}) => weights.reduce((sum, weight, k) => sum + weight * values[first + k], 0);
  const columns = filter(rows[0].length, width);
  const narrow = rows.map(row => columns.map(column => mix(row, column)));
  return filter(rows.length, height).map(row => columns.map((_, x) => mix(narrow.map(values => values[x]), row)));
}

// From the ink in [0, 1] of a square sheet whose edge is empty, and the constants of dae/pictures.py in small letters:
// `image`, with 28 x 28 pixels from 0 to 255, or `problem`: "nothing", or "several" with their number `n`.
function prepared(ink, settings) {
  const {side: outer, box, longer, strongest: percent, faintest, ink: dark, pale, speck} = settings;
  const side = Math.sqrt(ink.length);
  ink = blurred(ink, side, 0.7 * side / longer);
  const strongest = percentile(ink, percent);
  if (strongest < faintest) return {problem: "nothing"};
  const labels = blots(ink.map(value => value > dark * strongest), side), sizes = boxes(labels, side).map(box => box.size);
  const strokes = labels.map(label => label && sizes[label - 1] >= speck * Math.max(...sizes) ? 1 : 0);
  const n = digits(strokes, side, settings);
  if (n > 1) return {problem: "several", n};

  const [whole] = boxes(strokes, side), edge = near(strokes, side, Math.max(whole.height, whole.width) / box);
  const edged = edge.map((marked, place) => marked && ink[place] > pale * strongest ? 1 : 0);
  const [{top, left, height, width}] = boxes(edged, side);
  const cropped = Array.from({length: height}, (_, y) => Array.from({length: width}, (_, x) => {
    const place = (top + y) * side + left + x;
    return edged[place] ? Math.min(ink[place] / strongest, 1) : 0;
  }));
  const scale = box / Math.max(height, width), fitted = n => Math.max(1, round(scale * n));
  const digit = resized(cropped, fitted(height), fitted(width));
  let mass = 0, down = 0, across = 0;
  digit.forEach((row, y) => row.forEach((value, x) => { mass += value; down += y * value; across += x * value; }));
  const start = (centre, n) => Math.min(outer - n, Math.max(0, round(outer / 2 - centre)));
  const firstRow = start(down / mass, digit.length), firstColumn = start(across / mass, digit[0].length);
  const image = new Uint8Array(outer * outer), most = Math.max(...digit.flat());
  digit.forEach((row, y) => row.forEach((value, x) => {
    image[(firstRow + y) * outer + firstColumn + x] = round(255 * value / most);
  }));
  return {image};
}
