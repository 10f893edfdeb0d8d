// before anything is drawn, so that a page in the dark does not flash
const systemDark = matchMedia("(prefers-color-scheme: dark)");

// a browser may forbid to keep anything
function kept(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}
function keep(name, value) {
  try { localStorage.setItem(name, value); } catch { }
}

const setTheme = theme => document.documentElement.dataset.theme = theme;
const usualTheme = () => setTheme(kept("theme") || (systemDark.matches ? "dark" : "light"));
usualTheme();
systemDark.addEventListener("change", usualTheme);
document.addEventListener("click", event => {
  if (!event.target.closest("#theme")) return;
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  keep("theme", document.documentElement.dataset.theme);
});
