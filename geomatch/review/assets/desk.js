// The clerk's desk: one front end, mounted by a page or by a notebook.
//
// mount(root, host) takes an element (or shadow root) that holds desk.html, and a host:
//   ask(name, body)      → promise of an answer; rejects with { status, message }
//   filters(values?)     → the filters in force; sets them when given
//   proposed             → a name for who has none yet; may be missing
//   name(value?)         → the clerk's name as remembered; remembers it when given
//   keys                 → what key presses are listened to on
//   rest()               → puts the focus where keys are heard and nothing is typed
//
// Cards come as HTML that the desk has escaped; nothing else is inserted.
const FILTERS = ["departement", "type", "pmin", "pmax"];
// How long a confirmation is read, and how long a box has to keep its size before it is drawn again.
const GOOD_MS = 6000, STEADY_MS = 120;

export function mount(root, host) {
  const at = (id) => root.querySelector(`#${id}`);
  const frame = root.matches?.(".gm-review") ? root : root.querySelector(".gm-review");
  const state = { card: null, sirets: [], busy: false, found: false, who: "", shown: 0, map: null, point: null, drawn: 0, turn: 0, zoomed: false, quiet: 0 };

  // Every question tells how large the map's box is, so that its drawing fits.
  function box() {
    const map = at("map");
    return map.clientWidth && map.clientHeight ? [map.clientWidth, map.clientHeight] : null;
  }

  const ask = (name, body) => {
    const size = box();
    return host.ask(name, size ? { ...body, size } : body);
  };

  // ---------------------------------------------------------------- answers
  // A message stands over the figures of the bar: nothing moves when it comes or goes. What went
  // well leaves by itself, what went wrong stays until something is done.
  function say(text, good) {
    clearTimeout(state.quiet);
    at("message").textContent = text;
    at("message").className = good ? "good" : "";
    at("message").hidden = !text;
    if (good) state.quiet = setTimeout(() => say(""), GOOD_MS);
  }

  const done = (told, words) => {
    show(told);
    say(words || `${told.did} · U annule`, true);
  };

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
    show(await ask("card", { filters: host.filters() }));
  }

  function show(told) {
    const card = told.card;
    state.card = card;
    progress(told.progress);
    at("desk").hidden = !card;
    at("done").hidden = Boolean(card);
    host.rest();
    if (!card) ended(told);
    if (card) {
      at("question").textContent = card.question;
      at("bulletin").innerHTML = card.bulletin;
      at("group").innerHTML = card.group;
      at("group").hidden = !card.group;
      at("alone-line").hidden = card.ids.length < 2;
      applies();
      at("note").value = "";
      at("note-line").hidden = true;
      if (!card.map) blank();
      own();
      at("left").scrollTop = 0;
      at("bulletin").scrollTop = 0;
      at("candidates").scrollTop = 0;
    }
    state.shown += 1;
    frame.dataset.shown = String(state.shown);
  }

  // Why there is no card: all done, nothing under this filter, all with others, or a pause.
  function ended(told) {
    const p = told.progress, held = p.cards_held, filtered = Object.keys(host.filters()).length > 0;
    const cards = (n) => `${n.toLocaleString("fr-FR")} fiche${n > 1 ? "s" : ""}`;
    const others = held ? `${cards(held)} ${held > 1 ? "sont" : "est"} chez d'autres gestionnaires.` : "";
    let title = "Tout est réglé", why = "Il ne reste aucune fiche à reprendre.";
    if (told.paused) [title, why] = ["En pause", "Votre fiche est rendue : un autre gestionnaire peut la prendre."];
    else if (filtered && !p.cards_left) [title, why] = ["Aucune fiche pour ce filtre", p.cards_unfiltered ? `Il en reste ${p.cards_unfiltered.toLocaleString("fr-FR")} sans filtre.` : "Sans filtre non plus : tout est réglé."];
    else if (p.cards_left) [title, why] = ["Plus rien de libre", "Ce qui reste n'est pas pour vous en ce moment."];
    at("done").querySelector("h2").textContent = title;
    at("done-why").textContent = [why, told.paused ? "" : others].filter(Boolean).join(" ");
    at("again").textContent = told.paused ? "Reprendre" : "Regarder de nouveau";
    at("no-filter").hidden = told.paused || !filtered;
  }

  // ---------------------------------------------------------------- a card of several bulletins
  const members = () => [...at("group").querySelectorAll("input[type=checkbox]")];
  const without = () => members().filter((one) => !one.checked).map((one) => one.value);

  function applies() {
    const n = state.card.ids.length, left = n - without().length;
    const words = left === n ? `s'applique à ${n} bulletins` : `s'applique à ${left} des ${n} bulletins`;
    at("applies").textContent = n > 1 ? words : `bulletin ${state.card.ids[0]}`;
    at("applies").className = n > 1 ? "many" : "";
  }

  function alone() {
    const one = without().length === 0;
    members().forEach((member, i) => { member.checked = i === 0 || !one; });
    applies();
  }

  // The card's own candidates, as opposed to those found by a search.
  function own() {
    state.point = null;
    state.found = false;
    state.zoomed = false;
    at("found").hidden = true;
    at("search").reset();
    at("search").elements.departement.value = state.card.departement;
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
    at("progress").setAttribute("aria-valuemax", Math.max(1, p.total));
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
      background.addEventListener("error", () => { background.remove(); at("no-background").hidden = false; });
    }
    state.drawn += 1;
    frame.dataset.drawn = String(state.drawn);
    fit();
  }

  // Draws the map again when its box is of another size than its drawing.
  function fit() {
    const size = box(), drawn = at("map").firstElementChild?.viewBox?.baseVal;
    if (!size || !drawn || !state.card) return;
    if (Math.abs(size[0] - drawn.width) > 1 || Math.abs(size[1] - drawn.height) > 1) redraw(state.zoomed ? state.map.window : null);
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
      const map = await ask("map", { number: card.number, sirets, window, point: state.point });
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
    state.zoomed = true;
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
      state.zoomed = true;
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
    done(await ask("verdict", { number: state.card.number, siret, note: at("note").value, without: without() }));
  });

  const skip = () => act(async () => {
    if (!state.card) return;
    done(await ask("skip", { number: state.card.number, note: at("note").value }));
  });

  const undo = () => act(async () => {
    const told = await ask("undo", {});
    done(told, `Annulé : ${told.did}`);
  });

  const pause = () => act(async () => {
    show(await ask("pause", {}));
    say("");
  });

  const day = () => act(async () => {
    at("day-told").innerHTML = (await ask("day", {})).day;
    if (!at("day").open) at("day").showModal();
  });

  const weighing = () => act(async () => {
    if (!state.card) return;
    at("weighing-told").innerHTML = (await ask("weigh", { number: state.card.number })).weighing;
    at("weighing").showModal();
  });

  const reopen = (batch) => act(async () => {
    const told = await ask("reopen", { batch });
    at("day").close();
    done(told, `Annulé : ${told.did}`);
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
      ? await ask("siret", { number, siret: name })
      : await ask("search", { number, name, street, departement: typed.departement.value, point: state.point });
    state.found = true;
    list(told);
    say("");
    const n = told.sirets.length, words = name || street;
    const some = `${n} trouvé${n > 1 ? "s" : ""}`;
    const how = words ? "par la recherche" : `à moins de ${told.within} de ce point, les plus proches d'abord`;
    const none = words ? "Rien trouvé." : `Rien au répertoire à moins de ${told.within} de ce point.`;
    at("found").firstElementChild.textContent = n ? `${some} ${how}.` : none;
    at("found").hidden = false;
  }

  function note() {
    at("note-line").hidden = false;
    at("note").focus();
  }

  function scores() {
    const on = frame.classList.toggle("scores");
    at("toggle-scores").setAttribute("aria-pressed", String(on));
  }

  const help = () => at("keys").showModal();

  // A candidate and its disc on the map light up together.
  function light(event) {
    const over = event.target.closest?.("[data-key]")?.dataset.key;
    for (const one of frame.querySelectorAll("[data-key]")) one.classList.toggle("lit", one.dataset.key === over);
  }

  const KEYS = {
    0: () => settle(null), p: skip, u: undo, n: note, s: scores, j: day, e: weighing, "?": help,
    t: () => { if (!at("alone-line").hidden) alone(); },
    "/": () => { at("search").elements.name.focus(); },
    "+": () => zoom(0.5), "-": () => zoom(2), "=": () => { state.zoomed = false; redraw(null); },
  };
  const ACTS = { none: KEYS[0], skip, undo, note, search: KEYS["/"], alone };
  const ZOOMS = { in: KEYS["+"], out: KEYS["-"], all: KEYS["="] };

  // AZERTY keyboards give "&é"'(-è_" on the digit row without shift: the place of the key counts.
  function digit(event) {
    const place = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
    if (place) return Number(place[1]);
    return /^\d$/.test(event.key) ? Number(event.key) : -1;
  }

  function pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || frame.querySelector("dialog[open]")) return;
    const typing = event.target.matches?.("input:not([type=checkbox]), select");
    if (event.key === "Escape") {
      host.rest();
      say("");
      const typed = at("search").elements;
      if (state.card && (state.found || typed.name.value || typed.street.value)) own();
      return;
    }
    if (typing) {
      if (event.key === "Enter" && event.target.id === "note") host.rest();
      return;
    }
    const chosen = digit(event);
    let run = null;
    if (event.key === "/" || event.key === "?") run = KEYS[event.key];
    else if (chosen > 0 && state.card && chosen <= state.sirets.length) run = () => settle(state.sirets[chosen - 1]);
    else if (chosen === 0) run = KEYS[0];
    else if (chosen < 0) run = KEYS[event.key.toLowerCase()];
    if (run && (state.card || [undo, day, help].includes(run))) {
      event.preventDefault();
      run();
    }
  }

  // ---------------------------------------------------------------- who and what
  async function enter(name) {
    try {
      const told = await ask("enter", { name, filters: host.filters() });
      state.who = told.who;
      at("who").textContent = told.who;
      host.name(told.who);
      show(told);
      say("");
    } catch (error) {
      if (error.message === undefined || error instanceof Error) throw error;
      askName(error.message);
    }
  }

  // The name is proposed as it was; none, or somebody else's, is asked again.
  function askName(problem = "") {
    if (!at("name").value) at("name").value = host.name() || host.proposed || "";
    at("name-refused").textContent = problem;
    at("name-refused").hidden = !problem;
    if (!at("ask-name").open) at("ask-name").showModal();
    at("name").select();
  }

  function setFilters(values) {
    host.filters(Object.fromEntries(FILTERS.filter((key) => values[key]).map((key) => [key, values[key]])));
    filtered();
    return act(reload);
  }

  function wire() {
    host.keys.addEventListener("keydown", pressed);
    new ResizeObserver(() => { clearTimeout(state.steady); state.steady = setTimeout(fit, STEADY_MS); }).observe(at("map"));
    for (const id of ["candidates", "map"]) {
      at(id).addEventListener("pointerover", light);
      at(id).addEventListener("pointerleave", light);
    }
    at("candidates").addEventListener("focusin", light);
    at("group").addEventListener("change", applies);
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
    at("who").addEventListener("click", () => { at("name").value = state.who; askName(); });
    at("pause").addEventListener("click", pause);
    at("open-day").addEventListener("click", day);
    at("open-keys").addEventListener("click", help);
    at("day-told").addEventListener("click", (event) => {
      const button = event.target.closest("button[data-batch]");
      if (button) reopen(button.dataset.batch);
    });
    at("no-filter").addEventListener("click", () => { at("filters").reset(); setFilters({}); });
    at("again").addEventListener("click", () => act(reload));
    at("undo-last").addEventListener("click", undo);
    at("ask-name").addEventListener("close", () => enter(at("name").value.trim()));
    at("ask-name").addEventListener("cancel", (event) => { if (!state.who) event.preventDefault(); });
    at("open-filters").addEventListener("click", () => filters(at("filters").hidden));
    at("filters").addEventListener("submit", (event) => {
      event.preventDefault();
      filters(false);
      setFilters(Object.fromEntries(new FormData(at("filters"))));
    });
    at("clear-filters").addEventListener("click", () => { at("filters").reset(); filters(false); setFilters({}); });
  }

  function filters(open) {
    at("filters").hidden = !open;
    at("open-filters").setAttribute("aria-expanded", String(open));
  }

  // The button says that a filter is on.
  function filtered() {
    const values = Object.values(host.filters());
    at("open-filters").textContent = values.length ? `Filtre : ${values.join(", ")}` : "Filtrer";
    at("open-filters").classList.toggle("on", values.length > 0);
  }

  for (const [key, value] of Object.entries(host.filters())) at("filters").elements[key].value = value;
  filtered();
  wire();
  if (host.name()) enter(host.name()); else askName();
  return () => host.keys.removeEventListener("keydown", pressed);
}
