"use strict";
/* Keeps a tab honest: when its connection ends it shows Podium's own words, never Streamlit's.

   Streamlit, cut off, pings its server with growing pauses and shows texts about connections. Its
   pings are held here until the server answers again, so it goes on within a second of that; and
   where the session or the environment has ended, the page is loaded again, and the answer is the
   page to log in or the environment's door. */
(() => {
  const script = document.currentScript;
  const base = new URL(script.src).pathname.replace(/\/_podium\/tab\.js$/, "");
  const alive = `${base}/_podium/alive`;
  const ended = [401, 403, 404, 409, 410];
  const held = [401, 403, 409, 410, 502, 503, 504];
  const PAUSE = 500;
  const PATIENCE = 4000;
  const AGAIN = 30000;
  const SOON = 3000;
  const LEAVING = 5000;
  const realFetch = window.fetch.bind(window);
  const RealWebSocket = window.WebSocket;
  let atFirst = null;
  let reloading = false;
  let leaving = 0;

  const hidden = document.createElement("style");
  hidden.textContent = '[data-testid="stConnectionStatus"], .stConnectionStatus { display: none !important; }';
  document.documentElement.append(hidden);

  const pause = () => new Promise((done) => setTimeout(done, PAUSE));

  /* The status of /_podium/alive, or 0 where nothing answers. */
  const ask = async () => {
    try {
      const answer = await realFetch(alive, { cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
      return answer.status;
    } catch {
      return 0;
    }
  };

  /* What a fresh page is told; a page of the hub that needs no login stays as it is. */
  const first = ask().then((status) => {
    atFirst = status;
  });

  const overlay = {
    shown: null,
    timer: null,
    show() {
      if (this.shown || this.timer) return;
      this.timer = setTimeout(() => this.draw(), 700);
    },
    draw() {
      if (!document.body) return;
      const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
      const box = document.createElement("div");
      box.id = "podium-away";
      box.setAttribute("role", "alert");
      box.style.cssText = `position:fixed;inset:0;z-index:2147483647;visibility:visible;display:grid;place-items:center;padding:1rem;
        font:1rem/1.5 system-ui,sans-serif;background:${dark ? "#10141fe6" : "#fbfcfee6"};color:${dark ? "#e6eaf4" : "#0f172a"}`;
      const text = document.createElement("p");
      text.style.cssText = `margin:0;max-width:30rem;padding:1.5rem 2rem;border-radius:.6rem;
        border:1px solid ${dark ? "#2c3449" : "#d9dfeb"};background:${dark ? "#181e2d" : "#f0f3f9"}`;
      const strong = document.createElement("strong");
      strong.textContent = "Podium is restarting…";
      text.append(strong, document.createElement("br"), "What runs goes on running. This page continues by itself.");
      box.append(text);
      document.body.append(box);
      this.shown = box;
    },
    hide() {
      clearTimeout(this.timer);
      this.timer = null;
      if (this.shown) this.shown.remove();
      this.shown = null;
    },
  };

  /* A tab that has just posted a form, to log out say, is left to get its answer: loading the page anew would cancel it. */
  const reload = async () => {
    while (Date.now() - leaving < LEAVING) await pause();
    reloading = true;
    location.reload();
    return new Promise(() => {});
  };

  /* Returns when the server answers again; loads the page anew where there is nothing to go back to. */
  const untilBack = async () => {
    await first;
    for (;;) {
      const status = await ask();
      if (status === 204 || (status && status === atFirst && ended.includes(status))) return;
      if (ended.includes(status)) return reload();
      overlay.show();
      await pause();
    }
  };

  const loadedAnew = () => Date.now() - Number(sessionStorage.getItem("podium.reloaded"));
  const loadAnew = () => {
    sessionStorage.setItem("podium.reloaded", String(Date.now()));
    document.documentElement.style.visibility = "hidden";
    untilBack().then(reload);
  };

  /* A piece of the page that did not come is never asked for again: only loading the page anew brings it.
     Where that did not help either, the page stays as it is. */
  window.addEventListener("vite:preloadError", () => {
    if (loadedAnew() >= AGAIN) loadAnew();
  });

  /* Without its first script there is no page at all, so there is nothing to lose by trying for as long as it takes. */
  const isFirstScript = (element) => element instanceof HTMLScriptElement && element.type === "module";
  window.addEventListener("error", (event) => isFirstScript(event.target) && setTimeout(loadAnew, loadedAnew() < AGAIN ? SOON : 0), true);

  const isPing = (input) => {
    const address = typeof input === "string" ? input : input.url || String(input);
    return /\/_stcore\/(health|host-config)$/.test(address.split("?")[0]);
  };

  /* Streamlit's ping, held until it succeeds. Its own time limit would only make it say so. A 404 is no
     silence: on a page's address Streamlit first asks below the page's own path, then at the root. */
  window.fetch = async (input, init) => {
    if (!isPing(input)) return realFetch(input, init);
    for (;;) {
      try {
        const answer = await realFetch(input, { ...init, signal: undefined });
        if (answer.ok || !held.includes(answer.status)) return answer;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      if (reloading) return new Promise(() => {});
      overlay.show();
      await pause();
      await untilBack();
    }
  };

  window.WebSocket = class extends RealWebSocket {
    constructor(...given) {
      super(...given);
      if (!/\/_stcore\/stream(\?|$)/.test(this.url)) return;
      this.addEventListener("open", () => overlay.hide());
      this.addEventListener("close", () => {
        if (!reloading) untilBack();
      });
    }
  };

  window.addEventListener("beforeunload", () => {
    leaving = Date.now();
  });

  /* A tab that leaves closes its socket; that is no reason to look for the way back. */
  window.addEventListener("pagehide", () => {
    reloading = true;
  });
  window.addEventListener("pageshow", () => {
    reloading = false;
  });
})();
