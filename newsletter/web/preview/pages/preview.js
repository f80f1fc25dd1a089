"use strict";

// The page's whole behaviour: tabs, frames that follow the controls, and news of each save by server-sent events.

const controls = document.getElementById("controls");
const panels = document.getElementById("panels");
const state = document.getElementById("state");
let chosen = "letter";
let turn = 0;
let shows = 0;

const query = () => new URLSearchParams(new FormData(controls)).toString();
const frames = () => [...panels.querySelectorAll("iframe[data-frame]")];

function select(name, { focus = false } = {}) {
  for (const tab of panels.querySelectorAll("[role=tab]")) {
    const mine = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", mine);
    tab.tabIndex = mine ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !mine;
    if (mine && focus) tab.focus();
    if (mine) chosen = name;
  }
}

// A frame is opened once, under the policy that comes with it; later letters are written into it, which is
// faster than opening it again, and leaves it scrolled where it was.
function open(frame) {
  return new Promise((done) => {
    frame.addEventListener("load", () => {
      frame.dataset.frame = "open";
      done();
    }, { once: true });
    frame.src = `/frame?${query()}`;
  });
}

function write(frame, letter) {
  const root = frame.contentDocument.documentElement;
  const scroll = root.scrollTop;
  for (const name of root.getAttributeNames()) root.removeAttribute(name);
  const [, attributes] = letter.match(/<html\b([^>]*)>/i) || ["", ""];
  const holder = document.createElement("template");
  holder.innerHTML = `<p${attributes}>`;
  for (const { name, value } of holder.content.firstChild.attributes) root.setAttribute(name, value);
  root.innerHTML = letter;
  root.scrollTop = scroll;
}

async function show() {
  const mine = ++shows;
  const waiting = frames().filter((frame) => frame.dataset.frame !== "open");
  if (waiting.length) return Promise.all(waiting.map(open));
  const answer = await fetch(`/frame?${query()}`);
  const letter = await answer.text();
  // A later save overtook this answer.
  if (mine === shows) for (const frame of frames()) write(frame, letter);
}

function jump(name) {
  select("letter", { focus: true });
  for (const frame of frames()) {
    const entry = frame.contentDocument && frame.contentDocument.getElementById(name);
    if (entry) entry.scrollIntoView();
  }
}

async function refresh() {
  const mine = ++turn;
  const old = frames();
  // The letter first, it is what the editor looks at; the checks have their say when it is there.
  if (old.length) await show();
  const answer = await fetch(`/panels?${query()}`);
  const fresh = document.createElement("div");
  fresh.innerHTML = await answer.text();
  // A later save overtook this answer.
  if (mine !== turn) return;
  const focused = document.activeElement && panels.contains(document.activeElement) ? document.activeElement.id : "";
  if (old.length && fresh.querySelector("iframe[data-frame]")) {
    replaceAround(fresh);
  } else {
    panels.replaceChildren(...fresh.childNodes);
    show();
  }
  select(chosen);
  offer(document.getElementById("meta").dataset.languages.split(" ").filter(Boolean));
  if (focused) document.getElementById(focused)?.focus();
  tell();
}

function tell() {
  const broken = document.getElementById("meta").dataset.broken === "yes";
  state.textContent = broken ? "broken: the last good letter is shown" : "up to date";
}

// An edition may have been written, or taken away, since the page was opened.
function offer(languages) {
  const edition = controls.elements.edition;
  const asked = edition.value;
  while (edition.options.length > 1) edition.remove(1);
  for (const language of languages) edition.add(new Option(language, language, false, language === asked));
}

// Replace everything but the panel that holds the frames.
function replaceAround(fresh) {
  const kept = document.getElementById("panel-letter");
  const place = fresh.querySelector("#panel-letter");
  for (const node of [...panels.childNodes]) if (node !== kept) node.remove();
  const nodes = [...fresh.childNodes];
  const at = nodes.indexOf(place);
  kept.before(...nodes.slice(0, at));
  kept.after(...nodes.slice(at + 1));
}

panels.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) select(tab.id.replace("tab-", ""));
  const button = event.target.closest("[data-jump]");
  if (button) jump(button.dataset.jump);
});

panels.addEventListener("keydown", (event) => {
  if (!event.target.closest("[role=tab]")) return;
  const tabs = [...panels.querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(event.target);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  select(tabs[(to + tabs.length) % tabs.length].id.replace("tab-", ""), { focus: true });
});

controls.addEventListener("change", () => {
  history.replaceState(null, "", `/?${query()}`);
  refresh();
});
controls.addEventListener("submit", (event) => event.preventDefault());

document.getElementById("test").addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = document.getElementById("said");
  said.textContent = "sending …";
  const to = new FormData(event.target).get("to");
  const headers = { "Content-Type": "application/json", "X-Preview": "1" };
  const answer = await fetch("/test", { method: "POST", headers, body: JSON.stringify({ to }) });
  said.textContent = (await answer.json()).said;
});

const news = new EventSource("/events");
let known = Number(document.getElementById("meta").dataset.version);
news.addEventListener("hello", (event) => {
  // Also after a break: the preview was started again on the same port.
  if (Number(event.data) !== known) refresh();
  else tell();
  known = Number(event.data);
});
news.addEventListener("changed", (event) => {
  known = JSON.parse(event.data).version;
  refresh();
});
news.addEventListener("error", () => {
  state.textContent = "the preview has stopped; start it again";
});

show();
