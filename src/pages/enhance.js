// What a page gains from a script; without it every page reads and every form works.
(() => {
  const doc = document;
  const all = (selector, root = doc) => [...root.querySelectorAll(selector)];

  // A form's own `id` is its field of that name, where it has one.
  const idOf = (node) => node.nodeType === 1 && node.getAttribute("id") || "";

  // Makes `from` what `to` is, and leaves alone what already is so: focus, selection and scroll stay.
  const morph = (from, to) => {
    if (from.nodeName !== to.nodeName || idOf(from) !== idOf(to)) {
      return from.replaceWith(to.cloneNode(true));
    }
    if (from.nodeType !== 1) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    for (const { name } of [...from.attributes]) {
      // What the reader opened stays open.
      if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
    }
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    const then = [...to.childNodes],
      known = new Map([...from.childNodes].map((child) => [idOf(child), child]));
    then.forEach((node, i) => {
      const at = from.childNodes[i], own = idOf(node) && known.get(idOf(node)) || at;
      // A row that has moved takes along what was ticked in it.
      if (own !== at) from.insertBefore(own, at);
      own ? morph(own, node) : from.append(node.cloneNode(true));
    });
    while (from.childNodes.length > then.length) from.lastChild.remove();
  };
  const parse = (html, tag) => {
    const template = doc.createElement("template");
    template.innerHTML = html;
    return tag === undefined ? template.content : [...template.content.querySelectorAll(tag)];
  };

  const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const span = (seconds) => {
    const at = Math.max(0, UNITS.findIndex(([size]) => seconds >= size));
    const [size, unit] = seconds < 1 ? [1, "s"] : UNITS[at];
    const whole = Math.floor(seconds / size);
    const rest = UNITS[at + 1] && seconds >= 60 ? Math.floor((seconds - whole * size) / UNITS[at + 1][0]) : 0;
    return whole + unit + (rest > 0 ? " " + rest + UNITS[at + 1][1] : "");
  };
  // The server's clock counts, not this machine's.
  const skew = Date.now() - Date.parse(doc.documentElement.dataset.now);
  const tick = () => {
    for (const time of all("time[data-tick]")) {
      const seconds = (Date.parse(time.dateTime) - Date.now() + skew) / 1000;
      const text = seconds > 0 ? "in " + span(seconds) : span(-seconds) + " ago";
      if (time.textContent !== text) time.textContent = text;
    }
  };
  setInterval(tick, 1000);

  // One stream a tab, and none while nobody looks: a browser has six connections to a host.
  let source = null, paused = false;
  const stale = doc.querySelector("[data-stale-bar]");
  const lost = () => {
    if (doc.body.dataset.stale === undefined) {
      stale.querySelector("time").textContent = new Date().toLocaleTimeString();
    }
    doc.body.dataset.stale = "";
    stale.hidden = false;
    if (source && source.readyState === 2) {
      stop();
      again();
    }
  };
  // A browser gives up on an answer that is no stream. Whoever is signed out here sees no more of the page; all else is tried again.
  const again = async () => {
    const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
    if (answer && answer.status === 401) location.reload();
    else setTimeout(start, 5000);
  };
  const stop = () => {
    if (source) source.close();
    source = null;
  };
  const start = () => {
    if (source || paused || doc.hidden || !doc.querySelector("[data-region]")) return;
    source = new EventSource(location.pathname + location.search);
    source.onopen = () => {
      delete doc.body.dataset.stale;
      stale.hidden = true;
    };
    source.onerror = lost;
    // What comes is of another build than this page: it goes with another style and script.
    source.addEventListener("build", ({ data }) => {
      if (JSON.parse(data) !== doc.documentElement.dataset.build) location.reload();
    });
    source.addEventListener("patch", ({ data }) => {
      const held = doc.activeElement;
      for (const fresh of parse(JSON.parse(data)).children) {
        const region = doc.getElementById(fresh.id);
        if (region) morph(region, fresh);
      }
      ready();
      // A row that is moved loses the focus.
      if (doc.activeElement !== held) held.focus({ preventScroll: true });
    });
    source.addEventListener("rows", ({ data }) => {
      const body = doc.querySelector("[data-rows]");
      if (!body) return;
      const { html, missed } = JSON.parse(data);
      const rows = parse("<table><tbody>" + html + "</tbody></table>", "tr");
      body.prepend(...rows.filter((row) => !doc.getElementById(row.id)));
      const most = Number(body.dataset.rows);
      while (body.rows.length > most) body.deleteRow(-1);
      const note = doc.querySelector("[data-missed]");
      if (note && missed > 0) {
        note.dataset.missed = Number(note.dataset.missed) + missed;
        note.textContent = note.dataset.missed +
          " went by too fast to be shown here; reload to page through them.";
      }
      const empty = doc.querySelector("[data-empty]");
      if (empty) empty.hidden = true;
      body.closest(".scroll").hidden = false;
    });
  };
  doc.addEventListener("visibilitychange", () => doc.hidden ? stop() : start());
  addEventListener("pagehide", stop);
  addEventListener("pageshow", start);

  const pause = doc.querySelector("[data-pause]");
  const toggle = () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", paused);
    paused ? stop() : start();
  };
  if (pause) pause.addEventListener("click", toggle);

  doc.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const from = button.dataset.copy;
    const text = from.startsWith("#") ? doc.querySelector(from).textContent : from;
    const say = (word) => {
      const before = button.dataset.word ??= button.textContent;
      button.textContent = word;
      setTimeout(() => button.textContent = before, 1500);
    };
    navigator.clipboard.writeText(text).then(() => say("copied"), () => say("can't copy"));
  });

  // Where to go, while it is typed: what fits is below, and the arrows lead there.
  const find = doc.querySelector("[data-find]");
  const found = doc.querySelector("[data-found]");
  let asked = 0;
  const look = async () => {
    const to = find.value.trim(), turn = ++asked;
    const answer = to && await fetch(find.dataset.find + "?to=" + encodeURIComponent(to)).catch(() => null);
    const html = answer && answer.ok ? await answer.text() : "";
    // An answer that comes late is to another question.
    if (turn !== asked) return;
    found.replaceChildren(parse(html));
    found.hidden = html === "";
  };
  if (find) {
    let wait;
    find.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(look, 100);
    });
    find.form.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") {
        found.hidden = true;
        doc.activeElement.blur();
      } else if (by) {
        event.preventDefault();
        const stops = [find, ...all("a", found)];
        stops[stops.indexOf(doc.activeElement) + by]?.focus();
      }
    });
    find.form.addEventListener("focusout", ({ relatedTarget }) => {
      if (!find.form.contains(relatedTarget)) found.hidden = true;
    });
    find.addEventListener("focus", look);
  }

  doc.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-all]")) return;
    for (const box of all("td > [type=checkbox]", target.closest("table"))) box.checked = target.checked;
  });

  const keys = doc.querySelector("[data-keys]");
  doc.querySelector("[data-ask-keys]").addEventListener("click", () => keys.showModal());
  const move = (by) => {
    const rows = all("[data-row]").filter((row) => row.offsetParent !== null);
    const at = rows.indexOf(doc.activeElement);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (next) next.focus();
  };
  const ACTIONS = {
    "/": () => doc.querySelector("[data-filter]")?.focus(),
    k: () => find?.focus(),
    "?": () => keys.open ? keys.close() : keys.showModal(),
    j: () => move(1),
    J: () => move(-1),
    p: () => pause && toggle(),
    y: () => doc.activeElement.closest("tr")?.querySelector("[data-copy]")?.click(),
  };
  doc.addEventListener("keydown", (event) => {
    if (event.key === "k" && (event.ctrlKey || event.metaKey) && find) {
      event.preventDefault();
      find.select();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const act = Object.hasOwn(ACTIONS, event.key) ? ACTIONS[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });

  // A region that scrolls can be reached by keyboard, and is no stop where it does not.
  const ready = () => {
    for (const box of all(".scroll, pre")) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      scrolls ? box.tabIndex = 0 : box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", ready);
  ready();
  start();
})();
