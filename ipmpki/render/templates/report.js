"use strict";
(() => {
  const rows = [...document.querySelectorAll(".hosts tbody tr")];

  // The report tells of the day it was written; the reader may open it much later, and leave it open for long.
  const since = document.getElementById("since");
  const list = document.getElementById("next-update");
  const standing = (moment) => {
    const expired = rows.filter((row) => row.dataset.until && row.dataset.until <= moment).length;
    const due = rows.filter((row) => row.dataset.renew && row.dataset.renew <= moment).length - expired;
    const late = rows.filter((row) => (row.dataset.install || "9")[0] < "2" && row.dataset.install.slice(1) <= moment.slice(0, 10)).length;
    const said = [];
    if (expired) said.push(`${expired} ${expired === 1 ? "certificate has" : "certificates have"} expired`);
    if (due) said.push(`${due} ${due === 1 ? "certificate is" : "certificates are"} due for renewal`);
    if (late) said.push(`${late} ${late === 1 ? "host has" : "hosts have"} not installed in time`);
    if (list && list.dateTime <= moment) said.push("the revocation list has run out");
    return said.join("; ");
  };
  const then = standing(since.dataset.asOf);
  let told = "";
  const compare = () => {
    const today = standing(new Date().toISOString());
    if (today === told) return;
    told = today;
    since.hidden = !today || today === then;
    const line = document.createElement("p");
    line.textContent = `▲ By this computer’s clock, today ${today}. Build again, and install the folders that changed.`;
    since.replaceChildren(...(since.hidden ? [] : [line]));
  };
  compare();

  // Days left, as of today rather than of the day of the report.
  const left = (moment) => {
    const away = Date.parse(moment) - Date.now();
    const number = Math.floor(Math.abs(away) / 86400000);
    if (away <= 0 && !number) return "today";
    return `${number} ${number === 1 ? "day" : "days"} ${away <= 0 ? "ago" : "left"}`;
  };
  const count_days = () => {
    for (const one of document.querySelectorAll(".left")) one.textContent = left(one.dataset.until);
    for (const row of rows) {
      if (!row.dataset.until) continue;
      const times = row.cells[2].querySelectorAll(":scope > time");
      times[times.length - 1].nextSibling.textContent = `, ${left(row.dataset.until)}`;
    }
  };
  const is_older = since.dataset.asOf && since.dataset.asOf.slice(0, 10) !== new Date().toISOString().slice(0, 10);
  if (is_older) addEventListener("load", () => setTimeout(count_days));
  setInterval(compare, 3600000);
  document.addEventListener("visibilitychange", compare);

  // Places of a mistake are printed though they are folded away; a host's details, which fill a book where there
  // are many, only if the reader has unfolded them.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll(".problem details:not([open])")];
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
  });

  const tools = document.getElementById("tools");
  if (!tools || rows.length < 2) return;
  const [filter, state, installed, order, found, parts] = ["filter", "state", "installed", "order", "found", "parts"].map(
    (id) => document.getElementById(id),
  );
  const tables = [...document.querySelectorAll(".hosts")];
  const count = rows.length.toLocaleString("en");
  const words = (cell) => cell.querySelector(".status").textContent.slice(2);
  const index = () => rows.map((row, place) => ({
    row,
    place,
    table: row.closest("table"),
    group: row.closest("table").dataset.group,
    name: row.cells[0].firstChild.textContent,
    system: row.cells[1].textContent,
    install: row.dataset.install,
    published: row.dataset.published || "",
    state: words(row.cells[2]),
    installed: words(row.cells[3]),
    text: "",
  }));
  let entries = null; // read off the page at the first use, so that a long page opens fast
  const collator = new Intl.Collator("en", { numeric: true });
  const plain = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  const orders = {
    until: () => 0, // the order they stand in
    name: (one, other) => collator.compare(one.name, other.name),
    system: (one, other) => plain(one.system, other.system),
    install: (one, other) => plain(one.install, other.install),
    published: (one, other) => plain(other.published, one.published),
  };
  const columns = ["name", "system", "until", "install", "published"];
  const titles = { until: "first to end", name: "name", system: "system", install: "first to install", published: "newest folder" };
  let sorted = { key: "until", backwards: false };

  const tell = (shown) => {
    const hosts = shown === rows.length ? `${count} hosts` : `${shown.toLocaleString("en")} of ${count} hosts`;
    found.textContent = `${hosts}, by ${titles[sorted.key]}${sorted.backwards ? ", backwards" : ""}`;
  };

  const show = () => {
    entries ??= index();
    const wanted = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    const filled = new Set();
    for (const entry of entries) {
      if (wanted.length && !entry.text) entry.text = entry.row.textContent.toLowerCase();
      const fits = (!state.value || entry.state === state.value)
        && (!installed.value || entry.installed === installed.value)
        && wanted.every((word) => entry.text.includes(word));
      if (entry.row.hidden === fits) entry.row.hidden = !fits;
      if (fits) {
        shown += 1;
        filled.add(entry.table);
      }
    }
    for (const table of tables) table.parentElement.hidden = !filled.has(table);
    if (parts) parts.hidden = shown < rows.length || sorted.key !== "until" || sorted.backwards;
    tell(shown);
  };

  // What fails already stays first, and servers before clients; each table keeps its number of rows.
  const arrange = (key, backwards) => {
    entries ??= index();
    sorted = { key, backwards };
    order.value = key;
    const by = (one, other) => (orders[key](one, other) || one.place - other.place) * (backwards ? -1 : 1);
    for (const name of new Set(tables.map((table) => table.dataset.group))) {
      const group = entries.filter((entry) => entry.group === name).sort(by);
      const places = tables.filter((table) => table.dataset.group === name);
      const sizes = places.map((table) => table.tBodies[0].rows.length);
      let from = 0;
      places.forEach((table, part) => {
        const own = group.slice(from, from + sizes[part]);
        from += sizes[part];
        for (const entry of own) entry.table = table;
        table.tBodies[0].replaceChildren(...own.map((entry) => entry.row));
      });
    }
    mark();
    show();
  };

  const headings = tables.flatMap((table) => [...table.tHead.rows[0].cells]);
  const mark = () => {
    headings.forEach((heading, place) => {
      if (columns[place % columns.length] !== sorted.key) heading.removeAttribute("aria-sort");
      else heading.setAttribute("aria-sort", sorted.backwards ? "descending" : "ascending");
    });
  };
  for (const heading of headings) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
  }
  document.getElementById("hosts").addEventListener("click", (event) => {
    const heading = event.target.closest("thead th");
    if (!heading) return;
    const key = columns[heading.cellIndex];
    arrange(key, sorted.key === key && !sorted.backwards);
  });

  // A link to a host leads there even where the filter has hidden it.
  const reveal = () => {
    const row = document.getElementById(location.hash.slice(1));
    if (!row || !row.hidden) return;
    tools.reset();
    order.value = sorted.key;
    show();
    row.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  let pending = 0;
  filter.addEventListener("input", () => {
    clearTimeout(pending);
    pending = setTimeout(show, 120);
  });
  for (const choice of [state, installed]) choice.addEventListener("change", show);
  order.addEventListener("change", () => arrange(order.value, false));
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.hidden = false;
  tools.reset(); // what a browser remembers of the last visit
  mark();
  tell(rows.length);
})();
