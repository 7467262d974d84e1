"use strict";
(() => {
  const now = new Date().toISOString();
  const rows = [...document.querySelectorAll(".hosts tbody tr")];

  // The report tells of the day it was written; the reader may open it much later.
  const since = document.getElementById("since");
  const list = document.getElementById("next-update");
  const standing = (moment) => {
    const expired = rows.filter((row) => row.dataset.until && row.dataset.until <= moment).length;
    const due = rows.filter((row) => row.dataset.renew && row.dataset.renew <= moment).length - expired;
    const said = [];
    if (expired) said.push(`${expired} ${expired === 1 ? "certificate has" : "certificates have"} expired`);
    if (due) said.push(`${due} ${due === 1 ? "certificate is" : "certificates are"} due for renewal`);
    if (list && list.dateTime <= moment) said.push("the revocation list has run out");
    return said.join("; ");
  };
  const today = standing(now);
  if (today && today !== standing(since.dataset.asOf)) {
    const line = document.createElement("p");
    line.textContent = `▲ By this computer’s clock, today ${today}. Build again, and install the folders that changed.`;
    since.append(line);
    since.hidden = false;
  }

  const tools = document.getElementById("tools");
  if (!tools || rows.length < 2) return;
  const [filter, state, order, found] = ["filter", "state", "order", "found"].map((id) => document.getElementById(id));
  const tables = [...document.querySelectorAll(".hosts")];
  const index = () => rows.map((row, place) => ({
    row,
    place,
    table: row.closest("table"),
    server: row.cells[1].textContent.startsWith("Server"),
    name: row.cells[0].firstChild.textContent,
    until: row.dataset.until || "9",
    published: row.dataset.published || "",
    word: row.querySelector(".status").textContent.slice(2),
    text: "",
  }));
  let entries = null; // read off the page at the first use, so that a long page opens fast
  const orders = {
    "": (one, other) => one.place - other.place,
    name: (one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0),
    until: (one, other) => (one.until < other.until ? -1 : one.until > other.until ? 1 : one.place - other.place),
    published: (one, other) => (one.published > other.published ? -1 : one.published < other.published ? 1 : one.place - other.place),
  };

  const tell = (shown) => {
    const all = rows.length.toLocaleString("en");
    found.textContent = shown === rows.length ? `${all} hosts` : `${shown.toLocaleString("en")} of ${all} hosts`;
  };

  const show = () => {
    entries ??= index();
    const wanted = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    const filled = new Set();
    for (const entry of entries) {
      if (wanted.length && !entry.text) entry.text = entry.row.textContent.toLowerCase();
      const fits = (!state.value || entry.word === state.value) && wanted.every((word) => entry.text.includes(word));
      if (entry.row.hidden === fits) entry.row.hidden = !fits;
      if (fits) {
        shown += 1;
        filled.add(entry.row.closest("table"));
      }
    }
    for (const table of tables) table.parentElement.hidden = !filled.has(table);
    tell(shown);
  };

  // Servers stay before clients; each table keeps its number of rows.
  const arrange = () => {
    entries ??= index();
    for (const server of [true, false]) {
      const sorted = entries.filter((entry) => entry.server === server).sort(orders[order.value]);
      const places = [...new Set(entries.filter((entry) => entry.server === server).map((entry) => entry.table))];
      const size = places.length ? Math.max(...places.map((table) => table.tBodies[0].rows.length)) : 0;
      places.forEach((table, part) => {
        table.tBodies[0].append(...sorted.slice(part * size, (part + 1) * size).map((entry) => entry.row));
      });
    }
    show();
  };

  let pending = 0;
  filter.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(show, 120);
  });
  state.addEventListener("change", show);
  order.addEventListener("change", arrange);
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  tell(rows.length);
})();
