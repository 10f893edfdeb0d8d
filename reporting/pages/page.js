"use strict";
const root = document.documentElement, bodies = [...document.querySelectorAll("main")], dialog = document.querySelector("dialog");
const wide = matchMedia("(min-width: 76rem)");

const shown = () => bodies.find(body => !body.hidden);

// what all languages have in the same order, by which a place in one language is found in another
const landmarks = body => [...body.querySelectorAll("h1, h2, h3, figure, table")].filter(e => !e.closest("details:not([open])"));
const topOf = element => element.getBoundingClientRect().top;

function setLanguage(language) {
  const before = landmarks(shown()), place = before.findLastIndex(element => topOf(element) < innerHeight / 3);
  const offset = place < 0 ? 0 : topOf(before[place]);
  bodies.forEach(body => body.hidden = body.id !== language);
  const body = shown();
  root.lang = body.lang;
  document.title = body.querySelector("h1").textContent;
  document.querySelectorAll("[data-set-language]").forEach(button =>
    button.setAttribute("aria-pressed", String(button.dataset.setLanguage === language)));
  document.getElementById("theme").setAttribute("aria-label", body.dataset.themeName);
  document.querySelector(".up").setAttribute("aria-label", body.dataset.topName);
  const there = landmarks(body)[place];
  if (there) scrollBy(0, topOf(there) - offset);
  mark();
}

function choose(language) {
  keep("language", language);
  setLanguage(language);
}
document.querySelectorAll("[data-set-language]").forEach(button =>
  button.addEventListener("click", () => choose(button.dataset.setLanguage)));

// a link may lead to a language, or to what is in another language or folded
function go(hash) {
  const target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
  if (!target) return false;
  const body = target.closest("main");
  if (body) body === target ? choose(body.id) : body.hidden && setLanguage(body.id);
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  if (body !== target) target.scrollIntoView();
  return true;
}
document.addEventListener("click", event => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || !go(link.hash)) return;
  event.preventDefault();
  if (!bodies.some(body => "#" + body.id === link.hash)) history.pushState(null, "", link.hash);
});
addEventListener("popstate", () => go(location.hash));

// contents: open beside the text, folded in it; the section on the screen is marked
const fold = () => document.querySelectorAll("nav details").forEach(details => details.open = wide.matches);
fold();
wide.addEventListener("change", fold);

function mark() {
  const nav = shown().querySelector("nav"), links = [...nav.querySelectorAll("a")];
  const here = links.findLast(link => topOf(document.getElementById(decodeURIComponent(link.hash.slice(1)))) < 120);
  links.forEach(link => link === here ? link.setAttribute("aria-current", "location") : link.removeAttribute("aria-current"));
  if (here && wide.matches) nav.scrollTop = here.offsetTop - nav.clientHeight / 2;
}
addEventListener("scroll", mark, {passive: true});

document.querySelectorAll("image[data-as]").forEach(image =>
  image.setAttribute("href", document.getElementById(image.dataset.as).getAttribute("href")));

document.querySelectorAll(".zoom").forEach(button => button.addEventListener("click", () => {
  const copies = [...button.children].map(child => child.cloneNode(true));
  copies.forEach(copy => copy.querySelectorAll("[id]").forEach(element => element.removeAttribute("id")));
  dialog.querySelector("div").replaceChildren(...copies);
  dialog.showModal();
}));
dialog.addEventListener("click", () => dialog.close());

if (typeof slider !== "undefined") document.querySelectorAll(".slider").forEach(section => {
  const input = section.querySelector("input"), [name, ...decibels] = section.querySelectorAll("output");
  const rows = section.querySelectorAll(".strip"), language = section.closest("[lang]").lang;
  const write = (value, digits) => value === null ? "∞" : value.toLocaleString(language, {minimumFractionDigits: digits, maximumFractionDigits: digits});
  function show() {
    const level = Number(input.value), n = slider.kinds.length;
    name.textContent = write(slider.levels[level], 2);
    section.querySelector("small").style.visibility = level === slider.start ? "visible" : "hidden";
    slider.kinds.forEach((kind, row) => {
      decibels[row].textContent = write(slider.psnr[level][kind], 1) + "\u00a0dB";
      rows[row].style.backgroundPosition = `0 ${100 * (n * level + row) / (n * slider.levels.length - 1)}%`;
    });
  }
  rows.forEach(row => row.style.backgroundImage = `url(${slider.strips})`);
  input.addEventListener("input", show);
  show();
});

const wanted = kept("language") || navigator.language;
setLanguage((bodies.find(body => wanted.startsWith(body.id)) || bodies[0]).id);
go(location.hash);
