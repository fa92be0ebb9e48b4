// The desk in a notebook cell: acts go to the kernel. Follows desk.js in one module.
const SILENT_MS = 30000;
const KERNEL_GONE = "Le noyau ne répond plus. Vos choix sont enregistrés ; relancez le noyau et cette cellule.";

function render({ model, el }) {
  // A shadow root: neither the notebook's style nor its keys reach the desk.
  const box = document.createElement("div");
  box.className = "gm-notebook";
  box.setAttribute("data-lm-suppress-shortcuts", "true");
  el.append(box);
  const root = box.attachShadow({ mode: "open" });
  root.innerHTML = `<style>${model.get("_style")}</style><div class="gm-review boxed" tabindex="0">${model.get("_desk")}</div>`;
  const frame = root.querySelector(".gm-review");

  const waiting = new Map();
  let asked = 0;
  // what is kept in the model is there again when the notebook is opened again
  const kept = (trait) => (value) => {
    if (value !== undefined) { model.set(trait, value); model.save_changes(); }
    return model.get(trait);
  };
  const answered = (told) => {
    const one = waiting.get(told.number);
    if (!one) return;
    waiting.delete(told.number);
    clearTimeout(one.timer);
    if (told.error) one.reject({ status: told.status, message: told.error });
    else one.resolve(told.answer);
  };
  model.on("msg:custom", answered);

  const view = Math.random().toString(36).slice(2);
  function ask(name, body) {
    return new Promise((resolve, reject) => {
      const number = `${view}-${(asked += 1)}`;
      const timer = setTimeout(() => answered({ number, status: 0, error: KERNEL_GONE }), SILENT_MS);
      waiting.set(number, { resolve, reject, timer });
      try {
        model.send({ number, name, body });
      } catch {
        answered({ number, status: 0, error: KERNEL_GONE });
      }
    });
  }

  const unmount = mount(root, {
    ask,
    filters: kept("filters"),
    name: kept("who"),
    keys: frame,
    rest: () => frame.focus({ preventScroll: true }),
  });
  // keys that the desk does not know must not reach the notebook either
  frame.addEventListener("keydown", (event) => event.stopPropagation());
  return () => {
    unmount();
    model.off("msg:custom", answered);
  };
}

export default { render };
