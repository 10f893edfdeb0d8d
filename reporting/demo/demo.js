const root = document.documentElement, find = id => document.getElementById(id);
const networks = Object.fromEntries(Object.entries(data.networks).map(([name, layers]) => [name, network(layers)]));
const SIDE = data.side, UNITS = 12, PEN = 16, MARGIN = 4, STEP = 6; // the last three in pixels of the sheet, which is 200 wide
const sheet = find("sheet"), ink = sheet.getContext("2d", {willReadFrequently: true});
let word, image = null, problem = {problem: "nothing"}, taken = null, set = 0, uniform, normal;

// Words

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function write(value, digits) {
  return value.toLocaleString(root.lang, {minimumFractionDigits: digits, maximumFractionDigits: digits});
}

// for screen readers; a text that changes while one draws is said when it has not changed for a moment
let waiting;
function say(text, milliseconds) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { find("said").textContent = text; }, milliseconds);
}

function setLanguage(language) {
  word = words[language];
  root.lang = word.code;
  document.title = word.title;
  document.querySelectorAll("[data-word]").forEach(element => { element.textContent = word[element.dataset.word]; });
  document.querySelectorAll("[data-label]").forEach(element => element.setAttribute("aria-label", word[element.dataset.label]));
  document.querySelectorAll("[data-set-language]").forEach(button =>
    button.setAttribute("aria-pressed", String(button.dataset.setLanguage === language)));
  find("theme").setAttribute("aria-label", word.theme);
  [...find("corruption").options].forEach(option => { option.textContent = word.corruptions[option.value]; });
  showChoices();
  update();
}

// Images

const all = new Image();

function placeOf(number) {
  return [number % data.columns * SIDE, Math.floor(number / data.columns) * SIDE];
}

function pixelsOf(number) {
  const canvas = new OffscreenCanvas(SIDE, SIDE).getContext("2d");
  canvas.drawImage(all, ...placeOf(number), SIDE, SIDE, 0, 0, SIDE, SIDE);
  return greys(canvas);
}

// the pixels of a canvas, of which one channel is enough
function greys(context) {
  const {data: channels} = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
  return Float64Array.from({length: channels.length / 4}, (_, place) => channels[4 * place] / 255);
}

function show(canvas, pixels) {
  const shown = new ImageData(SIDE, SIDE);
  shown.data.fill(255);
  pixels.forEach((pixel, place) => shown.data.fill(255 * pixel, 4 * place, 4 * place + 3));
  canvas.getContext("2d", {willReadFrequently: true}).putImageData(shown, 0, 0);
}

function showChoices() {
  find("choices").replaceChildren(...data.choices[set].map(number => {
    const button = document.createElement("button"), canvas = document.createElement("canvas");
    button.type = "button";
    button.setAttribute("aria-label", filled(word.test_image, {digit: data.names[data.classes[number]]}));
    button.dataset.number = number;
    canvas.width = canvas.height = SIDE;
    show(canvas, pixelsOf(number));
    button.append(canvas);
    button.addEventListener("click", () => take(number));
    return button;
  }));
  markTaken();
}

function markTaken() {
  find("choices").querySelectorAll("button").forEach(button =>
    button.setAttribute("aria-pressed", String(Number(button.dataset.number) === taken)));
}

function take(number) {
  clear();
  taken = number;
  ink.drawImage(all, ...placeOf(number), SIDE, SIDE, 0, 0, sheet.width, sheet.height);
  image = pixelsOf(number);
  markTaken();
  update();
}

// The sheet

function clear() {
  ink.fillStyle = "#000000";
  ink.fillRect(0, 0, sheet.width, sheet.height);
  image = taken = null;
  problem = {problem: "nothing"};
  markTaken();
  update();
}

function line(from, to) {
  if (taken !== null) clear();
  ink.beginPath();
  ink.moveTo(...from);
  ink.lineTo(...to);
  ink.stroke();
  drawn();
}

let asked = false;
function drawn() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    problem = prepared(greys(ink), data.preparation);
    image = problem.image ? Float64Array.from(problem.image, pixel => pixel / 255) : null;
    update();
  });
}

// a margin stays empty, as paper around a digit
ink.beginPath();
ink.rect(MARGIN, MARGIN, sheet.width - 2 * MARGIN, sheet.height - 2 * MARGIN);
ink.clip();
Object.assign(ink, {strokeStyle: "#ffffff", lineWidth: PEN, lineCap: "round", lineJoin: "round"});

let last = null;
function placeOnSheet(event) {
  const box = sheet.getBoundingClientRect();
  return [(event.clientX - box.left) * sheet.width / box.width, (event.clientY - box.top) * sheet.height / box.height];
}
sheet.addEventListener("pointerdown", event => {
  if (event.button || !event.isPrimary) return;
  sheet.setPointerCapture(event.pointerId);
  last = placeOnSheet(event);
  line(last, last);
});
sheet.addEventListener("pointermove", event => {
  if (!last || !event.isPrimary) return;
  for (const one of event.getCoalescedEvents?.() ?? [event]) {
    const next = placeOnSheet(one);
    line(last, next);
    last = next;
  }
});
["pointerup", "pointercancel"].forEach(name => sheet.addEventListener(name, () => { last = null; }));

