// Small ways to build elements. Text goes in as text nodes only.

/** An element: `h("button", {class: "x", onclick: f}, "text", child)`. False and null children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  send: "M4 12 20 4l-5 16-3.5-6.5L4 12zm7.5 1.5L20 4",
  clip: "M20 11.5 12 19.4a5 5 0 0 1-7-7l8.4-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.4 8.4a1.7 1.7 0 0 1-2.4-2.4l7.7-7.7",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
  cross: "M6 6l12 12M18 6 6 18",
  down: "M12 5v14m-6-6 6 6 6-6",
  check: "M5 13l4.5 4.5L19 7",
  talk: "M4 5h16v11h-8l-5 4v-4H4z",
};

/** A line drawing that says nothing to a screen reader; the control beside it carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** The reader's own region for a page in `language`: "en" in Britain is "en-GB", with its dates and clock. */
function region(language) {
  return navigator.languages.find((own) => own.split("-")[0] === language) ?? language;
}

/** Bytes as people read them: 812 B, 4.2 KB, 19 MB; nothing where they are not known. */
export function size(bytes, language) {
  if (!bytes) return "";
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toLocaleString(region(language), { maximumFractionDigits: digits })} ${units[unit]}`;
}

/** When a shop opens, in the reader's own zone: the weekday, with the date when it is a week away or more. */
export function moment(iso, language) {
  const when = new Date(iso);
  const far = when - Date.now() > 6 * 86400e3;
  const day = far ? { day: "numeric", month: "long" } : {};
  return when.toLocaleString(region(language), { weekday: "long", hour: "numeric", minute: "2-digit", ...day });
}

/** Hours and minutes of a message. */
export function clock(iso, language) {
  return new Date(iso).toLocaleTimeString(region(language), { hour: "numeric", minute: "2-digit" });
}
