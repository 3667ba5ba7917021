// Renews the board at every change and once a minute, and says where it cannot. Nothing moves or turns by itself.
(() => {
  "use strict";
  const show = (name, shown) => { document.querySelector(`[data-${name}]`).hidden = !shown; };
  let version;
  let renewedAt = Date.now();
  let busy = false;
  let again = false;
  let stream;
  const signedOut = () => {
    stream?.close();
    stream = undefined;
    show("signed-out", true);
  };
  const renew = async () => {
    // What changes while an answer is under way is in none yet.
    again = busy;
    if (busy) return;
    busy = true;
    try {
      // With this header the desk answers 204 to whoever is signed out, where a page would be sent to the sign-in.
      const answer = await fetch(location.href, { headers: { "HX-Request": "true", Accept: "text/html" } });
      if (answer.status === 204) return signedOut();
      if (!answer.ok) throw new Error(String(answer.status));
      const board = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#board");
      if (!board) return signedOut();
      document.querySelector("#board").replaceWith(board);
      renewedAt = Date.now();
      show("no-answer", false);
    } catch {
      show("no-answer", true);
    } finally {
      busy = false;
      if (again) renew();
    }
  };
  const connect = () => {
    stream = new EventSource(document.body.dataset.changes);
    stream.addEventListener("state", (event) => {
      const state = JSON.parse(event.data);
      if (version !== state.version || Date.now() - renewedAt > 60000) renew();
      version = state.version;
    });
    stream.addEventListener("error", () => {
      // A browser ends a stream for good that is answered by a page, as after the end of the session.
      renew();
      if (stream?.readyState === EventSource.CLOSED) {
        stream.close();
        setTimeout(() => { if (document.querySelector("[data-signed-out]").hidden) connect(); }, 10000);
      }
    });
  };
  connect();
  addEventListener("pagehide", () => stream?.close());
})();
