// Adaptive cards, rendered plainly: what Webex's own clients show of schema 1.3, as far as our cards use it.

/** An element with a class and a text; text is always text. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** The card as an element. `submit(inputs)` is called when one of its buttons is pressed. */
export function renderCard(card, submit) {
  const form = make("form", "card");
  form.noValidate = false;
  form.append(...list(card.body).map(render).filter(Boolean));
  const actions = [...list(card.actions)];
  if (actions.length) form.append(buttons(actions));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = JSON.parse(event.submitter?.dataset.inputs ?? "{}");
    submit({ ...data, ...read(form) }, event.submitter);
  });
  return form;
}

// Text blocks and facts are markdown, in which a backslash says that a character is only that character.
const unescaped = (text) => String(text ?? "").replace(/\\([!-/:-@[-`{-~])/g, "$1");

const list = (value) => (Array.isArray(value) ? value : []);

const kinds = {
  TextBlock(part) {
    const weight = part.weight?.toLowerCase() === "bolder" ? "bolder" : "";
    const size = /large/i.test(part.size ?? "") ? "large" : "";
    return make("p", [weight, size, part.isSubtle ? "subtle" : ""].filter(Boolean).join(" "), unescaped(part.text));
  },
  FactSet(part) {
    const facts = make("dl");
    for (const fact of list(part.facts)) facts.append(make("dt", "", unescaped(fact.title)), make("dd", "", unescaped(fact.value)));
    return facts;
  },
  Container: (part) => box("", part.items),
  Column: (part) => box("", part.items),
  ColumnSet: (part) => box("columns", part.columns?.map((column) => ({ type: "Column", ...column }))),
  ActionSet: (part) => buttons(list(part.actions)),
  "Input.Text": (part) => labelled(part, field(part, part.isMultiline ? "textarea" : "input")),
  "Input.Number": (part) => labelled(part, field(part, "input", "number")),
  "Input.Date": (part) => labelled(part, field(part, "input", "date")),
  "Input.Time": (part) => labelled(part, field(part, "input", "time")),
  "Input.ChoiceSet"(part) {
    const select = field({ ...part, value: undefined }, "select");
    select.multiple = Boolean(part.isMultiSelect);
    if (!select.multiple && !part.value) select.append(make("option", "", part.placeholder ?? ""));
    for (const choice of list(part.choices)) {
      const option = make("option", "", choice.title);
      option.value = choice.value;
      option.selected = String(part.value ?? "").split(",").includes(choice.value);
      select.append(option);
    }
    return labelled(part, select);
  },
  "Input.Toggle"(part) {
    const tick = field({ ...part, value: undefined }, "input", "checkbox");
    tick.checked = part.value === (part.valueOn ?? "true");
    tick.dataset.on = part.valueOn ?? "true";
    tick.dataset.off = part.valueOff ?? "false";
    const label = make("label", "tick");
    label.append(tick, make("span", "", part.title ?? part.label));
    return label;
  },
};

function render(part) {
  return kinds[part?.type]?.(part) ?? null;
}

function box(className, parts) {
  const element = make("div", className);
  element.append(...list(parts).map(render).filter(Boolean));
  return element;
}

function field(part, tag, type) {
  const element = make(tag);
  element.name = part.id ?? "";
  if (type) element.type = type;
  if (part.placeholder) element.setAttribute("placeholder", part.placeholder);
  if (part.value !== undefined) element.value = part.value;
  element.required = Boolean(part.isRequired);
  return element;
}

function labelled(part, input) {
  const label = make("label");
  label.append(make("span", "", part.label ?? part.placeholder ?? part.id), input);
  return label;
}

function buttons(actions) {
  const row = make("div", "actions");
  for (const action of actions) {
    if (action.type === "Action.Submit") {
      const button = make("button", "", action.title);
      button.dataset.inputs = JSON.stringify(action.data ?? {});
      button.formNoValidate = action.associatedInputs === "none";
      row.append(button);
    } else if (action.type === "Action.OpenUrl" && /^https?:\/\//.test(action.url)) {
      const link = make("a", "", action.title);
      Object.assign(link, { href: action.url, target: "_blank", rel: "noreferrer" });
      row.append(link);
    }
  }
  return row;
}

function read(form) {
  const inputs = {};
  for (const element of form.elements) {
    if (!element.name) continue;
    if (element.type === "checkbox") inputs[element.name] = element.checked ? element.dataset.on : element.dataset.off;
    else if (element.multiple) inputs[element.name] = [...element.selectedOptions].map((each) => each.value).join(",");
    else inputs[element.name] = element.value;
  }
  return inputs;
}
