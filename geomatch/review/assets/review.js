"use strict";
// The clerk's screen. The server sends cards as HTML that it has escaped; nothing else is inserted.
const at = (id) => document.getElementById(id);
const state = { card: null, sirets: [], busy: false, found: false, who: "", shown: 0 };
const QUERY = ["departement", "type", "pmin", "pmax"];

function remembered(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key) || "";
    localStorage.setItem(key, value);
  } catch { /* a browser that keeps nothing: the name is asked again */ }
  return "";
}

function filters() {
  const query = new URLSearchParams(location.search), told = {};
  for (const key of QUERY) if (query.get(key)) told[key] = query.get(key);
  return told;
}

function say(text, good) {
  at("message").textContent = text;
  at("message").className = good ? "good" : "";
  at("message").hidden = !text;
}

async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw { status: 0, message: "Le serveur ne répond plus. Vos choix sont enregistrés ; relancez « geomatch review » et rouvrez l'adresse affichée." };
  }
  const told = await answer.json();
  if (!answer.ok) throw { status: answer.status, message: told.error };
  return told;
}

// One act at a time: a key pressed while another is under way is left out.
async function act(work) {
  if (state.busy) return;
  state.busy = true;
  document.body.classList.add("busy");
  try {
    await work();
  } catch (error) {
    if (error.message === undefined || error instanceof Error) throw error;
    say(error.message);
    if (error.status === 409) await reload();
  } finally {
    state.busy = false;
    document.body.classList.remove("busy");
  }
}

async function reload() {
  const told = await ask("/api/card", { filters: filters() });
  show(told);
}

function show(told) {
  const card = told.card;
  state.card = card;
  progress(told.progress);
  at("desk").hidden = !card;
  at("done").hidden = Boolean(card);
  if (!card) return;
  const n = card.ids.length;
  at("kind").textContent = card.type.charAt(0).toUpperCase() + card.type.slice(1);
  at("applies").textContent = n > 1 ? `s'applique à ${n} bulletins` : `bulletin ${card.ids[0]}`;
  at("applies").className = n > 1 ? "many" : "";
  at("reason").textContent = card.reason;
  at("bulletin").innerHTML = card.bulletin;
  at("alone-line").hidden = n < 2;
  at("alone").checked = false;
  at("note").value = "";
  at("note-line").hidden = true;
  at("search").reset();
  at("search").elements.departement.value = card.departement;
  own();
  if (document.activeElement) document.activeElement.blur();
  scrollTo(0, 0);
  state.shown += 1;
  document.body.dataset.shown = String(state.shown);
}

// The card's own candidates, as opposed to those found by a search.
function own() {
  list(state.card);
  state.found = false;
  at("found").hidden = true;
}

function list(told) {
  at("candidates").innerHTML = told.candidates;
  state.sirets = told.sirets;
  at("map").src = told.map || state.card.map;
}

function progress(p) {
  const share = p.total ? (100 * p.settled) / p.total : 100;
  at("progress").firstElementChild.style.width = `${share}%`;
  at("progress").setAttribute("aria-valuemax", p.total);
  at("progress").setAttribute("aria-valuenow", p.settled);
  const number = (n) => n.toLocaleString("fr-FR");
  at("counts").textContent = `${number(p.settled)} / ${number(p.total)} bulletins réglés · ${number(p.cards_left)} fiches à voir`;
  const parts = [];
  if (p.mine) parts.push(`vous : ${number(p.mine)}`);
  if (p.hour_mine) parts.push(`${number(p.hour_mine)} par heure`);
  if (p.hours_left !== null) parts.push(`reste ${duration(p.hours_left)}`);
  at("pace").textContent = parts.join(" · ");
  document.querySelector('[data-act="undo"]').disabled = !p.can_undo;
  at("undo-last").disabled = !p.can_undo;
}

function duration(hours) {
  const minutes = Math.max(1, Math.round(hours * 60));
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}

const settle = (siret) => act(async () => {
  if (!state.card) return;
  const body = { number: state.card.number, siret, note: at("note").value, alone: at("alone").checked };
  show(await ask("/api/verdict", body));
  say("");
});

const skip = () => act(async () => {
  if (!state.card) return;
  show(await ask("/api/skip", { number: state.card.number, note: at("note").value }));
  say("");
});

const undo = () => act(async () => {
  show(await ask("/api/undo", {}));
  say("Dernier choix annulé : la fiche est de nouveau devant vous.", true);
});

