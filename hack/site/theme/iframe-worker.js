// The search runs in a worker, and browsers start none from a file. There it runs in a hidden frame
// instead, so that the site can be read from a folder.
(() => {
  if (location.protocol !== "file:") {
    return;
  }

  window.Worker = class extends EventTarget {
    #frame = document.createElement("iframe");
    #inner;
    #started;

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      this.#inner = this.#frame.contentWindow;
      // A document that is written stays; the empty one that a frame begins with may be replaced.
      this.#inner.document.open();
      this.#inner.document.write("<!doctype html><title>Search</title><body></body>");
      this.#inner.document.close();
      // As with a worker, messages are copies, and come after what the sender is in the middle of.
      this.#inner.postMessage = (data) => {
        const copy = structuredClone(data);
        setTimeout(() => this.#answer(copy));
      };
      this.#inner.importScripts = (...urls) =>
        urls.reduce((before, next) => before.then(() => this.#load(next)), Promise.resolve());
      this.#started = this.#load(url);
    }

    postMessage(data) {
      const copy = this.#inner.structuredClone(data);
      this.#started.then(() => setTimeout(() => this.#ask(copy)));
    }

    terminate() {
      this.#frame.remove();
    }

    #ask(data) {
      this.#inner.dispatchEvent(new this.#inner.MessageEvent("message", { data }));
    }

    #answer(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      this.onmessage?.(event);
    }

    #load(url) {
      return new Promise((resolve, reject) => {
        const script = this.#inner.document.createElement("script");
        script.src = url;
        script.onload = resolve;
        script.onerror = reject;
        this.#inner.document.body.append(script);
      });
    }
  };
})();
