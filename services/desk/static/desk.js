// Keys, live counters and the age of the data. Every page also works without this script.
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => rows().findIndex((row) => row.getAttribute("aria-current") === "true");
  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = current();
    const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1);
    if (at >= 0) all[at].removeAttribute("aria-current");
    all[next].setAttribute("aria-current", "true");
    all[next].querySelector("[data-open]")?.focus();
  };
  const inRow = (selector) => rows()[current()]?.querySelector(selector);
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    o: () => inRow("[data-open]")?.click(),
    x: () => inRow("input[type=checkbox]")?.click(),
    "/": () => document.querySelector("[data-search]")?.select(),
    "?": () => { location.href = document.body.dataset.help; },
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !document.body.dataset.help) return;
    if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  const changes = document.body.dataset.changes;
  if (!changes) return;
  let version;
  let waiting = false;
  let renewedAt = -Infinity;
  // A burst of events renews the list once, constant changes every five seconds: hundreds of open pages share one desk.
  const renewList = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      renewedAt = performance.now();
      const list = document.querySelector("#cases");
      // Replaced under a hand, a list would lose what is ticked, or the row that has the keys.
      if (!list || list.querySelector("input:checked") || list.contains(document.activeElement)) return;
      htmx.ajax("GET", location.href, { target: list, select: "#cases", swap: "outerHTML" });
    }, Math.max(300, renewedAt + 5000 - performance.now()));
  };
  // A page that waits for a case looks again at every change, and after its pause in case the change came before the stream.
  const pending = document.querySelector("[data-waits]");
  const lookAgain = () => { if (pending) location.replace(pending.dataset.waits); };
  if (pending) setTimeout(lookAgain, 1000 * pending.dataset.pause);
  let stream;
  const follow = (pause) => {
    stream = new EventSource(changes);
    stream.addEventListener("state", (event) => {
      pause = 3000;
      const state = JSON.parse(event.data);
      for (const element of document.querySelectorAll("[data-as-of]")) element.textContent = state.as_of;
      for (const element of document.querySelectorAll("[data-count]")) {
        const count = state.counts[element.dataset.count];
        if (count !== undefined && element.textContent !== String(count)) element.textContent = count;
      }
      if (version !== undefined && state.version !== version) {
        renewList();
        lookAgain();
      }
      version = state.version;
    });
    stream.addEventListener("error", () => {
      // A browser opens a stream again that broke, but never one that was refused, as by a proxy while the desk is restarted.
      if (stream.readyState === EventSource.CLOSED) setTimeout(follow, pause * (1 + Math.random()), Math.min(2 * pause, 60000));
    });
  };
  follow(3000);
  addEventListener("pagehide", () => stream.close());
})();
