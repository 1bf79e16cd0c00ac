// What others wrote becomes nodes here, and only here. The server has cleaned `html` already; this does not rely on it.

const KEPT = new Set(["P", "BR", "STRONG", "EM", "CODE", "PRE", "UL", "OL", "LI", "BLOCKQUOTE"]);
const DROPPED = new Set([
  "SCRIPT", "STYLE", "TEMPLATE", "IFRAME", "OBJECT", "EMBED", "SVG", "MATH", "NOSCRIPT", "TITLE", "TEXTAREA", "SELECT",
]);
const DEEPEST = 40;
const ADDRESS = /https?:\/\/[^\s<>"']+/gi;

/** An http(s) address, or null for anything else (javascript:, data:, relative ...). */
function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

function link(address, children) {
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow";
  anchor.append(...children);
  return anchor;
}

/** Plain words as nodes: line breaks kept, http(s) addresses linked where `links` is true. */
export function wordsToNodes(text, { links }) {
  const nodes = [];
  text.split("\n").forEach((line, index) => {
    if (index > 0) nodes.push(document.createElement("br"));
    nodes.push(...(links ? linked(line) : [document.createTextNode(line)]));
  });
  return nodes;
}

function linked(line) {
  const nodes = [];
  let from = 0;
  for (const match of line.matchAll(ADDRESS)) {
    // A full stop or bracket after an address belongs to the sentence, not to the address.
    const words = match[0].replace(/[.,;:!?)\]}]+$/, "");
    const address = webAddress(words);
    if (!address) continue;
    nodes.push(document.createTextNode(line.slice(from, match.index)), link(address, [words]));
    from = match.index + words.length;
  }
  nodes.push(document.createTextNode(line.slice(from)));
  return nodes;
}

/** HTML from the server as fresh nodes of an allow-list; everything else loses its tags, or goes altogether. */
export function htmlToNodes(html, { links }) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  return copyChildren(parsed.body, { links }, 0);
}

function copyChildren(parent, options, depth) {
  if (depth > DEEPEST) return [document.createTextNode(parent.textContent)];
  return [...parent.childNodes].flatMap((node) => copyNode(node, options, depth));
}

function copyNode(node, options, depth) {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const name = node.tagName.toUpperCase();
  if (DROPPED.has(name)) return [];
  const children = copyChildren(node, options, depth + 1);
  if (name === "A") return copyLink(node, children, options);
  if (!KEPT.has(name)) return children;
  const copy = document.createElement(name);
  copy.append(...children);
  return [copy];
}

function copyLink(node, children, { links }) {
  const address = webAddress(node.getAttribute("href") ?? "");
  if (!address) return children;
  if (links) return [link(address, children)];
  // A shared screen must not be led elsewhere, so the address is only named.
  const shown = node.textContent.includes(new URL(address).host);
  return shown ? children : [...children, document.createTextNode(` (${address})`)];
}