const search = () => act(async () => {
  const typed = at("search").elements, number = state.card.number;
  const name = typed.name.value.trim(), street = typed.street.value.trim();
  if (!name && !street) return own();
  const told = /^[\d\s]{9,}$/.test(name)
    ? await ask("/api/siret", { number, siret: name })
    : await ask("/api/search", { number, name, street, departement: typed.departement.value });
  list(told);
  state.found = true;
  say("");
  const n = told.sirets.length;
  at("found").firstElementChild.textContent = n ? `${n} trouvé${n > 1 ? "s" : ""} par la recherche.` : "Rien de tel au répertoire : essayez moins de mots.";
  at("found").hidden = false;
  document.activeElement.blur();
});

function note() {
  at("note-line").hidden = false;
  at("note").focus();
}

function scores() {
  const on = document.body.classList.toggle("scores");
  at("toggle-scores").setAttribute("aria-pressed", String(on));
  at("toggle-scores").textContent = on ? "Cacher les scores" : "Afficher les scores";
}

function alone() {
  if (!at("alone-line").hidden) at("alone").checked = !at("alone").checked;
}

const KEYS = {
  0: () => settle(null), p: skip, u: undo, n: note, s: scores, t: alone,
  "/": () => { at("search").elements.name.focus(); },
};
const ACTS = { none: KEYS[0], skip, undo, note, search: KEYS["/"] };

// AZERTY keyboards give "&é"'(-è_" on the digit row without shift: the place of the key counts.
function digit(event) {
  const place = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  if (place) return Number(place[1]);
  return /^\d$/.test(event.key) ? Number(event.key) : -1;
}

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || at("ask-name").open) return;
  const typing = event.target.matches("input:not([type=checkbox]), select");
  if (event.key === "Escape") {
    event.target.blur();
    say("");
    if (state.found && !typing) own();
    return;
  }
  if (typing) {
    if (event.key === "Enter" && event.target.id === "note") event.target.blur();
    return;
  }
  const chosen = digit(event);
  let run = null;
  if (event.key === "/") run = KEYS["/"];
  else if (chosen > 0 && state.card && chosen <= state.sirets.length) run = () => settle(state.sirets[chosen - 1]);
  else if (chosen === 0) run = KEYS[0];
  else if (chosen < 0) run = KEYS[event.key.toLowerCase()];
  if (run) {
    event.preventDefault();
    run();
  }
}

function enter(name) {
  return act(async () => {
    const told = await ask("/api/enter", { name, filters: filters() });
    state.who = told.who;
    at("who").textContent = told.who;
    remembered("geomatch-name", name);
    show(told);
    say(told.name_is_shared ? `Quelqu'un d'autre reprend sous le nom « ${told.who} » : si ce n'est pas vous, changez de nom en haut à droite.` : "");
  });
}

function askName() {
  at("name").value = remembered("geomatch-name");
  at("ask-name").showModal();
}

function setFilters(values) {
  const query = new URLSearchParams();
  for (const key of QUERY) if (values[key]) query.set(key, values[key]);
  history.replaceState(null, "", query.size ? `/?${query}` : "/");
  return act(reload);
}

function wire() {
  document.addEventListener("keydown", pressed);
  at("candidates").addEventListener("click", (event) => {
    const button = event.target.closest("button.candidate");
    if (button) settle(button.dataset.siret);
  });
  at("acts").addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (button) { button.blur(); ACTS[button.dataset.act](); }
  });
  at("search").addEventListener("submit", (event) => { event.preventDefault(); search(); });
  at("back").addEventListener("click", own);
  at("toggle-scores").addEventListener("click", scores);
  at("who").addEventListener("click", askName);
  at("again").addEventListener("click", () => act(reload));
  at("undo-last").addEventListener("click", undo);
  at("ask-name").addEventListener("close", () => enter(at("name").value.trim()));
  at("open-filters").addEventListener("click", () => { at("filters").hidden = !at("filters").hidden; });
  at("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    setFilters(Object.fromEntries(new FormData(at("filters"))));
  });
  at("clear-filters").addEventListener("click", () => { at("filters").reset(); setFilters({}); });
}

function start() {
  const query = new URLSearchParams(location.search);
  if (query.has("token")) {
    query.delete("token"); // the cookie stands for it from now on
    history.replaceState(null, "", query.size ? `/?${query}` : "/");
  }
  for (const [key, value] of Object.entries(filters())) at("filters").elements[key].value = value;
  at("filters").hidden = !Object.keys(filters()).length;
  wire();
  const name = remembered("geomatch-name");
  if (name) enter(name); else askName();
}

start();
