// The desk on a page of its own: acts go to the server, the name stays in the browser.
import { mount } from "./desk.js";

const NO_ANSWER = "Le serveur ne répond plus. Vos choix sont enregistrés ; relancez « geomatch review » et rouvrez l'adresse affichée.";
const QUERY = ["departement", "type", "pmin", "pmax"];

async function ask(name, body) {
  let answer;
  try {
    answer = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw { status: 0, message: NO_ANSWER };
  }
  const told = await answer.json();
  if (!answer.ok) throw { status: answer.status, message: told.error };
  return told;
}

function address(query) {
  history.replaceState(null, "", query.size ? `/?${query}` : "/");
}

function filters(values) {
  if (values !== undefined) address(new URLSearchParams(values));
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(QUERY.filter((key) => query.get(key)).map((key) => [key, query.get(key)]));
}

function name(value) {
  try {
    if (value === undefined) return localStorage.getItem("geomatch-name") || "";
    localStorage.setItem("geomatch-name", value);
  } catch { /* a browser that keeps nothing: the name is asked again */ }
  return "";
}

const query = new URLSearchParams(location.search);
if (query.has("token")) {
  query.delete("token"); // the cookie stands for it from now on
  address(query);
}
mount(document.getElementById("review"), {
  ask, filters, name, proposed: document.getElementById("review").dataset.name, keys: document, rest: () => document.activeElement?.blur(),
});
