// One page of a table at a time: the kernel sorts, filters, searches and draws; this shows and asks.
// Text enters the page as textContent only.
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function render({ model, el }, { asked, held }) {
  const about = model.get("about");
  Object.assign(asked, model.get("asked")); // a page opened again goes on where the reader was
  let timer = null;

  function ask(change, wait) {
    if (!("page" in change)) {
      asked.question += 1;
      held.clear();
    }
    Object.assign(asked, { page: 0, ...change });
    asked.serial += 1; // at once: a key that comes before this is sent is another question
    asked.held = !asked.chosen && held.has(asked.page);
    el.dataset.asked = String(asked.serial);
    clearTimeout(timer);
    timer = setTimeout(() => {
      model.set("asked", JSON.parse(JSON.stringify(asked)));
      model.save_changes();
    }, wait || 0);
  }

  function leaf(page) {
    ask({ page });
    if (asked.held) draw({ ...model.get("shown"), rows: held.get(page), page, serial: asked.serial, error: "" }); // the answer will say the same
  }

  function keep(page, rows) {
    held.set(page, rows);
    for (const one of [...held.keys()]) if (Math.abs(one - asked.page) > about.near) held.delete(one);
  }

  function button(text, act, name) {
    const made = element("button", { type: "button", ...(name ? { "data-act": name } : {}) }, text);
    made.addEventListener("click", act);
    return made;
  }

  function box(label, key, hint) {
    const input = element("input", { type: "text", placeholder: hint, "data-ask": key, spellcheck: "false", autocomplete: "off" });
    input.value = asked[key];
    input.addEventListener("input", () => ask({ [key]: input.value }, 300));
    for (const kind of ["keydown", "keyup", "keypress"]) input.addEventListener(kind, (event) => event.stopPropagation()); // not the notebook's shortcuts
    return element("label", {}, label, input);
  }

  const sort = element("select", { "data-ask": "sort" }, element("option", { value: "" }, "table's order"));
  for (const [name, label] of about.columns) sort.append(element("option", { value: name }, label));
  sort.value = asked.sort;
  sort.addEventListener("change", () => {
    ask({ sort: sort.value, descending: Boolean(sort.value) && about.better[sort.value] === "high" }); // best first
    turned();
  });
  const turn = button("", () => {
    ask({ descending: !asked.descending });
    turned();
  }, "turn");
  function turned() {
    turn.setAttribute("aria-pressed", String(asked.descending));
    turn.textContent = asked.descending ? "high to low" : "low to high";
  }
  turned();

  const chosen = element("input", { type: "checkbox", "data-ask": "chosen" });
  chosen.checked = asked.chosen;
  chosen.addEventListener("change", () => ask({ chosen: chosen.checked }));
  const count = element("span", { class: "dg-count", "aria-live": "polite" });
  const before = button("◀", () => leaf(Math.max(0, asked.page - 1)), "before");
  const after = button("▶", () => leaf(Math.min(model.get("shown").pages - 1, asked.page + 1)), "after");
  before.setAttribute("aria-label", "Previous page");
  after.setAttribute("aria-label", "Next page");
  const where = element("span", { class: "dg-where" });
  const problem = element("p", { class: "dg-error", role: "status" });
  const cards = element("div", { class: "dg-cards" });

  const filters = element("div", { class: "dg-filters" });
  for (const [name, label] of about.columns) {
    const ends = about.ranges[name];
    if (!ends || ends[0] === ends[1]) continue;
    const says = element("span", {});
    const sliders = [0, 1].map((side) => {
      const limit = asked.between[name]?.[side] ?? ends[side];
      const slider = element("input", { type: "range", min: ends[0], max: ends[1], step: "any", value: limit,
        "aria-label": label + (side ? ", at most" : ", at least"), "data-limit": name + (side ? ".max" : ".min") });
      slider.value = limit;
      slider.addEventListener("input", () => {
        const limits = sliders.map((one) => Number(one.value));
        const free = [limits[0] <= ends[0], limits[1] >= ends[1]];
        says.textContent = `: ${limits[0].toPrecision(3)} to ${limits[1].toPrecision(3)}`;
        const between = { ...asked.between };
        if (free[0] && free[1]) delete between[name];
        else between[name] = limits.map((limit, place) => (free[place] ? null : limit));
        ask({ between }, 150);
      });
      return slider;
    });
    filters.append(element("fieldset", {}, element("legend", {}, label, says), element("div", { class: "dg-ends" }, ...sliders)));
  }

  function mark(card, on) {
    card.classList.toggle("dg-on", on);
    card.querySelector("input").checked = on;
  }

  let drawn = ""; // which rows the cards are

  function show() {
    const shown = model.get("shown");
    if (shown.question !== asked.question) return; // an older question's answer
    if (shown.serial === asked.serial) asked.page = shown.page; // there may be fewer pages than asked for
    if (shown.rows && !shown.error) keep(shown.page, shown.rows);
    const rows = shown.held ? held.get(shown.page) : shown.rows;
    if (rows || shown.error) draw({ ...shown, rows });
    else ask({ page: shown.page }); // the page was opened again, and what it held is gone
    tell();
  }

  function travelled() {
    const ahead = model.get("ahead");
    if (ahead.question === asked.question && !asked.chosen) keep(ahead.page, ahead.rows);
  }

  function draw(shown) {
    problem.textContent = shown.error || "";
    where.textContent = `page ${(shown.page + 1).toLocaleString("en")} of ${shown.pages.toLocaleString("en")}`;
    before.disabled = shown.page <= 0;
    after.disabled = shown.page >= shown.pages - 1;
    el.dataset.serial = String(shown.serial);
    if (!shown.rows || shown.error) return; // what was there stays
    const rows = shown.rows.map((row) => `${row.id} ${row.picture.length}`).join();
    if (rows === drawn) return;
    drawn = rows;
    const on = new Set(model.get("selected"));
    cards.replaceChildren(...shown.rows.map((row) => {
      const tick = element("input", { type: "checkbox", "aria-label": "Choose " + row.shown });
      const list = element("dl");
      for (const [label, value] of row.values) list.append(element("dt", { title: label }, label), element("dd", {}, value || "–"));
      const picture = row.picture ? element("img", { src: row.picture, alt: "Structure of " + row.shown, width: 200, height: 130 })
        : element("code", {}, row.text || "no structure");
      const card = element("div", { class: "dg-card", "data-id": row.id }, picture,
        element("label", {}, tick, element("strong", {}, row.shown)), list);
      if (row.alerts) card.append(element("small", {}, "⚠ " + row.alerts));
      if (row.why) card.append(element("small", {}, row.why));
      card.addEventListener("click", (event) => {
        if (event.target.closest("label") && event.target !== tick) return; // the label's own click on the box follows
        if (event.target !== tick) tick.checked = !tick.checked;
        mark(card, tick.checked);
        model.send({ ids: [row.id], on: tick.checked });
      });
      mark(card, on.has(row.id));
      return card;
    }));
  }

  function tell() {
    const shown = model.get("shown");
    count.textContent = `${shown.found.toLocaleString("en")} of ${about.rows.toLocaleString("en")} rows, ${model.get("selected").length.toLocaleString("en")} chosen`;
    const on = new Set(model.get("selected"));
    for (const card of cards.children) mark(card, on.has(card.dataset.id));
  }

  const root = element("div", { class: "dg", role: "group", "aria-label": "Molecules of " + about.name },
    element("div", { class: "dg-bar" }, box("Text", "text", "name, alert, reason"), box("SMARTS", "smarts", "c1ccc2[nH]ccc2c1"),
      element("label", {}, "Sort by", sort), turn),
    element("details", {}, element("summary", {}, "Filter by numbers"), filters), problem,
    element("div", { class: "dg-bar" }, before, where, after,
      button("Choose all found", () => model.send({ found: asked }), "all"),
      button("Choose none", () => model.send({ none: 1 }), "none"),
      element("label", {}, chosen, "only chosen"), count),
    cards);
  el.append(root);
  model.on("change:shown", show);
  model.on("change:ahead", travelled);
  model.on("change:selected", tell);
  show();
  const opened = asked.serial;
  const opening = setTimeout(() => asked.serial === opened && ask({ page: asked.page }), 200); // so that the next pages set out
  return () => { model.off("change:shown", show); model.off("change:ahead", travelled); model.off("change:selected", tell); clearTimeout(timer); clearTimeout(opening); };
}

// Once a widget, however often it is shown: what was asked, and the pages of that question that are here.
export default () => {
  const shared = {
    asked: { page: 0, text: "", smarts: "", sort: "", descending: false, between: {}, chosen: false, serial: 0, question: 0, held: false },
    held: new Map(),
  };
  return { render: (context) => render(context, shared) };
};
