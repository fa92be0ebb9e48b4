// Browsers start no worker on pages opened from disk, and the search of this site is one: there it
// runs in a hidden frame of the page instead.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.addEventListener("load", () => this.start(url), { once: true });
      document.documentElement.append(this.frame);
    }
    start(url) {
      const inside = this.frame.contentWindow;
      if (!inside) return;
      inside.postMessage = (data) => this.later(this, data);
      const script = inside.document.createElement("script");
      script.src = url;
      script.onload = () => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.postMessage(data));
      };
      script.onerror = (event) => this.onerror?.(event);
      inside.document.documentElement.append(script);
    }
    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.later(this.frame.contentWindow, data);
    }
    later(to, data) {
      const message = new MessageEvent("message", { data: structuredClone(data) });
      setTimeout(() => to?.onmessage?.(message));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
