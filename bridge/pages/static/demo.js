// The customer's page and the agent's side by side, so that one person can play both.
import { spoken, translator } from "./strings.js";

const query = new URLSearchParams(location.search);
const language = spoken([query.get("lang"), ...navigator.languages].filter(Boolean));
const words = translator(language);
document.documentElement.lang = language;

/** An address to frame: from the query, else from the page's own attribute; only http and https. */
function addressOf(name) {
  const url = new URL(query.get(name) || document.documentElement.dataset[name], location.href);
  return ["http:", "https:"].includes(url.protocol) ? url.href : "about:blank";
}

function fill(name, title, titleId) {
  const address = addressOf(name);
  const frame = document.getElementById(name);
  const alone = document.getElementById(`${name}-alone`);
  frame.title = title;
  frame.src = address;
  alone.href = address;
  alone.textContent = words("demoAlone");
  alone.setAttribute("aria-label", `${title}: ${words("demoAlone")}`);
  document.getElementById(titleId).textContent = title;
}

document.getElementById("how").textContent = words("demoHow");
fill("kiosk", words("demoCustomer"), "customer");
fill("agent", words("demoAgent"), "agent-name");