const pen = {place: [sheet.width / 2, sheet.height / 2], down: false};
const arrows = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]};
function showPen() {
  const mark = document.querySelector(".pen");
  [mark.style.left, mark.style.top] = pen.place.map(at => `${100 * at / sheet.width}%`);
  mark.classList.toggle("down", pen.down);
}
sheet.addEventListener("keydown", event => {
  const step = arrows[event.key];
  if (!step && event.key !== " ") return;
  event.preventDefault();
  const next = pen.place.map((at, axis) => Math.min(sheet.width, Math.max(0, at + (step ? step[axis] : 0))));
  if (!step) {
    pen.down = !pen.down;
    find("said").textContent = pen.down ? word.pen_down : word.pen_up;
  }
  if (pen.down) line(pen.place, next);
  pen.place = next;
  showPen();
});

// The networks

function drawNoise() {
  const draw = make => Float64Array.from({length: SIDE * SIDE}, make);
  uniform = draw(Math.random);
  normal = draw(() => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

// what is made of an image: it with noise and restored, the code, and the probabilities of both networks
function results(pixels, corruption, level) {
  const noisy = pixels.map((pixel, place) => corruptions[corruption](pixel, level, uniform[place], normal[place]));
  const seen = rescale(noisy, corruption, level), layers = outputsOf(networks.dae, seen);
  const [withIt, without] = [networks.with, networks.without].map(layers => softmax(outputsOf(layers, seen).at(-1)));
  return {noisy, restored: sigmoid(layers.at(-1)), code: layers[layers.length / 2 - 1], with: withIt, without};
}

const rows = Array.from(networks.with.at(-1).bias, (_, digit) => {
  const row = find("probabilities").insertRow();
  row.innerHTML = `<th scope="row">${data.names[digit]}</th>` + '<td><div class="share"><div class="bar"><i></i></div><span></span></div></td>'.repeat(2);
  return [...row.querySelectorAll(".share")];
});
const cards = Array.from({length: UNITS}, () => {
  const card = document.createElement("li");
  card.innerHTML = `<span></span><div class="bar"><i></i></div><canvas role="img" width="${SIDE * data.liked[0].length}" height="${SIDE}"></canvas>`;
  find("units").append(card);
  return card;
});

function showUnits(code) {
  const lit = Array.from(code, (response, unit) => [response / data.strongest[unit], unit]);
  const most = lit.filter(([share]) => share > 0).sort(([a], [b]) => b - a);
  cards.forEach((card, place) => {
    card.hidden = place >= most.length;
    if (card.hidden) return;
    const [share, unit] = most[place], canvas = card.querySelector("canvas");
    card.querySelector("span").textContent = filled(word.unit, {unit});
    card.querySelector("i").style.width = `${Math.min(100, 100 * share)}%`;
    data.liked[unit].forEach((number, column) =>
      canvas.getContext("2d").drawImage(all, ...placeOf(number), SIDE, SIDE, column * SIDE, 0, SIDE, SIDE));
    canvas.setAttribute("aria-label", filled(word.liked, {unit, digits: data.liked[unit].map(number => data.names[data.classes[number]]).join(", ")}));
  });
}

function update() {
  const level = Number(find("level").value), blank = new Float64Array(SIDE * SIDE);
  find("strength").textContent = write(level, 2);
  const found = image ? results(image, find("corruption").value, level) : {noisy: blank, restored: blank, code: []};
  show(find("clean"), image ?? blank);
  show(find("noisy"), found.noisy);
  show(find("restored"), found.restored);
  const answer = {};
  ["with", "without"].forEach((arm, column) => {
    const largest = found[arm] ? Math.max(...found[arm]) : NaN;
    rows.forEach((row, digit) => {
      const share = row[column], value = found[arm]?.[digit];
      share.classList.toggle("best", value === largest);
      share.querySelector("i").style.width = `${100 * (value ?? 0)}%`;
      share.querySelector("span").textContent = found[arm] ? write(100 * value, 1) : "–";
      if (value === largest) Object.assign(answer, {[arm]: data.names[digit], [`${arm}_percent`]: write(100 * value, 0)});
    });
  });
  showUnits(found.code);
  find("answer").textContent = image ? filled(word.answer, answer) : filled(word[problem.problem], problem);
  say(find("answer").textContent, 700);
}

document.querySelectorAll("[data-set-language]").forEach(button =>
  button.addEventListener("click", () => {
    keep("language", button.dataset.setLanguage);
    setLanguage(button.dataset.setLanguage);
  }));
find("clear").addEventListener("click", clear);
find("more").addEventListener("click", () => { set = (set + 1) % data.choices.length; showChoices(); });
find("again").addEventListener("click", () => { drawNoise(); update(); });
find("level").addEventListener("input", update);
find("corruption").addEventListener("change", update);

// all is ready: begin with a test image
all.addEventListener("load", () => {
  drawNoise();
  showPen();
  const wanted = kept("language") || navigator.language, languages = Object.keys(words);
  setLanguage(languages.find(language => wanted.startsWith(language)) ?? languages[0]);
  take(data.choices[0][Math.min(7, data.choices[0].length - 1)]);
});
all.src = data.images;
