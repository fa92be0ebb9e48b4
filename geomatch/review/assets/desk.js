// The clerk's desk: one front end, mounted by a page or by a notebook.
//
// mount(root, host) takes an element (or shadow root) that holds desk.html, and a host:
//   ask(name, body)      → promise of an answer; rejects with { status, message }
//   filters(values?)     → the filters in force; sets them when given
//   name(value?)         → the clerk's name as remembered; remembers it when given
//   keys                 → what key presses are listened to on
//   rest()               → puts the focus where keys are heard and nothing is typed
//
// Cards come as HTML that the desk has escaped; nothing else is inserted.
const FILTERS = ["departement", "type", "pmin", "pmax"];

export function mount(root, host) {
  const at = (id) => root.querySelector(`#${id}`);
  const frame = root.matches?.(".gm-review") ? root : root.querySelector(".gm-review");
  const state = { card: null, sirets: [], busy: false, found: false, who: "", shown: 0, map: null, point: null, drawn: 0, turn: 0 };

  // ---------------------------------------------------------------- answers
  function say(text, good) {
    at("message").textContent = text;
    at("message").className = good ? "good" : "";
    at("message").hidden = !text;
  }

  // One act at a time: a key pressed while another is under way is left out.
  async function act(work) {
    if (state.busy) return;
    state.busy = true;
    frame.classList.add("busy");
    try {
      await work();
    } catch (error) {
      if (error.message === undefined || error instanceof Error) throw error;
      say(error.message);
      if (error.status === 409) await reload();
    } finally {
      state.busy = false;
      frame.classList.remove("busy");
    }
  }

  async function reload() {
    show(await host.ask("card", { filters: host.filters() }));
  }

  function show(told) {
    const card = told.card;
    state.card = card;
    progress(told.progress);
    at("desk").hidden = !card;
    at("done").hidden = Boolean(card);
    host.rest();
    if (card) {
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
      if (!card.map) blank();
      own();
      at("left").scrollTop = 0;
      at("candidates").scrollTop = 0;
    }
    state.shown += 1;
    frame.dataset.shown = String(state.shown);
  }

  // The card's own candidates, as opposed to those found by a search.
  function own() {
    state.point = null;
    state.found = false;
    at("found").hidden = true;
    list(state.card);
  }

  function list(told) {
    at("candidates").innerHTML = told.candidates;
    state.sirets = told.sirets;
    if (told.map) draw(told.map);
    else redraw(null);
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
    root.querySelector('[data-act="undo"]').disabled = !p.can_undo;
    at("undo-last").disabled = !p.can_undo;
  }

  function duration(hours) {
    const minutes = Math.max(1, Math.round(hours * 60));
    if (minutes < 60) return `${minutes} min`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  }

  // ---------------------------------------------------------------- the map
  function draw(map) {
    state.turn += 1;
    state.map = map;
    at("map").innerHTML = map.svg;
    const background = at("map").querySelector("image.background");
    if (background) {
      background.addEventListener("load", () => background.ownerSVGElement.classList.add("with-background"));
      background.addEventListener("error", () => background.remove());
    }
    state.drawn += 1;
    frame.dataset.drawn = String(state.drawn);
  }

  // No map rather than that of the card before.
  function blank() {
    at("map").replaceChildren();
    state.map = null;
  }

  // Asks for the map of what is on the list; an answer that another map overtook is left out.
  async function redraw(window) {
    const card = state.card, sirets = state.found ? state.sirets : [];
    const turn = state.turn += 1;
    try {
      const map = await host.ask("map", { number: card.number, sirets, window, point: state.point });
      if (state.turn === turn) draw(map);
    } catch (error) {
      if (error.message === undefined || error instanceof Error) throw error;
      say(error.message);
    }
  }

  // Metres of a point of the screen, on the map that is shown.
  function ground(event) {
    const svg = at("map").firstElementChild, matrix = svg.getScreenCTM();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const [x0, y0, x1, y1] = state.map.window, box = svg.viewBox.baseVal;
    return [x0 + (point.x / box.width) * (x1 - x0), y1 - (point.y / box.height) * (y1 - y0)];
  }

  function zoom(factor, about) {
    if (!state.map?.window) return;
    const [x0, y0, x1, y1] = state.map.window;
    const [x, y] = about || [(x0 + x1) / 2, (y0 + y1) / 2];
    redraw([x + (x0 - x) * factor, y + (y0 - y) * factor, x + (x1 - x) * factor, y + (y1 - y) * factor]);
  }

  // The cross is dragged to another point; anything else drags the ground.
  function grab(event) {
    if (!state.map?.window || event.button !== 0) return;
    const cross = event.target.closest?.(".declared"), from = ground(event);
    const moving = cross || at("map").firstElementChild;
    const scale = moving.ownerSVGElement ? 1 / moving.getScreenCTM().a : 1;
    let moved = false;
    const move = (e) => {
      const dx = (e.clientX - event.clientX) * scale, dy = (e.clientY - event.clientY) * scale;
      moved = moved || Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY) > 3;
      if (!moved) return;
      if (cross) cross.setAttribute("transform", `translate(${dx} ${dy})`);
      else moving.style.transform = `translate(${dx}px, ${dy}px)`;
    };
    const drop = (e) => {
      at("map").removeEventListener("pointermove", move);
      at("map").removeEventListener("pointerup", drop);
      at("map").removeEventListener("pointercancel", drop);
      if (!cross) moving.style.transform = "";
      if (!moved) return;
      const to = ground(e);
      if (cross) return put(to);
      const [x0, y0, x1, y1] = state.map.window, dx = from[0] - to[0], dy = from[1] - to[1];
      redraw([x0 + dx, y0 + dy, x1 + dx, y1 + dy]);
    };
    at("map").setPointerCapture(event.pointerId);
    at("map").addEventListener("pointermove", move);
    at("map").addEventListener("pointerup", drop);
    at("map").addEventListener("pointercancel", drop);
    event.preventDefault();
  }

  const put = (point) => act(async () => {
    state.point = point;
    await find();
  });

  // ---------------------------------------------------------------- acts
  const settle = (siret) => act(async () => {
    if (!state.card) return;
    const body = { number: state.card.number, siret, note: at("note").value, alone: at("alone").checked };
    show(await host.ask("verdict", body));
    say("");
  });

  const skip = () => act(async () => {
    if (!state.card) return;
    show(await host.ask("skip", { number: state.card.number, note: at("note").value }));
    say("");
  });

  const undo = () => act(async () => {
    show(await host.ask("undo", {}));
    say("Dernier choix annulé : la fiche est de nouveau devant vous.", true);
  });

  const search = () => act(async () => {
    const typed = at("search").elements;
    if (!typed.name.value.trim() && !typed.street.value.trim() && !state.point) return own();
    await find();
    host.rest();
  });

  async function find() {
    const typed = at("search").elements, number = state.card.number;
    const name = typed.name.value.trim(), street = typed.street.value.trim();
    const told = /^[\d\s]{9,}$/.test(name)
      ? await host.ask("siret", { number, siret: name })
      : await host.ask("search", { number, name, street, departement: typed.departement.value, point: state.point });
    state.found = true;
    list(told);
    say("");
    const n = told.sirets.length, words = name || street;
    const how = words ? "par la recherche" : "autour de ce point";
    const none = words ? "Rien de tel au répertoire : essayez moins de mots." : "Rien au répertoire autour de ce point.";
    at("found").firstElementChild.textContent = n ? `${n} trouvé${n > 1 ? "s" : ""} ${how}.` : none;
    at("found").hidden = false;
  }

  function note() {
    at("note-line").hidden = false;
    at("note").focus();
  }

  function scores() {
    const on = frame.classList.toggle("scores");
    at("toggle-scores").setAttribute("aria-pressed", String(on));
    at("toggle-scores").textContent = on ? "Cacher les scores" : "Afficher les scores";
  }

  function alone() {
    if (!at("alone-line").hidden) at("alone").checked = !at("alone").checked;
  }

  const KEYS = {
    0: () => settle(null), p: skip, u: undo, n: note, s: scores, t: alone,
    "/": () => { at("search").elements.name.focus(); },
    "+": () => zoom(0.5), "-": () => zoom(2), "=": () => redraw(null),
  };
  const ACTS = { none: KEYS[0], skip, undo, note, search: KEYS["/"] };
  const ZOOMS = { in: KEYS["+"], out: KEYS["-"], all: KEYS["="] };

  // AZERTY keyboards give "&é"'(-è_" on the digit row without shift: the place of the key counts.
  function digit(event) {
    const place = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
    if (place) return Number(place[1]);
    return /^\d$/.test(event.key) ? Number(event.key) : -1;
  }

  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || at("ask-name").open) return;
    const typing = event.target.matches?.("input:not([type=checkbox]), select");
    if (event.key === "Escape") {
      host.rest();
      say("");
      if (state.found && !typing) own();
      return;
    }
    if (typing) {
      if (event.key === "Enter" && event.target.id === "note") host.rest();
      return;
    }
    const chosen = digit(event);
    let run = null;
    if (event.key === "/") run = KEYS["/"];
    else if (chosen > 0 && state.card && chosen <= state.sirets.length) run = () => settle(state.sirets[chosen - 1]);
    else if (chosen === 0) run = KEYS[0];
    else if (chosen < 0) run = KEYS[event.key.toLowerCase()];
    if (run && (state.card || run === undo)) {
      event.preventDefault();
      run();
    }
  }

  // ---------------------------------------------------------------- who and what
  function enter(name) {
    return act(async () => {
      const told = await host.ask("enter", { name, filters: host.filters() });
      state.who = told.who;
      at("who").textContent = told.who;
      host.name(name);
      show(told);
      say(told.name_is_shared ? `Quelqu'un d'autre reprend sous le nom « ${told.who} » : si ce n'est pas vous, changez de nom en haut à droite.` : "");
    });
  }

  function askName() {
    at("name").value = host.name();
    at("ask-name").showModal();
  }

  function setFilters(values) {
    host.filters(Object.fromEntries(FILTERS.filter((key) => values[key]).map((key) => [key, values[key]])));
    return act(reload);
  }

  function wire() {
    host.keys.addEventListener("keydown", pressed);
    at("candidates").addEventListener("click", (event) => {
      const button = event.target.closest("button.candidate");
      if (button) settle(button.dataset.siret);
    });
    at("acts").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-act]");
      if (button) { host.rest(); ACTS[button.dataset.act](); }
    });
    at("zoom").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-zoom]");
      if (button) { host.rest(); ZOOMS[button.dataset.zoom](); }
    });
    at("map").addEventListener("pointerdown", grab);
    at("map").addEventListener("dblclick", (event) => { if (state.map?.window) put(ground(event)); });
    at("map").addEventListener("wheel", (event) => {
      event.preventDefault();
      if (state.map?.window) zoom(event.deltaY < 0 ? 0.7 : 1.4, ground(event));
    }, { passive: false });
    at("search").addEventListener("submit", (event) => { event.preventDefault(); search(); });
    at("back").addEventListener("click", () => { own(); host.rest(); });
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

  for (const [key, value] of Object.entries(host.filters())) at("filters").elements[key].value = value;
  at("filters").hidden = !Object.keys(host.filters()).length;
  wire();
  if (host.name()) enter(host.name()); else askName();
  return () => host.keys.removeEventListener("keydown", pressed);
}
